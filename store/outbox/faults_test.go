package outbox_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

// toA is a letter that waits to be sent.
var toA = letter{Text: "x", To: mail("a@example.org")}

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
	testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) {
		r := newRig(t, c.Store(), nil, nil)
		ref := r.clerk.ref("A", "1")
		err := c.During(t, func() error { return r.clerk.post(t.Context(), r.out, ref, toA) })
		after := afterwards(t, c.Memory, nil)
		sent := len(after.sink.messages())
		switch {
		case err == nil:
			require.Equal(t, 1, sent)
		case after.clerk.state(t, ref) != "":
			require.LessOrEqual(t, sent, 1)
		default:
			require.Zero(t, sent)
		}
		require.Zero(t, after.count(t, "outbox.entry"))
	})
}

// Dispatching fails at each of its store calls in each way. The message is sent once, and twice at most where the process
// "died" between the notifier and the mark; its end is known to its owner in every case.
func TestFaultsWhileDispatching(t *testing.T) {
	for kind, answer := range map[string]func(context.Context, civicpin.Message) error{
		"sent":   nil,
		"failed": func(context.Context, civicpin.Message) error { return errors.New("not now") },
		"dead":   func(context.Context, civicpin.Message) error { return civicpin.ErrUndeliverable },
	} {
		t.Run(kind, func(t *testing.T) {
			testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) { dispatch(t, c, kind, answer) })
		})
	}
}

// dispatch is a dispatch of one message, of a kind by what the notifier answers.
func dispatch(t *testing.T, c *testkit.Crash, kind string, answer func(context.Context, civicpin.Message) error) {
	r := newRig(t, c.Store(), nil, nil)
	ref := r.clerk.ref("A", "1")
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, toA))
	r.sink.then(answer)
	_ = c.During(t, func() error { return r.out.Flush(t.Context()) })
	first := len(r.sink.messages())
	if !c.Stop { // the same process goes on
		_ = r.out.Flush(t.Context())
		time.Sleep(2 * time.Minute)
		_ = r.out.Flush(t.Context())
	}
	after := afterwards(t, c.Memory, nil)
	all := len(r.sink.messages()) + len(after.sink.messages())
	state := after.clerk.state(t, ref)
	require.Zero(t, after.count(t, "outbox.entry"))
	switch kind {
	case "sent":
		most := 1
		if c.Stop && first == 1 {
			most = 2
		}
		require.LessOrEqual(t, all, most)
		require.GreaterOrEqual(t, all, 1)
		require.Equal(t, "accepted", state)
		if !c.Stop && c.Outcome != storetest.DoneLater {
			require.Zero(t, r.out.Remembered())
		}
	case "failed":
		require.Contains(t, []string{"accepted", "failed"}, state)
		require.Equal(t, state == "accepted", len(after.log.Of("outbox.sent")) == 1)
		require.LessOrEqual(t, len(after.log.Of("outbox.sent")), 1)
	case "dead":
		require.NotEqual(t, "wanted", state)
		if state == "failed" {
			require.Len(t, letters(t, after.out), 1)
		}
	}
}

// The store goes away for longer than a claim lasts, just when the provider took the message. The process remembers.
func TestTheStoreIsAwayAfterTheSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFaults(newMemory())
		r := newRig(t, f.Store(), nil, nil)
		r.sink.then(func(context.Context, civicpin.Message) error {
			f.Hook(func(string, string) error { return errors.New("away") })
			return nil
		})
		ref := r.clerk.ref("A", "1")
		require.NoError(t, r.clerk.post(t.Context(), r.out, ref, toA))
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
	testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) {
		r := newRig(t, c.Store(), nil, nil)
		r.sink.then(func(context.Context, civicpin.Message) error { return civicpin.ErrUndeliverable })
		ref := r.clerk.ref("A", "1")
		require.NoError(t, r.clerk.post(t.Context(), r.out, ref, toA))
		require.NoError(t, r.out.Flush(t.Context()))
		err := c.During(t, func() error { return r.out.Retry(t.Context(), ref) })
		if err != nil {
			if err := r.out.Retry(t.Context(), ref); err != nil {
				require.ErrorIs(t, err, outbox.ErrNoDeadLetter)
			}
		}
		after := afterwards(t, c.Memory, nil)
		require.Len(t, after.sink.messages(), 1)
		require.Equal(t, "accepted", after.clerk.state(t, ref))
		require.Empty(t, letters(t, after.out))
	})
}
