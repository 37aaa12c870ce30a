package otp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// BenchmarkKeyVerify times a whole check over memory, and says how many store calls it makes. The computation alone is
// compared with others' in module bench.
func BenchmarkKeyVerify(b *testing.B) {
	for _, name := range []string{"right", "wrong", "unknown", "locked"} {
		b.Run(name, func(b *testing.B) {
			faults := storetest.NewFaults(store.NewMemory())
			f := totpOn(b, faults.Store(), otp.TOTPPolicy{Lockout: roomy}, newClock(), &testkit.Recorder{})
			key := f.enrolled(b)
			subject := ada
			if name == "unknown" {
				subject = "NOBODY"
			}
			gate := lockout.Target{Subject: subject}
			if name == "locked" {
				require.NoError(b, otp.GateOf(f).Lock(b.Context(), gate, fobClerk))
			}
			faults.Reset()
			calls, n := 0, 0
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				typed := civicpin.NewSecret("000000")
				if name == "right" {
					f.clock.Add(2 * step)
					typed = civicpin.NewSecret(f.shown(key, 0))
				} else if n%50 == 49 && name != "locked" { // before wrong codes lock
					require.NoError(b, otp.GateOf(f).Rebind(b.Context(), gate, fobClerk))
				}
				n++
				f.told()
				before := faults.Calls()
				b.StartTimer()
				_ = f.Verify(b.Context(), subject, typed, fobSource)
				calls += faults.Calls() - before
			}
			b.ReportMetric(float64(calls)/float64(n), "calls/op")
		})
	}
}
