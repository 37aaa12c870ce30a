package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/examples/internal/play/playtest"
	"github.com/civicpin/civicpin/internal/strangers"
	"github.com/civicpin/civicpin/internal/twoworlds"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
)

// stage is a tale on a stage of its own.
type stage struct {
	*tale
	playtest.Scene
}

// newStage sets a stage on which time stands still but for what the story skips. It is a Monday, and the counters are open.
func newStage(t *testing.T) *stage {
	t.Helper()
	return newStageAt(t, time.Date(2026, 3, 9, 10, 0, 0, 0, time.UTC))
}

func newStageAt(t *testing.T, start time.Time) *stage {
	t.Helper()
	scene := playtest.Open(t, newPlay(), start)
	tale, err := newTale(scene.Set)
	require.NoError(t, err)
	return &stage{tale, scene}
}

// want checks what a credential has come to.
func (s *stage) want(t *testing.T, c *citizen, in state.Credential, level civicpin.Level, method civicpin.Method) {
	t.Helper()
	st, err := s.pins.Status(t.Context(), c.subject())
	if err != nil {
		t.Fatal(err)
	}
	var proved civicpin.Method
	if n := len(st.Evidence); n > 0 {
		proved = st.Evidence[n-1].Method
	}
	if st.State != in || st.Level != level || proved != method || st.Suspended || st.Expired != "" || st.Lockout.Locked != nil {
		t.Errorf("%s: %+v, want %s, %s by %q", c.first(), st, in, level, method)
	}
}

// has checks the contacts of a citizen.
func (s *stage) has(t *testing.T, c *citizen, want ...string) {
	t.Helper()
	proved, pending, err := s.contacts.List(t.Context(), c.subject())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range proved {
		got = append(got, p.Address)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || len(pending) > 0 {
		t.Errorf("%s has %q, and %d that wait; want %q", c.first(), got, len(pending), want)
	}
}

// opens checks which password a citizen has, and at which level.
func (s *stage) opens(t *testing.T, c *citizen, password string, level civicpin.Level) {
	t.Helper()
	ok, err := s.pins.Verify(t.Context(), c.attempt(password))
	if err != nil || ok.Level != level || ok.MustExchange {
		t.Errorf("%s: %+v, %v; want level %s", c.first(), ok, err, level)
	}
}

func (s *stage) shut(t *testing.T, c *citizen, password string) {
	t.Helper()
	if _, err := s.pins.Verify(t.Context(), c.attempt(password)); !errors.Is(err, pin.ErrRefused) {
		t.Errorf("%s's old password: %v", c.first(), err)
	}
}

// TestActs plays one act after the other, and looks behind the scene after each.
func TestActs(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	const mobile, email, newEmail = "+34612345678", "nuria@example.es", "nuria.vidal@correo.example"

	t.Run("counter", func(t *testing.T) {
		s.Act(t, s.counter)
		s.want(t, s.nuria, "provisional", civicpin.Substantial, civicpin.InPerson)
		e, err := s.records.Get(t.Context(), store.Key{Subject: s.nuria.subject()})
		if err != nil || e.Value.Terms != terms || !e.Value.Signed.Equal(s.Clock.Now()) {
			t.Errorf("terms %+v, %v", e.Value, err)
		}
		st, err := s.pins.Status(t.Context(), s.nuria.subject())
		if err != nil || st.By != clerk.ID && st.Evidence[0].By != clerk.ID || st.ExpiresAt.Sub(st.IssuedAt) != 7*day {
			t.Errorf("%+v, %v", st, err)
		}
	})
	t.Run("activate", func(t *testing.T) {
		s.Act(t, s.activate)
		s.want(t, s.nuria, "active", civicpin.Substantial, civicpin.InPerson)
		s.has(t, s.nuria, mobile, email)
		s.opens(t, s.nuria, nuriasFirst, civicpin.Substantial)
	})
	t.Run("letter", func(t *testing.T) {
		s.Act(t, s.letter)
		s.want(t, s.omar, "active", civicpin.Low, civicpin.LetterCode)
		s.has(t, s.omar, "omar@example.es")
	})
	t.Run("portals", func(t *testing.T) {
		s.Act(t, s.portals)
		err := s.login(t.Context(), s.omar, sedess, omarsFirst)
		if too, ok := errors.AsType[*notHere](err); !ok || too.level != civicpin.Low {
			t.Errorf("Omar at SEDESS: %v", err)
		}
		if s.nuria.source.Shown.IsZero() {
			t.Error("a login opens no reserve")
		}
	})
	t.Run("change", func(t *testing.T) {
		s.Act(t, s.change)
		s.shut(t, s.nuria, nuriasFirst)
		s.opens(t, s.nuria, nuriasSecond, civicpin.Substantial)
	})
	t.Run("forgotten", func(t *testing.T) {
		s.Act(t, s.forgotten)
		s.want(t, s.nuria, "active", civicpin.Substantial, civicpin.InPerson)
		s.shut(t, s.nuria, nuriasSecond)
		s.opens(t, s.nuria, nuriasThird, civicpin.Substantial)
	})
	t.Run("strangers", func(t *testing.T) {
		before, err := s.Inbox.All(email)
		if err != nil {
			t.Fatal(err)
		}
		s.Act(t, s.strangers)
		if err := s.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
		after, err := s.Inbox.All(email)
		if err != nil || len(after) != len(before) {
			t.Errorf("Nuria was sent %d messages, %v", len(after)-len(before), err)
		}
		s.opens(t, s.nuria, nuriasThird, civicpin.Substantial)
	})
	t.Run("new contact", func(t *testing.T) {
		before := s.Clock.Now()
		s.Act(t, s.NextDay("The next day", s.newContact))
		if d := s.Clock.Now().Sub(before); d != 8*day {
			t.Errorf("%v went by", d)
		}
		s.has(t, s.nuria, mobile, newEmail)
		s.want(t, s.nuria, state.Active, civicpin.Substantial, civicpin.InPerson)
	})
	t.Run("undo", func(t *testing.T) {
		s.Act(t, s.undo)
		s.has(t, s.nuria, mobile, newEmail)
		s.shut(t, s.nuria, nuriasThird)
		st, err := s.pins.Status(t.Context(), s.nuria.subject())
		if err != nil || !st.Suspended || st.Level != civicpin.Low {
			t.Errorf("%+v, %v", st, err)
		}
	})
	t.Run("office", func(t *testing.T) {
		s.Act(t, s.office)
		s.want(t, s.nuria, "active", civicpin.Substantial, civicpin.InPerson)
		s.has(t, s.nuria, "+34655443322", newEmail)
		s.opens(t, s.nuria, nuriasFourth, civicpin.Substantial)
		s.want(t, s.omar, state.Active, civicpin.Substantial, civicpin.InPerson)
		s.has(t, s.omar, "+34633221100", "omar@correo.example")
		s.shut(t, s.omar, omarsFirst)
	})
	t.Run("codes", func(t *testing.T) {
		s.Act(t, s.codes)
		s.want(t, s.julia, "active", civicpin.Substantial, civicpin.InPerson)
		st, err := s.pins.Status(t.Context(), s.tomas.subject())
		if err != nil || st.State != state.Provisional || st.Expired != state.SinceIssue {
			t.Errorf("Tomás: %+v, %v", st, err)
		}
	})
	// The database is still open, and much of it in its write-ahead log.
	checkLeaks(t, s.DB)
}

// registered sets a stage on which Nuria has a password, and two contacts that were proved.
func registered(t *testing.T) *stage {
	t.Helper()
	s := newStage(t)
	s.Act(t, s.counter)
	s.Act(t, s.activate)
	if err := s.Clock.Skip(day); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestLinkIsNotEnough: a plan of two codes is not finished with one, nor by the visitor who began it.
func TestLinkIsNotEnough(t *testing.T) {
	t.Parallel()
	s := registered(t)
	ctx := t.Context()
	began, err := s.begin(ctx, s.nuria.subject(), strangerSource)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.answerDate(ctx, began, s.nuria.born, strangerSource); err != nil {
		t.Fatal(err)
	}
	m, err := s.linked(ctx, s.nuria.email, recovery.ToRecover)
	if err != nil {
		t.Fatal(err)
	}
	link := civicpin.NewSecret(m.Link())
	if _, err := s.rec.Finish(ctx, link, s.nuria.source); !errors.Is(err, recovery.ErrWrongStep) {
		t.Errorf("the link alone: %v", err)
	}
	run, err := s.rec.Redeem(ctx, link, s.nuria.source)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Deliver(ctx); err != nil {
		t.Fatal(err)
	}
	sms, err := s.Inbox.Last(s.nuria.mobile)
	if err != nil {
		t.Fatal(err)
	}
	code := recovery.Answers{Code: civicpin.NewSecret(sms.Code()), Source: strangerSource}
	if _, err := s.rec.Answer(ctx, began, code); !errors.Is(err, recovery.ErrGone) {
		t.Errorf("the ticket of who began: %v", err)
	}
	if _, err := s.rec.Finish(ctx, run.Ticket, s.nuria.source); !errors.Is(err, recovery.ErrWrongStep) {
		t.Errorf("without the code: %v", err)
	}
	// The code is good for ten minutes, and for the one who is late another one is sent.
	if err := s.Clock.Skip(10 * minute); err != nil {
		t.Fatal(err)
	}
	code.Source = s.nuria.source
	if _, err := s.rec.Answer(ctx, run.Ticket, code); !errors.Is(err, recovery.ErrExpired) {
		t.Errorf("the code after ten minutes: %v", err)
	}
	if _, err := s.rec.Send(ctx, run.Ticket, s.nuria.source); err != nil {
		t.Fatal(err)
	}
	if err := s.Deliver(ctx); err != nil {
		t.Fatal(err)
	}
	if sms, err = s.Inbox.Last(s.nuria.mobile); err != nil {
		t.Fatal(err)
	}
	code.Code = civicpin.NewSecret(sms.Code())
	if _, err := s.rec.Answer(ctx, run.Ticket, code); err != nil {
		t.Fatal(err)
	}
	grant, err := s.rec.Finish(ctx, run.Ticket, s.nuria.source)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.pins.Set(ctx, grant, civicpin.NewSecret(nuriasThird), s.nuria.source, s.nuria.personal()...); err != nil {
		t.Fatal(err)
	}
	if _, err := s.pins.Set(ctx, grant, civicpin.NewSecret(nuriasFourth), s.nuria.source); !errors.Is(err, pin.ErrNoGrant) {
		t.Errorf("a grant was used twice: %v", err)
	}
	s.opens(t, s.nuria, nuriasThird, civicpin.Substantial)
}

// TestCounterHours: at no other time does a clerk begin, approve or unlock anything, and nobody else at any time.
func TestCounterHours(t *testing.T) {
	t.Parallel()
	s := registered(t) // on Tuesday at eleven, in Madrid
	ctx := t.Context()
	citizen := recovery.Operator{ID: civicpin.Citizen, Role: clerk.Role}
	if _, err := s.rec.StartBy(ctx, planCounter.Name, s.nuria.subject(), citizen); !errors.Is(err, civicpin.ErrInvalid) {
		t.Errorf("a citizen as a clerk: %v", err)
	}
	for _, c := range []struct {
		skip   time.Duration
		by     recovery.Operator
		reason recovery.OperatorReason
	}{
		{0, clerk, ""},
		{0, operator, recovery.WrongRole},
		{0, recovery.Operator{ID: clerk.ID, Role: "director"}, recovery.WrongRole},
		{3*time.Hour - minute, clerk, ""},
		{minute, clerk, recovery.Closed},
		{19*time.Hour - minute, clerk, recovery.Closed},
		{minute, clerk, ""},
		{3 * day, clerk, recovery.Closed}, // Saturday
		{2 * day, clerk, ""},
	} {
		if err := s.Clock.Skip(c.skip); err != nil {
			t.Fatal(err)
		}
		_, err := s.rec.StartBy(ctx, planCounter.Name, s.nuria.subject(), c.by)
		e, refused := errors.AsType[*recovery.OperatorError](err)
		if refused != (c.reason != "") || refused && e.Reason != c.reason || !refused && err != nil {
			t.Errorf("%s on %s: %v, want %q", c.by.ID, s.Local(s.Clock.Now()), err, c.reason)
		}
		err = s.rec.Unlock(ctx, planCounter.Name, s.nuria.subject(), civicpin.Evidence{}, c.by)
		if refused != errors.Is(err, recovery.ErrNotAllowed) {
			t.Errorf("unlock by %s on %s: %v", c.by.ID, s.Local(s.Clock.Now()), err)
		}
	}
}

// TestOpening: whenever the program is started, the story begins when the counters are open.
func TestOpening(t *testing.T) {
	s := newStageAt(t, time.Date(2026, 3, 9, 7, 59, 0, 0, time.UTC))
	for _, c := range []struct{ start, want string }{
		{"2026-03-09T07:59:00Z", "2026-03-09T09:00:00Z"}, // Monday, a minute before nine o'clock in Madrid
		{"2026-03-09T09:00:00Z", "2026-03-09T09:00:00Z"},
		{"2026-03-09T12:00:00Z", "2026-03-10T09:00:00Z"}, // closed in an hour
		{"2026-03-11T08:00:00Z", "2026-03-11T08:00:00Z"},
		{"2026-03-13T20:00:00Z", "2026-03-16T09:00:00Z"}, // Friday evening
		{"2026-03-28T12:00:00Z", "2026-03-30T08:00:00Z"}, // the weekend on which the clocks change
	} {
		start, err := time.Parse(time.RFC3339, c.start)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Clock.Skip(start.Sub(s.Clock.Now())); err != nil {
			t.Fatal(err)
		}
		if err := s.opening(); err != nil {
			t.Fatal(err)
		}
		if got := s.Clock.Now().UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("started at %s: %s, want %s", c.start, got, c.want)
		}
	}
}

// TestPolicy: the numbers that the story tells are those of the policies.
func TestPolicy(t *testing.T) {
	s := newStage(t)
	p := s.pins.Policy()
	if p.Parts != 1 || p.Length != 12 || p.Chosen.Min != 15 || p.Lockout.Limit != 5 || p.Valid[civicpin.HandedOver] != 7*day {
		t.Errorf("%+v", p)
	}
	for _, p := range []plan.Plan{planForgotten, planCounter} {
		if usual, corrected := p.GuessProbability(0); max(usual, corrected) > 1e-9 {
			t.Errorf("%s is guessed with a chance of %.0e, %.0e", p.Name, usual, corrected)
		}
		if !strings.HasPrefix(p.Name, "tuss-") || p.Outcome != plan.ChooseSecret {
			t.Errorf("%+v", p)
		}
	}
}

// TestTwoWorlds: under these policies and plans no visitor can tell in which state a citizen is.
func TestTwoWorlds(t *testing.T) {
	playtest.TwoWorlds(t, twoworlds.Setup{
		Pin: agency.TUSS(), Plans: []plan.Plan{planForgotten, planCounter}, Contacts: agency.TUSSContacts(), Roles: agency.TUSSRoles(),
	})
}

const nuriasMobile, nuriasMail = "+34612345678", "nuria@example.es"

// doors are the login and the page for a forgotten password, which strangers begin, too, with a wrong birth date or the right
// one.
func doors(t *testing.T, forgets bool) func() (*strangers.Scene, strangers.Door) {
	return func() (*strangers.Scene, strangers.Door) {
		s := strangers.Open(t, time.Date(2026, 3, 9, 10, 0, 0, 0, time.UTC))
		pins, err := pin.New(s.Out, agency.TUSS())
		require.NoError(t, err)
		const nuria = civicpin.Subject("12345678Z")
		if !forgets {
			return s, s.LoginDoor("log in", pins, nuria)
		}
		s.Enrol(pins, nuria)
		contacts, err := contact.New(s.Out, agency.TUSSContacts(), pins)
		require.NoError(t, err)
		rec, err := recovery.New(s.Out, recovery.Config{
			Pins: pins, Register: people(), Roles: agency.TUSSRoles(), Plans: []plan.Plan{planForgotten, planCounter}, Contacts: contacts,
		})
		require.NoError(t, err)
		require.NoError(t, contacts.Adopt(t.Context(), nuria, []civicpin.Contact{
			{Channel: civicpin.SMS, Address: nuriasMobile}, {Channel: civicpin.Email, Address: nuriasMail},
		}, clerk.ID, civicpin.Source{}))

		name, captcha := planForgotten.Name, recovery.Answers{Captcha: true}
		born := func(date string) recovery.Answers { return recovery.Answers{Facts: map[string]string{birthDate: date}} }
		d := strangers.Door{Name: name, Owner: s.Owner(nuria, func(source civicpin.Source) error {
			if _, err := s.Begin(rec, name, nuria, source, captcha, born("1979-05-23")); err != nil {
				return err
			}
			run, err := rec.Redeem(t.Context(), s.Read(nuriasMail, recovery.LinkMessage).Link, source)
			if err != nil {
				return err
			}
			_, err = rec.Answer(t.Context(), run.Ticket, recovery.Answers{Code: s.Read(nuriasMobile, recovery.CodeMessage).Secret, Source: source})
			if err != nil {
				return err
			}
			_, err = rec.Finish(t.Context(), run.Ticket, source)
			return err
		})}
		d.Strangers = map[string]func(civicpin.Source) error{
			"begin": s.Attacker(rec, name, nuria, captcha),
			"guess": s.Attacker(rec, name, nuria, captcha, born("1980-01-01")),
			"know":  s.Attacker(rec, name, nuria, captcha, born("1979-05-23")),
		}
		return s, d
	}
}

// What strangers cost Nuria stands in docs/threats.md, in minutes.
func TestMinutes(t *testing.T) {
	strangers.Table(t, "examples/tuss", doors(t, false), doors(t, true))
}
