package recovery_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

// together calls f n times at once, and returns how many got nil, and the errors of the others.
func together(n int, f func(i int) error) (won int, errs []error) {
	for _, err := range testkit.Crowd(n, f) {
		if err == nil {
			won++
		} else {
			errs = append(errs, err)
		}
	}
	return won, errs
}

// linked takes Ana to the link of a plan that begins with a captcha and sends one.
func (k *kit) linked(t *testing.T, name string, kind civicpin.MessageKind) civicpin.Message {
	t.Helper()
	run, err := k.Start(t.Context(), name, ana, home)
	require.NoError(t, err)
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
	require.NoError(t, err)
	m, err := k.mailed(t.Context(), 0, anaMail, kind)
	require.NoError(t, err)
	return m
}

func TestOneLinkOneWinner(t *testing.T) {
	for _, name := range []string{"unlock", "two"} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			kind := civicpin.MessageKind("recovery.unlock")
			if name == "two" {
				kind = "recovery.link"
			}
			m := k.linked(t, name, kind)
			won, errs := together(64, func(int) error {
				if name == "two" {
					_, err := k.Redeem(t.Context(), m.Link, home)
					return err
				}
				_, err := k.Finish(t.Context(), m.Link, home)
				return err
			})
			require.Equal(t, 1, won)
			for _, err := range errs {
				require.ErrorIs(t, err, recovery.ErrGone)
			}
		})
	}
}

// Of many recoveries of one subject that complete at once, one does, and ends all others. Of unlocks each does, once.
func TestOneRunOneWinner(t *testing.T) {
	k := newKit(t)
	var links []civicpin.Message
	for range 4 {
		_, m := k.toLink(t)
		links = append(links, m)
	}
	won, _ := together(64, func(i int) error {
		_, err := k.Finish(t.Context(), links[i%len(links)].Link, home)
		return err
	})
	require.Equal(t, 1, won)
	for _, m := range links {
		_, err := k.Inspect(t.Context(), m.Link)
		require.ErrorIs(t, err, recovery.ErrGone)
	}

	for i := range links {
		links[i] = k.linked(t, "unlock", "recovery.unlock")
	}
	won, _ = together(64, func(i int) error {
		_, err := k.Finish(t.Context(), links[i%len(links)].Link, home)
		return err
	})
	require.Equal(t, len(links), won)
}

// TestGrantsRace: of many who finish one plan, one gets a grant, and it is good.
func TestGrantsRace(t *testing.T) {
	k := newKit(t)
	_, m := k.toLink(t)
	grants := make(chan pin.Grant, 64)
	won, _ := together(64, func(int) error {
		g, err := k.Finish(t.Context(), m.Link, home)
		if err == nil {
			grants <- g
		}
		return err
	})
	require.Equal(t, 1, won)
	require.NoError(t, k.set(t.Context(), <-grants, newSecret))
}

// counting is a register that counts how often it is asked.
type counting struct {
	register
	n atomic.Int64
}

func (c *counting) Check(ctx context.Context, subject civicpin.Subject, facts map[string]string) (bool, error) {
	c.n.Add(1)
	return c.register.Check(ctx, subject, facts)
}

// Exactly three of a thousand wrong answers are compared, over many runs at once.
func TestThreeOfAThousand(t *testing.T) {
	k := newKit(t)
	asked := &counting{register: k.facts}
	k.config.Register = asked
	rec, err := recovery.New(k.out, k.config)
	require.NoError(t, err)
	var runs []recovery.Run
	for range 8 {
		run, err := rec.Start(t.Context(), "clave", ana, civicpin.Source{})
		require.NoError(t, err)
		shown, err := rec.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
		require.NoError(t, err)
		shown.Ticket = run.Ticket
		runs = append(runs, shown)
	}
	won, errs := together(1000, func(i int) error {
		run := runs[i%len(runs)]
		return testkit.Persist(recovery.ErrBusy, func() error {
			_, err := rec.Answer(t.Context(), run.Ticket, recovery.Answers{
				Facts: map[string]string{"birth-day": "9", "birth-month": "9"}, Image: run.Next.Images[0],
				Questions: answered(run.Next.Questions, false),
			})
			return err
		})
	})
	locked := slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return lockOf(err) == nil })
	require.Zero(t, won)
	require.Len(t, errs, 1000)
	require.EqualValues(t, 3, asked.n.Load(), "compared")
	require.Len(t, locked, 998, "the third is told that it locked, and two are refused")
}

// Typed codes are counted apart, and exactly three of a thousand are compared.
func TestThreeCodesOfAThousand(t *testing.T) {
	k := newKit(t)
	m := k.linked(t, "two", "recovery.link")
	run, err := k.Redeem(t.Context(), m.Link, home)
	require.NoError(t, err)
	sent, err := k.mailed(t.Context(), 0, anaPhone, "recovery.code")
	require.NoError(t, err)
	_, errs := together(1000, func(int) error {
		return testkit.Persist(recovery.ErrBusy, func() error {
			_, err := k.Answer(t.Context(), run.Ticket, recovery.Answers{Code: civicpin.NewSecret("ACDEFGHJ")})
			return err
		})
	})
	refused := 0
	for _, err := range errs {
		if errors.Is(err, recovery.ErrRefused) {
			refused++
		} else {
			require.ErrorIs(t, err, recovery.ErrGone)
		}
	}
	require.LessOrEqual(t, refused, 2, "and the third ends the run")
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Code: sent.Secret})
	require.ErrorIs(t, err, recovery.ErrGone, "the right one as well")
	require.Len(t, slices.DeleteFunc(k.events.Of("recovery.refused"), func(e civicpin.Event) bool { return e.Reason != "wrong" }), 3)
}

// Wrong codes end the run that they are typed in, and leave the subject's other runs alone: or a stranger who knows a number
// would lock the owner out. A day of strangers does not lock, and near the ceiling all runs do. Where no code was sent, none is
// compared.
func TestWrongCodesEndTheirRun(t *testing.T) {
	k := newKit(t)
	wrong := recovery.Answers{Code: civicpin.NewSecret("ACDEFGHJ")}
	tries := 0
	strangers := func() error { // with all the messages of a day
		for {
			run, err := k.Start(t.Context(), "texted", ana, civicpin.Source{})
			if err != nil {
				return err
			}
			sent, err := k.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
			if err != nil {
				return err
			}
			require.NotNil(t, sent.Next.Sent)
			for i := range 3 {
				_, err = k.Answer(t.Context(), run.Ticket, wrong)
				if lockOf(err) != nil {
					return err
				}
				tries++
				if i < 2 {
					var refused *lockout.RefusedError
					require.ErrorAs(t, err, &refused)
					require.Equal(t, 2-i, refused.Left)
				}
			}
			require.ErrorIs(t, err, recovery.ErrGone, "the third ends the run")
			_, err = k.Show(t.Context(), run.Ticket)
			require.ErrorIs(t, err, recovery.ErrGone)
		}
	}
	require.Equal(t, lockout.ScopeSends, lockOf(strangers()).Scope)
	require.Equal(t, 30, tries)
	k.clock.Add(24 * time.Hour)
	require.NoError(t, k.out.Flush(t.Context()))
	run, err := k.Start(t.Context(), "texted", ana, home)
	require.NoError(t, err)
	after := k.sofar()
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
	require.NoError(t, err)
	m, err := k.mailed(t.Context(), after, anaPhone, "recovery.code")
	require.NoError(t, err)
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Code: m.Secret})
	require.NoError(t, err, "the owner's code is compared")

	tries = 0
	var locked *lockout.LockedError
	for locked == nil || locked.Scope == lockout.ScopeSends {
		k.clock.Add(24 * time.Hour)
		require.NoError(t, k.out.Flush(t.Context()))
		locked = lockOf(strangers())
	}
	require.Equal(t, lockout.ScopeSubject, locked.Scope)
	require.Equal(t, 71, tries, "eight hours forgive one, and the owner's right code none: the ninetieth that counts locks")
	require.NoError(t, k.Unlock(t.Context(), "texted", ana, civicpin.Evidence{}, agency))
	_, err = k.Start(t.Context(), "texted", ana, civicpin.Source{})
	for err == nil { // no message is left
		run, err = k.Start(t.Context(), "texted", ana, civicpin.Source{})
		if err == nil {
			_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
		}
	}
	require.Equal(t, lockout.ScopeSends, lockOf(err).Scope)
	_, err = k.Answer(t.Context(), run.Ticket, wrong)
	require.ErrorIs(t, err, recovery.ErrWrongStep)
}

// TestWalks goes through every plan to its end.
func TestWalks(t *testing.T) {
	for _, w := range walks {
		t.Run(w.name, func(t *testing.T) {
			k := newKit(t)
			w.before(t, k)
			require.NoError(t, w.through(t.Context(), k, newSecret))
			w.holds(t, k, newSecret, nil)
		})
	}
}

// works reports whether a secret lets the subject in. Wrong guesses at it are few enough not to lock.
func (w walk) works(t *testing.T, k *kit, secret string) (pin.Verified, bool) {
	t.Helper()
	ok, err := k.pins.Verify(t.Context(), pin.Attempt{Subject: w.subject, Secret: civicpin.NewSecret(secret)})
	if err != nil {
		require.NotErrorIs(t, err, store.ErrUnreadable)
	}
	return ok, err == nil
}

// holds checks what must hold after a walk that ended with err, wherever it stopped.
func (w walk) holds(t *testing.T, k *kit, secret string, err error) {
	t.Helper()
	if w.unlocks() {
		if _, right := w.works(t, k, anaSecret); !right {
			require.Error(t, err, "an unlock that was acknowledged holds")
		}
		return
	}
	own, before := w.works(t, k, secret)
	old, after := w.works(t, k, anaSecret)
	require.False(t, before && after, "one secret at the most is right")
	if err == nil {
		require.True(t, before, "a secret that was acknowledged holds")
	}
	left := civicpin.Substantial
	if w.subject == luis || strings.HasPrefix(w.name, "clave") {
		left = civicpin.Low // it begins there, or one mailbox was shown
	}
	if before {
		require.Equal(t, left, own.Level, "what the plan keeps, however often it is finished")
	}
	if after {
		require.Equal(t, civicpin.Substantial, old.Level, "until then nothing changes")
	}
}

// crashes are those that are tried: under the race detector and with -short at every fifth call only.
func crashes() testkit.Crashes {
	if testkit.Raced || testing.Short() {
		return testkit.Crashes{Writes: true, Every: 5}
	}
	return testkit.Crashes{Writes: true}
}

// TestCrashPoints lets each store call of each plan go wrong in turn. Another process then finds a state from which the citizen
// can go through the plan to its end. Under the race detector and with -short it looks at every fifth call only; .ci/run runs it
// without either, too.
func TestCrashPoints(t *testing.T) {
	for _, w := range walks {
		t.Run(w.name, func(t *testing.T) {
			require.Greater(t, testkit.CrashPoints(t, crashes(), w.crash), 10)
		})
	}
}

// open makes a kit in which the walk's plan is the only one: thousands are made.
func (w walk) open(t *testing.T, s store.Store, c *testkit.Clock, m *testkit.Mailbox, r *testkit.Recorder) *kit {
	t.Helper()
	name, _, _ := strings.Cut(w.name, ",")
	own := slices.DeleteFunc(plans(), func(p plan.Plan) bool { return p.Name != name })
	k, err := openKitWith(testkit.Keys(), own, s, c, m, r)
	require.NoError(t, err)
	return k
}

// crash goes through a plan, and once more after the crash.
func (w walk) crash(t *testing.T, c *testkit.Crash) {
	k := w.open(t, c.Store(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.enrolAna(t)
	w.before(t, k)
	err := c.During(t, func() error { return w.through(t.Context(), k, newSecret) })
	k.clock.Add(5 * time.Minute) // reservations and claims of the dead process run out
	after := w.open(t, c.Memory, k.clock, k.mail, k.events)
	w.holds(t, after, newSecret, err)
	after.tellsOfCorrected(t)
	if err != nil {
		_, isLocked := errors.AsType[*lockout.LockedError](err)
		require.False(t, isLocked, "a fault locks nobody")
	}

	// The citizen begins again, and gets there.
	again := "siete peces en la pecera"
	after.clock.Add(5 * time.Minute)
	if w.subject == luis {
		if _, done := w.works(t, after, newSecret); done {
			return // has a key now, and needs another plan for the next
		}
	}
	err = w.through(t.Context(), after, again)
	if rests, ok := errors.AsType[*recovery.RestError](err); ok { // the run before does, whose ticket was lost
		after.clock.Set(rests.Until)
		err = w.through(t.Context(), after, again)
	}
	require.NoError(t, err, "beginning again")
	w.holds(t, after, again, nil)
}

// tellsOfCorrected reports whether a recovery replaced Ana's mailbox, and checks that she was then told of it, with the link
// that repudiates it.
func (k *kit) tellsOfCorrected(t *testing.T) (replaced bool) {
	t.Helper()
	list, _, err := k.contacts.List(t.Context(), ana)
	require.NoError(t, err)
	if !slices.ContainsFunc(list, func(c contact.Contact) bool { return c.Address == anaNewMail }) {
		return false
	}
	for range 3 {
		k.clock.Add(time.Hour)
		require.NoError(t, k.out.Flush(t.Context()))
	}
	require.NotEmpty(t, k.mail.To(anaMail, recovery.NoticeDone))
	repudiable := func(m civicpin.Message) bool { return !m.Link.IsZero() }
	require.True(t, slices.ContainsFunc(k.mail.To(anaPEC, recovery.NoticeDone), repudiable))
	return true
}

// TestFinishIsCutOff hangs up, or lets the store fail at one call or at all, at each of the calls that follow the write of a
// corrected contact. The owner of the former mailbox is told of the recovery all the same.
func TestFinishIsCutOff(t *testing.T) {
	for name, cut := range map[string]struct {
		hangsUp, stays bool
		fails          error
	}{
		"the browser hangs up":      {hangsUp: true},
		"one call fails":            {fails: storetest.ErrInjected},
		"the store fails from then": {fails: storetest.ErrInjected, stays: true},
	} {
		for after := range 4 {
			k := newKit(t)
			link := k.correctedLink(t)
			ctx, hangUp := context.WithCancel(t.Context())
			calls := -1 // since the book was written
			k.faults.Hook(func(method, key string) error {
				switch {
				case calls >= 0:
					calls++
				case method == storetest.Put && strings.HasPrefix(key, "contact.book/"):
					calls = 0
				}
				switch {
				case calls == after+1 && cut.hangsUp:
					hangUp()
				case calls == after+1, calls > after && cut.stays:
					return cut.fails
				}
				return nil
			})
			grant, err := k.Finish(ctx, link, home)
			k.faults.Hook(nil)
			hangUp()
			require.GreaterOrEqual(t, calls, 0, name)
			require.Equal(t, err != nil, grant.IsZero(), name)
			if cut.hangsUp {
				require.NoError(t, err)
			}
			require.True(t, k.tellsOfCorrected(t), "%s after %d", name, after)
			_, again := k.Finish(t.Context(), link, home)
			require.ErrorIs(t, again, recovery.ErrGone)
		}
	}
}

// TestRepudiateCrashPoints lets each store call of a repudiation go wrong in turn. The link then works once more, and ends all;
// but if staff have acted meanwhile, it ends nothing of theirs.
func TestRepudiateCrashPoints(t *testing.T) {
	for _, staff := range []bool{false, true} {
		testkit.CrashPoints(t, crashes(), func(t *testing.T, c *testkit.Crash) {
			k := newKitOn(t, c.Store(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
			k.enrolAna(t)
			require.NoError(t, walkCorrected(t.Context(), k, newSecret))
			m, err := k.mailed(t.Context(), 0, anaPEC, "recovery.done")
			require.NoError(t, err)
			err = c.During(t, func() error { return k.Repudiate(t.Context(), m.Link, home) })
			k.clock.Add(5 * time.Minute)
			after := newKitOn(t, c.Memory, k.clock, k.mail, k.events)
			if staff {
				revoked := after.pins.Revoke(t.Context(), ana, state.Ended, "", agency.ID)
				require.NoError(t, revoked)
				_, issued := after.pins.Issue(t.Context(), ana, pin.IssueOptions{
					Parts: anaContacts()[:2], By: agency.ID, Evidence: civicpin.Evidence{Method: civicpin.InPerson, By: agency.ID},
				})
				require.NoError(t, issued)
			}
			again := after.Repudiate(t.Context(), m.Link, home)
			if staff || err == nil {
				require.ErrorIs(t, again, recovery.ErrGone)
			} else if again != nil {
				require.ErrorIs(t, again, recovery.ErrGone, "only its reply was lost")
			}
			st, err := after.pins.Status(t.Context(), ana)
			require.NoError(t, err)
			if staff {
				require.Equal(t, state.Provisional, st.State)
				require.False(t, st.Closed)
				return
			}
			require.Equal(t, state.Revoked, st.State)
			require.True(t, st.Closed)
			list, _, err := after.contacts.List(t.Context(), ana)
			require.NoError(t, err)
			require.False(t, slices.ContainsFunc(list, func(c contact.Contact) bool { return c.Address == anaNewMail }))
		})
	}
}

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

// A scene is a kit in which a call is made, with what came before it.
type scene struct {
	*stroll
	link  civicpin.Secret
	fails func(call string) error // of what is asked beside the store
}

// Ask has the calls of what is asked beside the store fail, too.
func (s *scene) Ask(fail func(call string) error) { s.fails = fail }

// openScene makes a scene over a store: one more plan for each thing that the others leave out, and askers that may fail.
func openScene(t *testing.T, over store.Store) *scene {
	t.Helper()
	k := newKitOn(t, over, newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	s := &scene{stroll: &stroll{kit: k}, fails: func(string) error { return nil }}
	k.config.Plans = append(slices.Concat(plans(), bare()), accepted(k.config, plan.Plan{
		Name: "moved", Outcome: plan.ChooseSecret, Limit: threeTries(), Steps: []plan.Step{
			plan.Facts{"birth-day"},
			plan.ConfirmContact{Channel: civicpin.Email, MayCorrect: true},
			plan.Approval{Role: "agency"},
			plan.Code{Channel: civicpin.SMS, Valid: 10 * time.Minute},
			plan.Link{Channel: civicpin.Email, Valid: time.Hour},
			plan.Enrol{Questions: 4},
		},
	}), plan.Plan{
		Name: "slow", Outcome: plan.ChooseSecret, Limit: threeTries(), Valid: 24 * time.Hour, Steps: []plan.Step{
			plan.Approval{Role: "agency"},
			plan.Wait{For: 72 * time.Hour},
			plan.Link{Channel: civicpin.Email, Valid: time.Hour},
			plan.Terms{Version: "2026"},
		},
	})
	facts, files, app := k.facts, k.files, k.app
	k.config.Register = askedRegister(func(ctx context.Context, subject civicpin.Subject, given map[string]string) (bool, error) {
		if err := s.fails("Register.Check"); err != nil {
			return false, err
		}
		return facts.Check(ctx, subject, given)
	})
	k.config.Documents = askedFiles(func(ctx context.Context, subject civicpin.Subject, ref string) (recovery.Document, error) {
		if err := s.fails("Documents.Describe"); err != nil {
			return recovery.Document{}, err
		}
		return files.Describe(ctx, subject, ref)
	})
	k.app = func(subject civicpin.Subject, typed civicpin.Secret) error {
		return cmp.Or(s.fails("Factor"), app(subject, typed))
	}
	k.config.Unbind = func(_ context.Context, _ civicpin.Subject, since time.Time) error {
		k.vault.Record(context.Background(), civicpin.Event{Code: "test.unbound", Reason: since.Format(time.RFC3339)})
		return s.fails("Unbind")
	}
	var err error
	k.Service, err = recovery.New(k.out, k.config)
	require.NoError(t, err)
	k.enrolAna(t)
	return s
}

type (
	askedRegister func(context.Context, civicpin.Subject, map[string]string) (bool, error)
	askedFiles    func(context.Context, civicpin.Subject, string) (recovery.Document, error)
)

func (f askedRegister) Check(ctx context.Context, subject civicpin.Subject, facts map[string]string) (bool, error) {
	return f(ctx, subject, facts)
}

func (f askedFiles) Describe(ctx context.Context, subject civicpin.Subject, ref string) (recovery.Document, error) {
	return f(ctx, subject, ref)
}

// An act is a call of an exported method, after what comes before it.
type act struct {
	name    string
	prepare func(t *testing.T, s *scene)
	do      func(ctx context.Context, s *scene) (result any, err error)
}

// at is a preparation: a visitor is at a plan, and has answered.
func at(name string, subject civicpin.Subject, answers ...recovery.Answers) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) {
		t.Helper()
		s.stroll = s.start(t.Context(), name, subject)
		s.answer(answers...)
		require.NoError(t, s.err)
	}
}

// and is two preparations, one after the other.
func and(all ...func(*testing.T, *scene)) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) {
		t.Helper()
		for _, one := range all {
			one(t, s)
		}
	}
}

// knowing answers all that "clave" asks of what Ana knows.
func knowing(t *testing.T, s *scene) {
	t.Helper()
	s.answer(s.known(s.run, true))
	require.NoError(t, s.err)
}

// reads reads a message, and has its link.
func reads(address string, kind civicpin.MessageKind) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) {
		t.Helper()
		s.ctx = t.Context()
		s.link = s.read(address, kind)
		require.NoError(t, s.err)
	}
}

// redeems goes on by the link.
func redeems(t *testing.T, s *scene) {
	t.Helper()
	s.redeem(s.link)
	require.NoError(t, s.err)
}

// types types the code of a message.
func types(address string, kind civicpin.MessageKind) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) {
		t.Helper()
		s.typeCode(address, kind)
		require.NoError(t, s.err)
	}
}

// goes is a preparation that a walk is.
func goes(through func(context.Context, *kit, string) error) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) {
		t.Helper()
		require.NoError(t, through(t.Context(), s.kit, newSecret))
	}
}

// staffed has an operator begin a plan for Ana, and approve so many times.
func staffed(name string, by recovery.Operator, approvals int) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) {
		t.Helper()
		s.stroll = s.startBy(t.Context(), name, by)
		id := s.run.ID
		for range approvals {
			s.decide(by, approved)
		}
		require.NoError(t, s.err)
		s.run.ID = id
	}
}

// waited lets a rest pass.
func waited(t *testing.T, s *scene) {
	t.Helper()
	require.NoError(t, s.rest(t.Context()))
}

func unprepared(*testing.T, *scene) {}

var (
	captcha  = recovery.Answers{Captcha: true}
	uploaded = recovery.Answers{Documents: map[string]string{"front": "a", "back": "b", "face": "c"}}
	confirms = recovery.Answers{Confirm: true}
	corrects = recovery.Answers{Correct: civicpin.Contact{Channel: civicpin.Email, Address: anaNewMail}}
	birthDay = recovery.Answers{Facts: map[string]string{"birth-day": "14"}}
	named    = recovery.Answers{Contacts: []civicpin.Contact{
		{Channel: civicpin.CertifiedEmail, Address: anaPEC}, {Channel: civicpin.SMS, Address: anaPhone},
	}}
	fourAnswers = secrets(map[string]string{
		"mascota": "Rocinante", "plato": "encebollado", "calle": "Diez de Agosto", "ciudad": "Loja",
	})
)

// The calls, each in the words of its Answers, or what else it takes.
func starts(name string, subject civicpin.Subject) func(context.Context, *scene) (any, error) {
	return func(ctx context.Context, s *scene) (any, error) { return s.Start(ctx, name, subject, home) }
}

func answers(a recovery.Answers) func(context.Context, *scene) (any, error) {
	a.Source = home
	return func(ctx context.Context, s *scene) (any, error) { return s.Answer(ctx, s.ticket, a) }
}

// knows answers what "clave" asks.
func knows(right bool) func(context.Context, *scene) (any, error) {
	return func(ctx context.Context, s *scene) (any, error) {
		a := s.known(s.run, right)
		if !right {
			a.Image = s.run.Next.Images[0]
		}
		return s.Answer(ctx, s.ticket, a)
	}
}

// codes types the code that came to Ana's telephone.
func codes(ctx context.Context, s *scene) (any, error) {
	code := s.mail.Last(anaPhone, "recovery.code").Secret
	return s.Answer(ctx, s.ticket, recovery.Answers{Code: code, Source: home})
}

func finishes(link bool) func(context.Context, *scene) (any, error) {
	return func(ctx context.Context, s *scene) (any, error) {
		if link {
			return s.Finish(ctx, s.link, home)
		}
		return s.Finish(ctx, s.ticket, home)
	}
}

func decides(by recovery.Operator, v recovery.Verdict) func(context.Context, *scene) (any, error) {
	v.Source, v.Reason = civicpin.Source{Address: "192.0.2.77"}, "as I saw"
	return func(ctx context.Context, s *scene) (any, error) { return s.Decide(ctx, s.run.ID, by, v) }
}

func sends(ctx context.Context, s *scene) (any, error) { return s.Send(ctx, s.ticket, home) }

func shows(ctx context.Context, s *scene) (any, error) { return s.Show(ctx, s.ticket) }

func repudiates(ctx context.Context, s *scene) (any, error) {
	return nil, s.Repudiate(ctx, s.link, home)
}

func inspects(ctx context.Context, s *scene) (any, error) { return s.Inspect(ctx, s.link) }

func flushes(ctx context.Context, s *scene) (any, error) { return nil, s.out.Flush(ctx) }

func enrols(image string, of map[string]civicpin.Secret) func(context.Context, *scene) (any, error) {
	return func(ctx context.Context, s *scene) (any, error) {
		return nil, s.EnrolAnswers(ctx, ana, image, of, home)
	}
}

func unlocks(seen civicpin.Evidence) func(context.Context, *scene) (any, error) {
	return func(ctx context.Context, s *scene) (any, error) {
		return nil, s.Unlock(ctx, "clave", ana, seen, agency)
	}
}

// atRest is a run that corrects the mailbox, and rests.
var atRest = and(at("clave", ana, captcha), knowing, func(t *testing.T, s *scene) {
	t.Helper()
	s.answer(corrects)
	require.NoError(t, s.err)
})

// acts are the exported methods that use the store, in the cases that differ.
func acts() []act {
	seen := civicpin.Evidence{Method: civicpin.InPerson, Document: "cédula 17", By: other.ID}
	asked := recovery.Verdict{Approve: true, Questions: answered(questions[:4], true)}
	missed := recovery.Verdict{Approve: true, Questions: answered(questions[:4], false)}
	return []act{
		{"Start", unprepared, starts("clave", ana)},
		{"Start of a stranger", unprepared, starts("clave", stranger)},
		{"Start, which sends", unprepared, starts("bare", ana)},
		{"Start of a stranger, which sends", unprepared, starts("bare", stranger)},
		{"StartBy", unprepared, func(ctx context.Context, s *scene) (any, error) { return s.StartBy(ctx, "video", ana, video) }},

		{"Answer a captcha", at("clave", ana), answers(captcha)},
		{"Answer a captcha, which sends", at("unlock", ana), answers(captcha)},
		{"Answer a captcha of a stranger", at("unlock", stranger), answers(captcha)},
		{"Answer what is known", at("clave", ana, captcha), knows(true)},
		{"Answer what is known, wrong", at("clave", ana, captcha), knows(false)},
		{"Answer what is known of a stranger", at("clave", stranger, captcha), knows(false)},
		{"Answer contacts", at("parts", ana), answers(named)},
		{"Confirm", and(at("clave", ana, captcha), knowing), answers(confirms)},
		{"Correct", and(at("clave", ana, captcha), knowing), answers(corrects)},
		{"Correct without a wait", at("moved", ana, birthDay), answers(corrects)},
		{"Answer a code", and(at("texted", ana, captcha), flushed), codes},
		{"Answer a wrong code", at("texted", ana, captcha), answers(recovery.Answers{Code: civicpin.NewSecret("wrong")})},
		{"Answer a code of a stranger", at("texted", stranger, captcha), answers(recovery.Answers{Code: civicpin.NewSecret("wrong")})},
		{"Answer the last wrong code", and(at("texted", ana, captcha), func(t *testing.T, s *scene) {
			for range 2 {
				require.Error(t, testkit.Err(answers(recovery.Answers{Code: civicpin.NewSecret("wrong")})(t.Context(), s)))
			}
		}), answers(recovery.Answers{Code: civicpin.NewSecret("wrong")})},
		{"Answer a code too late", and(at("texted", ana, captcha), flushed, func(_ *testing.T, s *scene) {
			s.clock.Add(10 * time.Minute)
		}), codes},
		{"Answer a code, and wait", and(at("two", ana, captcha), reads(anaMail, "recovery.link"), redeems, flushed), codes},
		{"Answer a factor", at("factor", ana), answers(recovery.Answers{Factor: civicpin.NewSecret("123456")})},
		{"Answer a wrong factor", at("factor", ana), answers(recovery.Answers{Factor: civicpin.NewSecret("1")})},
		{"Answer documents", at("desk", ana, captcha), answers(uploaded)},
		{"Answer an enrolment", and(moves, redeems), answers(recovery.Answers{EnrolQuestions: fourAnswers})},
		{"Answer terms", and(first, answering(recovery.Answers{EnrolImage: "gato", EnrolQuestions: fourAnswers})), answers(recovery.Answers{Terms: "2026"})},
		{"Answer what is not asked", at("clave", ana), answers(confirms)},

		{"Answer when all is answered", and(at("texted", ana, captcha), flushed, types(anaPhone, "recovery.code")), answers(captcha)},

		{"Send", at("unlock", ana, captcha), sends},
		{"Send of a stranger", at("unlock", stranger, captcha), sends},
		{"Send after a rest", and(atRest, waited), sends},
		{"Send within a rest", atRest, sends},
		{"Redeem", and(at("two", ana, captcha), reads(anaMail, "recovery.link")), func(ctx context.Context, s *scene) (any, error) {
			return s.Redeem(ctx, s.link, home)
		}},
		{"Redeem after the run's end", and(at("unlock", ana, captcha), reads(anaMail, "recovery.unlock"), late), func(ctx context.Context, s *scene) (any, error) {
			return s.Redeem(ctx, s.link, home)
		}},
		{"Cancel", at("clave", ana), func(ctx context.Context, s *scene) (any, error) { return nil, s.Cancel(ctx, s.ticket) }},
		{"Show", at("clave", ana, captcha), shows},
		{"Show a message", at("unlock", ana, captcha), shows},
		{"Show a code", at("texted", ana, captcha), shows},
		{"Show a link and a code", at("parts", ana, named), shows},
		{"Show contacts", at("parts", ana), shows},
		{"Show a contact", and(at("clave", ana, captcha), knowing), shows},
		{"Show a factor", at("factor", ana), shows},
		{"Show documents", at("desk", ana, captcha), shows},
		{"Show an approval", at("desk", ana, captcha, uploaded), shows},
		{"Show an enrolment", first, shows},
		{"Show terms", and(first, answering(recovery.Answers{EnrolImage: "gato", EnrolQuestions: fourAnswers})), shows},
		{"Show a rest", atRest, shows},
		{"Show a message that is too late", and(at("unlock", ana, captcha), func(_ *testing.T, s *scene) {
			s.clock.Add(3 * time.Minute)
		}), shows},
		{"Show a decoy", at("unlock", stranger, captcha), shows},
		{"Show the end", and(at("texted", ana, captcha), flushed, types(anaPhone, "recovery.code")), shows},
		{"ShowCase", and(at("desk", ana, captcha, uploaded)), func(ctx context.Context, s *scene) (any, error) {
			return s.ShowCase(ctx, s.run.ID, agency)
		}},
		{"ShowCase with questions", staffed("video", video, 0), func(ctx context.Context, s *scene) (any, error) {
			return s.ShowCase(ctx, s.run.ID, video)
		}},

		{"Finish an unlock", and(at("unlock", ana, captcha), reads(anaMail, "recovery.unlock")), finishes(true)},
		{"Finish by a ticket", and(at("both", ana, captcha), reads(anaMail, "recovery.link"), redeems, types(anaPhone, "recovery.code")), finishes(false)},
		{"Finish after a rest", and(at("two", ana, captcha), reads(anaMail, "recovery.link"), redeems, types(anaPhone, "recovery.code"), waited), finishes(false)},
		{"Finish a correction", and(atRest, waited, func(t *testing.T, s *scene) {
			require.NoError(t, testkit.Err(sends(t.Context(), s)))
		}, reads(anaNewMail, "recovery.link")), finishes(true)},
		{"Finish a beginning", and(first, answering(
			recovery.Answers{EnrolImage: "gato", EnrolQuestions: fourAnswers}, recovery.Answers{Terms: "2026"},
		)), finishes(false)},
		{"Finish what staff approved", and(moves, redeems, answering(recovery.Answers{EnrolQuestions: fourAnswers})), finishes(false)},
		{"Finish parts", and(at("parts", ana, named), types(anaPEC, "recovery.link")), finishes(false)},
		{"Finish too early", and(at("both", ana, captcha), reads(anaMail, "recovery.link"), redeems), finishes(false)},

		{"Decide, turned down", at("clave", ana), decides(agency, recovery.Verdict{})},
		{"Decide, with answers", staffed("video", video, 0), decides(video, asked)},
		{"Decide, with wrong answers", staffed("video", video, 0), decides(video, missed)},
		{"Decide, parts", staffed("office", agency, 0), decides(agency, approved)},
		{"Decide, the first of two", at("desk", ana, captcha, uploaded), decides(agency, approved)},
		{"Decide, the second of two", and(at("desk", ana, captcha, uploaded), func(t *testing.T, s *scene) {
			require.NoError(t, testkit.Err(decides(other, approved)(t.Context(), s)))
		}), decides(agency, approved)},
		{"Decide, the same twice", and(at("desk", ana, captcha, uploaded), func(t *testing.T, s *scene) {
			require.NoError(t, testkit.Err(decides(agency, approved)(t.Context(), s)))
		}), decides(agency, approved)},
		{"Decide, and wait", staffed("slow", agency, 0), decides(agency, approved)},
		{"Decide, and go on", and(staffed("slow", agency, 1), waited), decides(other, approved)},
		{"Decide another role's", staffed("office", agency, 0), decides(video, approved)},
		{"Unlock", unprepared, unlocks(civicpin.Evidence{})},
		{"Unlock on evidence", unprepared, unlocks(seen)},

		{"EnrolAnswers", unprepared, enrols("gato", fourAnswers)},
		{"EnrolAnswers, an image", unprepared, enrols("gato", nil)},
		{"Enrolled", unprepared, func(ctx context.Context, s *scene) (any, error) {
			image, names, err := s.Enrolled(ctx, ana)
			if image {
				names = append(names, "an image")
			}
			return names, err
		}},
		{"Inspect", and(at("unlock", ana, captcha), reads(anaMail, "recovery.unlock")), inspects},
		{"Inspect an objection", and(atRest, reads(anaMail, "recovery.waiting")), inspects},
		{"Inspect an undo", and(goes(walkCorrected), reads(anaMail, "contact.changed")), inspects},
		{"Repudiate a rest", and(atRest, reads(anaMail, "recovery.waiting")), repudiates},
		{"Repudiate", and(goes(walkClave), reads(anaPEC, "recovery.done")), repudiates},
		{"Repudiate a correction", and(goes(walkCorrected), reads(anaMail, "recovery.done")), repudiates},
		{"Repudiate what staff approved", and(goes(walkDesk), reads(anaPEC, "recovery.done")), repudiates},
		{"Repudiate an unlock", and(goes(walkUnlock), reads(anaPEC, "recovery.unlocked")), repudiates},
		{"Repudiate again", and(goes(walkClave), reads(anaPEC, "recovery.done"), func(t *testing.T, s *scene) {
			require.NoError(t, testkit.Err(repudiates(t.Context(), s)))
		}), repudiates},

		{"Flush", at("unlock", ana, captcha), flushes},
		{"Flush of a stranger", at("unlock", stranger, captcha), flushes},
		{"Flush notices", atRest, flushes},
	}
}

// late is after the end of a run of an hour.
func late(_ *testing.T, s *scene) { s.clock.Add(time.Hour) }

func flushed(t *testing.T, s *scene) {
	t.Helper()
	require.NoError(t, s.out.Flush(t.Context()))
}

// answering answers.
func answering(all ...recovery.Answers) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) {
		t.Helper()
		s.answer(all...)
		require.NoError(t, s.err)
	}
}

// first takes Luis to the choice of his answers.
var first = and(at("first", luis, captcha, recovery.Answers{Facts: map[string]string{"birth-day": "1", "birth-month": "12"}},
	recovery.Answers{Correct: civicpin.Contact{Channel: civicpin.Email, Address: luisMail}}),
	reads(luisMail, "recovery.activate"), redeems)

// moves takes Ana, who moved, to the link to her new mailbox.
var moves = and(at("moved", ana, birthDay, corrects), func(t *testing.T, s *scene) {
	t.Helper()
	s.decide(agency, approved)
	require.NoError(t, s.err)
}, types(anaPhone, "recovery.code"), reads(anaNewMail, "recovery.link"))

// Names, hashes and tokens at random, and what fills a record.
var drawn = regexp.MustCompile(`[A-Z2-7]{26}|[A-Za-z0-9+/_-]{43}=?|\$argon2id[^"]*|"code":"[A-Z0-9]+"|-{9,}|[0-9a-f]{32}`)

// receipt is what differs from one delivery to the next: the number of the message, and of its receipt.
var receipt = regexp.MustCompile(`\|#[0-9]+\||receipt-[0-9]+`)

// brief is a value as JSON, without what is zero.
func brief(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	var parsed any
	require.NoError(t, json.Unmarshal(text, &parsed))
	text, err = json.Marshal(pruned(parsed))
	require.NoError(t, err)
	return string(text)
}

// pruned returns parsed JSON without what is zero, nil if nothing is left.
func pruned(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, one := range v {
			if v[name] = pruned(one); v[name] == nil {
				delete(v, name)
			}
			if heard, ok := v[name].([]any); ok && name == "heard" { // messages are sent in any order
				slices.SortFunc(heard, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i := range v {
			v[i] = pruned(v[i])
		}
		if len(v) == 0 {
			return nil
		}
	case nil, bool, float64, string:
		if v == false || v == 0.0 || v == "" || v == "0001-01-01T00:00:00Z" {
			return nil
		}
	}
	return v
}

// plain returns the records of the services in this process as they are before they are sealed, and until when each is kept.
func (s *scene) plain(t *testing.T) []string {
	t.Helper()
	stored, err := recovery.Plain(t.Context(), s.Service)
	require.NoError(t, err)
	all := strings.Split(strings.ReplaceAll(stored, "}{", "}\n{"), "\n")
	if list, ok := s.store.(store.Lister); ok {
		for item, err := range list.List(t.Context(), "recovery.", "") {
			require.NoError(t, err)
			kind, _, _ := strings.Cut(item.Key, "/")
			all = append(all, fmt.Sprintf(`{"of":%q,"until":%q}`, kind, item.ExpiresAt.UTC().Format(time.RFC3339)))
		}
	}
	return all
}

// transcript does an act, and tells all that came of it: its result, what was recorded, sent and stored.
func (s *scene) transcript(t *testing.T, a act) string {
	t.Helper()
	mails, events, before, began := s.sofar(), len(s.events.All()), s.plain(t), s.clock.Now()
	result, err := a.do(t.Context(), s)
	lines := []string{"returns " + brief(t, result), fmt.Sprintf("error %v", err)}
	for i, line := range s.events.Lines()[events:] {
		require.Equal(t, began, s.events.All()[events+i].At)
		if !strings.HasPrefix(line, "outbox.") {
			lines = append(lines, "records "+line)
		}
	}
	var after []string
	events = len(s.events.All())
	require.NoError(t, s.out.Flush(t.Context()))
	for _, line := range s.events.Lines()[events:] {
		after = append(after, "then "+receipt.ReplaceAllString(line, "||"))
	}
	for _, m := range s.mail.Messages()[mails:] {
		after = append(after, fmt.Sprintf("sends %s %d %d", brief(t, m), len(m.Secret.Reveal()), len(m.Link.Reveal())))
	}
	for _, record := range s.plain(t) {
		if !slices.Contains(before, record) {
			after = append(after, "stores "+brief(t, json.RawMessage(record)))
		}
	}
	var left outbox.Backlog
	_, err = s.out.Count(t.Context(), &left, store.Pass{})
	require.NoError(t, err)
	if left.Due+left.Held+left.Later > 0 {
		after = append(after, "waits "+brief(t, left))
	}
	undrawn := drawn.ReplaceAllStringFunc(strings.Join(append(lines, after...), "\n"), func(text string) string {
		return fmt.Sprintf("<%d>", len(text))
	})
	lines = strings.Split(undrawn, "\n")
	slices.Sort(lines[len(lines)-len(after):])
	return strings.Join(lines, "\n")
}

// Of two requests for a message at one moment, one has it sent, and the other is told to come back.
func TestSendMeetsSend(t *testing.T) {
	k := newKit(t)
	run := k.asked(t, "unlock", ana)
	send := func() error { return testkit.Err(k.Send(t.Context(), run.Ticket, civicpin.Source{})) }
	met := false
	k.faults.Hook(func(method, key string) error {
		if method == storetest.Put && strings.HasPrefix(key, "outbox.entry/") && !met {
			met = true
			require.NoError(t, send())
		}
		return nil
	})
	require.ErrorIs(t, send(), recovery.ErrBusy)
	k.faults.Hook(nil)
	require.True(t, met)
	require.NoError(t, k.out.Flush(t.Context()))
	require.Len(t, k.mail.To(anaMail, "recovery.unlock"), 2)
}

// Of two approvals at one moment one counts, and the other operator looks again.
func TestApprovalMeetsApproval(t *testing.T) {
	k := newKit(t)
	run := k.asked(t, "desk", ana)
	_, err := k.Answer(t.Context(), run.Ticket, uploaded)
	require.NoError(t, err)
	met := false
	k.faults.Hook(func(method, key string) error {
		if method == storetest.Put && strings.HasPrefix(key, "recovery.run/") && !met {
			met = true
			require.NoError(t, testkit.Err(k.Decide(t.Context(), run.ID, other, approved)))
		}
		return nil
	})
	_, err = k.Decide(t.Context(), run.ID, agency, approved)
	k.faults.Hook(nil)
	require.True(t, met)
	require.ErrorIs(t, err, recovery.ErrWrongStep)
	c, err := k.ShowCase(t.Context(), run.ID, agency)
	require.NoError(t, err)
	require.Equal(t, []civicpin.Actor{other.ID}, c.Approved)
}

// The outbox is told that what is not there is not wanted, and of each failure of the store.
func TestOwner(t *testing.T) {
	k := newKit(t)
	run := k.asked(t, "unlock", ana)
	owner, withdrawn := recovery.Owner(k.Service), outbox.ErrWithdrawn
	sent := outbox.Outcome{At: k.clock.Now()}
	for id, want := range map[string]struct{ confirms, settles error }{
		"":                        {withdrawn, withdrawn},
		"made up.s1":              {withdrawn, withdrawn},
		run.ID + ".s1":            {nil, nil},
		run.ID + ".s2":            {withdrawn, nil},
		run.ID:                    {withdrawn, nil},
		token.NewID() + ".s1":     {withdrawn, nil},
		" " + run.ID + ".s1":      {withdrawn, withdrawn},
		run.ID + ".s1.s1":         {withdrawn, nil},
		run.ID[:25] + "?" + ".s1": {withdrawn, withdrawn},
	} {
		ref := outbox.Ref{Subject: ana, ID: id}
		m, err := owner.Confirm(t.Context(), ref)
		require.ErrorIs(t, err, want.confirms, id)
		require.Equal(t, want.confirms != nil, m.Kind == "", id)
		if want.confirms != nil {
			k.faults.Reset()
			require.ErrorIs(t, owner.Settle(t.Context(), ref, sent), want.settles, id)
			require.Zero(t, k.faults.Calls(storetest.Put), id)
		}
	}
	ref := outbox.Ref{Subject: ana, ID: run.ID + ".s1"}
	_, err := owner.Confirm(t.Context(), outbox.Ref{Subject: luis, ID: ref.ID})
	require.ErrorIs(t, err, withdrawn, "another subject's")
	for method, act := range map[string]func() error{
		storetest.Get: func() error { return testkit.Err(owner.Confirm(t.Context(), ref)) },
		storetest.Put: func() error { return owner.Settle(t.Context(), ref, sent) },
	} {
		k.faults.Reset()
		k.faults.FailAt(1, storetest.NotDone, method)
		require.ErrorIs(t, act(), storetest.ErrInjected)
	}
	k.faults.Reset()
	require.NoError(t, owner.Settle(t.Context(), ref, sent))
	require.ErrorIs(t, testkit.Err(owner.Confirm(t.Context(), ref)), withdrawn, "it was taken over")
}

// TestActs: what comes of each act stands in testdata/acts.txt, with the calls, of the store and of what is asked beside it,
// without which it goes on: it returns the failure of all others. CIVICPIN_WRITE_ACTS=1 writes the file.
func TestActs(t *testing.T) {
	const page = "testdata/acts.txt"
	var all strings.Builder
	for _, a := range acts() {
		t.Run(a.name, func(t *testing.T) {
			open := func(t *testing.T, over store.Store) *scene {
				t.Helper()
				s := openScene(t, over)
				a.prepare(t, s)
				return s
			}
			fmt.Fprintf(&all, "\n# %s\n%s\n", a.name, open(t, store.NewMemory()).transcript(t, a))
			if strings.HasPrefix(a.name, "Flush") { // what is not sent then is sent later
				return
			}
			swallowed := testkit.Swallowed(t, open, func(ctx context.Context, s *scene) (any, error) {
				result, err := a.do(ctx, s)
				if _, shows := result.(recovery.Run); shows {
					result = nil // may be shown beside an error
				}
				return result, err
			})
			for _, call := range slices.Compact(slices.Sorted(slices.Values(swallowed))) {
				fmt.Fprintf(&all, "goes on without %s\n", call)
			}
		})
	}
	if os.Getenv("CIVICPIN_WRITE_ACTS") != "" {
		require.NoError(t, os.WriteFile(page, []byte(all.String()), 0o644))
	}
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	want, got := strings.Split(string(text), "\n# "), strings.Split(all.String(), "\n# ")
	for i := range want {
		require.Less(t, i, len(got))
		require.Equal(t, want[i], got[i])
	}
	require.Len(t, got, len(want))
}
