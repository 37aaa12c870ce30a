package testkit

import (
	"fmt"
	"testing"

	"github.com/civicpin/civicpin/store/storetest"
)

// A Fault is one store call of a flow that goes wrong.
type Fault struct {
	Name    string // of the outcome
	Outcome storetest.Outcome
	// Stop is that the process dies at the call; otherwise only that call fails.
	Stop bool
	// Call is which, from 1. A crash test counts it up until the flow does not come as far.
	Call int
}

// Faults returns a fault at call 1 for each way in which a call can end.
func Faults() []Fault {
	var all []Fault
	for _, o := range []struct {
		name string
		storetest.Outcome
	}{{"not written", storetest.NotDone}, {"reply lost", storetest.ReplyLost}, {"written later", storetest.DoneLater}} {
		for _, stop := range []bool{true, false} {
			all = append(all, Fault{o.name, o.Outcome, stop, 1})
		}
	}
	return all
}

// String returns the way in which the call ends, for the name of a subtest.
func (f Fault) String() string { return fmt.Sprintf("%s/stop=%t", f.Name, f.Stop) }

// During does act with the fault at its call, of all calls or of those of the named methods. Then what was to be written later
// is written, and the store works again: the process was started anew. It returns whether act came as far as the call, and
// the error of act.
func (f Fault) During(t testing.TB, faults *storetest.Faults, act func() error, methods ...string) (reached bool, err error) {
	t.Helper()
	faults.Reset()
	if f.Stop {
		faults.StopAt(f.Call, f.Outcome, methods...)
	} else {
		faults.FailAt(f.Call, f.Outcome, methods...)
	}
	err = act()
	reached = faults.Calls(methods...) >= f.Call
	faults.Deliver(t.Context())
	faults.Reset()
	return reached, err
}

// Explain logs, if the test has failed, at which call that was and what act returned. It is to be deferred, since a test of
// many calls does not tell so in its name.
func (f Fault) Explain(t testing.TB, err error) {
	t.Helper()
	if t.Failed() {
		t.Logf("at call %d, act returned %v", f.Call, err)
	}
}
