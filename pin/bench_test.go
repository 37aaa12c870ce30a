package pin_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

// benchKit is a kit over a store that counts, with the policy's real hashing if wanted.
func benchKit(b *testing.B, real bool) (*kit, *storetest.Faults) {
	b.Helper()
	p := pin.INPS()
	p.Lockout = lockout.Policy{Limit: 100, Lock: lockout.Timed, For: time.Second}
	f := storetest.NewFaults(store.NewMemory())
	k := newKitOn(b, f.Store(), p, newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	if real {
		var err error
		out, err := outbox.New(k.vault, k.mail, nil)
		require.NoError(b, err)
		k.Service, err = pin.New(out, p)
		require.NoError(b, err)
		k.out = out
	}
	_, err := k.Issue(b.Context(), maria, inps())
	require.NoError(b, err)
	require.NoError(b, k.out.Flush(b.Context()))
	code := k.last(phone) + k.last(email)
	require.NoError(b, testkit.Err(k.Exchange(b.Context(), try(code), civicpin.NewSecret(chosen))))
	return k, f
}

// BenchmarkVerify times a login, with the policy's hashing and with next to none, and says how many store calls it makes.
func BenchmarkVerify(b *testing.B) {
	for _, real := range []bool{true, false} {
		for _, bc := range []struct {
			name    string
			subject civicpin.Subject
			secret  string
			locked  bool
		}{
			{"right", maria, chosen, false},
			{"wrong", maria, wrong, false},
			{"unknown", "NOBODY", wrong, false},
			{"locked", maria, chosen, true},
		} {
			b.Run(fmt.Sprintf("%s/argon2id=%t", bc.name, real), func(b *testing.B) {
				k, f := benchKit(b, real)
				a := try(bc.secret)
				a.Subject = bc.subject
				unlock := func() {
					b.StopTimer()
					require.NoError(b, pin.Gate(k.Service).Rebind(b.Context(), lockout.Target{Subject: a.Subject}, clerk))
					b.StartTimer()
				}
				if bc.locked {
					require.NoError(b, pin.Gate(k.Service).Lock(b.Context(), lockout.Target{Subject: a.Subject}, clerk))
				}
				calls, n := 0, 0
				for b.Loop() {
					if n++; n%50 == 0 && !bc.locked {
						unlock() // before wrong guesses lock
					}
					f.Reset()
					_, _ = k.Verify(b.Context(), a)
					calls += f.Calls()
				}
				b.ReportMetric(float64(calls)/float64(n), "calls/op")
			})
		}
	}
}

// BenchmarkIssue times an issue in two parts.
func BenchmarkIssue(b *testing.B) {
	p := pin.INPS()
	p.Sends = civicpin.Rate{Limit: 100_000, Window: time.Second}
	f := storetest.NewFaults(store.NewMemory())
	k := newKitOn(b, f.Store(), p, newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	calls, n := 0, 0
	for b.Loop() {
		n++
		f.Reset()
		_, err := k.Issue(b.Context(), maria, inps())
		require.NoError(b, err)
		calls += f.Calls()
		k.clock.Add(time.Second)
	}
	b.ReportMetric(float64(calls)/float64(n), "calls/op")
}
