package outbox_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

func TestWhatNeverHappenedIsNotSent(t *testing.T) {
	r := onMemory(t)
	require.NoError(t, r.out.Add(t.Context(), r.clerk.ref("A", "1"), r.clerk.ref("A", "2")))
	require.NoError(t, r.out.Flush(t.Context()))
	r.clock.Add(2*time.Minute - time.Second)
	require.NoError(t, r.out.Flush(t.Context()))
	require.Equal(t, 2, r.count(t, "outbox.entry"), "kept for the grace")
	r.clock.Add(time.Second)
	require.NoError(t, r.out.Flush(t.Context()))
	require.Zero(t, r.count(t, "outbox.entry"))
	require.Empty(t, r.sink.messages())
	require.Len(t, r.log.Of("outbox.withdrawn"), 2)
}

func TestWhatWasReplacedIsNotSent(t *testing.T) {
	r := onMemory(t)
	ref := r.clerk.ref("A", "1")
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "old", To: mail("a@example.org")}))
	require.NoError(t, r.clerk.write(t.Context(), ref, letter{State: "replaced"}))
	for range 5 {
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(time.Minute)
	}
	require.Empty(t, r.sink.messages())
	require.Zero(t, r.count(t, "outbox.entry"))
}

// What was tried once was confirmed once: nobody is about to write its record, so it need not be kept.
func TestWhatIsReplacedBetweenTriesIsDroppedAtOnce(t *testing.T) {
	r := onMemory(t)
	r.sink.then(func(context.Context, civicpin.Message) error { return errors.New("not now") })
	ref := r.clerk.ref("A", "1")
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "old", To: mail("a@example.org")}))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.sink.messages(), 1)
	require.NoError(t, r.clerk.write(t.Context(), ref, letter{State: "replaced"}))
	r.clock.Add(time.Minute)
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.sink.messages(), 1)
	require.Zero(t, r.count(t, "outbox.entry"))
}

// A message that has to wait for a sender is confirmed again when there is one.
func TestWhatIsReplacedWhileItWaitsInMemoryIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t, &outbox.Options{Workers: 1})
		r.sink.then(func(context.Context, civicpin.Message) error { time.Sleep(10 * time.Second); return nil })
		first, second := r.clerk.ref("A", "1"), r.clerk.ref("A", "2")
		require.NoError(t, r.clerk.post(t.Context(), r.out, first, letter{Text: "1", To: mail("a@example.org")}))
		r.run(t)
		time.Sleep(time.Second)
		require.NoError(t, r.clerk.post(t.Context(), r.out, second, letter{Text: "2", To: mail("b@example.org")}))
		time.Sleep(time.Second)
		require.NoError(t, r.clerk.write(t.Context(), second, letter{State: "replaced"}))
		time.Sleep(time.Hour)
		require.Equal(t, []string{"1"}, r.sink.texts())
		require.Zero(t, r.count(t, "outbox.entry"))
	})
}

// The owner's process is held up between Add and its record for longer than any grace. Commit puts the entry back.
func TestCommitPutsBackWhatWasWithdrawnMeanwhile(t *testing.T) {
	for name, visits := range map[string]int{"doubted": 1, "dropped": 2} {
		t.Run(name, func(t *testing.T) {
			r := onMemory(t)
			ref := r.clerk.ref("A", "1")
			require.NoError(t, r.out.Add(t.Context(), ref))
			for range visits {
				require.NoError(t, r.out.Flush(t.Context()))
				r.clock.Add(time.Hour)
			}
			require.Equal(t, 2-visits, r.count(t, "outbox.entry"))
			require.NoError(t, r.clerk.write(t.Context(), ref, letter{State: "wanted", Text: "x", To: mail("a@example.org")}))
			require.NoError(t, r.out.Commit(t.Context(), ref))
			require.NoError(t, r.out.Flush(t.Context()))
			require.Equal(t, []string{"x"}, r.sink.texts())
		})
	}
}

// The dispatcher asked before the record was there, and is held up at any one of its store calls while the owner writes
// its record and commits. The message must be sent, and not only after the grace.
func TestCommitRacesWithdrawal(t *testing.T) {
	for grace, name := range map[time.Duration]string{2 * time.Minute: "fresh entry", -1: "entry already in doubt"} {
		for held := 1; held <= 8; held++ {
			memory := newMemory()
			f := newFaults(memory)
			r := newRig(t, f.Store(), newClock(), nil)
			ref := r.clerk.ref("A", "1")
			require.NoError(t, r.out.Add(t.Context(), ref))
			if grace < 0 {
				require.NoError(t, r.out.Flush(t.Context()))
				r.clock.Add(time.Hour)
			}
			var calls atomic.Int32
			var acknowledged atomic.Bool
			f.Hook(func(string, string) error {
				if calls.Add(1) != int32(held) {
					return nil
				}
				// The rival is another process on the inner store.
				rival := newRig(t, memory, r.clock, nil)
				if err := rival.clerk.write(t.Context(), ref, letter{State: "wanted", Text: "x", To: mail("a@example.org")}); err != nil {
					t.Error(err)
				}
				if err := rival.out.Commit(t.Context(), ref); err != nil {
					t.Error(err)
				}
				acknowledged.Store(true)
				return nil
			})
			require.NoError(t, r.out.Flush(t.Context()))
			f.Hook(nil)
			if !acknowledged.Load() {
				continue // the flush made fewer calls
			}
			require.NoError(t, r.out.Flush(t.Context()))
			require.Equal(t, []string{"x"}, r.sink.texts(), "%s, held at call %d", name, held)
		}
	}
}

func TestCommitOfWhatWasSentSendsNothing(t *testing.T) {
	r := onMemory(t)
	ref := r.clerk.ref("A", "1")
	require.NoError(t, r.out.Add(t.Context(), ref))
	require.NoError(t, r.clerk.write(t.Context(), ref, letter{State: "wanted", Text: "x", To: mail("a@example.org")}))
	require.NoError(t, r.out.Flush(t.Context()))
	require.NoError(t, r.out.Commit(t.Context(), ref))
	for range 3 {
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(time.Hour)
	}
	require.Equal(t, []string{"x"}, r.sink.texts())
	require.Zero(t, r.count(t, "outbox.entry"))
}

// A process that dies between its record and Commit has told nobody, but its citizen still gets the message.
func TestWithoutCommitItIsSentAfterTheGrace(t *testing.T) {
	r := onMemory(t)
	ref := r.clerk.ref("A", "1")
	require.NoError(t, r.out.Add(t.Context(), ref))
	require.NoError(t, r.out.Flush(t.Context()))
	require.NoError(t, r.clerk.write(t.Context(), ref, letter{State: "wanted", Text: "x", To: mail("a@example.org")}))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Empty(t, r.sink.texts())
	r.clock.Add(2 * time.Minute)
	require.NoError(t, r.out.Flush(t.Context()))
	require.Equal(t, []string{"x"}, r.sink.texts())
}

// Adding an entry anew while a dispatcher is about to drop it.
func TestAddRacesWithdrawal(t *testing.T) {
	memory := newMemory()
	f := newFaults(memory)
	r := newRig(t, f.Store(), newClock(), nil)
	ref := r.clerk.ref("A", "1")
	require.NoError(t, r.out.Add(t.Context(), ref))
	require.NoError(t, r.out.Flush(t.Context()))
	r.clock.Add(time.Hour)
	rival := newRig(t, memory, r.clock, nil)
	f.Hook(func(method, key string) error {
		if method == storetest.Delete && strings.HasPrefix(key, "outbox.entry/") {
			return rival.out.Add(t.Context(), ref)
		}
		return nil
	})
	require.NoError(t, r.out.Flush(t.Context()))
	f.Hook(nil)
	require.Equal(t, 1, r.count(t, "outbox.entry"))
	require.NoError(t, r.clerk.write(t.Context(), ref, letter{State: "wanted", Text: "x", To: mail("a@example.org")}))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Equal(t, []string{"x"}, r.sink.texts())
}

func TestAnOwnerThatCannotTellIsAskedAgain(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("register is\ndown") },
		"panic": func() error { panic("register is\ndown") },
	} {
		t.Run(name, func(t *testing.T) {
			r := onMemory(t)
			o := &moody{clerk: r.clerk, mood: fail}
			require.NoError(t, r.out.Register("clerk", o))
			ref := r.clerk.ref("A", "1")
			require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
			for range 20 { // more often than there are tries
				require.NoError(t, r.out.Flush(t.Context()))
				r.clock.Add(2 * time.Hour)
			}
			require.NoError(t, r.out.Flush(t.Context()))
			require.NoError(t, r.out.Flush(t.Context()), "not asked again at once")
			r.clock.Add(2 * time.Hour)
			require.Empty(t, r.sink.texts())
			require.Len(t, r.log.Of("outbox.unconfirmed"), 21)
			require.Contains(t, r.log.Of("outbox.unconfirmed")[0].Reason, "register is down")
			o.mood = nil
			require.NoError(t, r.out.Flush(t.Context()))
			require.Equal(t, []string{"x"}, r.sink.texts())
		})
	}
}

// moody is a clerk that may not be able to tell.
type moody struct {
	*clerk
	mood   func() error
	settle func() error
}

func (m *moody) Confirm(ctx context.Context, r outbox.Ref) (civicpin.Message, error) {
	if m.mood != nil {
		if err := m.mood(); err != nil {
			return civicpin.Message{}, err
		}
	}
	return m.clerk.Confirm(ctx, r)
}

func (m *moody) Settle(ctx context.Context, r outbox.Ref, what outbox.Outcome) error {
	if m.settle != nil {
		if err := m.settle(); err != nil {
			return err
		}
	}
	return m.clerk.Settle(ctx, r, what)
}
