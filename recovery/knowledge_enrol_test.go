package recovery_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// with returns Elsa's answers with one of them changed.
func with(question, text string) map[string]string {
	m := maps.Clone(elsas)
	m[question] = text
	return m
}

// Bad choices are refused with a reason, before anything is hashed or changed.
func TestRefusedChoices(t *testing.T) {
	k := newAnswerKit(t)
	k.enrolled(t)
	kept, err := recovery.PlainAnswers(t.Context(), k.Service, elsa)
	require.NoError(t, err)
	hashed := recovery.Hashes(k.Service)
	for name, tt := range map[string]struct {
		subject civicpin.Subject
		image   string
		answers map[string]string
		rule    rule.Rule // of an AnswerError; empty for another error
	}{
		"nothing":                {elsa, "", nil, ""},
		"no answers":             {elsa, "", map[string]string{}, ""},
		"no subject":             {"", "image-01", elsas, ""},
		"another image":          {elsa, "image-99", elsas, ""},
		"another question":       {elsa, "", with("shoe", "red shoe"), ""},
		"too few":                {elsa, "", map[string]string{"pet": "Fido"}, ""},
		"no answer to one":       {elsa, "", with("pet", ""), rule.Length},
		"one character":          {elsa, "", with("pet", "x"), rule.Length},
		"too long":               {elsa, "", with("pet", strings.Repeat("ab", 65)), rule.Length},
		"control character":      {elsa, "", with("pet", "Fi\x00do"), rule.Characters},
		"not UTF-8":              {elsa, "", with("pet", "Fi\xffdo"), rule.Characters},
		"signs":                  {elsa, "", with("pet", "?!"), rule.Characters},
		"one over and over":      {elsa, "", with("pet", "aaaa"), rule.Repeated},
		"none":                   {elsa, "", with("pet", "N/A"), rule.Common},
		"123":                    {elsa, "", with("pet", "123"), rule.Common},
		"the question":           {elsa, "", with("first-school", "First school"), rule.Question},
		"the subject":            {elsa, "", with("pet", "171003 4065"), rule.Personal},
		"alike":                  {elsa, "", with("pet", "L\u00cd"), rule.Same},
		"with a right image":     {elsa, "image-01", with("pet", "x"), rule.Length},
		"more than there may be": {elsa, "", tooMany(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			var answers map[string]civicpin.Secret
			if tt.answers != nil {
				answers = secrets(tt.answers)
			}
			err := k.EnrolAnswers(t.Context(), tt.subject, tt.image, answers, civicpin.Source{})
			require.ErrorIs(t, err, civicpin.ErrInvalid)
			broken, ok := errors.AsType[*recovery.AnswerError](err)
			require.Equal(t, tt.rule != "", ok)
			if ok {
				require.Equal(t, tt.rule, broken.Rule)
				require.Contains(t, []string{"pet", "first-school", "teacher"}, broken.Question)
				require.Contains(t, err.Error(), string(broken.Rule))
			}
		})
	}
	now, err := recovery.PlainAnswers(t.Context(), k.Service, elsa)
	require.NoError(t, err)
	require.Equal(t, kept, now)
	require.Equal(t, hashed, recovery.Hashes(k.Service))
	require.Len(t, k.notes.Of("recovery.enrolled"), 1)
}

// tooMany is an answer to each of nine questions.
func tooMany() map[string]string {
	m := make(map[string]string)
	for i, question := range answerConfig().Questions[:9] {
		m[question] = fmt.Sprintf("answer of mine %d", i)
	}
	return m
}

// An image and answers are replaced apart, answers as a set.
func TestEnrolledApart(t *testing.T) {
	k := newAnswerKit(t)
	k.enrolled(t)
	require.NoError(t, k.EnrolAnswers(t.Context(), elsa, "image-09", nil, civicpin.Source{}))
	require.NoError(t, k.guess(t.Context(), k.asked(t, elsa), "image-09", elsas))
	require.NoError(t, k.EnrolAnswers(t.Context(), elsa, "", secrets(map[string]string{"hero": "Zorro", "pet": "Fido"}), civicpin.Source{}))
	_, questions, err := k.Enrolled(t.Context(), elsa)
	require.NoError(t, err)
	require.Equal(t, []string{"pet", "hero"}, questions, "in the order of the configuration")
	run := k.asked(t, elsa)
	require.ErrorIs(t, k.guess(t.Context(), run, "image-09", with("hero", "Zorro")), recovery.ErrRefused)
	require.NoError(t, k.guess(t.Context(), run, "image-09", map[string]string{"hero": "zorro", "pet": "fido"}))

	var what []string
	for _, e := range k.notes.Of("recovery.enrolled") {
		require.Equal(t, civicpin.Citizen, e.By)
		require.Equal(t, elsa, e.Subject)
		what = append(what, e.Reason)
	}
	require.Equal(t, []string{"an image, 4 answers", "an image, 0 answers", "no image, 2 answers"}, what)
	require.Equal(t, "192.0.2.1", k.notes.Of("recovery.enrolled")[0].Source.Address)
}

// What is new has no failures against it; what is old keeps them, whatever else is new.
func TestNewAnswersAreANewBinding(t *testing.T) {
	k := newAnswerKit(t)
	for name, tt := range map[string]struct {
		image        string
		answers      map[string]string
		all, onImage int // failures that are left
	}{
		"both":         {"image-09", elsas, 0, 0},
		"image alone":  {"image-09", nil, 3, 0},
		"answers only": {"", elsas, 3, 3},
	} {
		t.Run(name, func(t *testing.T) {
			subject := civicpin.Subject(name)
			require.NoError(t, k.EnrolAnswers(t.Context(), subject, "image-07", secrets(elsas), civicpin.Source{}))
			run := k.asked(t, subject)
			imageRun, err := k.Start(t.Context(), "image", subject, civicpin.Source{})
			require.NoError(t, err)
			facts, err := k.Start(t.Context(), "facts", subject, civicpin.Source{})
			require.NoError(t, err)
			for range 3 {
				require.Error(t, k.guess(t.Context(), run, otherImage(run), elsas))
				_, err := k.Answer(t.Context(), imageRun.Ticket, recovery.Answers{Facts: map[string]string{"birth-day": "1"}, Image: "image-07"})
				require.Error(t, err)
				_, err = k.Answer(t.Context(), facts.Ticket, recovery.Answers{Facts: map[string]string{"birth-day": "1"}})
				require.Error(t, err)
			}
			require.Equal(t, 3, k.failures(t, "all", subject))
			require.NoError(t, k.EnrolAnswers(t.Context(), subject, tt.image, secrets(tt.answers), civicpin.Source{}))
			require.Equal(t, tt.all, k.failures(t, "all", subject))
			require.Equal(t, tt.onImage, k.failures(t, "image", subject))
			require.Equal(t, 3, k.failures(t, "facts", subject), "asks for nothing that was enrolled")
			if tt.all == 0 {
				require.NoError(t, k.guess(t.Context(), k.asked(t, subject), tt.image, elsas), "no lock is left")
			}
		})
	}
}

// Whatever store call fails or loses its answer: afterwards it is all old, with the failures as they were, or all new; and
// doing it again does it.
func TestCrashesWhileEnrolling(t *testing.T) {
	renewed := map[string]string{"pet": "Fido", "teacher": "Bo", "street": "Via Roma", "colour": "rosso"}
	var old, fresh atomic.Int64
	calls := testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) {
		k := newAnswerKitOn(t, c.Store(), answerConfig())
		enrol := func() error {
			return k.EnrolAnswers(t.Context(), elsa, "image-09", secrets(renewed), civicpin.Source{})
		}
		require.NoError(t, k.EnrolAnswers(t.Context(), elsa, "image-07", secrets(elsas), civicpin.Source{}))
		run := k.asked(t, elsa)
		require.Error(t, k.guess(t.Context(), run, otherImage(run), elsas))
		err := c.During(t, enrol)
		failures := k.failures(t, "all", elsa)
		run = k.asked(t, elsa)
		if slices.Contains(run.Next.Images, "image-07") && k.guess(t.Context(), run, "image-07", elsas) == nil {
			require.Error(t, err)
			require.Equal(t, 1, failures, "no new tries at old answers")
			old.Add(1)
		} else {
			require.NoError(t, k.guess(t.Context(), run, "image-09", renewed))
			fresh.Add(1)
		}
		require.NoError(t, enrol())
		require.Zero(t, k.failures(t, "all", elsa))
		require.NoError(t, k.guess(t.Context(), k.asked(t, elsa), "image-09", renewed))
	})
	require.Equal(t, 5, calls, "the record and one count are read and written; of the other plan there is no failure")
	require.Positive(t, old.Load())
	require.Positive(t, fresh.Load())
}

// At a step of a plan, what is chosen counts once the plan is completed, and not before.
func TestEnrolledByAPlan(t *testing.T) {
	k := newAnswerKit(t)
	run, err := k.Start(t.Context(), "facts", elsa, civicpin.Source{})
	require.NoError(t, err)
	ticket := run.Ticket
	_, err = k.Answer(t.Context(), ticket, recovery.Answers{Facts: map[string]string{"birth-day": "14"}})
	require.NoError(t, err)
	run = k.approved(t, run.ID)
	require.Equal(t, &plan.Enrol{Image: true, Questions: 3}, run.Next.Enrol)

	three := map[string]string{"pet": "Fido", "teacher": "Bo", "hero": "Zorro"}
	for name, bad := range map[string]recovery.Answers{
		"no image":        {EnrolQuestions: secrets(three)},
		"another image":   {EnrolImage: "mine", EnrolQuestions: secrets(three)},
		"no answers":      {EnrolImage: "image-09"},
		"four answers":    {EnrolImage: "image-09", EnrolQuestions: secrets(elsas)},
		"a common answer": {EnrolImage: "image-09", EnrolQuestions: secrets(map[string]string{"pet": "none", "teacher": "Bo", "hero": "Zorro"})},
	} {
		_, err := k.Answer(t.Context(), ticket, bad)
		require.ErrorIs(t, err, civicpin.ErrInvalid, name)
	}
	run, err = k.Answer(t.Context(), ticket, recovery.Answers{EnrolImage: "image-09", EnrolQuestions: secrets(three)})
	require.NoError(t, err)
	require.True(t, run.Done)
	image, questions, err := k.Enrolled(t.Context(), elsa)
	require.NoError(t, err)
	require.False(t, image || len(questions) > 0, "the plan is not completed")

	_, err = k.Finish(t.Context(), ticket, civicpin.Source{Address: "192.0.2.7"})
	require.NoError(t, err)
	image, questions, err = k.Enrolled(t.Context(), elsa)
	require.NoError(t, err)
	require.True(t, image)
	require.Equal(t, []string{"pet", "teacher", "hero"}, questions)
	require.NoError(t, k.guess(t.Context(), k.asked(t, elsa), "image-09", three))
	noted := k.notes.Of("recovery.enrolled")
	require.Len(t, noted, 1)
	require.Equal(t, "192.0.2.7", noted[0].Source.Address)
}

// An Enrol that asks for no image takes none, and one that asks for no answers takes none.
func TestEnrolOfHalf(t *testing.T) {
	c := answerConfig()
	limit := threeTries()
	for name, step := range map[string]plan.Enrol{"an image": {Image: true}, "answers": {Questions: 1}} {
		c.Plans = []plan.Plan{{
			Name: "half", Creates: true, Outcome: plan.ChooseSecret, Limit: limit,
			Steps: []plan.Step{plan.Approval{Role: "desk", Second: true}, step},
		}}
		k := newAnswerKitOf(t, c)
		run, err := k.Start(t.Context(), "half", elsa, civicpin.Source{})
		require.NoError(t, err)
		k.approved(t, run.ID)
		image, answers := "image-09", secrets(map[string]string{"pet": "Fido"})
		_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{EnrolImage: image, EnrolQuestions: answers})
		require.ErrorIs(t, err, civicpin.ErrInvalid, name)
		if step.Image {
			answers = nil
		} else {
			image = ""
		}
		_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{EnrolImage: image, EnrolQuestions: answers})
		require.NoError(t, err, name)
	}
}

// Enrolling is hashing like any other, and waits behind the same gate.
func TestEnrollingIsBounded(t *testing.T) {
	c := answerConfig()
	c.Hashing.Permits, c.Hashing.Queue = 1, 1
	k := newAnswerKitOf(t, c)
	release := recovery.OccupyAnswers(k.Service, 2)
	require.ErrorIs(t, k.EnrolAnswers(t.Context(), elsa, "image-07", secrets(elsas), civicpin.Source{}), recovery.ErrBusy)
	release()
	k.enrolled(t)
	release = recovery.OccupyAnswers(k.Service, 2)
	require.ErrorIs(t, k.guess(t.Context(), k.asked(t, elsa), "image-07", elsas), recovery.ErrBusy)
	release()
	require.Zero(t, k.failures(t, "all", elsa))
}

// TestNobodyElseLearnsAnswers enrols and guesses, well and badly, with a faulty store, and looks for answers in every error,
// event and stored byte.
func TestNobodyElseLearnsAnswers(t *testing.T) {
	memory := store.NewMemory()
	faults := storetest.NewFaults(memory)
	k := newAnswerKitOn(t, faults.Store(), answerConfig())
	var log bytes.Buffer
	note := func(err error) {
		if err != nil {
			fmt.Fprintf(&log, "%v %+v %#v\n", err, err, err)
		}
	}
	texts := map[string]string{"pet": "Qwxzzy Barkley", "teacher": "Profesora Zuñigazz", "street": "Calle Xyqwert 12", "colour": "verdeazulado"}
	guessed := map[string]string{"pet": "Wrongguess One", "teacher": "Wrongguess Two", "street": "Wrongguess Three", "colour": "Wrongguess Four"}
	for call := 1; call < 14; call++ {
		for _, outcome := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost} {
			faults.FailAt(call, outcome)
			note(k.EnrolAnswers(t.Context(), elsa, "image-07", secrets(texts), civicpin.Source{}))
			for _, rule := range []string{texts["pet"] + "\x00", texts["teacher"], strings.Repeat(texts["street"], 20)} {
				bad := maps.Clone(texts)
				bad["pet"] = rule
				note(k.EnrolAnswers(t.Context(), elsa, "image-07", secrets(bad), civicpin.Source{}))
			}
			faults.Reset()
			run := k.asked(t, elsa)
			for _, typed := range []map[string]string{guessed, texts} {
				faults.FailAt(call, outcome)
				note(k.guess(t.Context(), run, "image-07", typed))
			}
			faults.Reset()
			k.clock.Add(time.Minute)
		}
	}
	k.enrolled(t)
	require.NoError(t, k.EnrolAnswers(t.Context(), elsa, "image-07", secrets(texts), civicpin.Source{}))
	require.NotEmpty(t, k.notes.Of("recovery.refused"))
	recorder := civicpin.SlogRecorder(slog.New(slog.NewTextHandler(&log, nil)))
	for _, e := range k.notes.All() {
		recorder.Record(t.Context(), e)
		fmt.Fprintf(&log, "%+v\n", e)
	}
	fmt.Fprintf(&log, "%+v\n", recovery.Answers{Questions: secrets(texts), EnrolQuestions: secrets(guessed)})

	stored := testkit.Stored(t, memory)
	plain, err := recovery.PlainAnswers(t.Context(), k.Service, elsa)
	require.NoError(t, err)
	require.Contains(t, plain, "$argon2id$")
	require.Contains(t, log.String(), "recovery: answer to")
	lower := strings.ToLower(log.String() + stored + plain)
	for _, m := range []map[string]string{texts, guessed} {
		for _, text := range m {
			require.False(t, strings.Contains(lower, strings.ToLower(text)), "an answer somewhere")
		}
	}
	require.False(t, strings.Contains(log.String()+stored, "image-07"), "the image is known to nobody, either")
	require.Contains(t, plain, "image-07", "it is kept as it is, under the seal")
}
