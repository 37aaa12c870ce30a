package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
)

const (
	// lastWait is how long a notifier may take to return after its time is over.
	lastWait = time.Second
	// maxStuck is how many calls per channel may neither have returned nor be waited for any more.
	maxStuck = 16
)

var (
	errCut    = errors.New("outbox: the notifier did not return in time")
	errExited = errors.New("outbox: the notifier ended its goroutine")
)

// notify calls the notifier. It returns at the latest a second after Options.Timeout, whatever the notifier does.
func (o *Outbox) notify(ctx context.Context, m civicpin.Message) (receipt string, err error) {
	ctx, cancel := context.WithTimeout(ctx, o.opts.Timeout)
	defer cancel()
	type answer struct {
		receipt string
		err     error
	}
	answers := make(chan answer, 1)
	call := &call{outbox: o, channel: m.To.Channel}
	go func() {
		a := answer{err: errExited} // stays so if the notifier calls runtime.Goexit
		defer func() {
			answers <- a
			call.returned()
		}()
		err := guard(func() (err error) {
			a.receipt, a.err = o.notifier.Notify(ctx, m)
			return nil
		})
		if err != nil {
			a.err = fmt.Errorf("outbox: the notifier %w", err)
		}
	}()
	select {
	case a := <-answers:
		return a.receipt, a.err
	case <-ctx.Done():
	}
	last := time.NewTimer(lastWait)
	defer last.Stop()
	select {
	case a := <-answers:
		return a.receipt, a.err
	case <-last.C:
		call.abandon()
		return "", errCut
	}
}

// call is one call of the notifier. Those that are not waited for any more are counted, since each keeps a goroutine.
type call struct {
	outbox          *Outbox
	channel         civicpin.Channel
	over, abandoned bool // under the outbox's lock
}

func (c *call) returned() {
	c.outbox.mu.Lock()
	defer c.outbox.mu.Unlock()
	c.over = true
	if !c.abandoned {
		return
	}
	if c.outbox.stuck[c.channel]--; c.outbox.stuck[c.channel] == 0 {
		delete(c.outbox.stuck, c.channel)
		delete(c.outbox.announced, c.channel)
	}
}

func (c *call) abandon() {
	c.outbox.mu.Lock()
	defer c.outbox.mu.Unlock()
	if !c.over {
		c.abandoned = true
		c.outbox.stuck[c.channel]++
	}
}

// free reports whether the notifier may be called for a channel.
func (o *Outbox) free(ctx context.Context, c civicpin.Channel) bool {
	o.mu.Lock()
	full := o.stuck[c] >= maxStuck
	announce := full && !o.announced[c]
	if announce {
		o.announced[c] = true
	}
	o.mu.Unlock()
	if announce {
		o.notice(ctx, EventStuck, string(c))
	}
	return !full
}
