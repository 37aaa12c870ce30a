package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin/store"
)

const (
	// maxTyped is how many messages of class Typed wait in all: more than a day of a country's.
	maxTyped = 100_000
	// loadEvery is how many requests of that class a process takes before it looks again at how many wait.
	loadEvery = maxTyped / 100
	// loadFull is how long a process refuses them before it looks again.
	loadFull = 10 * time.Second
	// loadFor is how long the number that a dispatcher wrote is believed. It writes in each of its rounds.
	loadFor = 2 * time.Hour
)

// load is how many messages of class Typed wait, decoys among them, as a dispatcher last counted them.
type load struct {
	Typed int `json:"n" export:"yes"`
}

// room refuses messages for which there is no room, alike for all subjects.
func (o *Outbox) room(ctx context.Context, refs []Ref, typed int) error {
	if !o.Durable() {
		most := maxOwn
		if typed > 0 {
			most /= 2 // so that a flood of requests leaves room for notices
		}
		keys := make([]store.Key, len(refs))
		for i, ref := range refs {
			keys[i] = ref.key()
		}
		if !o.own.Fits(keys, most) {
			return fmt.Errorf("%w: %d, on a store that cannot list", ErrBusy, o.own.Len())
		}
		return nil
	}
	if typed == 0 {
		return nil
	}
	look, full := o.crowd(typed)
	if look {
		e, err := o.loads.Get(ctx, store.Key{ID: "typed"})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("outbox: announce: %w", err)
		}
		full = o.counted(e.Value.Typed)
	}
	if full {
		return fmt.Errorf("%w: %d that any visitor may cause", ErrBusy, o.maxTyped)
	}
	return nil
}

// crowd adds to the messages that this process has taken since it last looked. It reports whether to look again, and whether
// too many waited when it last looked.
func (o *Outbox) crowd(typed int) (look, full bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.typedSince += typed
	full = o.typedBefore+o.typedSince > o.maxTyped
	look = o.typedSince > min(loadEvery, o.maxTyped) || full && time.Since(o.typedAt) >= loadFull
	return look, full
}

// counted notes how many messages of class Typed wait, and reports whether they are too many.
func (o *Outbox) counted(n int) (full bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.typedBefore, o.typedSince, o.typedAt = n, 0, time.Now()
	return n >= o.maxTyped
}

// tellLoad tells the other processes how many messages of class Typed wait, while that is many.
func (o *Outbox) tellLoad(ctx context.Context, n int) {
	o.counted(n)
	o.mu.Lock()
	tell := n >= o.maxTyped/2 || o.typedTold
	o.typedTold = n >= o.maxTyped/2
	o.mu.Unlock()
	if !tell {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	_, _ = o.loads.Update(ctx, store.Key{ID: "typed"}, func(e *store.Entry[load]) error { // or in the next round
		e.Value.Typed, e.Expires = n, o.vault.Now().Add(loadFor)
		return nil
	})
}
