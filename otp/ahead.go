package otp

import (
	"time"

	"github.com/civicpin/civicpin/internal/stored"
	"github.com/civicpin/civicpin/store"
)

// maxAhead is how far the next step of a key may be ahead of the clock, in seconds. It is a day, far more than any drift: a
// clock that is behind for an hour must not open what was used.
const maxAhead = 24 * 60 * 60

// correctRing returns what corrects the times of a keyring, steps among them.
func correctRing(c commonPolicy) func(*store.Entry[keyring], time.Time) bool {
	pending := map[string]time.Duration{"Until": c.pending}
	within := stored.Within[store.Entry[keyring]](pending, "Until")
	return func(e *store.Entry[keyring], now time.Time) bool {
		changed := within(e, now)
		for _, b := range []*boundKey{e.Value.Active, e.Value.Pending} {
			if b == nil || b.Period <= 0 {
				continue
			}
			if most := uint64(max(0, now.Unix()+maxAhead) / b.Period); b.Next > most {
				b.Next, changed = most, true
			}
		}
		return changed
	}
}
