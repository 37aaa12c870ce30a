package otp_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otp"
)

// BenchmarkCodeRequest times a request, a stranger's as well, and says how many store calls it makes.
func BenchmarkCodeRequest(b *testing.B) {
	for name, to := range map[string][]civicpin.Contact{"citizen": {bySMS}, "stranger": nil} {
		b.Run(name, func(b *testing.B) {
			k := newCodeKit(b, sms())
			n := 0
			for b.Loop() {
				_, err := k.Request(b.Context(), civicpin.Subject(fmt.Sprint("CITIZEN ", n)), filing, otp.RequestOptions{To: to})
				require.NoError(b, err)
				n++
			}
			b.ReportMetric(float64(k.faults.Calls())/float64(n), "calls/op")
		})
	}
}

// BenchmarkCodeVerify times what is typed, right, wrong, and while the subject is locked.
func BenchmarkCodeVerify(b *testing.B) {
	for _, name := range []string{"right", "wrong", "locked"} {
		b.Run(name, func(b *testing.B) {
			k := newCodeKit(b, sms())
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
				k.faults.Reset()
				b.StartTimer()
				_ = k.Verify(b.Context(), subject, filing, req.ID, typed, civicpin.Source{})
				calls += k.faults.Calls()
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
			policy := otp.BackupPolicy{Name: "paper", Count: max(count, 1), Lockout: testkit.Until(100)}
			k, err := otp.NewBackupCodes(newBackupKit(b).vault, policy)
			require.NoError(b, err)
			if count > 0 {
				_, err = k.Issue(b.Context(), ana, civicpin.Citizen)
				require.NoError(b, err)
			}
			for n := 0; b.Loop(); n++ {
				if n%50 == 49 {
					b.StopTimer()
					require.NoError(b, k.Rebind(b.Context(), ana, seenAtDesk))
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
			f := newTOTP(b, otp.TOTPPolicy{Lockout: roomy})
			key := f.enrolled(b)
			subject := ada
			if name == "unknown" {
				subject = "NOBODY"
			}
			gate := gateOf(subject)
			if name == "locked" {
				require.NoError(b, otp.GateOf(f).Lock(b.Context(), gate, fobClerk))
			}
			f.faults.Reset()
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
				before := f.faults.Calls()
				b.StartTimer()
				_ = f.Verify(b.Context(), subject, typed, fobSource)
				calls += f.faults.Calls() - before
			}
			b.ReportMetric(float64(calls)/float64(n), "calls/op")
		})
	}
}
