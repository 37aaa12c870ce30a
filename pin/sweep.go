package pin

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/civicpin/civicpin/internal/stored"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
)

// sweep drops what late found.
func (c *credential) sweep(now time.Time) {
	if c.State != state.Provisional || stored.Over(c.Expires, now) {
		c.erase()
	}
	c.dropAside(now)
}

// Sweep erases the texts of parts that expired without an exchange, of at most max credentials, and returns of how many. Run it
// now and then from one place, beside [store.Vault.Purge]. A text that has expired is never sent, swept or not. Errors match
// [store.ErrNoListing] if the store does not list, or are the store's.
func (s *Service) Sweep(ctx context.Context, max int) (int, error) {
	n := 0
	late := func(c *credential, now time.Time) bool {
		has := false
		for i := range c.Parts {
			has = has || c.Parts[i].Text != ""
		}
		has = has && (c.State != state.Provisional || stored.Over(c.Expires, now))
		return has || slices.ContainsFunc(c.Aside, func(d decoyParts) bool { return stored.Over(d.Expires, now) })
	}
	for e, err := range s.creds.All(ctx) {
		if errors.Is(err, store.ErrUnreadable) {
			continue
		}
		if err != nil {
			return n, err
		}
		if n >= max {
			break
		}
		if !late(&e.Value, s.vault.Now()) {
			continue
		}
		_, err := s.creds.Update(ctx, e.Key, func(e *store.Entry[credential]) error {
			if !e.Found() || !late(&e.Value, s.vault.Now()) {
				return store.ErrSkip
			}
			e.Value.sweep(s.vault.Now())
			return nil
		})
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
