package outbox_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store/outbox"
)

// What a notifier may do wrong, other than to say so: the message is tried again, and neither its secret nor its address
// is in an event.
func TestNotifiersThatMisbehave(t *testing.T) {
	release := make(chan struct{})
	for name, c := range map[string]struct {
		do     func(context.Context, civicpin.Message) error
		reason string
	}{
		"fails and quotes the secret": {
			func(_ context.Context, m civicpin.Message) error {
				return fmt.Errorf("rejected body: your PIN is %s", m.Secret.Reveal())
			},
			"rejected body: your PIN is [redacted]",
		},
		"fails and quotes the address": {
			func(_ context.Context, m civicpin.Message) error {
				return fmt.Errorf("no such mailbox: <%s>", m.To.Address)
			},
			"no such mailbox: <[redacted]>",
		},
		"panics with the secret": {
			func(_ context.Context, m civicpin.Message) error { panic("bad template for " + m.Secret.Reveal()) },
			"outbox: the notifier panicked: bad template for [redacted]",
		},
		"panics with an error that says undeliverable": {
			func(context.Context, civicpin.Message) error { panic(civicpin.ErrUndeliverable) },
			"outbox: the notifier panicked: civicpin: undeliverable",
		},
		"ends its goroutine": {
			func(context.Context, civicpin.Message) error { runtime.Goexit(); return nil },
			"outbox: the notifier ended its goroutine",
		},
		"hangs and minds its context": {
			func(ctx context.Context, _ civicpin.Message) error { <-ctx.Done(); return ctx.Err() },
			"context deadline exceeded",
		},
		"hangs for ever": {
			func(context.Context, civicpin.Message) error { <-release; return nil },
			"outbox: the notifier did not return in time",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release = make(chan struct{})
				defer close(release)
				r := inBubble(t, nil)
				r.sink.then(c.do)
				ref := r.clerk.ref("A", "1")
				require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "WXYZ6789", To: mail("a@example.org")}))
				began := time.Now()
				require.NoError(t, r.out.Flush(t.Context()))
				require.LessOrEqual(t, time.Since(began), 31*time.Second)
				retried := r.log.Of("outbox.retried")
				require.Len(t, retried, 1)
				require.Equal(t, c.reason, retried[0].Reason)

				time.Sleep(time.Minute)
				r.sink.then(nil)
				require.NoError(t, r.out.Flush(t.Context()))
				require.Len(t, r.sink.messages(), 2)
				require.Equal(t, "accepted", r.clerk.state(t, ref))
			})
		})
	}
}

// A notifier that took the message just as its time ran out is believed.
func TestTheLastMomentCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t, nil)
		r.sink.then(func(ctx context.Context, _ civicpin.Message) error {
			<-ctx.Done()
			time.Sleep(500 * time.Millisecond)
			return nil
		})
		ref := r.clerk.ref("A", "1")
		require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
		require.NoError(t, r.out.Flush(t.Context()))
		require.Equal(t, "accepted", r.clerk.state(t, ref))
	})
}

// A notifier that never returns costs a bounded number of goroutines, does not hold up other channels, and its channel goes
// on when it returns after all.
func TestANotifierThatNeverReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t, nil)
		release := make(chan struct{})
		var hanging, most atomic.Int32
		r.sink.then(func(_ context.Context, m civicpin.Message) error {
			if m.To.Channel != civicpin.SMS {
				return nil
			}
			if n := hanging.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer hanging.Add(-1)
			<-release
			return nil
		})
		const n = 24
		for i := range n {
			ref := r.clerk.ref("A", fmt.Sprint("sms-", i))
			require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: sms(fmt.Sprint("+39333000", 1000+i))}))
		}
		stop := r.run(t)
		time.Sleep(5 * time.Minute)
		require.LessOrEqual(t, int(most.Load()), outbox.MaxStuck+4)
		require.GreaterOrEqual(t, int(most.Load()), outbox.MaxStuck)
		require.Len(t, r.log.Of("outbox.stuck"), 1)
		require.Equal(t, "sms", r.log.Of("outbox.stuck")[0].Reason)

		ref := r.clerk.ref("A", "mail")
		require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
		time.Sleep(time.Second)
		require.Equal(t, "accepted", r.clerk.state(t, ref))

		close(release)
		time.Sleep(5 * time.Minute)
		for i := range n {
			require.Equal(t, "accepted", r.clerk.state(t, r.clerk.ref("A", fmt.Sprint("sms-", i))))
		}
		stop()
	})
}

// A gateway that hangs holds up its own channel, and a mailbox that hangs itself.
func TestAHangingDestinationStarvesNobody(t *testing.T) {
	for name, c := range map[string]struct {
		dead  func(i int) civicpin.Contact
		alive func(i int) civicpin.Contact
	}{
		"channel": {
			func(i int) civicpin.Contact { return sms(fmt.Sprint("+39333000", 1000+i)) },
			func(i int) civicpin.Contact { return mail(fmt.Sprintf("a%d@example.org", i)) },
		},
		"address": {
			func(int) civicpin.Contact { return mail("hangs@example.org") },
			func(i int) civicpin.Contact { return mail(fmt.Sprintf("a%d@example.org", i)) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := inBubble(t, nil)
				r.sink.then(func(ctx context.Context, m civicpin.Message) error {
					if m.To == c.dead(0) || m.To.Channel == civicpin.SMS {
						<-ctx.Done()
						return ctx.Err()
					}
					return nil
				})
				for i := range 200 {
					ref := r.clerk.ref("A", fmt.Sprint("dead-", i))
					require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "dead", To: c.dead(i)}))
				}
				r.run(t)
				time.Sleep(5 * time.Second)
				for i := range 50 {
					ref := r.clerk.ref("A", fmt.Sprint("alive-", i))
					require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "alive", To: c.alive(i)}))
				}
				time.Sleep(6 * time.Second)
				for i := range 50 {
					require.Equal(t, "accepted", r.clerk.state(t, r.clerk.ref("A", fmt.Sprint("alive-", i))))
				}
			})
		})
	}
}

// More than a lane holds in memory is left in the store and still sent, and does not hide what is due behind it.
func TestABacklogBeyondMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t, &outbox.Options{Poll: time.Hour})
		r.out.Shrink(50, 30)
		const n = 400
		o := &crowd{left: make(map[string]bool)}
		require.NoError(t, r.out.Register("crowd", o))
		for i := range n {
			ref := outbox.Ref{Owner: "crowd", Subject: "A", ID: fmt.Sprint("+39333", 10000000+i)}
			o.left[ref.ID] = true
			require.NoError(t, r.out.Add(t.Context(), ref))
		}
		time.Sleep(time.Second)
		last := r.clerk.ref("A", "mail")
		require.NoError(t, r.clerk.post(t.Context(), r.out, last, letter{Text: "x", To: mail("a@example.org")}))
		for len(r.out.Fresh()) > 0 {
			<-r.out.Fresh() // so that it has to be found behind the others
		}
		// While the gateway hangs at its first messages, the mail behind all of the others goes out.
		var open atomic.Bool
		r.sink.then(func(_ context.Context, m civicpin.Message) error {
			if m.To.Channel == civicpin.SMS && !open.Load() {
				time.Sleep(20 * time.Second)
			}
			return nil
		})
		stop := r.run(t)
		time.Sleep(time.Second)
		require.Equal(t, "accepted", r.clerk.state(t, last))
		require.Equal(t, n, o.waiting())
		open.Store(true)
		time.Sleep(25 * time.Second) // to the end of what hangs; the rest needs no poll, but the room that it leaves
		stop()
		require.Zero(t, o.waiting())
		require.Len(t, r.sink.messages(), n+1)
	})
}

// A Flush sends more than one listing holds, and each once.
func TestFlushSendsMoreThanOneListingHolds(t *testing.T) {
	r := onMemory(t)
	r.out.Shrink(50, 30)
	o := &crowd{left: make(map[string]bool)}
	require.NoError(t, r.out.Register("crowd", o))
	const n = 200
	for i := range n {
		ref := outbox.Ref{Owner: "crowd", Subject: "A", ID: fmt.Sprint("+39333", 10000000+i)}
		o.left[ref.ID] = true
		require.NoError(t, r.out.Add(t.Context(), ref))
	}
	require.NoError(t, r.out.Flush(t.Context()))
	require.Zero(t, o.waiting())
	require.Len(t, r.sink.messages(), n)
}

// crowd is an owner of one text message to each number.
type crowd struct {
	mu   sync.Mutex
	left map[string]bool
}

func (c *crowd) Confirm(_ context.Context, r outbox.Ref) (civicpin.Message, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.left[r.ID] {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	return civicpin.Message{To: sms(r.ID)}, nil
}

func (c *crowd) Settle(_ context.Context, r outbox.Ref, _ outbox.Outcome) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.left, r.ID)
	return nil
}

func (c *crowd) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.left)
}
