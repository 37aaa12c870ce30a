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

// TestCodeCalls pins what the documentation of Verify says, and what a request costs.
func TestCodeCalls(t *testing.T) {
	f := storetest.NewFaults(store.NewMemory())
	k := newCodeKitOn(t, f.Store(), sms(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	count := func(do func()) int {
		f.Reset()
		do()
		return f.Calls()
	}
	require.Equal(t, 8, count(func() {
		_, err := k.Request(t.Context(), luis, filing, otp.RequestOptions{})
		require.NoError(t, err)
	}), "request without a source")
	req, sent := k.asked(t)
	require.Equal(t, 5, count(func() { _ = k.verify(t, req.ID, otherThan(sent)) }), "wrong")
	require.Equal(t, 5, count(func() { require.NoError(t, k.verify(t, req.ID, sent)) }), "right")
	require.Equal(t, 5, count(func() { _ = k.verify(t, req.ID, sent) }), "spent")
	require.Equal(t, 5, count(func() { _ = k.verify(t, badID, sent) }), "unknown")
	req, sent = k.asked(t)
	k.clock.Add(11 * time.Minute)
	require.Equal(t, 5, count(func() { require.ErrorIs(t, k.verify(t, req.ID, sent), otp.ErrExpired) }), "late")
	for range 5 {
		_ = k.verify(t, req.ID, "wrong")
	}
	require.Equal(t, 1, count(func() { _ = k.verify(t, req.ID, sent) }), "locked")
}

// TestBackupCalls pins what the documentation of Verify says.
func TestBackupCalls(t *testing.T) {
	f := storetest.NewFaults(store.NewMemory())
	k := newBackupKitOn(t, f.Store(), otp.BackupPolicy{Name: "paper"}, newClock(), &testkit.Recorder{})
	count := func(do func()) (int, int64) {
		f.Reset()
		hashes := otp.BackupHashes(k.BackupCodes)
		do()
		return f.Calls(), otp.BackupHashes(k.BackupCodes) - hashes
	}
	var set []civicpin.Secret
	calls, hashes := count(func() { set = k.issued(t) })
	require.Equal(t, []int{2, 10}, []int{calls, int(hashes)}, "issue")
	calls, hashes = count(func() { _ = k.use(t, noBackup) })
	require.Equal(t, []int{4, 1}, []int{calls, int(hashes)}, "wrong")
	calls, hashes = count(func() { require.NoError(t, k.use(t, set[9])) })
	require.Equal(t, []int{5, 1}, []int{calls, int(hashes)}, "right")
	for range 5 {
		_ = k.use(t, noBackup)
	}
	calls, hashes = count(func() { _ = k.use(t, set[0]) })
	require.Equal(t, []int{1, 0}, []int{calls, int(hashes)}, "locked")
}

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
