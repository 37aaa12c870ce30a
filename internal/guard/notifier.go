package guard

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/civicpin/civicpin"
)

const (
	// lastWait is how long a notifier may take to return after its time is over.
	lastWait = time.Second
	// MaxStuck is how many calls per channel may neither have returned nor be waited for any more.
	MaxStuck = 16
)

var (
	errCut    = errors.New("outbox: the notifier did not return in time")
	errExited = errors.New("outbox: the notifier ended its goroutine")
)

// A Notifier calls another notifier, and returns on time whatever that one does. It is safe for concurrent use. Make one with
// [NewNotifier].
type Notifier struct {
	to      civicpin.Notifier
	timeout time.Duration

	mu    sync.Mutex
	stuck map[civicpin.Channel]int // calls that outlived their time
	told  map[civicpin.Channel]bool
}

// NewNotifier returns a notifier that gives each call of another one so much time.
func NewNotifier(to civicpin.Notifier, timeout time.Duration) *Notifier {
	return &Notifier{to: to, timeout: timeout, stuck: make(map[civicpin.Channel]int), told: make(map[civicpin.Channel]bool)}
}

// Notify calls the other notifier. It returns at the latest a second after the timeout. A panic of the other notifier is an
// error.
func (n *Notifier) Notify(ctx context.Context, m civicpin.Message) (receipt string, err error) {
	ctx, cancel := context.WithTimeout(ctx, n.timeout)
	defer cancel()
	type answer struct {
		receipt string
		err     error
	}
	answers := make(chan answer, 1)
	c := &call{of: n, channel: m.To.Channel}
	go func() {
		a := answer{err: errExited} // stays so if the notifier calls runtime.Goexit
		defer func() {
			answers <- a
			c.returned()
		}()
		err := Call(func() (err error) {
			a.receipt, a.err = n.to.Notify(ctx, m)
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
		c.abandon()
		return "", errCut
	}
}

// call is one call of the notifier. Those that are not waited for any more are counted, since each keeps a goroutine.
type call struct {
	of              *Notifier
	channel         civicpin.Channel
	over, abandoned bool // under the lock of the notifier
}

func (c *call) returned() {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.over = true
	if !c.abandoned {
		return
	}
	if c.of.stuck[c.channel]--; c.of.stuck[c.channel] == 0 {
		delete(c.of.stuck, c.channel)
		delete(c.of.told, c.channel)
	}
}

func (c *call) abandon() {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	if !c.over {
		c.abandoned = true
		c.of.stuck[c.channel]++
	}
}

// Free reports whether the notifier may be called for a channel, and whether to record that it may not: once until all calls
// that were left behind have returned.
func (n *Notifier) Free(c civicpin.Channel) (free, tell bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	free = n.stuck[c] < MaxStuck
	if tell = !free && !n.told[c]; tell {
		n.told[c] = true
	}
	return free, tell
}
