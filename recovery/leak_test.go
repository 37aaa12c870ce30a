package recovery_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
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
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// anyToken is what every ticket, token and grant looks like, whoever it was given to.
var anyToken = regexp.MustCompile(`[tldcu][A-Z2-7]{26}[A-Za-z0-9_-]{2}\.[A-Za-z0-9_-]{43}|g1\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}`)

// ticketOrGrant is what those look like that are never sent.
var ticketOrGrant = regexp.MustCompile(`t[A-Z2-7]{26}[A-Za-z0-9_-]{2}\.[A-Za-z0-9_-]{43}|g1\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}`)

// leaks is what was said on one way through plans, and what must not be in it.
type leaks struct {
	log      bytes.Buffer
	secrets  map[string]bool // that were delivered, typed or chosen
	accepted map[string]bool // those of them that a provider took over, or that are compared
	memory   *store.Memory
	faults   *storetest.Faults
	*kit
}

func newLeaks(t *testing.T) *leaks {
	t.Helper()
	l := &leaks{secrets: typed(), accepted: typed(), memory: store.NewMemory()}
	l.faults = storetest.NewFaults(l.memory)
	l.kit = newKitOn(t, l.faults.Store(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	l.enrolAna(t)
	return l
}

// note writes an error in all its forms.
func (l *leaks) note(err error) {
	if err != nil {
		fmt.Fprintf(&l.log, "%v %+v %#v %q\n", err, err, err, err)
	}
}

// message takes down what a message holds.
func (l *leaks) message(m civicpin.Message, to map[string]bool) {
	for _, s := range []civicpin.Secret{m.Secret, m.Link} {
		if s.IsZero() {
			continue
		}
		to[s.Reveal()] = true
		if _, verifier, ok := strings.Cut(s.Reveal(), "."); ok {
			to[verifier] = true
			raw, _ := base64.RawURLEncoding.DecodeString(verifier)
			to[base64.StdEncoding.EncodeToString(raw)] = true // as JSON writes bytes
		}
	}
}

// end looks for secrets in all that was said, recorded and stored. It returns the log.
func (l *leaks) end(t *testing.T) string {
	t.Helper()
	log := slog.New(slog.NewJSONHandler(&l.log, nil))
	for _, e := range l.events.All() {
		civicpin.SlogRecorder(log).Record(t.Context(), e)
		fmt.Fprintf(&l.log, "%+v %#v\n", e, e)
	}
	for _, m := range l.mail.Messages() {
		l.message(m, l.secrets)
		l.message(m, l.accepted)
	}
	absent(t, l.log.String(), "in the log", l.secrets, anyToken)
	stored := testkit.Stored(t, l.memory)
	absent(t, stored, "in the store", l.secrets, anyToken)
	addresses := []string{anaMail, anaPEC, anaPhone, anaNewMail, luisMail}
	for _, address := range addresses {
		require.False(t, strings.Contains(l.log.String(), address), "in the log: %s", address)
	}
	for _, personal := range append(addresses, string(ana), string(luis), "birth-day") {
		require.False(t, strings.Contains(stored, personal), "in the store: %s", personal)
	}
	return l.log.String()
}

// absent checks that none of the secrets is in a text, without printing it all.
func absent(t *testing.T, text, where string, secrets map[string]bool, form *regexp.Regexp) {
	t.Helper()
	for secret := range secrets {
		require.NotEmpty(t, secret)
		require.False(t, strings.Contains(text, secret), "%s: a secret of %d bytes that begins with %.1q", where, len(secret), secret)
	}
	require.False(t, form.MatchString(text), "%s: a ticket, token or grant", where)
}

// typed are all answers of the tests, as they are enrolled, as they are typed, and as they are compared.
func typed() map[string]bool {
	all := map[string]bool{anaSecret: true, newSecret: true, "Rocinante": true, "encebollado": true, "Diez de Agosto": true}
	for _, text := range slices.Collect(maps.Values(anaAnswers)) {
		all[text], all[strings.ToUpper(text)], all[strings.ToLower(text)] = true, true, true
	}
	return all
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
			require.True(t, strings.Contains(l.end(t), "recovery.finished"))
			plain, err := recovery.Plain(t.Context(), l.Service)
			require.NoError(t, err)
			require.Contains(t, plain, `"plan":"`)
			// The token of a notice that ran out before it was sent may be there; a ticket or grant, which is never sent, is
			// not.
			absent(t, plain, "under the seal", l.accepted, ticketOrGrant)
		})
		t.Run(w.name+", a gateway that quotes", func(t *testing.T) {
			l := newLeaks(t)
			w.before(t, l.kit)
			n := 0
			l.mail.Fail = func(m civicpin.Message) error {
				if n++; n > 2 {
					return nil
				}
				l.message(m, l.secrets)
				return fmt.Errorf("gateway refuses %q %q", m.Secret.Reveal(), m.Link.Reveal())
			}
			l.note(w.through(t.Context(), l.kit, newSecret))
			l.note(l.out.Flush(t.Context()))
			require.True(t, strings.Contains(l.end(t), "gateway refuses"))
		})
		t.Run(w.name+", a store that fails", func(t *testing.T) {
			failed := 0
			for call := 1; call < 100; call += 8 {
				l := newLeaks(t)
				w.before(t, l.kit)
				for i, o := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost, storetest.NotDone} {
					l.faults.FailAt(call+3*i, o)
				}
				l.note(w.through(t.Context(), l.kit, newSecret))
				l.faults.Reset()
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
		require.True(t, strings.Contains(l.end(t), "recovery.refused"))
	})
}

// wrong gives wrong answers of each sort, and prints all that comes back as somebody might who debugs.
func (l *leaks) wrong(t *testing.T) {
	t.Helper()
	for _, p := range plans() {
		run, err := l.Start(t.Context(), p.Name, ana, home)
		l.note(err)
		if err != nil {
			continue
		}
		ticket := run.Ticket
		fmt.Fprintf(&l.log, "%v %+v %#v %v\n", run, run, run, ticket)
		l.secrets[ticket.Reveal()] = true
		for _, a := range []recovery.Answers{
			{Captcha: true},
			{Code: civicpin.NewSecret("ACDEFGHJ")},
			{Factor: civicpin.NewSecret("765432198765")},
			{Contacts: []civicpin.Contact{{Channel: civicpin.SMS, Address: "+593999"}, {Channel: civicpin.Email, Address: "otra@correo.example"}}},
			{Correct: civicpin.Contact{Channel: civicpin.Email, Address: "not an address"}},
			{Documents: map[string]string{"front": "a", "back": "reference-77", "face": "c"}},
		} {
			_, err := l.Answer(t.Context(), ticket, a)
			l.note(err)
			fmt.Fprintf(&l.log, "%v %v\n", a.Code, a.Factor)
		}
		run, err = l.Show(t.Context(), ticket)
		l.note(err)
		_, err = l.Answer(t.Context(), ticket, l.known(run, false))
		l.note(err)
		_, err = l.Finish(t.Context(), ticket, home)
		l.note(err)
		_, err = l.Inspect(t.Context(), civicpin.NewSecret(strings.Replace(ticket.Reveal(), "t", "l", 1)))
		l.note(err)
	}
	for _, typed := range []string{"ACDEFGHJ", "765432198765", "no lo sé", "otra@correo.example", "not an address"} {
		l.secrets[typed] = true
	}
}
