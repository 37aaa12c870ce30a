package testkit_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// writes returns a flow that writes two records, the second whatever became of the first.
func writes(t *testing.T, s store.Store) func() error {
	return func() error {
		_, err := s.Put(t.Context(), "kind/first", store.Record{Value: []byte("one")})
		_, err2 := s.Put(t.Context(), "kind/second", store.Record{Value: []byte("two")})
		if err == nil {
			err = err2
		}
		return err
	}
}

// A fault that does nothing, or a call that is left out, would let every crash test pass.
func TestCrashPoints(t *testing.T) {
	const one, two = "kind/firstone", "kind/secondtwo"
	want := map[string][]string{ // what is left after a fault at the first call, and at the second
		"not written/stop=true":    {"", one},
		"not written/stop=false":   {two, one},
		"reply lost/stop=true":     {one, one + two},
		"reply lost/stop=false":    {one + two, one + two},
		"written later/stop=true":  {one, one + two},
		"written later/stop=false": {one + two, one + two},
	}
	var mu sync.Mutex
	left := make(map[string][]string)
	t.Run("all", func(t *testing.T) {
		calls := testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) {
			_, _ = c.Store().Get(t.Context(), "kind/before") // calls are counted from where During begins
			err := c.During(t, writes(t, c.Store()))
			if !c.Reached() {
				require.NoError(t, err)
				require.Equal(t, one+two, testkit.Stored(t, c.Memory))
				return
			}
			require.ErrorIs(t, err, storetest.ErrInjected)
			_, err = c.Store().Get(t.Context(), "kind/third")
			require.ErrorIs(t, err, store.ErrNotFound, "the store works again")
			mu.Lock()
			defer mu.Unlock()
			left[c.String()] = append(left[c.String()], testkit.Stored(t, c.Memory))
		})
		require.Equal(t, 2, calls)
	})
	require.Equal(t, want, left)
}

// Of what is left out by wish, no more is left out.
func TestCrashPointsFewer(t *testing.T) {
	for name, tc := range map[string]struct {
		how  testkit.Crashes
		runs int
	}{
		// Each outcome comes to a run that has no such call.
		"all":           {testkit.Crashes{}, 1 + 6*5},
		"stops":         {testkit.Crashes{Stops: true}, 1 + 3*5},
		"writes":        {testkit.Crashes{Writes: true}, 1 + 2*5 + 4*3},
		"every third":   {testkit.Crashes{Every: 3}, 1 + 6*2}, // call 3, 2 or 2
		"every hundred": {testkit.Crashes{Every: 100}, 1 + 6*2},
	} {
		var mu sync.Mutex
		runs := 0
		t.Run(name, func(t *testing.T) {
			require.Equal(t, 4, testkit.CrashPoints(t, tc.how, func(t *testing.T, c *testkit.Crash) {
				_ = c.During(t, func() error {
					for i := range 2 {
						_, _ = c.Store().Get(t.Context(), "kind/key")
						_, _ = c.Store().Put(t.Context(), fmt.Sprint("kind/", i), store.Record{})
					}
					return nil
				})
				mu.Lock()
				defer mu.Unlock()
				runs++
			}))
		})
		require.Equal(t, tc.runs, runs, name)
	}
}

// planted are crash tests that must fail, by what they must say.
var planted = map[string]struct {
	says     string
	scenario func(t *testing.T, c *testkit.Crash)
}{
	"no During": {"makes no store call", func(*testing.T, *testkit.Crash) {}},
	"an empty flow": {"makes no store call", func(t *testing.T, c *testkit.Crash) {
		_ = c.During(t, func() error { return nil })
	}},
	"twice": {"crashes once", func(t *testing.T, c *testkit.Crash) {
		_ = c.During(t, writes(t, c.Store()))
		_ = c.During(t, writes(t, c.Store()))
	}},
	"a bad check": {"no fault/stop=false at store call 0", func(t *testing.T, c *testkit.Crash) {
		_ = c.During(t, writes(t, c.Store()))
		t.Error("wrong")
	}},
	"half": {"not written/stop=true at store call 2, where the scenario returned storetest: ", func(t *testing.T, c *testkit.Crash) {
		_ = c.During(t, writes(t, c.Store()))
		if testkit.Stored(t, c.Memory) == "kind/firstone" {
			t.Error("half is written")
		}
	}},
	"a reply that is lost": {"reply lost/stop=false at store call 1", func(t *testing.T, c *testkit.Crash) {
		if c.During(t, writes(t, c.Store())) != nil && testkit.Stored(t, c.Memory) == "kind/firstonekind/secondtwo" {
			t.Error("written, and an error")
		}
	}},
	"a short flow": {says: "only 1 store calls"},
	"never the same": {"was not reached", func(t *testing.T, c *testkit.Crash) {
		if c.Outcome == 0 {
			_ = c.During(t, writes(t, c.Store()))
		}
	}},
}

// A box is a store of a method's, and what it records. What it asks besides is no store.
type box struct {
	store  store.Store
	clock  *testkit.Clock
	events *testkit.Recorder
	ask    func(call string) error
}

func (b *box) Around() (*testkit.Clock, *testkit.Recorder) { return b.clock, b.events }

func (b *box) Ask(fail func(call string) error) { b.ask = fail }

// boxed is a method that makes three calls, of which it swallows the failure of the last.
func boxed() testkit.Method[*box] {
	return testkit.Method[*box]{
		Name: "boxed",
		Open: func(_ *testing.T, s store.Store) *box {
			return &box{s, testkit.NewClock(time.Unix(0, 0)), &testkit.Recorder{}, func(string) error { return nil }}
		},
		Act: func(ctx context.Context, b *box) (any, error) {
			if err := b.ask("acts"); err != nil {
				return nil, err
			}
			if _, err := b.store.Get(ctx, "kind/first"); !errors.Is(err, store.ErrNotFound) {
				return nil, err
			}
			_, _ = b.store.Put(ctx, "kind/first", store.Record{})
			b.events.Record(ctx, civicpin.Event{
				At: b.clock.Now(), Code: "test.done", Subject: "ANA", By: "operator:7", Ref: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
				Source: civicpin.Source{Address: "192.0.2.1"},
			})
			return 1, nil
		},
		Swallows: []string{"Put kind"},
		Events:   []string{"test.done operator:7 192.0.2.1 ID -"},
	}
}

func TestMethod(t *testing.T) { boxed().Check(t) }

// plantedMethods are changes to a method with which its check must fail, by what it must say.
var plantedMethods = map[string]struct {
	says   string
	change func(m *testkit.Method[*box])
}{
	"a failure that is swallowed": {`swallowed ["Put kind"], want []`, func(m *testkit.Method[*box]) { m.Swallows = nil }},
	"an event":                    {`recorded ["test.done operator:7 192.0.2.1 ID -"], want []`, func(m *testkit.Method[*box]) { m.Events = nil }},
	"an event of nobody": {"of nobody", func(m *testkit.Method[*box]) {
		m.Act = func(ctx context.Context, b *box) (any, error) {
			b.events.Record(ctx, civicpin.Event{At: b.clock.Now(), Code: "test.done"})
			return nil, testkit.Err(b.store.Get(ctx, "kind/first"))
		}
	}},
	"a result beside an error": {"beside the error", func(m *testkit.Method[*box]) {
		m.Act = func(ctx context.Context, b *box) (any, error) { return 1, testkit.Err(b.store.Get(ctx, "kind/first")) }
	}},
	"a method without a call": {"no call that could fail", func(m *testkit.Method[*box]) {
		m.Act = func(context.Context, *box) (any, error) { return nil, nil }
	}},
}

const plantedName = "TESTKIT_PLANTED"

// TestPlantedCrash fails in a process of [TestCrashPointsFail].
func TestPlantedCrash(t *testing.T) {
	name := os.Getenv(plantedName)
	if p, ok := plantedMethods[name]; ok {
		m := boxed()
		p.change(&m)
		m.Check(t)
		return
	}
	p, ok := planted[name]
	if !ok {
		t.Skip("only for TestCrashPointsFail")
	}
	if p.scenario != nil {
		testkit.CrashPoints(t, testkit.Crashes{}, p.scenario)
		return
	}
	same := func(_ *testing.T, _, s store.Store) store.Store { return s }
	testkit.Flow[store.Store]{
		Name:    "flow",
		Prepare: func(t *testing.T, s store.Store) { require.NoError(t, writes(t, s)()) },
		Act:     func(t *testing.T, s store.Store) error { return testkit.Err(s.Get(t.Context(), "kind/first")) },
		After: func(t *testing.T, s store.Store, err error) {
			require.NoError(t, testkit.Err(s.Get(t.Context(), "kind/second")))
		},
	}.CrashPoints(t, testkit.Crashes{}, func(_ *testing.T, s store.Store) store.Store { return s }, same)
}

// A harness that finds nothing would let every crash test pass.
func TestCrashPointsFail(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	says := make(map[string]string)
	for name, p := range planted {
		says[name] = p.says
	}
	for name, p := range plantedMethods {
		says[name] = p.says
	}
	for name, want := range says {
		cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestPlantedCrash$")
		cmd.Env = append(os.Environ(), plantedName+"="+name)
		out, err := cmd.CombinedOutput()
		require.Error(t, err, "%s: passes", name)
		require.Contains(t, string(out), want, name)
	}
}

// Calls that it did not see would make everybody look alike.
func TestCalls(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	do := writes(t, faults.Store())
	require.Equal(t, []string{"Put kind", "Put kind"}, testkit.Calls(faults, func() { require.NoError(t, do()) }))
	require.Empty(t, testkit.Calls(faults, func() {}))
}
