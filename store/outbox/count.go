package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// A Backlog is how many messages wait to be sent, as [Outbox.Count] found them: in all, and of each class. Decoys count as Due
// and Later, never as Held. Held therefore reveals real subjects: show it to operators only. Dead letters do not count: see
// [Outbox.DeadLetters].
type Backlog struct {
	// Due, Held and Later are the messages of all classes: their sum is how many wait. See [Tally].
	Due, Held, Later int
	// ByClass are those of each class: ByClass[Typed] of what any visitor may cause. It is an array, so that the zero Backlog
	// is ready, a copy is a copy, and two can be compared. What a later version stored with another class counts as Typed.
	ByClass [Notice + 1]Tally
	// OldestAt is when the oldest due message became due; zero if nothing is due. Its age grows if senders cannot keep up, or
	// if nothing runs. It stays near zero while a gateway answers with errors: see Later of [Tally], and outbox.retried.
	OldestAt time.Time
}

// A Tally is how many messages wait of one class.
type Tally struct {
	// Due is how many ought to be on their way by now. It grows if senders cannot keep up, or if nothing runs.
	Due int
	// Held is how many wait for their turn under a limit of their address or country: see [Limits]. It grows if visitors flood
	// an address, or if the limit is too low.
	Held int
	// Later is how many others there are. They are being sent, or wait for their next try, or will be dropped after
	// Options.Grace because their owner no longer wants them. It grows if a gateway answers with errors.
	Later int
}

// Count adds what waits to be sent to b, for a gauge: call it now and then with a zero Backlog. It looks at every entry, and
// changes none. The pass p bounds it, and says where to go on, with the b of the pass before. Any number of counts may run at
// once, beside Run, and in a process that sends nothing. On a store that cannot list, Count sees what this process added.
// Errors:
//   - [civicpin.ErrInvalid]: b is nil, or p.Max negative.
//   - [store.ErrUnreadable]: some entries could not be opened. The others were counted.
//   - the context's and the store's: b holds what was counted until then.
func (o *Outbox) Count(ctx context.Context, b *Backlog, p store.Pass) (store.Progress, error) {
	if b == nil {
		return store.Progress{Last: p.After}, fmt.Errorf("outbox: count: %w: no Backlog", civicpin.ErrInvalid)
	}
	now := o.vault.Now()
	at, err := o.walk(ctx, p, func(e store.Entry[entry]) error {
		class := e.Value.Class
		if class < 0 || int(class) >= len(b.ByClass) {
			class = Typed
		}
		of := &b.ByClass[class]
		switch due := time.Unix(0, e.Value.Due); {
		case o.isDue(&e.Value, now):
			b.Due, of.Due = b.Due+1, of.Due+1
			if !due.After(now) { // not by a clock that was ahead
				b.OldestAt = earlier(b.OldestAt, due)
			}
		case e.Value.isHeld(now):
			b.Held, of.Held = b.Held+1, of.Held+1
		default:
			b.Later, of.Later = b.Later+1, of.Later+1
		}
		return nil
	})
	if err != nil {
		err = fmt.Errorf("outbox: count: %w", err)
	}
	return at, err
}

// isHeld reports whether an entry that is not due waits for its turn: its address has not let it through, or its country does
// so later.
func (e *entry) isHeld(now time.Time) bool {
	return e.Turn == 0 && e.Queue != "" || e.Slot > now.UnixNano()
}
