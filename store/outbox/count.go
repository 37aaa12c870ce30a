package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// A Backlog is what waits to be sent, as [Outbox.Count] found it. Strangers' requests are among it, so that the numbers do
// not tell them from citizens'. Dead letters are not: see [Outbox.DeadLetters].
type Backlog struct {
	// Due is how many messages ought to be on their way by now. If it grows, a gateway is down or too slow, or nothing runs.
	Due int
	// Later is how many others there are: they are being sent, or wait for their next try.
	Later int
	// Since is when the longest due of Due became due; zero if nothing is due. Its age is what to watch, and to be told of.
	Since time.Time
}

// Count adds what waits to be sent to b, for a gauge: call it now and then with a zero Backlog. It looks at every entry, and
// claims and changes none; p bounds it, says where to go on, with the b of the pass before, and is told how far it is. Any
// number may run at once, also beside Run, and in a process that sends nothing.
//
// The error matches [civicpin.ErrInvalid] if b is nil or p.Max negative, and [store.ErrUnreadable] at the end if there are
// entries that cannot be opened; otherwise it is the context's or the store's. On a store that cannot list, Count sees what
// this process added.
func (o *Outbox) Count(ctx context.Context, b *Backlog, p store.Pass) (store.Progress, error) {
	if b == nil {
		return store.Progress{Last: p.After}, fmt.Errorf("outbox: count: %w: no Backlog", civicpin.ErrInvalid)
	}
	now := o.vault.Now()
	at, err := o.walk(ctx, p, func(e store.Entry[entry]) error {
		due := time.Unix(0, e.Value.Due)
		if !o.isDue(&e.Value, now) {
			b.Later++
			return nil
		}
		b.Due++
		if !due.After(now) { // not by a clock that was ahead
			b.Since = earlier(b.Since, due)
		}
		return nil
	})
	if err != nil {
		err = fmt.Errorf("outbox: count: %w", err)
	}
	return at, err
}
