package recovery_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

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
	of := func(id, role string) recovery.Operator {
		return recovery.Operator{ID: civicpin.Operator(id), Role: role}
	}
	person := func(text string) civicpin.Subject { return civicpin.Subject(text) }
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
