package testkit

import (
	"errors"
	"fmt"
	"testing"

	"github.com/civicpin/civicpin/store/storetest"
)

// Swallowed makes each call of a store that act makes fail in turn, with nothing done. It returns those after whose failure act
// did not return the store's error, as the method and the kind of record, "Put otp.code". Open makes the world of act anew, and
// may give fail to what is no store and may fail, too: to be asked before each call, with a name for it. Swallowed ends the
// test if there is no call.
func Swallowed(t testing.TB, open func(fail func(call string) error) (*storetest.Faults, func() error)) (
	swallowed []string,
) {
	t.Helper()
	for nth := 1; ; nth++ {
		left, failed := 0, ""
		fail := func(call string) error {
			if left--; left != 0 {
				return nil
			}
			failed = call
			return fmt.Errorf("%w: %s", storetest.ErrInjected, call)
		}
		f, act := open(fail)
		left = nth
		err := duringCalls(f, fail, act)
		left = 0
		switch {
		case failed == "" && nth == 1:
			t.Fatal("testkit: no call that could fail")
		case failed == "":
			return swallowed
		case !errors.Is(err, storetest.ErrInjected):
			swallowed = append(swallowed, failed)
		}
	}
}
