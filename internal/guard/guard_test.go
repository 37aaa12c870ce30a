package guard_test

import (
	"context"
	"errors"
	"runtime"
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

func TestRecorder(t *testing.T) {
	var got []civicpin.EventCode
	r := guard.Recorder{To: civicpin.RecorderFunc(func(_ context.Context, e civicpin.Event) {
		if got = append(got, e.Code); e.Code == "bad" {
			panic("no disk")
		}
	})}
	r.Record(t.Context(), civicpin.Event{Code: "bad"})
	r.Record(t.Context(), civicpin.Event{Code: "good"})
	require.Equal(t, []civicpin.EventCode{"bad", "good"}, got)
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
