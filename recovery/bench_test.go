package recovery_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store/storetest"
)

// countedKit is a kit over a store that counts, in which Ana may begin as often as she likes; with the real hashing of
// answers if wanted.
func countedKit(t testing.TB, real bool) (*kit, *storetest.Faults) {
	t.Helper()
	return countedKitWith(t, real, anaContacts())
}

// countedKitWith is countedKit with other contacts of Ana's.
func countedKitWith(t testing.TB, real bool, contacts []civicpin.Contact) (*kit, *storetest.Faults) {
	t.Helper()
	k := newBareKit(t)
	f := k.faults
	k.config.Sends = testkit.Wide
	if real {
		k.config.Hashing = pin.Hashing{}
	}
	for i := range k.config.Plans { // wrong guesses are timed, too
		k.config.Plans[i].Limit = lockout.Policy{Limit: 100, Lock: lockout.Timed, For: time.Second}
	}
	var err error
	k.Service, err = recovery.New(k.out, k.config)
	require.NoError(t, err)
	k.importAna(t)
	k.teachAna(t)
	require.NoError(t, k.contacts.Adopt(t.Context(), ana, contacts, agency.ID, home))
	return k, f
}

// asked begins a recovery and answers its captcha.
func (k *kit) asked(t testing.TB, name string, subject civicpin.Subject) recovery.Run {
	t.Helper()
	run, err := k.Start(t.Context(), name, subject, civicpin.Source{})
	require.NoError(t, err)
	shown, err := k.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
	require.NoError(t, err)
	shown.Ticket = run.Ticket
	return shown
}

// measure times do, which prepare gets ready for, and says how many store calls it makes.
func measure[T any](b *testing.B, f *storetest.Faults, prepare func() T, do func(T)) {
	calls, n := 0, 0
	for b.Loop() {
		b.StopTimer()
		with := prepare()
		f.Reset()
		b.StartTimer()
		do(with)
		calls += f.Calls()
		n++
	}
	b.ReportMetric(float64(calls)/float64(n), "calls/op")
}

// BenchmarkStart times the beginning of a recovery, of somebody and of nobody.
func BenchmarkStart(b *testing.B) {
	for name, subject := range map[string]civicpin.Subject{"known": ana, "unknown": stranger} {
		b.Run(name, func(b *testing.B) {
			k, f := countedKit(b, false)
			measure(b, f, func() struct{} { k.clock.Add(time.Second); return struct{}{} }, func(struct{}) {
				_, err := k.Start(b.Context(), "clave", subject, civicpin.Source{})
				require.NoError(b, err)
			})
		})
	}
}

// BenchmarkGuess times an answer to two facts, an image and one question, with the default hashing and with next to none.
func BenchmarkGuess(b *testing.B) {
	for _, bc := range []struct {
		name    string
		subject civicpin.Subject
		right   bool
		real    bool
	}{
		{"right", ana, true, false},
		{"wrong", ana, false, false},
		{"unknown", stranger, false, false},
		{"right/argon2id", ana, true, true},
		{"wrong/argon2id", ana, false, true},
		{"unknown/argon2id", stranger, false, true},
	} {
		b.Run(bc.name, func(b *testing.B) {
			k, f := countedKit(b, bc.real)
			n := 0
			measure(b, f, func() recovery.Run {
				k.clock.Add(time.Second)
				if n++; n%50 == 0 && !bc.right { // before wrong guesses lock
					require.NoError(b, k.Unlock(b.Context(), "clave", bc.subject, civicpin.Evidence{
						Method: civicpin.InPerson, By: agency.ID,
					}, agency))
					k.clock.Add(time.Hour)
				}
				return k.asked(b, "clave", bc.subject)
			}, func(run recovery.Run) {
				a := k.known(run, bc.right)
				a.Image = run.Next.Images[0]
				if bc.right {
					a.Image = anaImage
				}
				_, err := k.Answer(b.Context(), run.Ticket, a)
				if bc.right {
					require.NoError(b, err)
				} else {
					require.ErrorIs(b, err, recovery.ErrRefused)
				}
			})
		})
	}
}

// BenchmarkFinish times the end of a recovery by a link, which tells three contacts, and after which the key is new.
func BenchmarkFinish(b *testing.B) {
	for name, kind := range map[string]civicpin.MessageKind{"unlock": "recovery.unlock", "two": "recovery.link"} {
		b.Run(name, func(b *testing.B) {
			k, f := countedKit(b, false)
			measure(b, f, func() civicpin.Secret { return k.atItsEnd(b, name, kind) }, func(tok civicpin.Secret) {
				_, err := k.Finish(b.Context(), tok, civicpin.Source{})
				require.NoError(b, err)
			})
		})
	}
}

// atItsEnd goes through "unlock" or "two" to where only Finish is missing, and returns the link or ticket for it.
func (k *kit) atItsEnd(t testing.TB, name string, kind civicpin.MessageKind) civicpin.Secret {
	t.Helper()
	k.clock.Add(time.Hour)
	after := k.sofar()
	k.asked(t, name, ana)
	m, err := k.mailed(t.Context(), after, anaMail, kind)
	require.NoError(t, err)
	if name == "unlock" {
		return m.Link
	}
	used, err := k.Redeem(t.Context(), m.Link, civicpin.Source{})
	require.NoError(t, err)
	require.NoError(t, k.types(t.Context(), after, used.Ticket, anaPhone, "recovery.code"))
	k.clock.Add(time.Hour)
	return used.Ticket
}
