package otp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

var gateKey = lockout.Target{Subject: ada}

// TestKeyStoreCalls pins what the documentation of Verify says.
func TestKeyStoreCalls(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	f := totpOn(t, faults.Store(), otp.TOTPPolicy{}, newClock(), &testkit.Recorder{})
	key := f.enrolled(t)
	count := func(code string) int {
		faults.Reset()
		_ = f.verify(t, code)
		return faults.Calls()
	}
	require.Equal(t, 5, count(f.shown(key, 0)), "right")
	require.Equal(t, 4, count(f.shown(key, 0)), "replayed")
	require.Equal(t, 4, count(f.wrongCode(key)), "wrong")
	f.clock.Add(time.Minute)
	require.Equal(t, 5, count(f.shown(key, 0)), "right after wrong")
	for range 5 {
		count(f.wrongCode(key))
	}
	require.Equal(t, 1, count(f.shown(key, 0)), "locked")
	faults.Reset()
	_, err := f.Enrol(t.Context(), ada)
	require.NoError(t, err)
	require.Equal(t, 2, faults.Calls(), "enrol")
}
