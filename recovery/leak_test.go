package recovery_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store/storetest"
)

// anyToken is what every ticket, token and grant looks like, whoever it was given to.
var anyToken = regexp.MustCompile(`[tldcu][A-Z2-7]{26}[A-Za-z0-9_-]{2}\.[A-Za-z0-9_-]{43}|g1\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}`)

// ticketOrGrant is what those look like that are never sent.
var ticketOrGrant = regexp.MustCompile(`t[A-Z2-7]{26}[A-Za-z0-9_-]{2}\.[A-Za-z0-9_-]{43}|g1\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}`)

// leaks is a kit with a witness of one way through plans.
type leaks struct {
	*testkit.Witness
	*kit
}

func newLeaks(t *testing.T) *leaks {
	t.Helper()
	w := testkit.NewWitness()
	l := &leaks{w, newKitOn(t, w.Store(), newClock(), w.Mail, w.Events)}
	l.enrolAna(t)
	w.Secret(typed()...)
	w.Secret(anaMail, anaPEC, anaPhone, anaNewMail, luisMail)
	w.Personal(string(ana), string(luis), "birth-day")
	return l
}

// end looks for secrets, and for tickets, tokens and grants of any run, in all that was said, recorded and stored. It returns
// what was said.
func (l *leaks) end(t *testing.T, told ...string) string {
	t.Helper()
	said := l.LeaksNothing(t, told...)
	require.False(t, anyToken.MatchString(said), "what was said: a ticket, token or grant")
	require.False(t, anyToken.MatchString(testkit.Stored(t, l.Memory)), "the store: a ticket, token or grant")
	return said
}

// typed returns all answers of the tests, as they are enrolled, and as they are typed.
func typed() []string {
	all := []string{anaSecret, newSecret, "Rocinante", "encebollado", "Diez de Agosto"}
	return slices.AppendSeq(all, maps.Values(anaAnswers))
}

// TestNobodyElseLearnsIt goes through every plan, in good ways and in bad ones: with wrong answers, with a gateway that
// quotes what it was given, and with a store that fails. No token, ticket, grant, code, answer or address is in any event,
// error or log, nor in what is stored; and once a message was taken over, its token and code are not even under the seal.
func TestNobodyElseLearnsIt(t *testing.T) {
	require.True(t, anyToken.MatchString(token.New(token.Ticket, token.NewID(), 3).Text().Reveal()))
	for _, w := range walks {
		t.Run(w.name, func(t *testing.T) {
			l := newLeaks(t)
			w.before(t, l.kit)
			require.NoError(t, w.through(t.Context(), l.kit, newSecret))
			for range 20 { // until all is taken over
				require.NoError(t, l.out.Flush(t.Context()))
				l.clock.Add(time.Minute)
			}
			l.end(t, "recovery.finished")
			plain, err := recovery.Plain(t.Context(), l.Service)
			require.NoError(t, err)
			require.Contains(t, plain, `"plan":"`)
			// The token of a notice that ran out before it was sent may be there; a ticket or grant, which is never sent, is
			// not.
			require.False(t, ticketOrGrant.MatchString(plain), "under the seal: a ticket or grant")
			testkit.LeaksNothing(t, map[string]string{"the plain records": plain}, append(typed(), l.arrived()...)...)
		})
		t.Run(w.name+", a gateway that quotes", func(t *testing.T) {
			l := newLeaks(t)
			w.before(t, l.kit)
			l.Quotes(func(n int) bool { return n <= 2 })
			l.Say(w.through(t.Context(), l.kit, newSecret), l.out.Flush(t.Context()))
			l.end(t, "gateway refuses")
		})
		t.Run(w.name+", a store that fails", func(t *testing.T) {
			failed := 0
			for call := 1; call < 100; call += 8 {
				l := newLeaks(t)
				w.before(t, l.kit)
				for i, o := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost, storetest.NotDone} {
					l.Faults.FailAt(call+3*i, o)
				}
				l.Say(w.through(t.Context(), l.kit, newSecret))
				l.Faults.Reset()
				if strings.Contains(l.end(t), "injected") {
					failed++
				}
			}
			require.Positive(t, failed)
		})
	}
	t.Run("wrong answers", func(t *testing.T) {
		l := newLeaks(t)
		l.wrong(t)
		l.end(t, "recovery.refused")
	})
}

// arrived returns the codes and links that were taken over.
func (l *leaks) arrived() (all []string) {
	for _, m := range l.Mail.Messages() {
		for _, secret := range []civicpin.Secret{m.Secret, m.Link} {
			if !secret.IsZero() {
				all = append(all, secret.Reveal())
			}
		}
	}
	return all
}

// wrong gives wrong answers of each sort, and prints all that comes back as somebody might who debugs.
func (l *leaks) wrong(t *testing.T) {
	t.Helper()
	for _, p := range plans() {
		run, err := l.Start(t.Context(), p.Name, ana, home)
		l.Say(err)
		if err != nil {
			continue
		}
		ticket := run.Ticket
		l.Say(run, ticket)
		l.Secret(ticket.Reveal())
		for _, a := range []recovery.Answers{
			{Captcha: true},
			{Code: civicpin.NewSecret("ACDEFGHJ")},
			{Factor: civicpin.NewSecret("765432198765")},
			{Contacts: []civicpin.Contact{{Channel: civicpin.SMS, Address: "+593999"}, {Channel: civicpin.Email, Address: "otra@correo.example"}}},
			{Correct: civicpin.Contact{Channel: civicpin.Email, Address: "not an address"}},
			{Documents: map[string]string{"front": "a", "back": "reference-77", "face": "c"}},
		} {
			l.Say(testkit.Err(l.Answer(t.Context(), ticket, a)), a.Code, a.Factor)
		}
		run, err = l.Show(t.Context(), ticket)
		l.Say(err)
		l.Say(testkit.Err(l.Answer(t.Context(), ticket, l.known(run, false))))
		l.Say(testkit.Err(l.Finish(t.Context(), ticket, home)))
		l.Say(testkit.Err(l.Inspect(t.Context(), civicpin.NewSecret(strings.Replace(ticket.Reveal(), "t", "l", 1)))))
	}
	l.Secret("ACDEFGHJ", "765432198765", "no lo sé", "otra@correo.example", "not an address")
}
