package recovery_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// reason is why staff may not.
func reason(t *testing.T, err error) recovery.OperatorReason {
	t.Helper()
	require.ErrorIs(t, err, recovery.ErrNotAllowed)
	refused, ok := errors.AsType[*recovery.OperatorError](err)
	require.True(t, ok, err)
	return refused.Reason
}

func TestVideoOperatorUnlocks(t *testing.T) {
	k := newKit(t)
	k.lock(t)
	run, err := k.StartBy(t.Context(), "video", ana, video)
	require.NoError(t, err)
	require.True(t, run.Ticket.IsZero(), "staff get no ticket")
	require.Equal(t, "video", run.Next.Approval)
	c, err := k.ShowCase(t.Context(), run.ID, video)
	require.NoError(t, err)
	require.Equal(t, ana, c.Subject)
	require.Equal(t, "video", c.Role)
	require.Len(t, c.Questions, 4)

	_, err = k.Decide(t.Context(), run.ID, video, recovery.Verdict{Approve: true, Questions: answered(c.Questions, false)})
	require.ErrorIs(t, err, recovery.ErrRefused)
	_, err = k.login(t, anaSecret)
	require.Error(t, err, "still locked")
	run, err = k.Decide(t.Context(), run.ID, video, recovery.Verdict{Approve: true, Questions: answered(c.Questions, true)})
	require.NoError(t, err)
	require.True(t, run.Done)
	ok, err := k.login(t, anaSecret)
	require.NoError(t, err)
	require.Equal(t, civicpin.Substantial, ok.Level)
	_, err = k.Decide(t.Context(), run.ID, video, recovery.Verdict{Approve: true, Questions: answered(c.Questions, true)})
	require.ErrorIs(t, err, recovery.ErrGone, "once")
}

func TestOfficeHours(t *testing.T) {
	k := newKit(t)
	guayaquil, err := time.LoadLocation("America/Guayaquil")
	require.NoError(t, err)
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 3, day, hour, minute, 0, 0, guayaquil) }
	for _, tt := range []struct {
		now, opens time.Time
	}{
		{at(2, 8, 0), time.Time{}},
		{at(2, 16, 59), time.Time{}},
		{at(2, 7, 59), at(2, 8, 0)},
		{at(2, 17, 0), at(3, 8, 0)},
		{at(2, 23, 59), at(3, 8, 0)},
		{at(8, 12, 0), time.Time{}}, // a Sunday: every day of the week
	} {
		k.clock.Set(tt.now)
		_, err := k.StartBy(t.Context(), "video", ana, video)
		if tt.opens.IsZero() {
			require.NoError(t, err, tt.now)
			continue
		}
		require.Equal(t, recovery.Closed, reason(t, err), tt.now)
		closed, _ := errors.AsType[*recovery.OperatorError](err)
		require.True(t, tt.opens.Equal(closed.Until), "%v: %v", tt.now, closed.Until)
	}
}

func TestOfficeDays(t *testing.T) {
	k := newBareKit(t)
	k.config.Roles["video"] = recovery.Role{
		From: 8 * time.Hour, To: 17 * time.Hour, Days: []time.Weekday{time.Monday, time.Friday}, Zone: "Europe/Madrid",
	}
	rec, err := recovery.New(k.out, k.config)
	require.NoError(t, err)
	madrid, err := time.LoadLocation("Europe/Madrid")
	require.NoError(t, err)
	k.clock.Set(time.Date(2026, 3, 27, 17, 0, 0, 0, madrid)) // a Friday; clocks go forward on Sunday
	_, err = rec.StartBy(t.Context(), "video", ana, video)
	closed, _ := errors.AsType[*recovery.OperatorError](err)
	require.True(t, time.Date(2026, 3, 30, 8, 0, 0, 0, madrid).Equal(closed.Until), closed.Until)
	k.clock.Set(closed.Until)
	_, err = rec.StartBy(t.Context(), "video", ana, video)
	require.NoError(t, err)
}

func TestStaffThatMayNot(t *testing.T) {
	k := newKit(t)
	run, err := k.StartBy(t.Context(), "video", ana, video)
	require.NoError(t, err)
	right := recovery.Verdict{Approve: true, Questions: answered(run.Next.Questions, true)}
	c, err := k.ShowCase(t.Context(), run.ID, video)
	require.NoError(t, err)
	right.Questions = answered(c.Questions, true)

	_, err = k.Decide(t.Context(), run.ID, agency, right)
	require.Equal(t, recovery.WrongRole, reason(t, err), "another role's step")
	_, err = k.StartBy(t.Context(), "video", ana, agency)
	require.Equal(t, recovery.WrongRole, reason(t, err))
	_, err = k.Decide(t.Context(), run.ID, recovery.Operator{ID: civicpin.Operator("x"), Role: "nothing"}, right)
	require.Equal(t, recovery.WrongRole, reason(t, err))
	_, err = k.Decide(t.Context(), run.ID, recovery.Operator{ID: civicpin.Citizen, Role: "video"}, right)
	require.ErrorIs(t, err, civicpin.ErrInvalid, "a citizen is no staff")
	for _, id := range []civicpin.Actor{"", civicpin.Citizen, civicpin.Visitor, civicpin.Operator(""), "clerk"} {
		_, err = k.StartBy(t.Context(), "video", ana, recovery.Operator{ID: id, Role: "video"})
		require.ErrorIs(t, err, civicpin.ErrInvalid, id)
		_, err = k.ShowCase(t.Context(), run.ID, recovery.Operator{ID: id, Role: "video"})
		require.ErrorIs(t, err, civicpin.ErrInvalid, id)
		err = k.Unlock(t.Context(), "video", ana, civicpin.Evidence{}, recovery.Operator{ID: id, Role: "agency"})
		require.ErrorIs(t, err, civicpin.ErrInvalid, id)
	}
	_, err = k.StartBy(t.Context(), "video", ana, recovery.Operator{ID: video.ID, Role: "nothing"})
	require.Equal(t, recovery.WrongRole, reason(t, err), "no such role")
	_, err = k.Decide(t.Context(), run.ID, recovery.Operator{Role: "video"}, right)
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	_, err = k.StartBy(t.Context(), "clave", ana, agency)
	require.ErrorIs(t, err, recovery.ErrWrongStep, "a plan for visitors")
	_, err = k.StartBy(t.Context(), "nothing", ana, agency)
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	_, err = k.Decide(t.Context(), "nothing", video, right)
	require.ErrorIs(t, err, recovery.ErrGone)
	for _, v := range []recovery.Verdict{
		{Approve: true},
		{Approve: true, Questions: answered(c.Questions[:3], true)},
		{Approve: true, Questions: secrets(map[string]string{"a": "", "b": "", "c": "", "d": ""})},
	} {
		_, err = k.Decide(t.Context(), run.ID, video, v)
		require.ErrorIs(t, err, recovery.ErrWrongStep)
	}
	k.clock.Add(9 * time.Hour) // nineteen hours
	_, err = k.Decide(t.Context(), run.ID, video, right)
	require.Error(t, err)
	_, err = k.StartBy(t.Context(), "video", ana, video)
	require.Equal(t, recovery.Closed, reason(t, err))
}

func TestStaffActsAreLimited(t *testing.T) {
	k := newKit(t)
	acts := 0
	for range 100 {
		if _, err := k.StartBy(t.Context(), "video", ana, video); err != nil {
			require.Equal(t, recovery.OverLimit, reason(t, err))
			break
		}
		acts++
	}
	require.Equal(t, 60, acts)
	_, err := k.StartBy(t.Context(), "video", ana, recovery.Operator{ID: civicpin.Operator("video.4"), Role: "video"})
	require.NoError(t, err, "each has a limit of their own")
	k.clock.Add(time.Hour)
	_, err = k.StartBy(t.Context(), "video", ana, video)
	require.NoError(t, err)
}

// called begins a recovery of Ana's in a video call, and returns it with the questions that the operator is to ask.
func called(t *testing.T, s *recovery.Service) (recovery.Run, recovery.Case) {
	t.Helper()
	run, err := s.StartBy(t.Context(), "video", ana, video)
	require.NoError(t, err)
	c, err := s.ShowCase(t.Context(), run.ID, video)
	require.NoError(t, err)
	return run, c
}

// Wrong answers to staff count like any, and lock; then only an agency unlocks.
func TestAgencyUnlocksThePlan(t *testing.T) {
	k := newKit(t)
	run, c := called(t, k.Service)
	for range 3 {
		_, err := k.Decide(t.Context(), run.ID, video, recovery.Verdict{Approve: true, Questions: answered(c.Questions, false)})
		require.Error(t, err)
	}
	right := recovery.Verdict{Approve: true, Questions: answered(c.Questions, true)}
	_, err := k.Decide(t.Context(), run.ID, video, right)
	require.NotNil(t, lockOf(err))

	require.Equal(t, recovery.WrongRole, reason(t, k.Unlock(t.Context(), "video", ana, civicpin.Evidence{}, video)))
	require.Equal(t, recovery.WrongRole, reason(t, k.Unlock(t.Context(), "video", ana, civicpin.Evidence{}, recovery.Operator{ID: agency.ID})))
	require.ErrorIs(t, k.Unlock(t.Context(), "nothing", ana, civicpin.Evidence{}, agency), civicpin.ErrInvalid)
	require.NoError(t, k.Unlock(t.Context(), "video", ana, civicpin.Evidence{}, agency))
	_, err = k.Decide(t.Context(), run.ID, video, right)
	require.NoError(t, err)
}

// At the ceiling an unlock is not enough: the person has to be seen.
func TestAgencyRebinds(t *testing.T) {
	k := newKit(t)
	k.config.Roles["video"] = recovery.Role{PerHour: 1000}
	k.config.Roles["agency"] = recovery.Role{PerHour: 1000, Unlocks: true}
	rec, err := recovery.New(k.out, k.config)
	require.NoError(t, err)
	run, c := called(t, rec)
	compared := 0
	for {
		_, err = rec.Decide(t.Context(), run.ID, video, recovery.Verdict{Approve: true, Questions: answered(c.Questions, false)})
		compared++
		locked := lockOf(err)
		if locked != nil && locked.Disabled {
			break
		}
		require.Less(t, compared, 200)
		if locked != nil {
			require.NoError(t, rec.Unlock(t.Context(), "video", ana, civicpin.Evidence{}, agency))
		}
	}
	require.Equal(t, 100, compared)
	require.Error(t, rec.Unlock(t.Context(), "video", ana, civicpin.Evidence{}, agency))
	require.ErrorIs(t, rec.Unlock(t.Context(), "video", ana, civicpin.Evidence{Method: civicpin.InPerson}, agency), civicpin.ErrInvalid)
	seen := civicpin.Evidence{Method: civicpin.InPerson, Document: "cédula", By: agency.ID}
	require.NoError(t, rec.Unlock(t.Context(), "video", ana, seen, agency))
	_, err = rec.Decide(t.Context(), run.ID, video, recovery.Verdict{Approve: true, Questions: answered(c.Questions, true)})
	require.NoError(t, err)
}

func TestStaffTurnDown(t *testing.T) {
	k := newKit(t)
	run, c := called(t, k.Service)
	_, err := k.Decide(t.Context(), run.ID, video, recovery.Verdict{Reason: "not the face on the card"})
	require.NoError(t, err)
	_, err = k.Decide(t.Context(), run.ID, video, recovery.Verdict{Approve: true, Questions: answered(c.Questions, true)})
	require.ErrorIs(t, err, recovery.ErrGone)
}

// Where a step of staff asks questions and wants a second one, the first approval compares the answers and leaves the run.
func TestQuestionsBeforeASecond(t *testing.T) {
	k := newKit(t)
	k.lock(t)
	limit := threeTries()
	limit.ShowLeft = true
	k.config.Plans = []plan.Plan{{
		Name: "both", Steps: []plan.Step{plan.Approval{Role: "agency", Questions: 4, Second: true}},
		Limit: limit, Outcome: plan.Unlocked,
	}}
	rec, err := recovery.New(k.out, k.config)
	require.NoError(t, err)
	run, err := rec.StartBy(t.Context(), "both", ana, agency)
	require.NoError(t, err)
	c, err := rec.ShowCase(t.Context(), run.ID, agency)
	require.NoError(t, err)
	wrong := recovery.Verdict{Approve: true, Questions: answered(c.Questions, false)}
	right := recovery.Verdict{Approve: true, Questions: answered(c.Questions, true)}
	_, err = rec.Decide(t.Context(), run.ID, agency, wrong)
	refused, ok := errors.AsType[*lockout.RefusedError](err)
	require.True(t, ok, err)
	require.Equal(t, 2, refused.Left, "it counts")
	run, err = rec.Decide(t.Context(), run.ID, agency, right)
	require.NoError(t, err)
	require.False(t, run.Done)
	_, err = rec.Decide(t.Context(), run.ID, agency, right)
	require.Equal(t, recovery.SamePerson, reason(t, err))
	_, err = k.login(t, anaSecret)
	require.Error(t, err, "one is not enough")
	_, err = rec.Decide(t.Context(), run.ID, other, wrong)
	require.ErrorIs(t, err, recovery.ErrRefused, "the second one's answers are compared, too")
	run, err = rec.Decide(t.Context(), run.ID, other, right)
	require.NoError(t, err)
	require.True(t, run.Done)
	_, err = k.login(t, anaSecret)
	require.NoError(t, err)
}

// Events before a proof are by a visitor, or by the operator who acts: an insider who guesses answers is named.
func TestEventsBeforeAProof(t *testing.T) {
	k := newKit(t)
	k.lock(t)
	k.events.Take()
	_, err := k.Start(t.Context(), "clave", "NOBODY-1", home)
	require.NoError(t, err)
	run, c := called(t, k.Service)
	_, err = k.Decide(t.Context(), run.ID, video, recovery.Verdict{Approve: true, Questions: answered(c.Questions, false)})
	require.ErrorIs(t, err, recovery.ErrRefused)
	_, err = k.Decide(t.Context(), run.ID, video, recovery.Verdict{})
	require.NoError(t, err)
	var got []string
	for _, e := range k.events.Take() {
		got = append(got, string(e.Code)+" by "+string(e.By)+": "+e.Reason)
	}
	require.Equal(t, []string{
		"recovery.started by visitor: ", "recovery.started by operator:video.3: ", "recovery.shown by operator:video.3: ",
		"recovery.refused by operator:video.3: wrong", "recovery.decided by operator:video.3: turned down", "recovery.cancelled by operator:video.3: turned down",
	}, got)
}

// The event of a factor says whether it refused, or could not look.
func TestFactorReasons(t *testing.T) {
	k := newKit(t)
	run, err := k.Start(t.Context(), "factor", ana, home)
	require.NoError(t, err)
	for why, err := range map[string]error{
		"factor": recovery.ErrRefused, "busy": lockout.ErrInFlight, "not checked": errors.New("database down"),
	} {
		k.app = func(civicpin.Subject, civicpin.Secret) error { return err }
		k.events.Take()
		_, came := k.Answer(t.Context(), run.Ticket, recovery.Answers{Factor: civicpin.NewSecret("1")})
		require.ErrorIs(t, came, err)
		all := k.events.Take()
		require.Len(t, all, 1)
		require.Equal(t, why, all[0].Reason)
	}
}

// A factor that is right passes no run that leads nowhere: the caller's app knows nothing of a suspension.
func TestFactorOfARunThatLeadsNowhere(t *testing.T) {
	k := newKit(t)
	require.NoError(t, k.pins.Suspend(t.Context(), ana, "", agency.ID))
	k.app = func(civicpin.Subject, civicpin.Secret) error { return nil }
	for _, subject := range []civicpin.Subject{ana, stranger} {
		run, err := k.Start(t.Context(), "factor", subject, home)
		require.NoError(t, err)
		k.events.Take()
		_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Factor: civicpin.NewSecret("1")})
		require.ErrorIs(t, err, recovery.ErrRefused)
		all := k.events.Take()
		require.Len(t, all, 1)
		require.Equal(t, "unknown", all[0].Reason)
	}
}

// files is the agency's register and its store of documents. It checks that what it is asked for is printable, and knows nothing.
type files struct{ t *testing.T }

func (f files) Check(_ context.Context, _ civicpin.Subject, facts map[string]string) (bool, error) {
	require.Equal(f.t, "ab", facts["birth-day"])
	return false, nil
}

var errNoFile = errors.New("no such file")

func (f files) Describe(_ context.Context, _ civicpin.Subject, ref string) (recovery.Document, error) {
	require.Equal(f.t, "ab", ref)
	return recovery.Document{}, errNoFile
}

// upTo begins a recovery of Ana's and answers what comes first.
func (k *kit) upTo(t *testing.T, name string, first recovery.Answers) civicpin.Secret {
	t.Helper()
	run, err := k.Start(t.Context(), name, ana, home)
	require.NoError(t, err)
	if first.Captcha {
		_, err = k.Answer(t.Context(), run.Ticket, first)
		require.NoError(t, err)
	}
	return run.Ticket
}

func TestUnprintableTexts(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	k := newKitOn(t, faults.Store(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.enrolAna(t)
	k.config.Register, k.config.Documents = files{t}, files{t}
	rec, err := recovery.New(k.out, k.config)
	require.NoError(t, err)
	k.Service = rec
	ctx := t.Context()

	// Facts are asked together with an image and a question.
	facts := k.upTo(t, "clave", recovery.Answers{Captcha: true})
	asked, err := k.Show(ctx, facts)
	require.NoError(t, err)
	uploads := k.upTo(t, "desk", recovery.Answers{Captcha: true})
	named := k.upTo(t, "parts", recovery.Answers{})
	call, err := k.StartBy(ctx, "video", ana, video)
	require.NoError(t, err)
	c, err := k.ShowCase(ctx, call.ID, video)
	require.NoError(t, err)
	k.upTo(t, "two", recovery.Answers{Captcha: true})
	m, err := k.mailed(ctx, 0, anaMail, "recovery.link")
	require.NoError(t, err)
	link := m.Link
	of := func(id, role string) recovery.Operator {
		return recovery.Operator{ID: civicpin.Operator(id), Role: role}
	}
	person := func(text string) civicpin.Subject { return civicpin.Subject(text) }
	from := func(address string) civicpin.Source { return civicpin.Source{Address: address} }
	contact := func(text string) civicpin.Contact {
		return civicpin.Contact{Channel: civicpin.Email, Address: text + "@correo.example"}
	}
	testkit.Refuses(t, faults, map[string]func(string) error{
		"Start, subject":     func(s string) error { return testkit.Err(k.Start(ctx, "clave", person(s), home)) },
		"StartBy, subject":   func(s string) error { return testkit.Err(k.StartBy(ctx, "video", person(s), video)) },
		"StartBy, operator":  func(s string) error { return testkit.Err(k.StartBy(ctx, "video", ana, of(s, "video"))) },
		"ShowCase, operator": func(s string) error { return testkit.Err(k.ShowCase(ctx, call.ID, of(s, "video"))) },
		"Decide, operator": func(s string) error {
			wrong := recovery.Verdict{Approve: true, Questions: answered(c.Questions, false)}
			return testkit.Err(k.Decide(ctx, call.ID, of(s, "video"), wrong))
		},
		"Decide, reason": func(s string) error {
			return testkit.Err(k.Decide(ctx, call.ID, video, recovery.Verdict{Approve: true, Reason: s}))
		},
		"Unlock, subject": func(s string) error { return k.Unlock(ctx, "video", person(s), civicpin.Evidence{}, agency) },
		"Unlock, document": func(s string) error {
			return k.Unlock(ctx, "video", ana, civicpin.Evidence{Method: civicpin.InPerson, Document: s, By: agency.ID}, agency)
		},
		"Unlock, operator": func(s string) error { return k.Unlock(ctx, "video", ana, civicpin.Evidence{}, of(s, "agency")) },
		"Enrolled, subject": func(s string) error {
			_, _, err := k.Enrolled(ctx, person(s))
			return err
		},
		"EnrolAnswers, subject": func(s string) error {
			return k.EnrolAnswers(ctx, person(s), anaImage, secrets(anaAnswers), home)
		},
		"Start, source":     func(s string) error { return testkit.Err(k.Start(ctx, "clave", ana, from(s))) },
		"Answer, source":    func(s string) error { return testkit.Err(k.Answer(ctx, named, recovery.Answers{Source: from(s)})) },
		"Send, source":      func(s string) error { return testkit.Err(k.Send(ctx, uploads, from(s))) },
		"Redeem, source":    func(s string) error { return testkit.Err(k.Redeem(ctx, link, from(s))) },
		"Finish, source":    func(s string) error { return testkit.Err(k.Finish(ctx, uploads, from(s))) },
		"Repudiate, source": func(s string) error { return k.Repudiate(ctx, civicpin.Secret{}, from(s)) },
		"Decide, source": func(s string) error {
			return testkit.Err(k.Decide(ctx, call.ID, video, recovery.Verdict{Approve: true, Source: from(s)}))
		},
		"EnrolAnswers, source": func(s string) error {
			return k.EnrolAnswers(ctx, ana, anaImage, secrets(anaAnswers), from(s))
		},
		"Answer, fact": func(s string) error {
			a := recovery.Answers{
				Facts: map[string]string{"birth-day": s, "birth-month": "3"}, Image: asked.Next.Images[0],
				Questions: answered(asked.Next.Questions, true),
			}
			return testkit.Err(k.Answer(ctx, facts, a))
		},
		"Answer, document": func(s string) error {
			return testkit.Err(k.Answer(ctx, uploads, recovery.Answers{Documents: map[string]string{"front": s, "back": "b", "face": "c"}}))
		},
		"Answer, contact": func(s string) error {
			given := []civicpin.Contact{contact(s), {Channel: civicpin.SMS, Address: anaPhone}}
			return testkit.Err(k.Answer(ctx, named, recovery.Answers{Contacts: given}))
		},
	})
}

// A text that is too long is refused as one that is not printable, and no try is spent.
func TestOverlongTexts(t *testing.T) {
	k := newKit(t)
	long := strings.Repeat("x", 256)
	ticket := k.upTo(t, "clave", recovery.Answers{Captcha: true})
	asked, err := k.Show(t.Context(), ticket)
	require.NoError(t, err)
	a := recovery.Answers{
		Facts: map[string]string{"birth-day": long + "x", "birth-month": "3"}, Image: asked.Next.Images[0],
		Questions: answered(asked.Next.Questions, true),
	}
	for range 5 {
		_, err = k.Answer(t.Context(), ticket, a)
		require.ErrorIs(t, err, civicpin.ErrInvalid)
	}
	a.Facts["birth-day"] = long
	_, err = k.Answer(t.Context(), ticket, a)
	require.ErrorIs(t, err, recovery.ErrRefused)

	call, err := k.StartBy(t.Context(), "video", ana, video)
	require.NoError(t, err)
	_, err = k.Decide(t.Context(), call.ID, video, recovery.Verdict{Reason: long + "x"})
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	_, err = k.Decide(t.Context(), call.ID, video, recovery.Verdict{Reason: long})
	require.NoError(t, err)
}

// spellings are one operator's id.
var spellings = []string{"Muñoz.1", "MUÑOZ.1", "mun\u0303oz.1"}

func TestSecondApprovalByAnotherSpelling(t *testing.T) {
	for _, first := range spellings {
		k := newKit(t)
		k.lock(t)
		k.config.Plans = []plan.Plan{{
			Name: "both", Steps: []plan.Step{plan.Approval{Role: "agency", Second: true}}, Limit: threeTries(), Outcome: plan.Unlocked,
		}}
		rec, err := recovery.New(k.out, k.config)
		require.NoError(t, err)
		decide := func(run recovery.Run, id string) (recovery.Run, error) {
			by := recovery.Operator{ID: civicpin.Operator(id), Role: "agency"}
			return rec.Decide(t.Context(), run.ID, by, recovery.Verdict{Approve: true})
		}
		run, err := rec.StartBy(t.Context(), "both", ana, agency)
		require.NoError(t, err)
		_, err = decide(run, first)
		require.NoError(t, err)
		for _, again := range spellings {
			_, err = decide(run, again)
			require.Equal(t, recovery.SamePerson, reason(t, err), "%s after %s", again, first)
		}
		c, err := rec.ShowCase(t.Context(), run.ID, agency)
		require.NoError(t, err)
		require.Equal(t, []civicpin.Actor{civicpin.Operator(first)}, c.Approved, "as the caller gave it")
		run, err = decide(run, "munoz.1")
		require.NoError(t, err)
		require.True(t, run.Done, "another person")
	}
}

func TestActsOfOneOperatorInThreeSpellings(t *testing.T) {
	k := newKit(t)
	k.config.Roles["video"] = recovery.Role{PerHour: len(spellings)}
	rec, err := recovery.New(k.out, k.config)
	require.NoError(t, err)
	start := func(id string) error {
		return testkit.Err(rec.StartBy(t.Context(), "video", ana, recovery.Operator{ID: civicpin.Operator(id), Role: "video"}))
	}
	for _, id := range spellings {
		require.NoError(t, start(id))
	}
	for _, id := range spellings {
		require.Equal(t, recovery.OverLimit, reason(t, start(id)))
	}
	require.NoError(t, start("munoz.1"), "another person")
}

// accepted is a plan that names what it breaks under a configuration.
func accepted(c recovery.Config, p plan.Plan) plan.Plan {
	p.Exceptions = testkit.Except(p.Breaks(plan.Facilities{Images: len(c.Images)}))
	return p
}

// with returns the kit's service with other plans, and with roles that are open at any time.
func (k *kit) with(t *testing.T, plans ...plan.Plan) *recovery.Service {
	t.Helper()
	k.config.Plans = plans
	for i := range plans {
		plans[i].Limit = threeTries()
		plans[i] = accepted(k.config, plans[i])
	}
	k.config.Roles = map[string]recovery.Role{"video": {}, "agency": {Unlocks: true}}
	rec, err := recovery.New(k.out, k.config)
	require.NoError(t, err)
	return rec
}

// rested has the contacts hear of a rest of 72 hours, and lets it end.
func (k *kit) rested(t *testing.T) {
	t.Helper()
	require.NoError(t, k.out.Flush(t.Context()))
	k.clock.Add(72*time.Hour + plan.NoticeTime)
}

var approved = recovery.Verdict{Approve: true}

// One person who has two roles does not pass two steps: the approvals of a run are by as many operators, over all its steps.
func TestOnePersonApprovesOnce(t *testing.T) {
	for _, between := range [][]plan.Step{nil, {plan.Wait{For: 72 * time.Hour}}} {
		k := newKit(t)
		steps := slices.Concat([]plan.Step{plan.Approval{Role: "agency"}}, between, []plan.Step{plan.Approval{Role: "video"}})
		rec := k.with(t, plan.Plan{Name: "both", Steps: steps, Outcome: plan.Unlocked})
		run, err := rec.StartBy(t.Context(), "both", ana, recovery.Operator{ID: civicpin.Operator(spellings[0]), Role: "agency"})
		require.NoError(t, err)
		_, err = rec.Decide(t.Context(), run.ID, recovery.Operator{ID: civicpin.Operator(spellings[0]), Role: "agency"}, approved)
		require.NoError(t, err)
		if between != nil {
			k.rested(t)
			_, err = rec.Decide(t.Context(), run.ID, video, approved)
			require.NoError(t, err, "to go on is no approval")
		}
		for _, id := range spellings {
			_, err = rec.Decide(t.Context(), run.ID, recovery.Operator{ID: civicpin.Operator(id), Role: "video"}, approved)
			require.Equal(t, recovery.SamePerson, reason(t, err), id)
			denied := k.events.Of("recovery.denied")
			require.Equal(t, "same person", denied[len(denied)-1].Reason, "and it is recorded")
		}
		run, err = rec.Decide(t.Context(), run.ID, video, approved)
		require.NoError(t, err)
		require.True(t, run.Done, "another person")
	}
}

// Each refusal of an operator, and each look at a case, is an event that names the operator and says why.
func TestStaffActsAreRecorded(t *testing.T) {
	k := newKit(t)
	k.config.Roles["video"] = recovery.Role{To: 17 * time.Hour, Zone: "America/Guayaquil", PerHour: 3}
	rec, err := recovery.New(k.out, k.config)
	require.NoError(t, err)
	run, err := rec.StartBy(t.Context(), "video", ana, video)
	require.NoError(t, err)
	case1 := "video/" + run.ID
	office, err := rec.StartBy(t.Context(), "office", ana, agency)
	require.NoError(t, err)
	seen := civicpin.Evidence{Method: civicpin.InPerson, Document: "cédula 17", By: other.ID}
	show := func(id string, by recovery.Operator) error { return testkit.Err(rec.ShowCase(t.Context(), id, by)) }
	decide := func(by recovery.Operator) error { return testkit.Err(rec.Decide(t.Context(), run.ID, by, approved)) }
	type entry struct {
		code        civicpin.EventCode
		by          civicpin.Actor
		ref, reason string
	}
	for _, tt := range []struct {
		name string
		act  func() error
		want entry
	}{
		{"a look", func() error { return show(run.ID, video) }, entry{"recovery.shown", video.ID, case1, ""}},
		{
			"a role that the plan does not name", func() error { return show(run.ID, agency) },
			entry{"recovery.denied", agency.ID, case1, "role"},
		},
		{
			"and the other way round", func() error { return show(office.ID, video) },
			entry{"recovery.denied", video.ID, "office/" + office.ID, "role"},
		},
		{
			"a role that there is not", func() error { return show(run.ID, recovery.Operator{ID: video.ID, Role: "x"}) },
			entry{"recovery.denied", video.ID, case1, "role"},
		},
		{"another role's step", func() error { return decide(agency) }, entry{"recovery.denied", agency.ID, case1, "role"}},
		{
			"a role that begins no such run", func() error { return testkit.Err(rec.StartBy(t.Context(), "video", ana, agency)) },
			entry{"recovery.denied", agency.ID, "video", "role"},
		},
		{
			"a role that does not unlock", func() error { return rec.Unlock(t.Context(), "video", ana, civicpin.Evidence{}, video) },
			entry{"recovery.denied", video.ID, "video", "role"},
		},
		{
			"an unlock", func() error { return rec.Unlock(t.Context(), "video", ana, civicpin.Evidence{}, agency) },
			entry{"recovery.unlocked", agency.ID, "video", ""},
		},
		{
			"an unlock with evidence", func() error { return rec.Unlock(t.Context(), "video", ana, seen, agency) },
			entry{"recovery.unlocked", agency.ID, "video", "in-person by operator:quito.2: cédula 17"},
		},
		{"the last act of an hour", func() error { return show(run.ID, video) }, entry{"recovery.shown", video.ID, case1, ""}},
		{"one more", func() error { return show(run.ID, video) }, entry{"recovery.denied", video.ID, case1, "limit"}},
		{"at night", func() error {
			k.clock.Add(7 * time.Hour)
			return testkit.Err(rec.StartBy(t.Context(), "video", ana, video))
		}, entry{"recovery.denied", video.ID, "video", "hours"}},
	} {
		k.events.Take()
		err := tt.act()
		require.Equal(t, tt.want.code == "recovery.denied", errors.Is(err, recovery.ErrNotAllowed), "%s: %v", tt.name, err)
		var got []entry
		for _, e := range k.events.Take() {
			if strings.HasPrefix(string(e.Code), "recovery.") {
				require.Equal(t, ana, e.Subject, tt.name)
				got = append(got, entry{e.Code, e.By, e.Ref, e.Reason})
			}
		}
		require.Equal(t, []entry{tt.want}, got, tt.name)
	}
}

// A run that staff began gets behind its waits, and its messages are sent again, by staff; until a link gives it to the citizen.
func TestStaffGoOn(t *testing.T) {
	k := newKit(t)
	rec := k.with(t, plan.Plan{Name: "slow", Outcome: plan.ChooseSecret, Valid: 24 * time.Hour, Steps: []plan.Step{
		plan.Approval{Role: "agency"},
		plan.Wait{For: 72 * time.Hour},
		plan.Link{Channel: civicpin.Email, Valid: time.Hour},
		plan.Terms{Version: "2026"},
	}})
	run, err := rec.StartBy(t.Context(), "slow", ana, agency)
	require.NoError(t, err)
	decide := func(by recovery.Operator) error { return testkit.Err(rec.Decide(t.Context(), run.ID, by, approved)) }
	require.NoError(t, decide(agency))
	require.ErrorIs(t, decide(agency), recovery.ErrWaiting)
	k.rested(t)
	require.Equal(t, recovery.WrongRole, reason(t, decide(video)), "no role of the plan")
	require.NoError(t, decide(agency))
	require.NoError(t, k.out.Flush(t.Context()))
	first := k.mail.Last(anaMail, "recovery.link").Link
	require.NoError(t, decide(other))
	require.NoError(t, k.out.Flush(t.Context()))
	second := k.mail.Last(anaMail, "recovery.link").Link
	require.NotEqual(t, first, second, "sent again")
	ended, err := rec.Redeem(t.Context(), first, home)
	require.NoError(t, err)
	require.ErrorIs(t, decide(agency), recovery.ErrWrongStep, "it is the citizen's now")
	_, err = rec.Answer(t.Context(), ended.Ticket, recovery.Answers{Terms: "2026"})
	require.NoError(t, err)
	require.ErrorIs(t, decide(agency), recovery.ErrWrongStep)
	_, err = rec.Finish(t.Context(), ended.Ticket, home)
	require.NoError(t, err)
}

// A plan that ends in a wait is completed by staff, if they began it.
func TestStaffCompleteBehindAWait(t *testing.T) {
	k := newKit(t)
	k.lock(t)
	rec := k.with(t, plan.Plan{Name: "slow", Outcome: plan.Unlocked, Steps: []plan.Step{
		plan.Approval{Role: "agency"}, plan.Wait{For: 72 * time.Hour},
	}})
	run, err := rec.StartBy(t.Context(), "slow", ana, agency)
	require.NoError(t, err)
	_, err = rec.Decide(t.Context(), run.ID, agency, approved)
	require.NoError(t, err)
	k.rested(t)
	run, err = rec.Decide(t.Context(), run.ID, other, approved)
	require.NoError(t, err)
	require.True(t, run.Done)
	_, err = k.login(t, anaSecret)
	require.NoError(t, err)
}

// Staff of any role end any run under way: a visitor's at any step, and a resting one.
func TestStaffEndAnyRun(t *testing.T) {
	k := newKit(t)
	rec := k.with(t, plan.Plan{Name: "slow", Outcome: plan.ChooseSecret, Steps: []plan.Step{
		plan.Facts{"birth-day"}, plan.Wait{For: 72 * time.Hour}, plan.Link{Channel: civicpin.Email, Valid: time.Hour},
	}})
	for _, rests := range []bool{false, true} {
		run, err := rec.Start(t.Context(), "slow", ana, home)
		require.NoError(t, err)
		if rests {
			_, err = rec.Answer(t.Context(), run.Ticket, recovery.Answers{Facts: map[string]string{"birth-day": "14"}})
			require.NoError(t, err)
		}
		_, err = rec.Decide(t.Context(), run.ID, video, approved)
		require.Equal(t, recovery.WrongRole, reason(t, err), "to end it is all that they may")
		k.events.Take()
		_, err = rec.Decide(t.Context(), run.ID, video, recovery.Verdict{Reason: "she called us"})
		require.NoError(t, err)
		var got []string
		for _, e := range k.events.Take() {
			got = append(got, string(e.Code)+" by "+string(e.By)+": "+e.Reason)
		}
		require.Equal(t, []string{
			"recovery.decided by operator:video.3: turned down: she called us", "recovery.cancelled by operator:video.3: turned down",
		}, got)
		_, err = rec.Show(t.Context(), run.Ticket)
		require.ErrorIs(t, err, recovery.ErrGone)
	}
}

// One upload serves one purpose, also under another name, and over two steps.
func TestOneUploadOnePurpose(t *testing.T) {
	k := newKit(t)
	k.files["same"] = recovery.Document{Type: "image/jpeg", Size: 200_000, Clean: true, Digest: "digest of a"}
	k.files["none"] = recovery.Document{Type: "image/jpeg", Size: 1, Clean: true, Digest: "two\nlines"}
	ask := func(kinds ...string) plan.Step {
		return plan.Documents{Kinds: kinds, Types: []string{"image/jpeg", "application/pdf"}, MaxBytes: 1 << 20}
	}
	rec := k.with(t, plan.Plan{Name: "papers", Outcome: plan.Unlocked, Steps: []plan.Step{
		ask("front", "back"), ask("face"), plan.Approval{Role: "agency"},
	}})
	run, err := rec.Start(t.Context(), "papers", ana, home)
	require.NoError(t, err)
	give := func(refs map[string]string) error {
		return testkit.Err(rec.Answer(t.Context(), run.Ticket, recovery.Answers{Documents: refs}))
	}
	require.ErrorIs(t, give(map[string]string{"front": "a", "back": "a"}), civicpin.ErrInvalid)
	require.ErrorIs(t, give(map[string]string{"front": "a", "back": "same"}), civicpin.ErrInvalid)
	require.Error(t, give(map[string]string{"front": "a", "back": "none"}), "no digest")
	require.NoError(t, give(map[string]string{"front": "a", "back": "b"}))
	for _, again := range []string{"a", "b", "same"} {
		require.ErrorIs(t, give(map[string]string{"face": again}), civicpin.ErrInvalid, again)
	}
	require.NoError(t, give(map[string]string{"face": "c"}))
	_, err = rec.Decide(t.Context(), run.ID, agency, approved)
	require.NoError(t, err)
}

// What was swapped, or went bad, after it was uploaded is found before each approval. A store that fails refuses nobody for good.
func TestUploadsAreAskedAboutAgain(t *testing.T) {
	for name, change := range map[string]func(*kit){
		"swapped": func(k *kit) {
			k.files["c"] = recovery.Document{Type: "image/jpeg", Size: 1, Clean: true, Digest: "another"}
		},
		"infected":     func(k *kit) { k.files["c"] = recovery.Document{Type: "image/jpeg", Size: 1} },
		"another type": func(k *kit) { k.files["c"] = recovery.Document{Type: "application/pdf", Size: 1, Clean: true} },
		"gone":         func(k *kit) { delete(k.files, "c") },
	} {
		for _, second := range []bool{false, true} {
			k := newKit(t)
			run, err := k.Start(t.Context(), "desk", ana, home)
			require.NoError(t, err)
			_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
			require.NoError(t, err)
			papers := recovery.Answers{Documents: map[string]string{"front": "a", "back": "b", "face": "c"}}
			_, err = k.Answer(t.Context(), run.Ticket, papers)
			require.NoError(t, err)
			if second {
				_, err = k.Decide(t.Context(), run.ID, other, approved)
				require.NoError(t, err)
			}
			kept := k.files["c"]
			change(k)
			k.events.Take()
			_, err = k.Decide(t.Context(), run.ID, agency, approved)
			require.Equal(t, recovery.Swapped, reason(t, err), name)
			require.Equal(t, "document", k.events.Take()[0].Reason, name)
			k.files["c"] = kept
			_, err = k.Decide(t.Context(), run.ID, agency, approved)
			require.NoError(t, err, "it is as it was")
			if name == "gone" {
				delete(k.files, "c")
				_, err = k.Decide(t.Context(), run.ID, agency, recovery.Verdict{Reason: "no face"})
				require.NoError(t, err, "to end it nothing is asked about")
			}
		}
	}
}
