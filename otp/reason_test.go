package otp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// A right backup code whose outcome the store could not keep was never wrong: the log must not say so.
func TestRightBackupCodeIsNotLoggedAsWrong(t *testing.T) {
	for call := 1; call <= 6; call++ {
		memory := store.NewMemory()
		k := newBackupKitOn(t, memory, otp.BackupPolicy{Name: "paper"}, newClock(), &testkit.Recorder{})
		set := k.issued(t)
		faults := storetest.NewFaults(memory)
		o := k.other(t, faults.Store())
		k.events.Take()
		f := testkit.Fault{Name: "not written", Outcome: storetest.NotDone, Call: call}
		_, err := f.During(t, faults, func() error { return o.use(t, set[0]) })
		for _, e := range k.events.Of("otp.backup_refused") {
			require.NotEqual(t, "wrong", e.Reason, "call %d failed, Verify of a right code returned %v", call, err)
		}
	}
}
