package audit_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/audit"
	"github.com/civicpin/civicpin/store/storetest"
)

// TestTellsOfFailure: an event that may not be there is told, with its error; the next one is recorded.
func TestTellsOfFailure(t *testing.T) {
	for _, outcome := range []storetest.Outcome{storetest.NotDone, storetest.DoneLater} {
		faults := storetest.NewFaults(store.NewMemory())
		l, a := open(t, faults.Store(), audit.Config{Chains: 1})
		write(t, l, 1)
		faults.FailAt(1, outcome, storetest.Put)
		l.Record(t.Context(), civicpin.Event{Subject: "ROSSI", Ref: "lost"})
		require.ErrorIs(t, a.told["lost"], storetest.ErrInjected)
		l.Record(t.Context(), civicpin.Event{Subject: "ROSSI", Ref: "kept"})
		faults.Deliver(t.Context()) // it comes too late: the number is taken
		r, events := verify(t, l)
		assert.Empty(t, r.Faults)
		require.Len(t, events, 2)
		assert.Equal(t, "kept", events[1].Ref)
		assert.Equal(t, 1, a.count())
	}
	// A lost answer is looked for, and is no failure.
	faults := storetest.NewFaults(store.NewMemory())
	l, a := open(t, faults.Store(), audit.Config{Chains: 1})
	faults.FailAt(1, storetest.ReplyLost, storetest.Put)
	write(t, l, 2)
	_, events := verify(t, l)
	assert.Len(t, events, 2)
	assert.Zero(t, a.count())
	// An event that is too long to be sealed is a failure, and harms no other.
	l.Record(t.Context(), civicpin.Event{Subject: "ROSSI", Ref: "long", Reason: strings.Repeat("x", 300<<10)})
	write(t, l, 1)
	assert.Error(t, a.told["long"])
	_, events = verify(t, l)
	assert.Len(t, events, 3)
}

// TestVisitorGone: the act has happened, so its event is written, though nobody waits for the page any more.
func TestVisitorGone(t *testing.T) {
	l, a := open(t, store.NewMemory(), audit.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l.Record(ctx, civicpin.Event{Code: "pin.verified"})
	_, events := verify(t, l)
	assert.Len(t, events, 1)
	assert.Zero(t, a.count())
}

// TestStoreHangs: after the timeout the event is told as failed, and whoever waits goes on.
func TestStoreHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, a := open(t, hanging{store.NewMemory()}, audit.Config{})
		start := time.Now()
		write(t, l, 1)
		assert.Equal(t, 5*time.Second, time.Since(start))
		require.ErrorIs(t, a.told["0"], context.DeadlineExceeded)
	})
}

// hanging is a store that does not answer.
type hanging struct{ store.Store }

func (h hanging) Get(ctx context.Context, key string) (store.Record, error) {
	if key == "vault/canary" {
		return h.Store.Get(ctx, key)
	}
	<-ctx.Done()
	return store.Record{}, ctx.Err()
}

// TestDies lets the process die at each store call, in two processes that take turns: what was not told as failed is there,
// the chain holds, and the next process goes on.
func TestDies(t *testing.T) {
	t.Parallel()
	calls := testkit.CrashPoints(t, testkit.Crashes{Stops: true}, func(t *testing.T, c *testkit.Crash) {
		l, a := open(t, c.Store(), audit.Config{Chains: 1})
		other, _ := open(t, c.Memory, audit.Config{Chains: 1})
		other.Record(t.Context(), civicpin.Event{Ref: "before"})
		_ = c.During(t, func() error {
			for i := range 3 {
				l.Record(t.Context(), civicpin.Event{Ref: fmt.Sprint(i)})
				if i == 0 {
					other.Record(t.Context(), civicpin.Event{Ref: "between"})
				}
			}
			return nil
		})
		again, _ := open(t, c.Memory, audit.Config{Chains: 1})
		again.Record(t.Context(), civicpin.Event{Ref: "after"})
		r, events := verify(t, again)
		require.Empty(t, r.Faults)
		seen := make(map[string]int)
		for _, e := range events {
			seen[e.Ref]++
		}
		for _, ref := range []string{"before", "between", "after", "0", "1", "2"} {
			if a.told[ref] == nil {
				require.Equal(t, 1, seen[ref], ref)
			}
			require.LessOrEqual(t, seen[ref], 1)
		}
	})
	assert.Greater(t, calls, 8)
}

// TestHeadLost: a process that cannot move the head says so; the next event moves it.
func TestHeadLost(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	l, a := open(t, faults.Store(), audit.Config{Chains: 1})
	write(t, l, 1)
	faults.FailAt(2, storetest.NotDone, storetest.Put)
	l.Record(t.Context(), civicpin.Event{Ref: "behind"})
	require.ErrorIs(t, a.told["behind"], storetest.ErrInjected)
	r, events := verify(t, l)
	assert.Empty(t, r.Faults)
	assert.Len(t, events, 2, "it is there all the same")
	write(t, l, 1)
	r, events = verify(t, l)
	assert.Empty(t, r.Faults)
	assert.Len(t, events, 3)
}

// TestHeadNeverGoesBack holds a process up between its entry and the head, until another has gone on: the head stays where that
// one put it, or what it wrote could be cut off unseen.
func TestHeadNeverGoesBack(t *testing.T) {
	memory := store.NewMemory()
	faults := storetest.NewFaults(memory)
	slow, a := open(t, faults.Store(), audit.Config{Chains: 1})
	write(t, slow, 1)
	quick, _ := open(t, memory, audit.Config{Chains: 1})
	faults.Hook(func(method, key string) error {
		if method == storetest.Put && strings.HasPrefix(key, "audit-head.") {
			faults.Hook(nil)
			write(t, quick, 2)
		}
		return nil
	})
	write(t, slow, 1)
	assert.Zero(t, a.count())
	heads, err := store.NewKind[forgedHead](vault(t, memory), "audit-head.log")
	require.NoError(t, err)
	h, err := heads.Get(t.Context(), store.Key{ID: "0"})
	require.NoError(t, err)
	assert.EqualValues(t, 3, h.Value.Seq)
}
