package guard_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/guard"
)

func TestCall(t *testing.T) {
	failed := errors.New("failed")
	require.NoError(t, guard.Call(func() error { return nil }))
	require.Equal(t, failed, guard.Call(func() error { return failed }))
	require.EqualError(t, guard.Call(func() error { panic("nil map") }), "panicked: nil map")
}

// TestRecorder: a recorder that panics or exits loses that event alone, and is told so with the next one.
func TestRecorder(t *testing.T) {
	var got []string
	r := guard.NewRecorder(civicpin.RecorderFunc(func(_ context.Context, e civicpin.Event) {
		got = append(got, string(e.Code)+e.Reason)
		switch e.Code {
		case "bad":
			panic("no disk")
		case "exit":
			runtime.Goexit()
		}
	}))
	for _, code := range []civicpin.EventCode{"bad", "bad", "good", "exit", "good"} {
		r.Record(t.Context(), civicpin.Event{Code: code})
	}
	const lost = "store.unrecordedlost: 1"
	require.Equal(t, []string{"bad", lost, "bad", lost, "good", "exit", lost, "good"}, got)
}

// hanging is a recorder that returns when it is freed, and counts the calls.
func hanging(free <-chan struct{}, calls *atomic.Int32) *guard.Recorder {
	return guard.NewRecorder(civicpin.RecorderFunc(func(context.Context, civicpin.Event) {
		calls.Add(1)
		<-free
	}))
}

// TestRecorderThatHangs: a call is waited for until the deadline of its caller, at most for its time, and of those that hang
// there are so many. When they return, the recorder is called again, and told what it missed.
func TestRecorderThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		free := make(chan struct{})
		r := hanging(free, &calls)
		took := func(ctx context.Context) time.Duration {
			began := time.Now()
			r.Record(ctx, civicpin.Event{Code: "x"})
			return time.Since(began)
		}
		within, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		require.Equal(t, 3*time.Second, took(within))
		for range guard.MaxStuck - 1 {
			require.Equal(t, guard.LeastTime, took(within), "the time is over, and the event is passed on all the same")
		}
		require.EqualValues(t, guard.MaxStuck, calls.Load())
		// No more than these are left behind: the next caller waits, however short its time is.
		require.Equal(t, guard.RecordTime, took(within))
		require.EqualValues(t, guard.MaxStuck+1, calls.Load())
		require.Zero(t, took(t.Context()), "all hang")
		require.EqualValues(t, guard.MaxStuck+1, calls.Load())
		close(free)
		synctest.Wait()
		require.Zero(t, took(t.Context()))
		require.EqualValues(t, guard.MaxStuck+3, calls.Load(), "one event, and that one was lost")
	})
}

// TestRecorderOfAVisitorWhoHasGone: the recorder has its time, and the values of the context.
func TestRecorderOfAVisitorWhoHasGone(t *testing.T) {
	type key struct{}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "trace"))
	cancel()
	told := false
	guard.NewRecorder(civicpin.RecorderFunc(func(ctx context.Context, _ civicpin.Event) {
		told = ctx.Err() == nil && ctx.Value(key{}) == "trace"
	})).Record(ctx, civicpin.Event{})
	require.True(t, told)
}

// TestHold: what is recorded meanwhile comes when it ends, in order, once, and what is recorded later comes at once.
func TestHold(t *testing.T) {
	var got []civicpin.EventCode
	r := guard.NewRecorder(civicpin.RecorderFunc(func(_ context.Context, e civicpin.Event) { got = append(got, e.Code) }))
	ctx, release := guard.Hold(t.Context())
	r.Record(ctx, civicpin.Event{Code: "a"})
	inner, within := guard.Hold(ctx)
	r.Record(inner, civicpin.Event{Code: "b"})
	within()
	require.Empty(t, got)
	gone, cancel := context.WithTimeout(ctx, 0)
	cancel()
	r.Record(gone, civicpin.Event{Code: "c"})
	release()
	require.Equal(t, []civicpin.EventCode{"a", "b", "c"}, got)
	release()
	r.Record(ctx, civicpin.Event{Code: "d"})
	require.Equal(t, []civicpin.EventCode{"a", "b", "c", "d"}, got)
	again, release := guard.Hold(ctx)
	r.Record(again, civicpin.Event{Code: "e"})
	require.Len(t, got, 4)
	release()
	require.Len(t, got, 5)
}

// notify lets a function be a civicpin.Notifier.
type notify func(context.Context) (string, error)

func (f notify) Notify(ctx context.Context, _ civicpin.Message) (string, error) { return f(ctx) }

func TestNotify(t *testing.T) {
	failed := errors.New("failed")
	sleep := func(d time.Duration) notify {
		return func(context.Context) (string, error) {
			time.Sleep(d)
			return "receipt", nil
		}
	}
	for name, tc := range map[string]struct {
		do   notify
		err  string
		took time.Duration
	}{
		"sends":  {sleep(0), "", 0},
		"fails":  {func(context.Context) (string, error) { return "", failed }, "failed", 0},
		"panics": {func(context.Context) (string, error) { panic("oops") }, "outbox: the notifier panicked: oops", 0},
		"exits": {func(context.Context) (string, error) {
			runtime.Goexit()
			return "", nil
		}, "outbox: the notifier ended its goroutine", 0},
		"minds its context": {func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}, "context deadline exceeded", time.Minute},
		"is late": {sleep(time.Minute + 900*time.Millisecond), "", time.Minute + 900*time.Millisecond},
		"hangs":   {sleep(time.Hour), "outbox: the notifier did not return in time", time.Minute + time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				receipt, err := guard.NewNotifier(tc.do, time.Minute).Notify(t.Context(), civicpin.Message{})
				require.Equal(t, tc.took, time.Since(began))
				if tc.err == "" {
					require.NoError(t, err)
					require.Equal(t, "receipt", receipt)
				} else {
					require.EqualError(t, err, tc.err)
				}
				time.Sleep(2 * time.Hour) // until a call that hangs has returned
			})
		})
	}
}

// Calls that were left behind keep a goroutine each, so a channel has at most so many of them. Other channels go on.
func TestFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := guard.NewNotifier(notify(func(context.Context) (string, error) { time.Sleep(time.Hour); return "", nil }), time.Second)
		for range guard.MaxStuck {
			free, _ := n.Free(civicpin.SMS)
			require.True(t, free)
			_, err := n.Notify(t.Context(), civicpin.Message{To: civicpin.Contact{Channel: civicpin.SMS}})
			require.Error(t, err)
		}
		for i := range 3 {
			free, tell := n.Free(civicpin.SMS)
			require.False(t, free)
			require.Equal(t, i == 0, tell, "once")
			free, tell = n.Free(civicpin.Email)
			require.True(t, free)
			require.False(t, tell)
		}
		time.Sleep(2 * time.Hour)
		free, _ := n.Free(civicpin.SMS)
		require.True(t, free, "all have returned")
	})
}
