package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

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
	place   int           // where the head is written
	resumed string        // why the process had no head to go by, until the chain says so
	kept    time.Time     // when a head was last handed to Config.Keep
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

// append creates the next entry, and before it, where the process had no head to go by, one that says so.
func (c *chain) append(ctx context.Context, events json.RawMessage) error {
	if !c.known {
		if err := c.find(ctx); err != nil {
			return err
		}
	}
	if c.resumed != "" {
		note, err := json.Marshal([]event{{At: c.log.vault.Now().UTC(), Code: eventResumed, Reason: c.resumed}})
		if err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		if err := c.create(ctx, note); err != nil {
			return err
		}
		c.resumed = ""
	}
	return c.create(ctx, events)
}

// create creates the next entry. Only the create decides: what this process believes about the chain may be old.
func (c *chain) create(ctx context.Context, events json.RawMessage) error {
	for range maxTries {
		e := store.Entry[entry]{
			Key:   c.log.key(c.number, c.next),
			Value: entry{Chain: c.number, Seq: c.next, Prev: c.prev, Events: events},
		}
		e.Value.Sum = c.log.sum(&e.Value)
		err := c.log.entries.Put(ctx, &e)
		if err == nil {
			c.next, c.prev = c.next+1, e.Value.Sum
			err := c.log.advance(ctx, c.number, c.place, head{Seq: e.Value.Seq, Sum: e.Value.Sum})
			c.known = !errors.Is(err, store.ErrUnreadable) // else the next event looks for a head anew
			return errors.Join(err, c.keep(ctx, Head{Chain: c.number, Seq: e.Value.Seq, Sum: e.Value.Sum}))
		}
		if !errors.Is(err, store.ErrConflict) {
			return fmt.Errorf("audit: %w", err) // it may be there, or come to be: the next one will see
		}
		// Another process has the number: go on behind it.
		first := c.next == 0
		if err := c.toEnd(ctx); err != nil {
			return err
		}
		if first { // nobody writes a second entry before there is a head: without one, entries were cut off
			if err := c.log.advance(ctx, c.number, c.place, head{Seq: c.next - 1, Sum: c.prev}); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("audit: %w", store.ErrContended)
}

// keep hands a head to the caller if one is due. One that failed counts as handed over: a place that is down must not hold up
// every event.
func (c *chain) keep(ctx context.Context, h Head) error {
	now := c.log.vault.Now()
	if since := now.Sub(c.kept); c.log.config.Keep == nil || 0 <= since && since < c.log.config.KeepEvery {
		return nil
	}
	c.kept = now
	if err := c.log.config.Keep(ctx, h); err != nil {
		return fmt.Errorf("audit: the entry is written, its head is not kept: %w", err)
	}
	return nil
}

// locate goes to the end of the chain, from the head on. It returns the heads, and the number that follows the head.
func (c *chain) locate(ctx context.Context) (h heads, from uint64, err error) {
	h, err = c.log.head(ctx, c.number)
	if err != nil {
		return h, 0, err
	}
	c.place, c.next, c.prev = h.place, 0, make([]byte, 32)
	if h.found {
		c.next, c.prev = h.head.Seq+1, h.head.Sum
	}
	from = c.next
	if err = c.toEnd(ctx); err != nil || h.found || c.next < 2 {
		return h, from, err
	}
	h, err = c.log.head(ctx, c.number) // the chain may have begun after the first look
	return h, from, err
}

// find looks for the end of the chain, and moves the head there.
func (c *chain) find(ctx context.Context) error {
	h, from, err := c.locate(ctx)
	if err != nil {
		return err
	}
	switch {
	case !h.found && len(h.spoilt) > 0:
		c.resumed = "the head did not open"
	case !h.found && c.next > 1: // without a head there may be one entry: the process that wrote it died
		c.resumed = "the head was missing"
	}
	c.known = true
	if c.next == from {
		return nil
	}
	// The process that wrote the last one did not come to move the head.
	return c.log.advance(ctx, c.number, c.place, head{Seq: c.next - 1, Sum: c.prev})
}

// toEnd goes to the end of the entries that are there, in steps that double, so that a head that was lost does not cost a read
// of every entry. It passes entries that do not open, for Verify to find: they must not keep others from being recorded.
func (c *chain) toEnd(ctx context.Context) error {
	there := func(seq uint64) (bool, error) {
		e, err := c.log.entries.Get(ctx, c.log.key(c.number, seq))
		switch {
		case errors.Is(err, store.ErrNotFound):
			return false, nil
		case errors.Is(err, store.ErrUnreadable):
			c.prev = nil // not zeros: Verify tells a link that is missing from a wrong one
		case err != nil:
			return false, fmt.Errorf("audit: %w", err)
		default:
			c.prev = e.Value.Sum
		}
		c.next = seq + 1
		return true, nil
	}
	step := uint64(1)
	for ; ; step *= 2 {
		ok, err := there(c.next + step - 1)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
	}
	for step > 1 { // the entry step-1 behind next is not there
		step /= 2
		ok, err := there(c.next + step - 1)
		if err != nil {
			return err
		}
		if ok && step == 1 {
			step = 2 // entries come meanwhile
		}
	}
	return nil
}
