package otp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/testkit"
)

// A right backup code whose outcome the store could not keep was never wrong: the log must not say so.
func TestRightBackupCodeIsNotLoggedAsWrong(t *testing.T) {
	testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) {
		k := newBackupKitOn(t, c.Store(), paper, newClock(), &testkit.Recorder{})
		set := k.issued(t)
		k.events.Take()
		_ = c.During(t, func() error { return k.use(t, set[0]) })
		for _, e := range k.events.Of("otp.backup_refused") {
			require.NotEqual(t, "wrong", e.Reason)
		}
	})
}
