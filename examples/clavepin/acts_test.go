package main

import (
	"errors"
	"os"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/play/playtest"
	"github.com/civicpin/civicpin/internal/twoworlds"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
)

// stage is a tale on a stage of its own.
type stage struct {
	*tale
	playtest.Scene
}

// newStage sets a stage on which time stands still but for what the story skips.
func newStage(t *testing.T) *stage { return newStageFor(t, agency.ClavePIN()) }

func newStageFor(t *testing.T, policy otp.CodePolicy) *stage {
	t.Helper()
	scene := playtest.Open(t, newPlay(), time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC))
	tale, err := newTale(scene.Set, policy)
	require.NoError(t, err)
	return &stage{tale, scene}
}

// want checks what a registration has come to.
func (s *stage) want(t *testing.T, c *citizen, level civicpin.Level, method civicpin.Method, by civicpin.Actor) {
	t.Helper()
	st, err := s.pins.Status(t.Context(), c.subject())
	if err != nil || st.State != state.Active || st.Level != level || len(st.Evidence) != 1 ||
		st.Evidence[0].Method != method || st.Evidence[0].By != by {
		t.Errorf("%s: %+v, %v; want %s by %s", c.first(), st, err, level, method)
	}
	e, err := s.records.Get(t.Context(), store.Key{Subject: c.subject()})
	if err != nil || e.Value != (record{Phone: c.number, App: c.app}) {
		t.Errorf("%s: %+v, %v", c.first(), e.Value, err)
	}
	if whose := s.whose(t, c.number); whose != c.subject() {
		t.Errorf("%s's telephone is that of %q", c.first(), whose)
	}
	if ok, err := s.open(t.Context(), c); err != nil || ok.Level != level || ok.MustExchange {
		t.Errorf("%s's app: %+v, %v", c.first(), ok, err)
	}
}

func (s *stage) whose(t *testing.T, number string) civicpin.Subject {
	t.Helper()
	e, err := s.phones.Get(t.Context(), store.Key{ID: number})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return e.Value.Subject
}

// did checks how often Ana has done what.
func (s *stage) did(t *testing.T, c *citizen, want map[string]int) {
	t.Helper()
	e, err := s.filed.Get(t.Context(), store.Key{Subject: c.subject()})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	got := make(map[string]int)
	for _, f := range e.Value {
		got[f.Act]++
	}
	if len(got) != len(want) {
		t.Errorf("%s did %v, want %v", c.first(), got, want)
	}
	for act, n := range want {
		if got[act] != n {
			t.Errorf("%s did %s %d times, want %d", c.first(), act, got[act], n)
		}
	}
}

// certified sets a stage on which Ana has registered with her certificate.
func certified(t *testing.T) *stage {
	t.Helper()
	s := newStage(t)
	s.Act(t, s.certificate)
	return s
}

// TestActs plays one act after the other, and looks behind the scene after each.
func TestActs(t *testing.T) {
	t.Parallel()
	s := newStage(t)

	t.Run("operator", func(t *testing.T) {
		s.Act(t, s.operator)
		st, err := s.operators.Enrolled(t.Context(), civicpin.Subject(videoDesk))
		if err != nil || !st.Active || st.Pending || st.Lockout.Failures != 1 {
			t.Errorf("%+v, %v", st, err)
		}
		log, err := os.ReadFile(s.DB.Files + ".log")
		if found := regexp.MustCompile(`"reason":"[^"]*\b[0-9]{6}\b`).Find(log); err != nil || len(log) == 0 || found != nil {
			t.Errorf("a code is in the log: %s, %v", found, err)
		}
	})
	t.Run("certificate", func(t *testing.T) {
		s.Act(t, s.certificate)
		s.want(t, s.ana, civicpin.Substantial, civicpin.Certificate, civicpin.Citizen)
		if s.ana.number != "+34612345678" {
			t.Error(s.ana.number)
		}
	})
	t.Run("other ways", func(t *testing.T) {
		before := s.Clock.Now()
		s.Act(t, s.otherWays)
		if d := s.Clock.Now().Sub(before); d != 9*day {
			t.Errorf("%v went by", d)
		}
		s.want(t, s.luis, civicpin.Low, civicpin.LetterCode, civicpin.Citizen)
		s.want(t, s.carmen, civicpin.Substantial, civicpin.Video, videoDesk)
		s.want(t, s.pedro, civicpin.Substantial, civicpin.InPerson, office)
		s.want(t, s.elena, civicpin.Low, civicpin.AutomatedVideo, civicpin.Citizen)
	})
	t.Run("asking", func(t *testing.T) {
		before := s.Clock.Now()
		s.Act(t, s.asking)
		if d := s.Clock.Now().Sub(before); d != 15*time.Minute {
			t.Errorf("the lock lasted %v", d)
		}
		if all, err := s.Inbox.All(s.ana.app); err != nil || len(all) != 1 {
			t.Errorf("%d pushes, %v", len(all), err)
		}
		if st, err := s.cards.Status(t.Context(), lockout.Target{Subject: s.ana.subject()}); err != nil || st.Failures != 0 {
			t.Errorf("%+v, %v", st, err)
		}
	})
	t.Run("channels", func(t *testing.T) {
		s.Act(t, s.channels)
		s.did(t, s.ana, map[string]int{"working-life": 3})
		if all, err := s.Inbox.All(s.ana.app); err != nil || len(all) != 1 {
			t.Errorf("%d pushes, %v", len(all), err)
		}
	})
	t.Run("joined", func(t *testing.T) {
		s.Act(t, s.joined)
		s.did(t, s.ana, map[string]int{"working-life": 4})
	})
	t.Run("deeds", func(t *testing.T) {
		s.Act(t, s.deeds)
		s.did(t, s.ana, map[string]int{"working-life": 4, "tax-return": 1, "bank-account": 1})
		s.did(t, s.luis, nil)
	})
	t.Run("refused", func(t *testing.T) {
		before := s.Clock.Now()
		s.Act(t, s.NextDay("The next day", s.refused))
		if d := s.Clock.Now().Sub(before); d != 4*day+10*time.Minute { // the operator's unlock spares Ana a quarter of an hour
			t.Errorf("%v went by", d)
		}
		s.did(t, s.ana, map[string]int{"working-life": 6, "tax-return": 1, "bank-account": 2})
		s.did(t, s.carmen, nil)
		if st, err := s.codes.Status(t.Context(), s.ana.subject()); err != nil || st.Failures != 0 || st.Locked != nil {
			t.Errorf("%+v, %v", st, err)
		}
	})
	t.Run("change", func(t *testing.T) {
		s.Act(t, s.NextDay("The next day", s.change))
		s.want(t, s.ana, civicpin.Substantial, civicpin.Certificate, civicpin.Citizen)
		if s.ana.number != "+34655443322" || s.whose(t, "+34612345678") != "" {
			t.Errorf("%s, and the old one is %q's", s.ana.number, s.whose(t, "+34612345678"))
		}
		s.did(t, s.ana, map[string]int{"working-life": 7, "tax-return": 1, "bank-account": 2})
	})
	// The database is still open, and much of it in its write-ahead log.
	checkLeaks(t, s.DB, s.ana.key, s.luis.key, s.carmen.key, s.pedro.key, s.elena.key)
}

// TestLetter: the code in a letter is good for 21 days, and once.
func TestLetter(t *testing.T) {
	s := newStage(t)
	ctx := t.Context()
	letter := func() string {
		t.Helper()
		is, err := s.pins.Issue(ctx, s.luis.subject(), pin.IssueOptions{
			Parts:    []civicpin.Contact{{Channel: civicpin.Letter, Address: "Luis\nCalle Mayor 7", Locale: "es"}},
			Register: true, By: civicpin.Citizen,
		})
		if err != nil {
			t.Fatal(err)
		}
		return is.Slip.Reveal()
	}
	skip := func(d time.Duration) {
		t.Helper()
		if err := s.Clock.Skip(d); err != nil {
			t.Fatal(err)
		}
	}
	late := letter()
	skip(21 * day)
	if err := s.exchange(ctx, s.luis, late); !errors.Is(err, pin.ErrExpired) || s.luis.key != "" {
		t.Errorf("on the 22nd day: %v", err)
	}
	code := letter()
	skip(21*day - time.Second)
	if err := s.exchange(ctx, s.luis, code); err != nil || len(s.luis.key) != 26 {
		t.Errorf("on the 21st day: %v", err)
	}
	if err := s.exchange(ctx, s.luis, code); !errors.Is(err, pin.ErrRefused) {
		t.Errorf("twice: %v", err)
	}
}

// TestOneTelephone: of any number of people who claim one number at the same moment, one gets it, until it is let go.
func TestOneTelephone(t *testing.T) {
	s := newStage(t)
	ctx := t.Context()
	const number = "+34600000001"
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			switch err := s.claim(ctx, civicpin.Subject(string(rune('a'+i))), number); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, taken):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	owner := s.whose(t, number)
	if won.Load() != 1 || owner == "" {
		t.Fatalf("%d have it, %q above all", won.Load(), owner)
	}
	if err := s.claim(ctx, owner, number); err != nil {
		t.Errorf("again: %v", err)
	}
	if err := s.release(ctx, "zoe", number); err != nil || s.whose(t, number) != owner {
		t.Errorf("let go by somebody else: %v", err)
	}
	err := errors.Join(s.release(ctx, owner, number), s.claim(ctx, "zoe", number))
	if err != nil || s.whose(t, number) != "zoe" {
		t.Errorf("after it was let go: %v", err)
	}
}

// TestAnew: a citizen who registers again leaves nothing of the old registration behind.
func TestAnew(t *testing.T) {
	t.Parallel()
	s := certified(t)
	ctx := t.Context()
	const number = "+34600000001"
	if err := errors.Join(s.claim(ctx, s.ana.subject(), number), s.move(ctx, s.ana, number), s.anew(ctx, s.ana)); err != nil {
		t.Fatal(err)
	}
	if whose := s.whose(t, number); whose != "" {
		t.Errorf("the old telephone is still %q's", whose)
	}
	if to, err := s.contacts(ctx, s.ana.subject()); err != nil || to != nil {
		t.Errorf("still written to at %v, %v", to, err)
	}
	if _, err := s.open(ctx, s.ana); !errors.Is(err, pin.ErrRefused) {
		t.Errorf("the old app is let in: %v", err)
	}
}

// TestSubmit: a page that was given wrong data, or an unknown number, or that of a citizen who is not registered, answers
// as for right ones, and sends nothing.
func TestSubmit(t *testing.T) {
	t.Parallel()
	s := certified(t)
	ctx := t.Context()
	right := s.ana.form(workingLife(s.ana))
	for name, c := range map[string]struct {
		nif  ident.NIF
		data cardData
		by   civicpin.Channel
		want int
	}{
		"right":          {s.ana.NIF, s.ana.data(), "", 1},
		"by SMS":         {s.ana.NIF, s.ana.data(), civicpin.SMS, 1},
		"wrong":          {s.ana.NIF, "2030-05-09", "", 0},
		"empty":          {s.ana.NIF, "", "", 0},
		"nobody":         {s.nobody(), s.ana.data(), "", 0},
		"nobody, empty":  {s.nobody(), "", "", 0},
		"not registered": {s.luis.NIF, s.luis.data(), "", 0},
	} {
		before := len(posted(t, s.DB.Files+".post"))
		f := right
		f.nif, f.data, f.by = c.nif, c.data, c.by
		req, err := s.order(ctx, f)
		if err != nil || len(req.ID) != 26 || req.To != "" || req.ExpiresAt.Sub(s.Clock.Now()) != 10*time.Minute {
			t.Errorf("%s: %+v, %v", name, req, err)
		}
		if n := len(posted(t, s.DB.Files+".post")) - before; n != c.want {
			t.Errorf("%s: %d messages, want %d", name, n, c.want)
		}
	}
}

// TestPull: only an app with the citizen's own key is shown what waits.
func TestPull(t *testing.T) {
	t.Parallel()
	s := certified(t)
	ctx := t.Context()
	req, err := s.order(ctx, s.ana.form(workingLife(s.ana)))
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Inbox.Last(s.ana.app)
	if err != nil {
		t.Fatal(err)
	}
	if code, err := s.pull(ctx, s.ana, req); err != nil || code != m.Code() {
		t.Errorf("%q, %v; pushed %q", code, err, m.Code())
	}
	thief := *s.ana
	for _, key := range []string{"", "AAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		thief.key = key
		if code, err := s.pull(ctx, &thief, req); !errors.Is(err, pin.ErrRefused) || code != "" {
			t.Errorf("with the key %q: %q, %v", key, code, err)
		}
	}
	if err := s.use(ctx, s.ana, used{req: req, deed: workingLife(s.ana), typed: m.Code()}); err != nil {
		t.Fatal(err)
	}
	if code, err := s.pull(ctx, s.ana, req); err == nil {
		t.Errorf("a used PIN waits: %q", code)
	}
}

// TestDisabled: after too many wrong PINs in a row the story ends, and goes on when the telephone is registered anew.
func TestDisabled(t *testing.T) {
	t.Parallel()
	policy := agency.ClavePIN()
	policy.Lockout.Ceiling, policy.Lockout.Reserve = 6, 0
	s := newStageFor(t, policy)
	s.Act(t, s.certificate)
	var locked *lockout.LockedError
	for locked == nil || !locked.Disabled {
		req, err := s.order(t.Context(), s.ana.form(workingLife(s.ana)))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			err := s.use(t.Context(), s.ana, used{req: req, deed: workingLife(s.ana), typed: "wrong"})
			if !errors.As(err, &locked) && !errors.Is(err, otp.ErrRefused) {
				t.Fatal(err)
			}
		}
	}
	if err := s.End(s.joined(t.Context())); err != nil {
		t.Errorf("the story fails: %v", err)
	}
	playtest.InOrder(t, s.Printed(), "registered anew. Come to an office", "There the story ends")

	playtest.InOrder(t, s.Act(t, s.certificate), "Ana registered in an earlier run")
	if _, err := s.order(t.Context(), s.ana.form(workingLife(s.ana))); err != nil {
		t.Error(err)
	}
}

// TestPolicy: the numbers that the story tells are those of the policies.
func TestPolicy(t *testing.T) {
	s := newStage(t)
	p := s.pins.Policy()
	if p.Parts != 1 || p.Length != 16 || p.Valid[civicpin.Letter] != 21*day || len(p.Exceptions) != 1 ||
		p.Levels[civicpin.LetterCode] != civicpin.Low || p.Levels[civicpin.Certificate] != civicpin.Substantial ||
		p.Levels[civicpin.AutomatedVideo] != civicpin.Low {
		t.Errorf("%+v", p)
	}
	c := s.codes.Policy()
	if c.Length != 3 || c.Joined != 4 || c.Valid != 10*time.Minute || c.Tries != 3 ||
		c.Lockout.Limit != 5 || len(c.Exceptions) != 2 {
		t.Errorf("%+v", c)
	}
}

// TestTwoWorlds: under these policies and plans no visitor can tell in which state a citizen is.
func TestTwoWorlds(t *testing.T) {
	playtest.TwoWorlds(t, twoworlds.Setup{Pin: agency.ClaveActivation(), Codes: otp.ClavePIN()})
}
