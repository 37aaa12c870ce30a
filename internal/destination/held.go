package destination

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/pace"
	"github.com/civicpin/civicpin/store"
)

// heldFor is how long it is counted together what was held of a subject's messages.
const heldFor = 24 * time.Hour

// tally is what is stored of the messages of a subject that were held.
type tally struct {
	Since   int64 `json:"t" export:"yes"` // nanoseconds since 1970
	Waited  int   `json:"w" export:"yes"`
	Expired int   `json:"x" export:"yes"`
}

// Note counts messages of a subject that waited or were given up. If the store fails, they are not counted.
func (l *Limits) Note(ctx context.Context, subject civicpin.Subject, waited, expired int) {
	ctx, cancel := context.WithTimeout(ctx, pace.Store)
	defer cancel()
	_, _ = l.held.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[tally]) error {
		now := l.vault.Now()
		if !e.Found() || !current(time.Unix(0, e.Value.Since), now) {
			e.Value = tally{Since: now.UnixNano()}
		}
		e.Value.Waited += waited
		e.Value.Expired += expired
		e.ExpiresAt = time.Unix(0, e.Value.Since).Add(heldFor)
		return nil
	})
}

// Held returns what was noted of a subject's messages since a day ago at most, and when the first of them was held: zero if
// there are none. The error is the store's.
func (l *Limits) Held(ctx context.Context, subject civicpin.Subject) (waited, expired int, since time.Time, err error) {
	e, err := l.held.Get(ctx, store.Key{Subject: subject})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return 0, 0, time.Time{}, err
	}
	since = time.Unix(0, e.Value.Since)
	if !e.Found() || !current(since, l.vault.Now()) {
		return 0, 0, time.Time{}, nil
	}
	return e.Value.Waited, e.Value.Expired, since, nil
}

// current reports whether a count that began at a time goes on.
func current(since, now time.Time) bool { return now.Sub(since) < heldFor && !since.After(now) }
