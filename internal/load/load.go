// Package load caps how many messages wait, over all processes. A dispatcher counts them and writes the number down while it is
// large. Each process refuses new ones by that number and by what it has taken since.
package load

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/civicpin/civicpin/store"
)

const (
	// every is how many messages a process takes before it looks again at how many wait.
	every = 1000
	// full is how long a process refuses messages before it looks again.
	full = 10 * time.Second
	// kept is how long the number that a dispatcher wrote is believed. It writes in each of its rounds.
	kept = 2 * time.Hour
)

// record is how many messages wait, decoys among them, as a dispatcher last counted them.
type record struct {
	Typed int `json:"n" export:"yes"`
	// At is when, in nanoseconds since 1970.
	At int64 `json:"t" export:"yes"`
}

// A Cap refuses messages while too many wait. It is safe for concurrent use. Make one with [NewCap].
type Cap struct {
	vault   *store.Vault
	records store.Kind[record]
	most    int

	mu     sync.Mutex
	before int       // how many messages waited when this process last looked
	since  int       // how many this process has taken since
	at     time.Time // when it looked
	told   bool      // the number in the store may be a large one
}

// NewCap returns a cap: at most about so many messages wait.
func NewCap(v *store.Vault, most int) (*Cap, error) {
	records, err := store.NewKind[record](v, "quota.load")
	return &Cap{vault: v, records: records, most: most, told: true}, err // by a dispatcher that is gone
}

// Most returns how many messages may wait.
func (c *Cap) Most() int { return c.most }

// Admit reports whether n messages more may wait. It counts them, also if it refuses. The error is the store's.
func (c *Cap) Admit(ctx context.Context, n int) (bool, error) {
	again, refuse := c.take(n)
	if again {
		e, err := c.records.Get(ctx, store.Key{ID: "typed"})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return false, err
		}
		// What a clock wrote that was ahead is not believed, nor what no dispatcher has confirmed for hours.
		n, age := e.Value.Typed, c.vault.Now().Sub(time.Unix(0, e.Value.At))
		if age < -time.Minute || age >= kept {
			n = 0
		}
		refuse = c.set(n)
	}
	return !refuse, nil
}

// take adds to the messages that this process has taken since it last looked. It reports whether to look again, and whether too
// many waited when it last looked.
func (c *Cap) take(n int) (again, refuse bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since += n
	refuse = c.before+c.since > c.most
	again = c.since > min(every, c.most) || refuse && time.Since(c.at) >= full
	return again, refuse
}

// set notes how many messages wait, and reports whether they are too many.
func (c *Cap) set(n int) (refuse bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.before, c.since, c.at = n, 0, time.Now()
	return n >= c.most
}

// Report notes how many messages wait, as a dispatcher of this process counted them, and tells the other processes while these
// are many.
func (c *Cap) Report(ctx context.Context, n int) {
	c.set(n)
	c.mu.Lock()
	tell := n >= c.most/2 || c.told
	c.told = n >= c.most/2
	c.mu.Unlock()
	if !tell {
		return
	}
	_, _ = c.records.Update(ctx, store.Key{ID: "typed"}, func(e *store.Entry[record]) error { // or in the next round
		if !e.Found() && n < c.most/2 {
			return store.ErrSkip
		}
		now := c.vault.Now()
		e.Value.Typed, e.Value.At, e.ExpiresAt = n, now.UnixNano(), now.Add(kept)
		return nil
	})
}
