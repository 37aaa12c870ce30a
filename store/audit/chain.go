package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

const (
	// maxEntry bounds the events of one entry, in bytes of JSON, well below what a vault seals.
	maxEntry = 64 << 10
	// maxTries bounds how often an entry is tried under the next number. Each time another process has got ahead.
	maxTries = 100
)

// chain is what a process knows of a chain.
type chain struct {
	log    *Log
	number int

	mu   sync.Mutex
	open *batch // takes the events that come

	writing chan struct{} // a lock, held by the writer; guards the rest
	known   bool          // whether next and prev are
	next    uint64        // the number to try
	prev    []byte        // the sum of the entry before
}

// batch is events that are written together. done is guarded by chain.writing.
type batch struct {
	events []civicpin.Event
	done   bool
}

// record puts an event into the open batch, waits until nobody writes, and writes the batch, unless it was written meanwhile.
func (c *chain) record(ctx context.Context, e civicpin.Event) {
	c.mu.Lock()
	b := c.open
	b.events = append(b.events, e)
	c.mu.Unlock()
	c.writing <- struct{}{}
	defer func() { <-c.writing }()
	if b.done {
		return
	}
	c.mu.Lock()
	c.open = new(batch)
	c.mu.Unlock()
	b.done = true
	// The act has happened, so the event is written although the visitor may have gone.
	ctx = context.WithoutCancel(ctx)
	within, cancel := context.WithTimeout(ctx, c.log.config.Timeout)
	defer cancel()
	for len(b.events) > 0 {
		n, err := c.write(within, b.events)
		if err != nil {
			for _, e := range b.events[:n] {
				c.log.config.Failed(ctx, e, err)
			}
		}
		b.events = b.events[n:]
	}
}

// write writes an entry with as many of the events as it takes, and returns how many that is.
func (c *chain) write(ctx context.Context, events []civicpin.Event) (n int, err error) {
	text := []byte{'['}
	for _, e := range events {
		one, err := json.Marshal(stored(e))
		if err != nil {
			return max(n, 1), fmt.Errorf("audit: %w", err)
		}
		if n > 0 && len(text)+len(one) > maxEntry {
			break
		}
		if n > 0 {
			text = append(text, ',')
		}
		text = append(text, one...)
		n++
	}
	return n, c.append(ctx, append(text, ']'))
}

// append creates the next entry. Only the create decides: what this process believes about the chain may be old.
func (c *chain) append(ctx context.Context, events json.RawMessage) error {
	if !c.known {
		if err := c.find(ctx); err != nil {
			return err
		}
	}
	for range maxTries {
		e := store.Entry[entry]{
			Key:   c.log.key(c.number, c.next),
			Value: entry{Chain: c.number, Seq: c.next, Prev: c.prev, Events: events},
		}
		e.Value.Sum = c.log.sum(&e.Value)
		err := c.log.entries.Put(ctx, &e)
		if err == nil {
			c.next, c.prev = c.next+1, e.Value.Sum
			return c.log.advance(ctx, c.number, head{Seq: e.Value.Seq, Sum: e.Value.Sum})
		}
		if !errors.Is(err, store.ErrConflict) {
			return fmt.Errorf("audit: %w", err) // it may be there, or come to be: the next one will see
		}
		// Somebody else has the number: go on behind them. Reading on to the end is quicker than they can write.
		if err := c.toEnd(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("audit: %w", store.ErrContended)
}

// find looks for the end of the chain, from the head on.
func (c *chain) find(ctx context.Context) error {
	h, err := c.log.heads.Get(ctx, c.log.headKey(c.number))
	switch {
	case errors.Is(err, store.ErrNotFound):
		c.next, c.prev = 0, make([]byte, 32)
	case err != nil:
		return fmt.Errorf("audit: %w", err)
	default:
		c.next, c.prev = h.Value.Seq+1, h.Value.Sum
	}
	from := c.next
	if err := c.toEnd(ctx); err != nil {
		return err
	}
	c.known = true
	if c.next == from {
		return nil
	}
	// Whoever wrote the last one did not come to move the head.
	return c.log.advance(ctx, c.number, head{Seq: c.next - 1, Sum: c.prev})
}

// toEnd goes past all entries that are there. One that does not open is passed, too, for Verify to find: it must not keep
// others from being recorded.
func (c *chain) toEnd(ctx context.Context) error {
	for {
		e, err := c.log.entries.Get(ctx, c.log.key(c.number, c.next))
		switch {
		case errors.Is(err, store.ErrNotFound):
			return nil
		case errors.Is(err, store.ErrUnreadable):
			c.next, c.prev = c.next+1, nil // not zeros: Verify tells a link that is missing from a wrong one
		case err != nil:
			return fmt.Errorf("audit: %w", err)
		default:
			c.next, c.prev = c.next+1, e.Value.Sum
		}
	}
}

// advance moves the head of a chain on, never back. The entry is in the chain whether or not this succeeds, and the next one
// moves the head further; but until then it could be cut off unseen, so a failure is told.
func (l *Log) advance(ctx context.Context, chain int, h head) error {
	_, err := l.heads.Update(ctx, l.headKey(chain), func(e *store.Entry[head]) error {
		if e.Found() && e.Value.Seq >= h.Seq {
			return store.ErrSkip
		}
		e.Value = h
		return nil
	})
	if err != nil {
		return fmt.Errorf("audit: the entry is written, its head is not: %w", err)
	}
	return nil
}
