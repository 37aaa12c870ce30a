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
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

// benchKit is a kit over a store that counts, with the policy's real hashing if wanted.
func benchKit(b *testing.B, real bool) (*kit, *storetest.Faults) {
	b.Helper()
	p := pin.INPS()
	p.Lockout = lockout.Policy{Limit: 100, Lock: lockout.Timed, For: time.Second}
	k := newKit(b, p)
	f := k.faults
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
	k := newKit(b, p)
	f := k.faults
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

// A tally counts what the calls of a kit cost.
type tally struct {
	*kit
	t      *testing.T
	faults *storetest.Faults
	costs  *testkit.Costs
}

func newTally(t *testing.T, costs *testkit.Costs, p pin.Policy) tally {
	f := storetest.NewFaults(store.NewMemory())
	return tally{newKitOn(t, f.Store(), p, newClock(), &testkit.Mailbox{}, &testkit.Recorder{}), t, f, costs}
}

// count counts a call that succeeds.
func (k tally) count(call, when string, do func() error) {
	k.t.Helper()
	k.costs.Count(k.t, call, when, k.faults, func() int64 { return pin.Hashes(k.Service) }, func() { require.NoError(k.t, do()) })
}

// refused counts a call that is refused.
func (k tally) refused(call, when string, do func() error) {
	k.t.Helper()
	k.count(call, when, func() error { require.Error(k.t, do()); return nil })
}

// verify is Verify of a secret of a subject's.
func (k tally) verify(subject civicpin.Subject, secret string) func() error {
	a := try(secret)
	a.Subject = subject
	return func() error { return testkit.Err(k.Verify(k.t.Context(), a)) }
}

// TestStoreCalls counts what docs/costs.md says.
func TestStoreCalls(t *testing.T) {
	var costs testkit.Costs
	loginCosts(t, &costs)
	deviceCosts(t, &costs)
	issueCosts(t, &costs)
	changeCosts(t, &costs)
	operatorCosts(t, &costs)
	costs.Compare(t, "pin")
}

func loginCosts(t *testing.T, costs *testkit.Costs) {
	k := newTally(t, costs, pin.INPS())
	k.exchanged(t)
	k.count("Verify", "right", k.verify(maria, chosen))
	k.refused("Verify", "wrong", k.verify(maria, wrong))
	k.refused("Verify", "wrong", k.verify("NOBODY", wrong))
	k.count("Verify", "right", k.verify(maria, chosen))
	k.clock.Add(24 * time.Hour)
	k.count("Verify", "right, and noted as a use (MaxUnused, once a day)", k.verify(maria, chosen))
	k.count("Verify", "right", k.verify(maria, chosen))
	for _, subject := range []civicpin.Subject{maria, "NOBODY"} {
		for range 5 {
			_ = k.verify(subject, wrong)()
		}
		k.refused("Verify", "locked", k.verify(subject, chosen))
	}
	k.count("Unlock", "", func() error { return k.Unlock(t.Context(), maria, clerk) })
	for _, subject := range []civicpin.Subject{maria, "NOBODY"} {
		k.count("Epoch", "", func() error { return testkit.Err(k.Epoch(t.Context(), subject)) })
	}
}

func deviceCosts(t *testing.T, costs *testkit.Costs) {
	k := newTally(t, costs, withDevices())
	k.exchanged(t)
	device := k.remembered(t, "")
	login := func(secret string) func() error {
		return func() error { return testkit.Err(k.Verify(t.Context(), from(device, secret))) }
	}
	k.count("Verify", "right, known device", login(chosen))
	k.refused("Verify", "wrong, known device", login(wrong))
	ok, err := k.Verify(t.Context(), from(device, chosen))
	require.NoError(t, err)
	k.count("RememberDevice", "", func() error {
		value, err := k.RememberDevice(t.Context(), ok)
		device = value.Reveal()
		return err
	})
	shown := func(device string) func() error {
		return func() error {
			return testkit.Err(k.Shown(t.Context(), maria, civicpin.Source{Device: civicpin.NewSecret(device)}))
		}
	}
	k.count("Shown", "known device", shown(device))
	k.count("Shown", "no device", shown(""))
	k.lockedOut(t)
	k.count("Verify", "right, known device", login(chosen))
	for range 4 {
		k.refused("Verify", "wrong, known device", login(wrong))
	}
	k.refused("Verify", "wrong, locks the device's lane", login(wrong))
	k.refused("Verify", "locked, and so is the lane of the known device", login(chosen))
}

func issueCosts(t *testing.T, costs *testkit.Costs) {
	k := newTally(t, costs, pin.INPS())
	ctx := t.Context()
	issue := func(subject civicpin.Subject) func() error {
		return func() error { return testkit.Err(k.Issue(ctx, subject, inps())) }
	}
	k.count("Issue", "two parts by message", issue(maria))
	k.count("Issue", "two parts by message", issue("NOBODY"))
	require.NoError(t, k.out.Flush(ctx)) // both to Maria's telephone
	typed := k.issued(t)
	sourced := inps()
	sourced.Source = civicpin.Source{Address: "192.0.2.9"}
	k.count("Issue", "two parts by message, source", func() error { return testkit.Err(k.Issue(ctx, "SOMEBODY", sourced)) })
	for _, subject := range []civicpin.Subject{maria, "STRANGER"} {
		k.count("Resend", "", func() error { return k.Resend(ctx, subject, 0, civicpin.Source{}) })
	}
	k.count("Verify", "right, issued secret", k.verify(maria, typed))
	k.count("Exchange", "", func() error { return testkit.Err(k.Exchange(ctx, try(typed), civicpin.NewSecret(chosen))) })
	k.count("Exchange", "the same once more", func() error {
		return testkit.Err(k.Exchange(ctx, try(typed), civicpin.NewSecret(chosen)))
	})

	desk := newTally(t, costs, pin.Default())
	desk.count("Issue", "one part, printed", func() error {
		return testkit.Err(desk.Issue(ctx, maria, pin.IssueOptions{Parts: []civicpin.Contact{{Channel: civicpin.HandedOver}}, By: clerk}))
	})
	desk.count("Reprint", "", func() error { return testkit.Err(desk.Reprint(ctx, maria, clerk)) })
}

func changeCosts(t *testing.T, costs *testkit.Costs) {
	k := newTally(t, costs, pin.INPS())
	ctx := t.Context()
	k.exchanged(t)
	change := func(attempt string) func() error {
		return func() error { return testkit.Err(k.Change(ctx, try(attempt), civicpin.NewSecret(changed))) }
	}
	k.count("Change", "", change(chosen))
	k.count("Change", "the same once more", change(chosen))
	for _, subject := range []civicpin.Subject{maria, "NOBODY"} {
		k.count("Mark", "", func() error { return testkit.Err(k.Mark(ctx, subject)) })
	}
	var g pin.Grant
	completed := k.completed(t)
	k.count("Complete", "a grant", func() (err error) { g, err = k.Complete(ctx, completed); return err })
	set := func() error { return testkit.Err(k.Set(ctx, g, civicpin.NewSecret("MN6B3VCX"), civicpin.Source{})) }
	k.count("Set", "", set)
	k.count("Set", "the same once more", set)
	g = k.granted(t, inps().Parts...)
	k.count("Reissue", "two parts by message", func() error { return testkit.Err(k.Reissue(ctx, g, civicpin.Source{})) })
}

func operatorCosts(t *testing.T, costs *testkit.Costs) {
	k := newTally(t, costs, pin.INPS())
	ctx := t.Context()
	k.exchanged(t)
	k.count("Status", "", func() error { return testkit.Err(k.Status(ctx, maria)) })
	k.count("Attest", "", func() error {
		return k.Attest(ctx, maria, civicpin.Evidence{Method: civicpin.InPerson, By: clerk})
	})
	k.count("LowerLevel", "", func() error {
		return k.LowerLevel(ctx, maria, civicpin.Low, k.clock.Now().Add(time.Hour), "moved", clerk)
	})
	k.count("Suspend", "", func() error { return k.Suspend(ctx, maria, "lost", clerk) })
	k.count("Suspend", "suspended already", func() error { return k.Suspend(ctx, maria, "lost", clerk) })
	k.count("Resume", "", func() error { return k.Resume(ctx, maria, civicpin.Evidence{}, "found", clerk) })
	k.count("Stop", "", func() error { return k.Stop(ctx, maria, "undone", civicpin.Citizen) })
	k.count("Revoke", "", func() error { return k.Revoke(ctx, maria, state.Ended, "moved", clerk) })
	k.count("Import", "", func() error {
		return k.Import(ctx, "IMPORTED", civicpin.NewSecret("$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"),
			pin.ImportOptions{By: clerk})
	})
	k.issued(t)
	st, err := k.Status(ctx, maria)
	require.NoError(t, err)
	k.count("Receipt", "", func() error { return k.Receipt(ctx, st.Parts[0].Receipt, state.Delivered) })
	k.refused("Receipt", "unknown", func() error { return k.Receipt(ctx, "unknown", state.Delivered) })
	k.count("Sweep", "nothing has expired", func() error { return testkit.Err(k.Sweep(ctx, 10)) })
	k.clock.Add(7 * 24 * time.Hour)
	k.count("Sweep", "an issued secret has expired", func() error { return testkit.Err(k.Sweep(ctx, 10)) })
}
