package otp_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// BenchmarkCodeRequest times a request, a stranger's as well, and says how many store calls it makes.
func BenchmarkCodeRequest(b *testing.B) {
	for name, to := range map[string][]civicpin.Contact{"citizen": {bySMS}, "stranger": nil} {
		b.Run(name, func(b *testing.B) {
			f := storetest.NewFaults(store.NewMemory())
			k := newCodeKitOn(b, f.Store(), sms(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
			n := 0
			for b.Loop() {
				_, err := k.Request(b.Context(), civicpin.Subject(fmt.Sprint("CITIZEN ", n)), filing, otp.RequestOptions{To: to})
				require.NoError(b, err)
				n++
			}
			b.ReportMetric(float64(f.Calls())/float64(n), "calls/op")
		})
	}
}

// BenchmarkCodeVerify times what is typed, right, wrong, and while the subject is locked.
func BenchmarkCodeVerify(b *testing.B) {
	for _, name := range []string{"right", "wrong", "locked"} {
		b.Run(name, func(b *testing.B) {
			f := storetest.NewFaults(store.NewMemory())
			k := newCodeKitOn(b, f.Store(), sms(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
			n, calls := 0, 0
			for b.Loop() {
				b.StopTimer()
				subject := civicpin.Subject(fmt.Sprint("CITIZEN ", n))
				req, err := k.Request(b.Context(), subject, filing, toAna())
				require.NoError(b, err)
				pending, err := k.Pending(b.Context(), subject)
				require.NoError(b, err)
				typed := pending[0].Code
				if name != "right" {
					typed = civicpin.NewSecret(otherThan(typed.Reveal()))
				}
				for range 5 {
					if name == "locked" {
						_ = k.Verify(b.Context(), subject, filing, req.ID, typed, civicpin.Source{})
					}
				}
				f.Reset()
				b.StartTimer()
				_ = k.Verify(b.Context(), subject, filing, req.ID, typed, civicpin.Source{})
				calls += f.Calls()
				n++
			}
			b.ReportMetric(float64(calls)/float64(n), "calls/op")
		})
	}
}

// BenchmarkBackupVerify times a guess at backup codes with the real hash: of ten, of one and of none, which are to take as
// long.
func BenchmarkBackupVerify(b *testing.B) {
	for _, count := range []int{10, 1, 0} {
		b.Run(fmt.Sprintf("of=%d", count), func(b *testing.B) {
			clock := newClock()
			vault, err := store.OpenVault(b.Context(), store.NewMemory(), testkit.Keys(), &store.Options{Now: clock.Now})
			require.NoError(b, err)
			k, err := otp.NewBackupCodes(vault, otp.BackupPolicy{
				Name: "paper", Count: max(count, 1), Lockout: lockout.Policy{Limit: 100, Lock: lockout.Timed, For: time.Second},
			})
			require.NoError(b, err)
			if count > 0 {
				_, err = k.Issue(b.Context(), ana, civicpin.Citizen)
				require.NoError(b, err)
			}
			for n := 0; b.Loop(); n++ {
				if n%50 == 49 {
					b.StopTimer()
					require.NoError(b, k.Rebind(b.Context(), ana, desk))
					b.StartTimer()
				}
				require.ErrorIs(b, k.Verify(b.Context(), ana, noBackup, civicpin.Source{}), otp.ErrRefused)
			}
		})
	}
}

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
