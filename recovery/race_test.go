package recovery_test

import (
	"context"
	"errors"
	"maps"
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
	"github.com/civicpin/civicpin/store"
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

// crash goes through a plan, and once more after the crash.
func (w walk) crash(t *testing.T, c *testkit.Crash) {
	k := newKitOn(t, c.Store(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.enrolAna(t)
	w.before(t, k)
	err := c.During(t, func() error { return w.through(t.Context(), k, newSecret) })
	k.clock.Add(5 * time.Minute) // reservations and claims of the dead process run out
	after := newKitOn(t, c.Memory, k.clock, k.mail, k.events)
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
