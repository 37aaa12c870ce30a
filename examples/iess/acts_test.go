package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/play/playtest"
	"github.com/civicpin/civicpin/internal/strangers"
	"github.com/civicpin/civicpin/internal/twoworlds"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
)

// stage is a tale on a stage of its own.
type stage struct {
	*tale
	playtest.Scene
}

// newStage sets a stage on which time stands still but for what the story skips. It is a Monday, ten in the morning in Ecuador.
func newStage(t *testing.T) *stage {
	t.Helper()
	scene := playtest.Open(t, newPlay(), time.Date(2026, 3, 9, 15, 0, 0, 0, time.UTC))
	tale, err := newTale(scene.Set)
	require.NoError(t, err)
	return &stage{tale, scene}
}

// want checks what a credential has come to.
func (s *stage) want(t *testing.T, c *citizen, level civicpin.Level, proved ...civicpin.Method) {
	t.Helper()
	if ok, err := s.pins.Verify(t.Context(), c.attempt(c.password)); err != nil || ok.Level != level {
		t.Errorf("%s's password: %+v, %v", c.name, ok, err)
	}
	st, err := s.pins.Status(t.Context(), c.subject)
	if err != nil {
		t.Fatal(err)
	}
	var methods []civicpin.Method
	for _, e := range st.Evidence {
		methods = append(methods, e.Method)
	}
	if st.State != state.Active || st.Suspended || st.Level != level || !slices.Equal(methods, proved) || st.Lockout.Failures != 0 ||
		st.Lockout.Locked != nil {
		t.Errorf("%s: %+v", c.name, st)
	}
}

// refused checks that passwords are good for nothing, and gives the tries back.
func (s *stage) refused(t *testing.T, c *citizen, passwords ...string) {
	t.Helper()
	for _, p := range passwords {
		if _, err := s.pins.Verify(t.Context(), c.attempt(p)); !errors.Is(err, pin.ErrRefused) {
			t.Errorf("%s: %q: %v", c.name, p, err)
		}
	}
	if _, err := s.pins.Verify(t.Context(), c.attempt(c.password)); err != nil {
		t.Errorf("%s: %v", c.name, err)
	}
	// A right password gives no try back: a day without a failure does, or an operator.
	if err := s.pins.Unlock(t.Context(), c.subject, clerk.ID); err != nil {
		t.Fatal(err)
	}
}

// writtenTo checks which contacts a citizen has.
func (s *stage) writtenTo(t *testing.T, c *citizen, want ...string) {
	t.Helper()
	proved, pending, err := s.contacts.List(t.Context(), c.subject)
	if err != nil || len(pending) > 0 {
		t.Errorf("%s: pending %+v, %v", c.name, pending, err)
	}
	var got []string
	for _, p := range proved {
		got = append(got, p.Address)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s is written to at %q, want %q", c.name, got, want)
	}
}

// subjects returns those of all e-mails that came to an address, oldest first.
func (s *stage) subjects(t *testing.T, address string) []string {
	t.Helper()
	all, err := s.Inbox.All(address)
	if err != nil {
		t.Fatal(err)
	}
	var subjects []string
	for _, m := range all {
		subjects = append(subjects, m.Subject)
	}
	return subjects
}

// passed returns how much time an act lets pass.
func (s *stage) passed(t *testing.T, act func(context.Context) error) time.Duration {
	t.Helper()
	before := s.Clock.Now()
	s.Act(t, act)
	return s.Clock.Now().Sub(before)
}

// TestActs plays one act after the other, and looks behind the scene after each.
func TestActs(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ctx := t.Context()
	const first = "tres volcanes y un colibrí"

	t.Run("first", func(t *testing.T) {
		s.Act(t, s.first)
		s.want(t, s.lucia, civicpin.Low)
		s.writtenTo(t, s.lucia, "lucia.andrade@example.ec")
		image, questions, err := s.rec.Enrolled(ctx, s.lucia.subject)
		if !image || !slices.Equal(questions, []string{"friend", "journey", "school", "toy"}) || err != nil {
			t.Errorf("enrolled %v, %q, %v", image, questions, err)
		}
		if got := s.subjects(t, s.lucia.email); !slices.Equal(got, []string{"IESS: active su acceso"}) {
			t.Errorf("she got %q", got)
		}
		s.refused(t, s.lucia, "iess2026", "lucía andrade vera")
	})
	t.Run("locked", func(t *testing.T) {
		s.Act(t, s.locked)
		s.want(t, s.lucia, civicpin.Low)
		if s.lucia.password != first {
			t.Error(s.lucia.password)
		}
	})
	t.Run("device", func(t *testing.T) {
		s.Act(t, s.device)
		_, err := s.pins.Verify(ctx, s.lucia.attempt(first))
		locks(t, err)
	})
	t.Run("forgotten", func(t *testing.T) {
		if d := s.passed(t, s.forgotten); d != 3*time.Minute+time.Second {
			t.Errorf("%v went by", d)
		}
		s.want(t, s.lucia, civicpin.Low)
		s.refused(t, s.lucia, first)
	})
	t.Run("blocked", func(t *testing.T) {
		s.Act(t, s.NextDay("The next day", s.blocked))
		s.want(t, s.lucia, civicpin.Low)
		if s.lucia.password != "una iguana duerme al sol" {
			t.Error(s.lucia.password)
		}
	})
	t.Run("thief", func(t *testing.T) {
		s.Act(t, s.NextDay("The next day", s.thief))
		s.want(t, s.lucia, civicpin.Low)
		s.writtenTo(t, s.lucia, "lucia.andrade@example.ec")
		if got := s.subjects(t, "nobody.special@example.com"); len(got) > 0 {
			t.Errorf("the thief got %q", got)
		}
	})
	t.Run("moved", func(t *testing.T) {
		if d := s.passed(t, s.moved); d < 7*day || d > 8*day { // a week since the objection to the thief, in part
			t.Errorf("%v went by", d)
		}
		s.want(t, s.lucia, civicpin.Substantial, civicpin.InPerson)
		s.writtenTo(t, s.lucia, "lucia@correo.example")
		if got := s.subjects(t, "lucia@correo.example"); !slices.Contains(got, "IESS: recupere su acceso") {
			t.Errorf("there came %q", got)
		}
	})
	t.Run("video", func(t *testing.T) {
		s.Act(t, s.video)
		s.want(t, s.lucia, civicpin.Substantial, civicpin.InPerson)
		if now := s.Clock.Now().In(s.Location); now.Format("15:04:05") != "08:00:00" {
			t.Errorf("it is %v", now)
		}
	})
	t.Run("counter", func(t *testing.T) {
		s.Act(t, s.counter)
		s.want(t, s.camila, civicpin.Substantial, civicpin.InPerson)
	})
	t.Run("desk", func(t *testing.T) {
		s.Act(t, s.desk)
		s.want(t, s.diego, civicpin.Substantial, civicpin.InPerson)
	})
	t.Run("strangers", func(t *testing.T) {
		if d := s.passed(t, s.strangers); d != 0 {
			t.Errorf("%v went by", d)
		}
	})
	// The database is still open, and much of it in its write-ahead log.
	checkLeaks(t, s.DB, s.lucia, s.diego, s.camila)
}

// locks fails unless an error is that of a lock which does not end by itself.
func locks(t *testing.T, err error) {
	t.Helper()
	if err := untilUnlocked(err, "this"); err != nil {
		t.Error(err)
	}
	if _, ok := errors.AsType[*lockout.LockedError](err); !ok {
		t.Errorf("%v", err)
	}
}

// TestTwoWorlds: under these policies and plans no visitor can tell in which state a citizen is.
func TestTwoWorlds(t *testing.T) {
	playtest.TwoWorlds(t, twoworlds.Setup{
		Pin: agency.IESS(), Plans: agency.IESSPlans(), Images: images, Questions: slices.Sorted(maps.Keys(questions)), Roles: agency.IESSRoles(),
		Contacts: contact.Policy{Decoys: decoys("es")},
	})
}

// portal is what the story's services are, on a scene of strangers, with Lucía enrolled.
type portal struct {
	*strangers.Scene
	pins  *pin.Service
	rec   *recovery.Service
	lucia *citizen
}

func newPortal(t *testing.T) *portal {
	t.Helper()
	p := &portal{Scene: strangers.Open(t, time.Date(2026, 3, 9, 15, 0, 0, 0, time.UTC)), lucia: newLucia()}
	var err error
	p.pins, err = pin.New(p.Out, agency.IESS())
	require.NoError(t, err)
	contacts, err := contact.New(p.Out, contact.Policy{Decoys: decoys("es")}, p.pins)
	require.NoError(t, err)
	p.rec, err = recovery.New(p.Out, recovery.Config{
		Pins: p.pins, Plans: agency.IESSPlans(), Register: people(), Documents: new(agency.Uploads), Roles: agency.IESSRoles(),
		Questions: slices.Sorted(maps.Keys(questions)), Images: images, Contacts: contacts,
	})
	require.NoError(t, err)
	mail := civicpin.Contact{Channel: civicpin.Email, Address: p.lucia.email}
	require.NoError(t, contacts.Adopt(t.Context(), p.lucia.subject, []civicpin.Contact{mail}, clerk.ID, civicpin.Source{}))
	typed := make(map[string]civicpin.Secret)
	for question, answer := range p.lucia.mind.questions {
		typed[question] = civicpin.NewSecret(answer)
	}
	require.NoError(t, p.rec.EnrolAnswers(t.Context(), p.lucia.subject, p.lucia.mind.image, typed, p.lucia.source))
	return p
}

var captcha = recovery.Answers{Captcha: true}

// finish reads the link that came, and uses it.
func (p *portal) finish(kind civicpin.MessageKind, source civicpin.Source) error {
	_, err := p.rec.Finish(p.T.Context(), p.Read(p.lucia.email, kind).Link, source)
	return err
}

// loggingIn is the page of the login.
func loggingIn(t *testing.T) func() (*strangers.Scene, strangers.Door) {
	return func() (*strangers.Scene, strangers.Door) {
		p := newPortal(t)
		return p.Scene, p.LoginDoor("log in", p.pins, p.lucia.subject)
	}
}

// unlocking is the page that sends a link to unlock. Strangers have links sent, too.
func unlocking(t *testing.T) func() (*strangers.Scene, strangers.Door) {
	return func() (*strangers.Scene, strangers.Door) {
		p := newPortal(t)
		p.Enrol(p.pins, p.lucia.subject)
		d := strangers.Door{Name: byLink, Owner: p.Owner(p.lucia.subject, func(source civicpin.Source) error {
			if _, err := p.Begin(p.rec, byLink, p.lucia.subject, source, captcha); err != nil {
				return err
			}
			return p.finish(recovery.UnlockMessage, source)
		})}
		d.Strangers = map[string]func(civicpin.Source) error{"begin": p.Attacker(p.rec, byLink, p.lucia.subject, captcha)}
		return p.Scene, d
	}
}

// forgetting is the page for a forgotten password. Strangers begin, too, and guess at the birthday and the answers.
func forgetting(t *testing.T) func() (*strangers.Scene, strangers.Door) {
	return func() (*strangers.Scene, strangers.Door) {
		p := newPortal(t)
		p.Enrol(p.pins, p.lucia.subject)
		run, err := p.Begin(p.rec, forgotten, p.lucia.subject, p.lucia.source, captcha)
		require.NoError(t, err)
		right, wrong := given(t, run.Next, p.lucia.mind), given(t, run.Next, p.lucia.mind.wrong())
		d := strangers.Door{Name: forgotten, Owner: p.Owner(p.lucia.subject, func(source civicpin.Source) error {
			_, err := p.Begin(p.rec, forgotten, p.lucia.subject, source, captcha, right, recovery.Answers{Confirm: true})
			if err != nil {
				return err
			}
			return p.finish(recovery.LinkMessage, source)
		})}
		d.Strangers = map[string]func(civicpin.Source) error{
			"begin": p.Attacker(p.rec, forgotten, p.lucia.subject, captcha),
			"guess": p.Attacker(p.rec, forgotten, p.lucia.subject, captcha, wrong),
		}
		return p.Scene, d
	}
}

// What strangers cost Lucía stands in docs/threats.md, in minutes.
func TestMinutes(t *testing.T) {
	strangers.Table(t, "examples/iess", loggingIn(t), unlocking(t), forgetting(t))
}

func TestRegister(t *testing.T) {
	r := people()
	nobody := civicpin.Subject(r.nobody())
	for _, c := range []struct {
		subject    civicpin.Subject
		day, month string
		want       bool
	}{
		{civicpin.Subject(luciaID), "14", "3", true},
		{civicpin.Subject(luciaID), "14", "4", false},
		{civicpin.Subject(luciaID), "13", "3", false},
		{civicpin.Subject(luciaID), "3", "14", false},
		{civicpin.Subject(luciaID), "", "", false},
		{civicpin.Subject(diegoID), "2", "11", true},
		{civicpin.Subject(diegoID), "14", "3", false},
		{nobody, "14", "3", false},
		{nobody, "1", "1", false}, // the birthday of an entry that is empty
		{nobody, "", "", false},
		{camilaID, "14", "3", false},
	} {
		facts := map[string]string{"birth-day": c.day, "birth-month": c.month}
		if got, err := r.Check(t.Context(), c.subject, facts); got != c.want || err != nil {
			t.Errorf("%s, %v: %v, %v", c.subject, facts, got, err)
		}
	}
	for _, facts := range []map[string]string{nil, {}, {"birth-day": "14", "birth-year": "1985"}} {
		if got, _ := r.Check(t.Context(), civicpin.Subject(luciaID), facts); got {
			t.Errorf("%v is right", facts)
		}
	}
}

func TestReadBirthday(t *testing.T) {
	for typed, want := range map[string][2]string{
		"14/3": {"14", "3"}, "14/03": {"14", "3"}, " 2 - 11 ": {"2", "11"}, "29.2": {"29", "2"}, "1 1": {"1", "1"},
		"": {}, "14": {}, "14/3/1985": {}, "31/4": {}, "30/2": {}, "0/1": {}, "1/0": {}, "1/13": {}, "x/3": {},
		"14 marzo": {}, "-1/3": {"1", "3"},
	} {
		got, err := readBirthday(typed)
		if want == [2]string{} {
			if !errors.Is(err, noBirthday) || got != nil {
				t.Errorf("%q: %v, %v", typed, got, err)
			}
			continue
		}
		if !maps.Equal(got, map[string]string{"birth-day": want[0], "birth-month": want[1]}) || err != nil {
			t.Errorf("%q: %v, %v", typed, got, err)
		}
	}
}

func TestNobody(t *testing.T) {
	r := people()
	seen := make(map[ident.Cedula]bool)
	for range 20 {
		id := r.nobody()
		if _, known := r[id]; known || len(id.Warnings()) > 0 {
			t.Errorf("%s: known %v, %v", id, known, id.Warnings())
		}
		seen[id] = true
	}
	if len(seen) < 15 {
		t.Errorf("only %d different ones", len(seen))
	}
}
