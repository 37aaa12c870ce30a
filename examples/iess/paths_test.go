package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/agency"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

// given is a form as a citizen with these answers in mind fills it in.
func given(t *testing.T, ask recovery.Ask, mind memory) recovery.Answers {
	t.Helper()
	facts, err := readBirthday(mind.birthday)
	if err != nil {
		t.Fatal(err)
	}
	a := recovery.Answers{Facts: facts}
	if len(ask.Images) > 0 {
		a.Image = mind.image
	}
	if len(ask.Questions) > 0 {
		a.Questions = make(map[string]civicpin.Secret)
	}
	for _, q := range ask.Questions {
		a.Questions[q] = civicpin.NewSecret(mind.questions[q])
	}
	return a
}

// visitTo goes through a plan's form, and confirms the contact.
func (s *stage) visitTo(t *testing.T, name string, c *citizen, correct ...string) *visit {
	t.Helper()
	v, err := s.begin(t.Context(), name, c)
	if err == nil && name != byLink {
		err = s.submit(t.Context(), v, given(t, v.Next, c.mind))
	}
	if err == nil && v.Next.Confirm != nil {
		a := recovery.Answers{Confirm: len(correct) == 0}
		if len(correct) > 0 {
			a.Correct = s.contact(correct[0])
		}
		err = s.submit(t.Context(), v, a)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// taken uses the link of a first key, and enrols: what is asked next are the terms.
func (s *stage) taken(ctx context.Context, link civicpin.Secret, c *citizen) (recovery.Run, error) {
	run, err := s.rec.Redeem(ctx, link, c.source)
	if err != nil {
		return run, err
	}
	a := recovery.Answers{EnrolImage: c.mind.image, EnrolQuestions: make(map[string]civicpin.Secret)}
	for q, typed := range c.mind.questions {
		a.EnrolQuestions[q] = civicpin.NewSecret(typed)
	}
	ticket := run.Ticket
	run, err = s.rec.Answer(ctx, ticket, a)
	run.Ticket = ticket
	return run, err
}

// link is the token in the newest e-mail at an address that is good for a step of a plan.
func (s *stage) link(t *testing.T, address string) civicpin.Secret {
	t.Helper()
	link, err := s.news(t.Context(), "Somebody", address, recovery.ToRecover)
	if err != nil {
		t.Fatal(err)
	}
	return link
}

func (s *stage) skip(t *testing.T, d time.Duration) {
	t.Helper()
	if err := s.Clock.Skip(d); err != nil {
		t.Fatal(err)
	}
}

// enrolled sets a stage on which Lucía has her first key.
func enrolled(t *testing.T) *stage {
	t.Helper()
	s := newStage(t)
	s.Act(t, s.first)
	return s
}

// TestLinksInTime: each link is good until a second before its time, and not at its time.
func TestLinksInTime(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ctx := t.Context()
	for _, c := range []struct {
		plan  string
		valid time.Duration
	}{{firstKey, 15 * time.Minute}, {forgotten, 3 * time.Minute}, {byLink, 3 * time.Minute}} {
		s.skip(t, day) // so many messages a day
		var correct []string
		if c.plan == firstKey {
			correct = []string{s.lucia.email}
		}
		use := func(link civicpin.Secret) (pin.Grant, error) {
			if c.plan != firstKey {
				return s.rec.Finish(ctx, link, s.lucia.source)
			}
			run, err := s.taken(ctx, link, s.lucia)
			if err != nil {
				return pin.Grant{}, err
			}
			if _, err := s.rec.Answer(ctx, run.Ticket, recovery.Answers{Terms: run.Next.Terms}); err != nil {
				return pin.Grant{}, err
			}
			return s.rec.Finish(ctx, run.Ticket, s.lucia.source)
		}
		s.visitTo(t, c.plan, s.lucia, correct...)
		link := s.link(t, s.lucia.email)
		s.skip(t, c.valid)
		if _, err := s.rec.Inspect(ctx, link); !errors.Is(err, recovery.ErrExpired) {
			t.Errorf("%s: looked at in time? %v", c.plan, err)
		}
		if grant, err := use(link); !errors.Is(err, recovery.ErrExpired) || !grant.IsZero() {
			t.Errorf("%s: late: %v", c.plan, err)
		}
		s.visitTo(t, c.plan, s.lucia, correct...)
		link = s.link(t, s.lucia.email)
		s.skip(t, c.valid-time.Second)
		for range 50 { // mail scanners
			if look, err := s.rec.Inspect(ctx, link); err != nil || look.Purpose != recovery.ToRecover || look.Last != (c.plan != firstKey) {
				t.Fatalf("%s: %+v, %v", c.plan, look, err)
			}
		}
		grant, err := use(link)
		if err != nil || grant.IsZero() != (c.plan == byLink) {
			t.Fatalf("%s: in time: %v, %v", c.plan, grant, err)
		}
		if _, err := use(link); !errors.Is(err, recovery.ErrGone) {
			t.Errorf("%s: used twice: %v", c.plan, err)
		}
		if grant.IsZero() {
			continue
		}
		s.lucia.password = "quince caracteres, " + c.plan
		if _, err := s.pins.Set(ctx, grant, civicpin.NewSecret(s.lucia.password), s.lucia.source); err != nil {
			t.Fatalf("%s: %v", c.plan, err)
		}
		if _, err := s.pins.Set(ctx, grant, civicpin.NewSecret("otra frase bien larga"), s.lucia.source); !errors.Is(err, pin.ErrNoGrant) {
			t.Errorf("%s: a grant used twice: %v", c.plan, err)
		}
	}
	s.want(t, s.lucia, civicpin.Low)
}

// TestLinkTakesOver: an attacker who begins in a citizen's name and has them click is left with a ticket that is worth nothing.
func TestLinkTakesOver(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ctx := t.Context()
	v := s.visitTo(t, firstKey, s.lucia, s.lucia.email)
	run, err := s.taken(ctx, s.link(t, s.lucia.email), s.lucia)
	if err != nil || run.Ticket.IsZero() || run.Ticket.Equal(v.ticket) {
		t.Fatalf("%+v, %v", run, err)
	}
	accepted := recovery.Answers{Terms: run.Next.Terms}
	if _, err := s.rec.Answer(ctx, v.ticket, accepted); !errors.Is(err, recovery.ErrGone) {
		t.Errorf("with the old ticket: %v", err)
	}
	if _, err := s.rec.Finish(ctx, run.Ticket, s.lucia.source); !errors.Is(err, recovery.ErrWrongStep) {
		t.Errorf("without the terms: %v", err)
	}
	if run, err := s.rec.Answer(ctx, run.Ticket, accepted); err != nil || !run.Done {
		t.Errorf("%+v, %v", run, err)
	}
	if grant, err := s.rec.Finish(ctx, v.ticket, s.lucia.source); !errors.Is(err, recovery.ErrGone) || !grant.IsZero() {
		t.Errorf("with the old ticket: %v", err)
	}
}

// TestDevice: however often strangers guess, the known telephone lets its owner in, and nobody else; until a new password makes
// it unknown.
func TestDevice(t *testing.T) {
	t.Parallel()
	s := enrolled(t)
	ctx := t.Context()
	ok, err := s.pins.Verify(ctx, s.lucia.attempt(s.lucia.password))
	if err != nil {
		t.Fatal(err)
	}
	cookie, err := s.pins.RememberDevice(ctx, ok)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := s.pins.Unlock(ctx, s.lucia.subject, clerk.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.guessAll(ctx, s.lucia.subject, guess); err != nil {
			t.Fatal(err)
		}
	}
	telephone := *s.lucia
	telephone.source.Device = cookie
	_, err = s.pins.Verify(ctx, s.lucia.attempt(s.lucia.password))
	locks(t, err)
	if _, err := s.pins.Verify(ctx, telephone.attempt(telephone.password)); err != nil {
		t.Errorf("on her telephone: %v", err)
	}
	if _, err := s.pins.Verify(ctx, telephone.attempt(guess)); !errors.Is(err, pin.ErrRefused) {
		t.Errorf("a thief of the telephone: %v", err)
	}
	s.Act(t, s.again)
	s.refused(t, s.lucia, "tres volcanes y un colibrí")
	if _, err := s.guessAll(ctx, s.lucia.subject, guess); err != nil {
		t.Fatal(err)
	}
	_, err = s.pins.Verify(ctx, telephone.attempt(s.lucia.password))
	locks(t, err)
}

// TestOneFirstKey: who has a key gets no second one by the way to the first. The page tells them what it tells who is wrong.
func TestOneFirstKey(t *testing.T) {
	t.Parallel()
	s := enrolled(t)
	s.skip(t, day) // which forgives the slip on the way to that key
	v, err := s.begin(t.Context(), firstKey, s.lucia)
	if err != nil {
		t.Fatal(err)
	}
	err = s.submit(t.Context(), v, given(t, v.Next, s.lucia.mind))
	if refused, ok := errors.AsType[*lockout.RefusedError](err); !ok || refused.Left != 2 {
		t.Errorf("%v", err)
	}
	s.want(t, s.lucia, civicpin.Low)
}

// TestThreeMisses: the third miss locks, over all visits together, and neither time nor a right answer ends that, nor anybody
// but an agency.
func TestThreeMisses(t *testing.T) {
	t.Parallel()
	s := enrolled(t)
	ctx := t.Context()
	mind := s.lucia.mind
	slip, other, birth := mind, mind.wrong(), mind
	slip.image, birth.birthday = "llama", "14/4"
	for i, wrong := range []memory{slip, other, birth} {
		v, err := s.begin(ctx, forgotten, s.lucia)
		if err != nil {
			t.Fatal(err)
		}
		err = s.submit(ctx, v, given(t, v.Next, wrong))
		refused, ok := errors.AsType[*lockout.RefusedError](err)
		if i < 2 && (!ok || refused.Left != 2-i) {
			t.Errorf("miss %d: %v", i+1, err)
		}
		if i == 2 {
			locks(t, err)
		}
	}
	right := func() error {
		v, err := s.begin(ctx, forgotten, s.lucia)
		if err != nil {
			t.Fatal(err)
		}
		return s.submit(ctx, v, given(t, v.Next, mind))
	}
	locks(t, right())
	s.skip(t, 365*day)
	locks(t, right())
	s.want(t, s.lucia, civicpin.Low) // her key is another matter
	for _, by := range []recovery.Operator{
		operator, checker, {ID: civicpin.Citizen, Role: "agency"}, {ID: clerk.ID, Role: "director"}, {},
	} {
		if err := s.rec.Unlock(ctx, forgotten, s.lucia.subject, civicpin.Evidence{}, by); err == nil {
			t.Errorf("unlocked by %+v", by)
		}
	}
	locks(t, right())
	if err := s.rec.Unlock(ctx, forgotten, s.lucia.subject, civicpin.Evidence{}, clerk); err != nil {
		t.Fatal(err)
	}
	if err := right(); err != nil {
		t.Error(err)
	}
}

// TestOfficeHours: calls are taken from eight to five in Ecuador, every day of the week.
func TestOfficeHours(t *testing.T) {
	t.Parallel()
	s := enrolled(t)
	monday := time.Date(2026, 3, 16, 0, 0, 0, 0, s.Location)
	for i, c := range []struct {
		at    time.Duration
		opens time.Duration // zero if it is open
	}{
		{7*time.Hour + 59*time.Minute + 59*time.Second, 8 * time.Hour},
		{8 * time.Hour, 0},
		{16*time.Hour + 59*time.Minute + 59*time.Second, 0},
		{17 * time.Hour, 32 * time.Hour},
		{19 * time.Hour, 32 * time.Hour},
		{24 * time.Hour, 32 * time.Hour},
		{6*day + 10*time.Hour, 0}, // a Sunday
		{6*day + 23*time.Hour, 7*day + 8*time.Hour},
	} {
		s.skip(t, monday.Add(c.at).Sub(s.Clock.Now()))
		run, err := s.rec.StartBy(t.Context(), byVideo, s.lucia.subject, operator)
		if c.opens == 0 {
			if err != nil || !run.Ticket.IsZero() || run.Next.Approval != "video" {
				t.Errorf("%d: %+v, %v", i, run, err)
			}
			continue
		}
		closed, ok := errors.AsType[*recovery.OperatorError](err)
		if !ok || closed.Reason != recovery.Closed || !closed.Until.Equal(monday.Add(c.opens)) {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// TestFourQuestions: the operator asks all four, three right ones are not enough, and the third miss locks. No member of staff
// gets a ticket.
func TestFourQuestions(t *testing.T) {
	t.Parallel()
	s := enrolled(t)
	ctx := t.Context()
	if _, err := s.guessAll(ctx, s.lucia.subject, guess); err != nil {
		t.Fatal(err)
	}
	run, err := s.rec.StartBy(ctx, byVideo, s.lucia.subject, operator)
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.rec.ShowCase(ctx, run.ID, operator)
	if err != nil || len(c.Questions) != 4 || c.Role != "video" || c.Subject != s.lucia.subject || !c.Ticket.IsZero() {
		t.Fatalf("%+v, %v", c, err)
	}
	said := func(wrong int) recovery.Verdict {
		v := recovery.Verdict{Approve: true, Questions: make(map[string]civicpin.Secret)}
		for i, q := range c.Questions {
			v.Questions[q] = civicpin.NewSecret(s.lucia.mind.questions[q])
			if i == wrong {
				v.Questions[q] = civicpin.NewSecret("I do not know")
			}
		}
		return v
	}
	for _, by := range []recovery.Operator{clerk, checker, {ID: operator.ID, Role: "agency"}} {
		if _, err := s.rec.Decide(ctx, run.ID, by, said(-1)); !errors.Is(err, recovery.ErrNotAllowed) {
			t.Errorf("by %+v: %v", by, err)
		}
	}
	three := said(-1)
	delete(three.Questions, c.Questions[2])
	if _, err := s.rec.Decide(ctx, run.ID, operator, three); !errors.Is(err, recovery.ErrWrongStep) {
		t.Errorf("three answers: %v", err)
	}
	for i := range 2 {
		_, err := s.rec.Decide(ctx, run.ID, operator, said(i))
		if refused, ok := errors.AsType[*lockout.RefusedError](err); !ok || refused.Left != 2-i {
			t.Errorf("%v", err)
		}
	}
	_, err = s.pins.Verify(ctx, s.lucia.attempt(s.lucia.password))
	locks(t, err)
	if run, err = s.rec.Decide(ctx, run.ID, operator, said(-1)); err != nil || !run.Done || !run.Ticket.IsZero() {
		t.Errorf("%+v, %v", run, err)
	}
	s.want(t, s.lucia, civicpin.Low)

	if run, err = s.rec.StartBy(ctx, byVideo, s.lucia.subject, operator); err != nil {
		t.Fatal(err)
	}
	if c, err = s.rec.ShowCase(ctx, run.ID, operator); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		_, err = s.rec.Decide(ctx, run.ID, operator, said(i))
	}
	locks(t, err)
	_, err = s.rec.Decide(ctx, run.ID, operator, said(-1))
	locks(t, err)
}

// TestDocuments: what the desk cannot use is refused before anybody of the staff sees it, and the page stays where it is.
func TestDocuments(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Act(t, s.desk)
	ctx := t.Context()
	files, err := telephone()
	if err != nil {
		t.Fatal(err)
	}
	files["virus.pdf"] = append([]byte("%PDF-1.7\n"), "EICAR-STANDARD-ANTIVIRUS-TEST-FILE"...)
	files["just.pdf"] = files["scan.pdf"][:1<<20]
	files["over.pdf"] = files["scan.pdf"][:1<<20+1]
	files["empty.jpg"] = nil
	v := s.visitTo(t, byDesk, s.diego)
	send := func(front, back, face string) error {
		return s.submit(ctx, v, recovery.Answers{Documents: map[string]string{
			"card-front": s.files.Add(v.subject, files[front]), "card-back": s.files.Add(v.subject, files[back]),
			"face": s.files.Add(v.subject, files[face]),
		}})
	}
	for _, c := range [][3]string{
		{"over.pdf", "back.jpg", "face.jpg"},
		{"front.jpg", "scan.pdf", "face.jpg"},
		{"front.jpg", "back.jpg", "notes.txt"},
		{"front.jpg", "back.jpg", "virus.pdf"},
		{"empty.jpg", "back.jpg", "face.jpg"},
	} {
		if err := send(c[0], c[1], c[2]); !errors.Is(err, civicpin.ErrInvalid) {
			t.Errorf("%q: %v", c, err)
		}
	}
	foreign := s.files.Add(s.lucia.subject, files["front.jpg"])
	own := s.files.Add(v.subject, files["front.jpg"])
	for _, docs := range []map[string]string{
		{"card-front": foreign, "card-back": own, "face": own},
		{"card-front": own, "card-back": own},
		{"card-front": own, "card-back": own, "face": ""},
		{"card-front": own, "card-back": own, "face": own, "passport": own},
	} {
		err := s.submit(ctx, v, recovery.Answers{Documents: docs})
		if !errors.Is(err, civicpin.ErrInvalid) && !errors.Is(err, recovery.ErrWrongStep) {
			t.Errorf("%v: %v", docs, err)
		}
	}
	if run, err := s.rec.Show(ctx, v.ticket); err != nil || len(run.Next.Documents) != 3 {
		t.Errorf("%+v, %v", run, err)
	}
	if err := send("front.jpg", "just.pdf", "face.jpg"); err != nil || v.Next.Approval != "desk" {
		t.Fatalf("%+v, %v", v.Next, err)
	}
	if _, err := s.rec.Finish(ctx, v.ticket, v.source); !errors.Is(err, recovery.ErrWrongStep) {
		t.Errorf("nobody looked at it: %v", err)
	}
	if _, err := s.rec.Decide(ctx, v.ID, checker, recovery.Verdict{Reason: "another face"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.rec.Decide(ctx, v.ID, colleague, recovery.Verdict{Approve: true}); !errors.Is(err, recovery.ErrGone) {
		t.Errorf("approved after it was turned down: %v", err)
	}
}

// TestStrangers: what the pages show for a cédula that is nobody's is of the same shape as for Lucía's, and the same each
// time; and the misses count down alike.
func TestStrangers(t *testing.T) {
	t.Parallel()
	s := enrolled(t)
	ctx := t.Context()
	nobody := &citizen{subject: civicpin.Subject(s.people.nobody()), source: stranger, mind: s.lucia.mind}
	before, err := s.posted()
	if err != nil {
		t.Fatal(err)
	}
	shown, err := s.doors(ctx, nobody)
	if err != nil {
		t.Fatal(err)
	}
	s.skip(t, 100*day)
	if again, err := s.doors(ctx, nobody); err != nil || again != shown {
		t.Errorf("%q, and then %q, %v", shown, again, err)
	}
	if theirs, err := s.doors(ctx, s.lucia); err != nil || theirs == shown {
		t.Errorf("%q, %v", theirs, err)
	}
	after, err := s.posted()
	if err != nil || after != before+1 { // Lucía's own unlock link
		t.Errorf("%d messages, %v", after-before, err)
	}
	said := make(map[civicpin.Subject]string)
	for _, c := range []*citizen{s.lucia, nobody} {
		for range 4 {
			v, err := s.begin(ctx, forgotten, c)
			if err != nil {
				t.Fatal(err)
			}
			if len(v.Next.Images) != len(images) || len(v.Next.Questions) != 1 || len(v.Next.Facts) != 2 {
				t.Errorf("%s is asked %+v", c.subject, v.Next)
			}
			err = s.submit(ctx, v, given(t, v.Next, s.lucia.mind.wrong()))
			said[c.subject] += fmt.Sprintf("%s ", s.Explain(err))
		}
		v, err := s.begin(ctx, byLink, c)
		if err != nil || v.Next.Sent == nil || v.Next.Sent.Masked == "" || !v.Next.Sent.Link {
			t.Errorf("%s is shown %+v, %v", c.subject, v.Next.Sent, err)
		}
	}
	if said[s.lucia.subject] != said[nobody.subject] {
		t.Errorf("%q", said)
	}
}

// TestPlans: the numbers that the story tells are those of the plans, and an exception is named where a guess is likelier than
// the library would have it, and only there.
func TestPlans(t *testing.T) {
	if p := agency.IESS(); p.Lockout.Limit != 5 || p.Lockout.Lock != lockout.UntilUnlocked || p.Lockout.Devices != 3 ||
		p.Chosen.Min != 15 || p.Exceptions != nil {
		t.Errorf("%+v", p)
	}
	for _, p := range agency.IESSPlans() {
		usual, corrected := p.GuessProbability(len(images))
		if likely := max(usual, corrected) > lockout.Budget; likely != (p.Exceptions != nil) {
			t.Errorf("%s: %g, %g, exceptions %q", p.Name, usual, corrected, p.Exceptions)
		}
		if p.Limit.Limit != 3 || p.Limit.Lock != lockout.UntilUnlocked || p.Creates != (p.Name == firstKey) {
			t.Errorf("%+v", p)
		}
	}
}
