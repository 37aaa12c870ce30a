package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/scrub"
	"github.com/civicpin/civicpin/store"
)

const (
	// minPause is the least time between two listings.
	minPause = 10 * time.Millisecond
	// maxPause is the longest that one listing may hold up the next, however long it took.
	maxPause = 5 * time.Second
	// maxFailed is how many listings may fail in a row at one place before Run begins again with the first entry: a place that
	// can never be read must not hide what is before it.
	maxFailed = 3
)

// Run sends what is due until the context is done, waits for what is being sent then, at most Options.Timeout and a few
// seconds, and returns the context's error, or [ErrNoNotifier] at once. It goes on over failures of the store. Any number may
// run at once.
func (o *Outbox) Run(ctx context.Context) error {
	if o.notifier == nil {
		return ErrNoNotifier
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if !o.vault.CanList() {
		o.notice(ctx, eventNotDurable, "messages that wait when this process ends are lost")
	}
	d := newDispatch(o, o.parked)
	defer d.running.Wait()
	d.running.Go(func() { d.listen(ctx) }) // for itself, so that a listing that hangs does not hold up what is committed here
	var r round
	for {
		began := time.Now()
		s := o.scan(ctx, r.after, d.taken)
		// A listing that takes long, because much is waiting, is not made all the time.
		pause := min(max(minPause, 4*time.Since(began)), maxPause)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		over := r.add(s)
		o.report(ctx, &r, s.err, over)
		d.hand(ctx, s.jobs)

		wait := pause
		var wake <-chan struct{} // what asks for a listing may be about entries behind this one, so it has to be a round's
		switch {
		case s.err != nil:
			wait = min(o.opts.Poll, maxPause)
		case over:
			wait, wake = o.opts.Poll, o.wake
			if !r.next.IsZero() {
				wait = min(wait, r.next.Sub(o.vault.Now()))
			}
			r = round{health: r.health}
		}
		if err := sleep(ctx, pause, nil); err != nil {
			return err
		}
		if err := sleep(ctx, wait-pause, wake); err != nil {
			return err
		}
	}
}

// listen hands over what this process commits.
func (d *dispatch) listen(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case key := <-d.o.fresh:
			if j := d.o.find(ctx, key); j != nil {
				d.hand(ctx, []*job{j})
			}
		}
	}
}

// sleep waits for d, or until it is woken. The error is the context's.
func sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
	case <-wake:
	}
	return nil
}

// round is how far a Run is on its way from the first entry to the last, and what it found on it.
type round struct {
	after      string    // where the next listing goes on
	next       time.Time // when the next of what is not due will be; zero if there is none
	unreadable int
	typed      int // entries of class Typed
	failed     int // listings that failed in a row without showing an entry
	health     health
}

// health is what a Run last said about the store.
type health struct {
	stalled    bool
	unreadable int
}

// add adds what a listing found, and reports whether the round is over.
func (r *round) add(s part) (over bool) {
	r.after = s.at.Last
	r.next = earlier(r.next, s.next)
	r.unreadable += s.at.Unreadable
	r.typed += s.typed
	if s.err == nil || s.at.Seen > 0 {
		r.failed = 0
	} else if r.failed++; r.failed == maxFailed {
		*r = round{health: r.health}
	}
	return s.err == nil && s.at.End
}

// report records what went wrong, once in a round at most, and not again in each round: a store that stalls until a whole
// round is read, and unreadable entries when there are more of them than in the round before.
func (o *Outbox) report(ctx context.Context, r *round, err error, over bool) {
	switch {
	case err != nil && !r.health.stalled:
		r.health.stalled = true
		o.notice(ctx, eventStalled, err.Error())
	case over:
		if r.unreadable > r.health.unreadable {
			o.notice(ctx, eventUnreadable, "entries that cannot be opened are left alone")
		}
		r.health = health{unreadable: r.unreadable}
		o.reportLoad(ctx, r.typed)
	}
}

// notice records an event about the outbox itself.
func (o *Outbox) notice(ctx context.Context, code civicpin.EventCode, reason string) {
	o.vault.Record(ctx, civicpin.Event{Code: code, Reason: scrub.Text(reason)})
}

// Flush tries each message once that is due now, and returns when that is done: for cron jobs and tests. A send that fails is
// not an error of Flush; the message is tried again when it is due. Any number may run at once, also beside Run. Errors:
//   - [ErrNoNotifier]: the outbox sends nothing.
//   - [store.ErrUnreadable]: some entries do not open. The others were tried.
//   - the context's and the store's.
func (o *Outbox) Flush(ctx context.Context) error {
	if o.notifier == nil {
		return ErrNoNotifier
	}
	d := newDispatch(o, o.listed)
	unreadable, waiting := false, 0
	for after, end := "", false; !end; {
		s := o.scan(ctx, after, func(store.Key, *entry) bool { return false })
		d.hand(ctx, s.jobs)
		d.running.Wait()
		waiting += s.typed
		for _, j := range s.jobs { // tried just now
			if j.entry.Value.Class == Typed {
				waiting--
			}
		}
		if ctx.Err() != nil || s.err != nil {
			return errors.Join(ctx.Err(), s.err)
		}
		after, end = s.at.Last, s.at.End
		unreadable = unreadable || s.at.Unreadable > 0
	}
	o.reportLoad(ctx, waiting)
	if unreadable {
		return store.ErrUnreadable
	}
	return nil
}

// reportLoad notes how many messages of class Typed wait.
func (o *Outbox) reportLoad(ctx context.Context, n int) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	o.load.Report(ctx, n)
}

// remember keeps the outcome of a message that was sent, until that is durable.
func (o *Outbox) remember(key store.Key, v entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for old := range o.sent {
		if len(o.sent) < maxRemembered {
			break
		}
		delete(o.sent, old)
	}
	o.sent[key] = v
}

func (o *Outbox) forget(key store.Key) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.sent, key)
}

// wasSent reports whether this process sent the message of a job already, and then readies the job to be concluded.
func (o *Outbox) wasSent(j *job) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	was, ok := o.sent[j.entry.Key]
	if ok {
		j.entry.Value.Done, j.entry.Value.At, j.entry.Value.Receipt = doneSent, was.At, was.Receipt
	}
	return ok
}
