package testkit

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// Crashes are which crashes [CrashPoints] tries. The zero value tries all.
type Crashes struct {
	// Every is of how many store calls one is tried: 0 and 1 mean each.
	Every int
	// Stops leaves out the faults after which the process goes on.
	Stops bool
	// Writes tries lost replies and late writes at Put and Delete alone. A Get whose reply is lost is like one that was not done.
	Writes bool
}

// A Crash is one run of a scenario, over a store of its own, with a fault at one store call.
type Crash struct {
	Memory *store.Memory
	Faults *storetest.Faults // around Memory
	// Outcome is how the call ends, 0 if there is no fault in this run.
	Outcome storetest.Outcome
	// Stop says that the process dies at the call; otherwise only that call fails.
	Stop bool

	name    string   // of the outcome
	methods []string // whose calls count, all if empty
	call    int      // from 1
	calls   int      // of these methods in During
	writes  int      // Put and Delete in During
	ran     bool
	err     error
}

// Store returns the store with the fault. Another process has Memory.
func (c *Crash) Store() store.Store { return c.Faults.Store() }

// During does act with the fault at its call, and returns the error of act. Afterwards what was to be written later is written,
// and the store works again: the process was started anew.
func (c *Crash) During(t testing.TB, act func() error) error {
	t.Helper()
	if c.ran {
		t.Fatal("testkit: a scenario crashes once: During was called before")
	}
	c.ran = true
	c.Faults.Reset()
	switch {
	case c.Outcome == 0:
	case c.Stop:
		c.Faults.StopAt(c.call, c.Outcome, c.methods...)
	default:
		c.Faults.FailAt(c.call, c.Outcome, c.methods...)
	}
	c.err = act()
	c.calls, c.writes = c.Faults.Calls(c.methods...), c.Faults.Calls(writes()...)
	c.Faults.Deliver(t.Context())
	c.Faults.Reset()
	return c.err
}

// Reached reports whether the fault happened.
func (c *Crash) Reached() bool { return c.call > 0 && c.calls >= c.call }

// String names the crash as a subtest does.
func (c *Crash) String() string { return fmt.Sprintf("%s/stop=%t", c.name, c.Stop) }

// writes returns the methods that change something.
func writes() []string { return []string{storetest.Put, storetest.Delete} }

// crashes returns one crash for each way in which a call can end.
func (how Crashes) crashes() []Crash {
	var some []string
	if how.Writes {
		some = writes()
	}
	var all []Crash
	for _, stop := range []bool{true, false} {
		if how.Stops && !stop {
			continue
		}
		all = append(all,
			Crash{name: "not written", Outcome: storetest.NotDone, Stop: stop},
			Crash{name: "reply lost", Outcome: storetest.ReplyLost, Stop: stop, methods: some},
			Crash{name: "written later", Outcome: storetest.DoneLater, Stop: stop, methods: some})
	}
	return all
}

// run runs a scenario with a copy of the crash at a call, and returns the copy.
func (c Crash) run(t *testing.T, call int, scenario func(*testing.T, *Crash)) *Crash {
	t.Helper()
	c.Memory, c.call = store.NewMemory(), call
	c.Faults = storetest.NewFaults(c.Memory)
	synctest.Test(t, func(t *testing.T) { // retries wait, in no time
		defer func() {
			if t.Failed() {
				t.Logf("%v at store call %d, where the scenario returned %v", &c, c.call, c.err)
			}
		}()
		scenario(t, &c)
	})
	return &c
}

// CrashPoints runs a scenario once without a fault, to count the store calls of its [Crash.During], and then for each way in
// which a call can end once for each call: it is not done, its reply is lost, it is done later; and the process dies at it, or
// goes on. A scenario makes a fresh world over the crash's store, prepares it, acts in During, and checks what then holds in
// another process over Memory. Each run has a synctest bubble. Runs of different outcomes are parallel, so a scenario shares
// nothing with others that it changes.
//
// A failure tells the outcome and the call. CrashPoints fails if there is no call: such a scenario would pass whatever the code
// does. It returns the number of calls.
func CrashPoints(t *testing.T, how Crashes, scenario func(t *testing.T, c *Crash)) (calls int) {
	t.Helper()
	none := Crash{name: "no fault"}.run(t, 0, scenario)
	t.Run("at", func(t *testing.T) { // ends when all have ended
		for _, c := range how.crashes() {
			last := none.calls
			if c.methods != nil {
				last = none.writes
			}
			if last == 0 {
				t.Fatalf("testkit: the scenario makes no store call in During for which to try %v", &c)
			}
			t.Run(c.String(), func(t *testing.T) {
				t.Parallel()
				c.each(t, max(how.Every, 1), last, scenario)
			})
		}
	})
	return none.calls
}

// each tries the crash at every n-th call of so many, and then up to a run that does not come as far.
func (c Crash) each(t *testing.T, every, last int, scenario func(*testing.T, *Crash)) {
	t.Helper()
	first := min(1+len(c.name)%every, last) // if not all calls are tried, then others for each outcome
	call := first
	for c.run(t, call, scenario).Reached() && !t.Failed() {
		call += every
	}
	if call == first && !t.Failed() {
		t.Errorf("testkit: call %d of %d was not reached: the scenario does not do the same each time", call, last)
	}
}
