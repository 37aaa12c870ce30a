package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

var outcomes = map[string]storetest.Outcome{
	"not done":   storetest.NotDone,
	"reply lost": storetest.ReplyLost,
	"done later": storetest.DoneLater,
}

// After a fault there is another process, and much time.
func afterwards(t *testing.T, s store.Store, opts *outbox.Options) *rig {
	r := newRig(t, s, nil, opts)
	for range 30 {
		require.NoError(t, r.out.Flush(t.Context()))
		time.Sleep(2 * time.Hour)
	}
	return r
}

// Queueing fails at each of its store calls in each way, once or for good. What was acknowledged is sent exactly once; what
// was not is sent at most once, and only if its record was written.
func TestFaultsWhileQueueing(t *testing.T) {
	for name, outcome := range outcomes {
		for _, dies := range []bool{false, true} {
			for k, failed := 1, true; failed; k++ {
				synctest.Test(t, func(t *testing.T) {
					memory := store.NewMemory()
					f := storetest.NewFaults(memory)
					r := newRig(t, f.Store(), nil, nil)
					inject := f.FailAt
					if dies {
						inject = f.StopAt
					}
					inject(k, outcome)
					ref := r.clerk.ref("A", "1")
					err := r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")})
					failed = f.Calls() >= k
					f.Deliver(t.Context())
					after := afterwards(t, memory, nil)
					written := after.clerk.state(t, ref) != ""
					sent := len(after.sink.messages())
					at := fmt.Sprintf("%s, call %d, dies %v: %v", name, k, dies, err)
					switch {
					case err == nil:
						require.Equal(t, 1, sent, at)
					case written:
						require.LessOrEqual(t, sent, 1, at)
					default:
						require.Zero(t, sent, at)
					}
					require.Zero(t, after.count(t, "outbox.entry"), at)
				})
			}
		}
	}
}

// Dispatching fails at each of its store calls in each way. The message is sent once, and twice at most where the process
// "died" between the notifier and the mark; its end is known to its owner in every case.
func TestFaultsWhileDispatching(t *testing.T) {
	for kind, answer := range map[string]func(context.Context, civicpin.Message) error{
		"sent":   nil,
		"failed": func(context.Context, civicpin.Message) error { return errors.New("not now") },
		"dead":   func(context.Context, civicpin.Message) error { return civicpin.ErrUndeliverable },
	} {
		for name, outcome := range outcomes {
			for _, dies := range []bool{false, true} {
				for k, failed := 1, true; failed; k++ {
					synctest.Test(t, func(t *testing.T) {
						memory := store.NewMemory()
						f := storetest.NewFaults(memory)
						r := newRig(t, f.Store(), nil, nil)
						ref := r.clerk.ref("A", "1")
						require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
						f.Reset()
						inject := f.FailAt
						if dies {
							inject = f.StopAt
						}
						inject(k, outcome)
						r.sink.then(answer)
						_ = r.out.Flush(t.Context())
						failed = f.Calls() >= k
						f.Deliver(t.Context())
						first := len(r.sink.messages())
						if !dies { // the same process goes on
							_ = r.out.Flush(t.Context())
							time.Sleep(2 * time.Minute)
							_ = r.out.Flush(t.Context())
						}
						after := afterwards(t, memory, nil)
						at := fmt.Sprintf("%s, %s, call %d, dies %v", kind, name, k, dies)
						all := len(r.sink.messages()) + len(after.sink.messages())
						require.Zero(t, after.count(t, "outbox.entry"), at)
						switch kind {
						case "sent":
							most := 1
							if dies && first == 1 {
								most = 2
							}
							require.LessOrEqual(t, all, most, at)
							require.GreaterOrEqual(t, all, 1, at)
							require.Equal(t, "accepted", after.clerk.state(t, ref), at)
							if !dies && outcome != storetest.DoneLater {
								require.Zero(t, r.out.Remembered(), at)
							}
						case "failed":
							require.Contains(t, []string{"accepted", "failed"}, after.clerk.state(t, ref), at)
							require.Len(t, after.log.Of("outbox.sent"), boolToInt(after.clerk.state(t, ref) == "accepted"), at)
						case "dead":
							require.NotEqual(t, "wanted", after.clerk.state(t, ref), at)
							if after.clerk.state(t, ref) == "failed" {
								require.Len(t, letters(t, after.out), 1, at)
							}
						}
					})
				}
			}
		}
	}
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// The store goes away for longer than a claim lasts, just when the provider took the message. The process remembers.
func TestTheStoreIsAwayAfterTheSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := storetest.NewFaults(store.NewMemory())
		r := newRig(t, f.Store(), nil, nil)
		r.sink.then(func(context.Context, civicpin.Message) error {
			f.Hook(func(string, string) error { return errors.New("away") })
			return nil
		})
		ref := r.clerk.ref("A", "1")
		require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
		r.run(t)
		time.Sleep(time.Hour)
		f.Hook(nil)
		time.Sleep(time.Hour)
		require.Len(t, r.sink.messages(), 1)
		require.Equal(t, "accepted", r.clerk.state(t, ref))
		require.Equal(t, 0, r.count(t, "outbox.entry"))
		require.Zero(t, r.out.Remembered())
	})
}

// Retry fails at each of its store calls: the dead letter is not lost, one way or the other.
func TestFaultsWhileRetrying(t *testing.T) {
	for name, outcome := range outcomes {
		for k, failed := 1, true; failed; k++ {
			synctest.Test(t, func(t *testing.T) {
				memory := store.NewMemory()
				f := storetest.NewFaults(memory)
				r := newRig(t, f.Store(), nil, nil)
				r.sink.then(func(context.Context, civicpin.Message) error { return civicpin.ErrUndeliverable })
				ref := r.clerk.ref("A", "1")
				require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
				require.NoError(t, r.out.Flush(t.Context()))
				f.Reset()
				f.StopAt(k, outcome)
				err := r.out.Retry(t.Context(), ref)
				failed = f.Calls() >= k
				f.Deliver(t.Context())
				f.Reset()
				if err != nil {
					if err := r.out.Retry(t.Context(), ref); err != nil {
						require.ErrorIs(t, err, outbox.ErrNoDeadLetter)
					}
				}
				after := afterwards(t, memory, nil)
				require.Len(t, after.sink.messages(), 1, "%s, call %d: %v", name, k, err)
				require.Equal(t, "accepted", after.clerk.state(t, ref))
				require.Empty(t, letters(t, after.out))
			})
		}
	}
}
