package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

func letters(t require.TestingT, o *outbox.Outbox) (out []outbox.DeadLetter) {
	for l, err := range o.DeadLetters(context.Background()) {
		require.NoError(t, err)
		out = append(out, l)
	}
	return out
}

// Each wait is about twice the one before, up to an hour; after twelve tries there is a dead letter.
func TestDelaysGrowAndEndInADeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t, nil)
		r.sink.then(func(context.Context, civicpin.Message) error { return errors.New("421 try again later") })
		ref := r.clerk.ref("A", "1")
		require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
		r.run(t)
		time.Sleep(10 * time.Hour)
		when := r.sink.times()
		require.Len(t, when, 12)
		want := 10 * time.Second
		for i := range 11 {
			wait := when[i+1].Sub(when[i])
			require.GreaterOrEqual(t, wait, want*8/10, "wait %d", i)
			require.LessOrEqual(t, wait, want*12/10+time.Second, "wait %d", i)
			want = min(2*want, time.Hour)
		}
		require.Len(t, r.log.Of("outbox.retried"), 11)
		require.Equal(t, "421 try again later", r.log.Of("outbox.retried")[0].Reason)
		require.Len(t, r.log.Of("outbox.dead"), 1)
		require.Equal(t, "failed", r.clerk.state(t, ref))
		require.Zero(t, r.count(t, "outbox.entry"))
		dead := letters(t, r.out)
		require.Len(t, dead, 1)
		require.Equal(t, outbox.DeadLetter{Ref: ref, At: dead[0].At, Tries: 12, Reason: "421 try again later"}, dead[0])
		require.WithinDuration(t, when[11], dead[0].At, time.Second)
	})
}

// The waits of messages that failed together are spread.
func TestDelaysAreSpread(t *testing.T) {
	o, err := outbox.WithDefaults(nil)
	require.NoError(t, err)
	different := make(map[time.Duration]bool)
	for range 50 {
		different[o.Delay(5)] = true
	}
	require.Greater(t, len(different), 40)
	for n, want := range map[int]time.Duration{0: 10 * time.Second, 1: 10 * time.Second, 2: 20 * time.Second, 9: 2560 * time.Second, 10: time.Hour, 63: time.Hour, 1000: time.Hour} {
		for range 50 {
			require.InDelta(t, want, o.Delay(n), float64(want)/5, "n = %d", n)
		}
	}
}

func TestUndeliverableIsNotTriedAgain(t *testing.T) {
	r := onMemory(t)
	r.sink.then(func(context.Context, civicpin.Message) error {
		return fmt.Errorf("%w: 550 no such mailbox", civicpin.ErrUndeliverable)
	})
	ref := r.clerk.ref("A", "1")
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "ABCD2345", To: mail("a@example.org")}))
	for range 3 {
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(time.Hour)
	}
	require.Len(t, r.sink.messages(), 1)
	require.Equal(t, "failed", r.clerk.state(t, ref))
	dead := letters(t, r.out)
	require.Len(t, dead, 1)
	require.Equal(t, 1, dead[0].Tries)
	require.Contains(t, dead[0].Reason, "550 no such mailbox")

	// The mailbox has been made since.
	r.sink.then(nil)
	require.NoError(t, r.out.Retry(t.Context(), ref))
	require.Empty(t, letters(t, r.out))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.sink.messages(), 2)
	require.Equal(t, r.sink.messages()[0].ID, r.sink.messages()[1].ID)
	require.Equal(t, "accepted", r.clerk.state(t, ref))
	require.ErrorIs(t, r.out.Retry(t.Context(), ref), outbox.ErrNoDeadLetter)
}

// A second Retry, while what the first one put back is being sent, does not have it sent twice.
func TestRetriesAtOnceSendOnce(t *testing.T) {
	f := newFaults(newMemory())
	r := newRig(t, f.Store(), newClock(), nil)
	other := newRig(t, f.Store(), r.clock, nil)
	r.sink.then(func(context.Context, civicpin.Message) error { return civicpin.ErrUndeliverable })
	ref := r.clerk.ref("A", "1")
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
	require.NoError(t, r.out.Flush(t.Context()))

	var hooked atomic.Bool
	f.Hook(func(method, _ string) error {
		if method != "Delete" || !hooked.CompareAndSwap(false, true) {
			return nil
		}
		// The first Retry has put the message back, and the dead letter is still there.
		sending, more, flushed := make(chan struct{}), make(chan struct{}), make(chan error)
		r.sink.then(func(context.Context, civicpin.Message) error {
			close(sending)
			<-more
			return nil
		})
		go func() { flushed <- r.out.Flush(context.Background()) }()
		<-sending
		assert.NoError(t, other.out.Retry(context.Background(), ref))
		assert.NoError(t, other.out.Flush(context.Background()))
		close(more)
		return <-flushed
	})
	require.NoError(t, r.out.Retry(t.Context(), ref))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.sink.messages(), 2)
	require.Empty(t, other.sink.messages())
	require.Equal(t, "accepted", r.clerk.state(t, ref))
	require.Empty(t, letters(t, r.out))
}

// undeliverable is a rig with a dead letter, and its ref.
func undeliverable(t *testing.T) (*rig, outbox.Ref) {
	t.Helper()
	r := onMemory(t)
	r.sink.then(func(context.Context, civicpin.Message) error { return civicpin.ErrUndeliverable })
	ref := r.clerk.ref("A", "1")
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
	require.NoError(t, r.out.Flush(t.Context()))
	return r, ref
}

func TestRetryOfWhatWasReplacedSendsNothing(t *testing.T) {
	r, ref := undeliverable(t)
	require.NoError(t, r.clerk.write(t.Context(), ref, letter{State: "replaced"}))
	require.NoError(t, r.out.Retry(t.Context(), ref))
	for range 3 {
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(time.Hour)
	}
	require.Len(t, r.sink.messages(), 1)
	require.Zero(t, r.count(t, "outbox.entry"))
}

func TestDeadLettersAreKeptForATime(t *testing.T) {
	r, ref := undeliverable(t)
	r.clock.Add(30*24*time.Hour - time.Second)
	require.Len(t, letters(t, r.out), 1)
	r.clock.Add(time.Second)
	require.Empty(t, letters(t, r.out))
	require.ErrorIs(t, r.out.Retry(t.Context(), ref), outbox.ErrNoDeadLetter)
}

func TestExpiredSecretsAreNotSent(t *testing.T) {
	r := onMemory(t)
	r.sink.then(func(context.Context, civicpin.Message) error { return errors.New("not now") })
	ref := r.clerk.ref("A", "1")
	expires := r.clock.Now().Add(time.Minute)
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org"), Expires: expires}))
	require.NoError(t, r.out.Flush(t.Context()))
	r.clock.Add(time.Minute)
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.sink.messages(), 1)
	require.Equal(t, "failed", r.clerk.state(t, ref))
	require.Empty(t, letters(t, r.out))
	require.Len(t, r.log.Of("outbox.expired"), 1)
	require.Zero(t, r.count(t, "outbox.entry"))
}

// An address with a line end in it could add a header of its own to a mail.
func TestAnUnusableContactNeverReachesTheNotifier(t *testing.T) {
	r := onMemory(t)
	ref := r.clerk.ref("A", "1")
	bad := civicpin.Contact{Channel: civicpin.Email, Address: "a@example.org\r\nBcc: b@example.org"}
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: bad}))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Empty(t, r.sink.messages())
	require.Len(t, letters(t, r.out), 1)
}

// A message that kills each process that sends it does not do so for ever.
func TestAMessageThatKillsItsProcessIsBuriedInTheEnd(t *testing.T) {
	opts := &outbox.Options{MaxTries: 3}
	s := newMemory()
	clock := newClock()
	r := newRig(t, s, clock, opts)
	ref := r.clerk.ref("A", "1")
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
	sent := 0
	for range 6 {
		// The process "dies" in the notifier: nothing that it does to the store afterwards arrives.
		f := newMortal(s)
		p := newRig(t, f, clock, opts)
		p.sink.then(func(context.Context, civicpin.Message) error { sent++; f.die(); return errors.New("dying") })
		synctest.Test(t, func(t *testing.T) { _ = p.out.Flush(t.Context()) })
		clock.Add(time.Hour)
	}
	require.Equal(t, 3, sent)
	require.Len(t, letters(t, r.out), 1)
	require.Equal(t, "failed", r.clerk.state(t, ref))
}

// The provider has it, but the owner could not write that down: it is told again, and nothing is sent twice.
func TestAnOwnerThatCannotSettleIsToldAgain(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("register is down") },
		"panic": func() error { panic("register is down") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := inBubble(t, nil)
				o := &moody{clerk: r.clerk, settle: fail}
				require.NoError(t, r.out.Register("clerk", o))
				ref := r.clerk.ref("A", "1")
				require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
				for range 5 {
					require.NoError(t, r.out.Flush(t.Context()))
					time.Sleep(3 * time.Hour)
				}
				// Another process knows it from the entry.
				other := newRig(t, r.store, nil, nil)
				require.NoError(t, other.out.Flush(t.Context()))
				require.Len(t, r.sink.messages(), 1)
				require.Empty(t, other.sink.messages())
				require.NotEmpty(t, r.log.Of("outbox.unsettled"))
				require.Equal(t, "accepted", other.clerk.state(t, ref))
				require.Zero(t, r.count(t, "outbox.entry"))
			})
		})
	}
}

// Its process died before it could tell the owner again: another one knows from the entry that the message was sent.
func TestAnotherProcessKnowsWhatWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemory()
		r, other := newRig(t, s, nil, nil), newRig(t, s, nil, nil)
		require.NoError(t, r.out.Register("clerk", &moody{clerk: r.clerk, settle: func() error { return errors.New("no") }}))
		ref := r.clerk.ref("A", "1")
		require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
		require.NoError(t, r.out.Flush(t.Context()))
		require.Zero(t, r.out.Remembered(), "it is in the entry")
		time.Sleep(time.Hour)
		require.NoError(t, other.out.Flush(t.Context()))
		require.Empty(t, other.sink.messages())
		require.Equal(t, "accepted", other.clerk.state(t, ref))
		e, err := other.clerk.letters.Get(t.Context(), other.clerk.key(ref))
		require.NoError(t, err)
		require.Equal(t, "receipt-"+r.sink.messages()[0].ID, e.Value.Receipt)
	})
}

// While one process sends, the others leave the entry alone; if it dies, one of them sends when the claim has run out.
func TestAClaimIsLeftAloneUntilItRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemory()
		f := newMortal(s)
		r, other := newRig(t, f, nil, nil), newRig(t, s, nil, nil)
		r.sink.then(func(context.Context, civicpin.Message) error {
			time.Sleep(25 * time.Second)
			f.die()
			return errors.New("dying")
		})
		ref := r.clerk.ref("A", "1")
		require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
		began := time.Now()
		other.sink.then(func(context.Context, civicpin.Message) error {
			require.GreaterOrEqual(t, time.Since(began), 90*time.Second)
			require.LessOrEqual(t, time.Since(began), 96*time.Second)
			return nil
		})
		go func() { _ = r.out.Flush(t.Context()) }()
		synctest.Wait()
		other.run(t)
		time.Sleep(10 * time.Minute)
		require.Len(t, r.sink.messages(), 1)
		require.Len(t, other.sink.messages(), 1)
		require.Equal(t, "accepted", other.clerk.state(t, ref))
	})
}

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

// settles is a clerk who notes all that it is told.
type settles struct {
	*clerk
	told []outbox.Outcome
}

func (s *settles) Settle(ctx context.Context, r outbox.Ref, what outbox.Outcome) error {
	s.told = append(s.told, what)
	return s.clerk.Settle(ctx, r, what)
}

// The owner of a notice is told that it bounced, whenever the provider reports that, and however often; also if the store failed
// when the receipt was to be kept. Of messages of other classes the outbox keeps no receipt.
func TestBounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		faults := storetest.NewFaults(newMemory())
		r := newRig(t, faults.Store(), nil, nil)
		s := &settles{clerk: r.clerk}
		require.NoError(t, r.out.Register(r.clerk.name, s))
		faults.Hook(func(method, key string) error {
			if method == storetest.Put && strings.HasPrefix(key, "outbox.receipt/") {
				faults.Hook(nil)
				return storetest.ErrInjected
			}
			return nil
		})
		var receipts []string
		for i, class := range []outbox.Class{outbox.Notice, outbox.Shown} {
			ref := r.clerk.ref("A", fmt.Sprint(i))
			ref.Class = class
			require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail("a@example.org")}))
			require.NoError(t, r.out.Flush(t.Context()))
			time.Sleep(time.Minute)
			require.NoError(t, r.out.Flush(t.Context()))
			receipts = append(receipts, s.told[len(s.told)-1].Receipt)
		}
		s.told = nil
		require.ErrorIs(t, r.out.Bounced(t.Context(), receipts[1]), outbox.ErrNoReceipt)
		for _, bad := range []string{"", "a\n", strings.Repeat("a", 257)} {
			require.ErrorIs(t, r.out.Bounced(t.Context(), bad), civicpin.ErrInvalid)
		}
		late, err := outbox.New(r.vault, r.sink, &outbox.Options{Limits: testkit.Limits()})
		require.NoError(t, err)
		require.ErrorContains(t, late.Bounced(t.Context(), receipts[0]), "not registered")
		require.Empty(t, s.told)
		time.Sleep(59 * 24 * time.Hour)
		for range 2 {
			require.NoError(t, r.out.Bounced(t.Context(), receipts[0]))
			last := s.told[len(s.told)-1]
			require.True(t, last.Failed)
			require.Equal(t, receipts[0], last.Receipt)
		}
		require.Len(t, s.told, 4, "each time that it was taken over, and that it bounced")
		require.Equal(t, receipts[0], r.log.Of("outbox.bounced")[0].Reason)
		time.Sleep(2 * 24 * time.Hour)
		require.ErrorIs(t, r.out.Bounced(t.Context(), receipts[0]), outbox.ErrNoReceipt)
	})
}

// A notice was accepted when the provider took it over, however late its owner is told: its receipt could not be kept for two
// hours, the owner could not answer, or the process died meanwhile.
func TestAcceptedWhenItWas(t *testing.T) {
	for name, fails := range map[string]string{"receipt": "outbox.receipt/", "owner": "test.", "process": "outbox.receipt/"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				faults := storetest.NewFaults(newMemory())
				r := newRig(t, faults.Store(), nil, nil)
				s := &settles{clerk: r.clerk}
				require.NoError(t, r.out.Register(r.clerk.name, s))
				ref := r.clerk.ref("A", "1")
				ref.Class = outbox.Notice
				require.NoError(t, r.clerk.post(t.Context(), r.out, ref, toA))
				faults.Hook(func(_, key string) error {
					if len(r.sink.messages()) == 0 || !strings.HasPrefix(key, fails) {
						return nil
					}
					if name == "process" { // the rest of its calls, too
						fails = ""
					}
					return storetest.ErrInjected
				})
				_ = r.out.Flush(t.Context())
				accepted := time.Now()
				time.Sleep(2 * time.Hour)
				faults.Hook(nil)
				after := newRig(t, faults.Store(), nil, nil)
				s.told = nil
				require.NoError(t, after.out.Register(r.clerk.name, s))
				require.NoError(t, after.out.Flush(t.Context()))
				require.Len(t, s.told, 1)
				require.WithinDuration(t, accepted, s.told[0].At, time.Minute)
				require.False(t, s.told[0].Failed)
				require.Empty(t, after.sink.messages(), "sent once")
			})
		})
	}
}

// The process dies at any call of a dispatch. What the provider took over, and the owner knows of, the provider can report as
// bounced. If the owner does not know of it yet, it learns both, and nothing is sent once more.
func TestFaultsBeforeABounce(t *testing.T) {
	testkit.CrashPoints(t, testkit.Crashes{Stops: true}, func(t *testing.T, c *testkit.Crash) {
		r := newRig(t, c.Store(), nil, nil)
		ref := r.clerk.ref("A", "1")
		ref.Class = outbox.Notice
		require.NoError(t, r.clerk.post(t.Context(), r.out, ref, toA))
		_ = c.During(t, func() error { return r.out.Flush(t.Context()) })
		after := newRig(t, c.Memory, nil, nil)
		known := after.clerk.state(t, ref) == "accepted"
		for _, m := range r.sink.messages() {
			err := after.out.Bounced(t.Context(), "receipt-"+m.ID)
			if errors.Is(err, outbox.ErrNoReceipt) && !known {
				return
			}
			require.NoError(t, err)
			require.Empty(t, afterwards(t, c.Memory, nil).sink.messages())
			require.NoError(t, after.out.Bounced(t.Context(), "receipt-"+m.ID))
			require.Equal(t, "accepted", after.clerk.state(t, ref))
		}
	})
}
