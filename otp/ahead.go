package otp

import (
	"time"

	"github.com/civicpin/civicpin/internal/stored"
	"github.com/civicpin/civicpin/store"
)

// correctRing returns what corrects the times of a keyring, steps among them.
func correctRing(c commonPolicy) func(*store.Entry[keyring], time.Time) bool {
	pending := map[string]time.Duration{"Until": c.pending}
	within := stored.Within[store.Entry[keyring]](pending, "Until")
	return func(e *store.Entry[keyring], now time.Time) bool {
		keep := within(e, now)
		for _, b := range []*boundKey{e.Value.Active, e.Value.Pending} {
			if b == nil || b.Period <= 0 {
				continue
			}
			// No step that was used may open by a clock that is behind.
			if most := uint64(max(0, now.Add(stored.Skew).Unix()) / b.Period); b.Next > most {
				b.Next, keep = most, true
			}
		}
		return keep
	}
}
