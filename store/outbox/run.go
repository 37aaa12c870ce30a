package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin/store"
)

// minPause is the least time between two listings.
const minPause = 10 * time.Millisecond

// Run sends what is due until the context is done, waits for what is being sent then, at most Options.Timeout and a few
// seconds, and returns the context's error. It goes on over failures of the store. Any number may run at once.
func (o *Outbox) Run(ctx context.Context) error {
	if !o.Durable() {
		o.notice(ctx, EventNotDurable, "messages that wait when this process ends are lost")
	}
	d := newDispatch(o, o.parked)
	defer d.running.Wait()
	var last health
	for {
		began := time.Now()
		s := o.scan(ctx, d.taken)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		last = o.report(ctx, last, s)
		d.hand(ctx, s.jobs)

		// A listing that takes long, because much is waiting, is not made all the time.
		pause := max(minPause, 4*time.Since(began))
		wait := o.opts.Poll
		if s.more {
			wait = 0
		} else if !s.next.IsZero() {
			wait = min(wait, s.next.Sub(o.vault.Now()))
		}
		if err := d.listen(ctx, pause, max(pause, wait)); err != nil {
			return err
		}
	}
}

// listen hands over what this process commits, until it is time for the next listing: after least if somebody asks for one,
// and otherwise after most.
func (d *dispatch) listen(ctx context.Context, least, most time.Duration) error {
	earliest, latest := time.NewTimer(least), time.NewTimer(most)
	defer earliest.Stop()
	defer latest.Stop()
	var wake <-chan struct{} // nil until a listing may be made
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case key := <-d.o.fresh:
			if j := d.o.find(ctx, key); j != nil {
				d.hand(ctx, []*job{j})
			}
		case <-earliest.C:
			wake = d.o.wake
		case <-wake:
			return nil
		case <-latest.C:
			return nil
		}
	}
}

// health is what a Run last said about the store.
type health struct {
	stalled    bool
	unreadable int
}

// report records once what went wrong with a listing, and not at each of them.
func (o *Outbox) report(ctx context.Context, last health, s scan) health {
	stalled := s.err != nil
	if stalled && !last.stalled {
		o.notice(ctx, EventStalled, s.err.Error())
	}
	if s.unreadable > last.unreadable {
		o.notice(ctx, EventUnreadable, "entries that cannot be opened are left alone")
	}
	return health{stalled: stalled, unreadable: s.unreadable}
}

// Flush tries each message once that is due now, and returns when that is done: for cron jobs and tests. A send that fails
// is not Flush's error; it is tried again when it is due. The error is the context's or the store's; it matches
// [store.ErrUnreadable] if there are entries that cannot be opened, which does not stop the others. Any number may run at
// once, also beside Run.
func (o *Outbox) Flush(ctx context.Context) error {
	d := newDispatch(o, o.listed)
	seen := make(map[store.Key]bool)
	for {
		s := o.scan(ctx, func(key store.Key) bool { return seen[key] })
		for _, j := range s.jobs {
			seen[j.entry.Key] = true
		}
		d.hand(ctx, s.jobs)
		d.running.Wait()
		if ctx.Err() != nil || s.err != nil {
			return errors.Join(ctx.Err(), s.err)
		}
		if s.more && len(s.jobs) > 0 {
			continue
		}
		if s.unreadable > 0 {
			return store.ErrUnreadable
		}
		return nil
	}
}
