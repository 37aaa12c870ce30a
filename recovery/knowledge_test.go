package recovery_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
)

func TestAnswersAreForgivenHowTheyAreTyped(t *testing.T) {
	k := newAnswerKit(t)
	k.enrolled(t)
	image, questions, err := k.Enrolled(t.Context(), elsa)
	require.NoError(t, err)
	require.True(t, image)
	require.Equal(t, []string{"pet", "teacher", "street", "colour"}, questions)

	typed := map[string]string{"pet": "  JOSE\u0301  MARI\u0301A ", "teacher": "LI", "street": "l\u2019aquila 7", "colour": "Verde"}
	require.NoError(t, k.guess(t.Context(), k.asked(t, elsa), "image-07", typed))

	// One thing that is wrong is enough, and each is told alike.
	run := k.asked(t, elsa)
	require.ErrorIs(t, k.guess(t.Context(), run, otherImage(run), elsas), recovery.ErrRefused)
	wrong := maps.Clone(elsas)
	wrong[run.Next.Questions[1]] = "Maria"
	require.ErrorIs(t, k.guess(t.Context(), run, "image-07", wrong), recovery.ErrRefused)
	require.NoError(t, k.guess(t.Context(), run, "image-07", elsas))
}

// otherImage is one that is shown and not Elsa's.
func otherImage(run recovery.Run) string {
	for _, image := range run.Next.Images {
		if image != "image-07" {
			return image
		}
	}
	return ""
}

// Whoever the subject is, whatever is on file and whatever is typed: two questions are two hashes, and wrong is wrong.
func TestEveryGuessHashesOnceForEachQuestion(t *testing.T) {
	k := newAnswerKit(t)
	k.enrolled(t)
	// What each of these has on file is unreadable in its own way.
	altered := map[civicpin.Subject]func(form *int, hash *string){
		"no hash":      func(_ *int, hash *string) { *hash = "" },
		"not a hash":   func(_ *int, hash *string) { *hash = "$argon2id$v=19$m=8" },
		"costly":       func(_ *int, hash *string) { *hash = strings.Replace(*hash, "m=8,", "m=4000000,", 1) },
		"another form": func(form *int, _ *string) { *form = 2 },
	}
	for subject, alter := range altered {
		require.NoError(t, k.EnrolAnswers(t.Context(), subject, "image-07", secrets(elsas), civicpin.Source{}))
		require.NoError(t, recovery.AlterAnswers(t.Context(), k.Service, subject, alter))
	}
	require.NoError(t, k.EnrolAnswers(t.Context(), "image only", "image-07", nil, civicpin.Source{}))
	for _, subject := range slices.AppendSeq([]civicpin.Subject{elsa, nobody, "image only"}, maps.Keys(altered)) {
		run := k.asked(t, subject)
		for _, typed := range []map[string]string{elsas, {}, {"pet": "\x00", "teacher": strings.Repeat("x", 5000)}} {
			for _, image := range []string{run.Next.Images[0], run.Next.Images[11]} {
				before := recovery.Hashes(k.Service)
				err := k.guess(t.Context(), run, image, typed)
				require.EqualValues(t, 2, recovery.Hashes(k.Service)-before, subject)
				if err == nil {
					require.Equal(t, elsa, subject)
					require.Equal(t, "image-07", image)
					run = k.asked(t, subject)
					continue
				}
				locked := lockOf(err) != nil
				require.True(t, locked || errors.Is(err, recovery.ErrRefused), err)
				require.NoError(t, recovery.PlanGate(k.Service, "all").Rebind(t.Context(), lockout.Target{Subject: subject}, civicpin.Operator("x")))
			}
		}
	}
}

// What cannot be an answer is hashed as nothing, and must not be right where nothing is what was hashed.
func TestNothingIsNoAnswer(t *testing.T) {
	k := newAnswerKit(t)
	k.enrolled(t)
	require.NoError(t, recovery.AlterAnswers(t.Context(), k.Service, elsa, func(_ *int, hash *string) { *hash = recovery.HashOfNothing(k.Service) }))
	run := k.asked(t, elsa)
	require.ErrorIs(t, k.guess(t.Context(), run, "image-07", map[string]string{}), recovery.ErrRefused)
	require.ErrorIs(t, k.guess(t.Context(), run, "image-07", map[string]string{"pet": "\x00"}), recovery.ErrRefused)
}

// A thousand wrong answers at once, limit 3: three are compared.
func TestOnlyThreeAnswersAreCompared(t *testing.T) {
	for _, subject := range []civicpin.Subject{elsa, nobody} {
		k := newAnswerKit(t)
		k.enrolled(t)
		run := k.asked(t, subject)
		before := recovery.Hashes(k.Service)
		refused := 0
		for _, err := range testkit.Crowd(1000, func(int) error {
			return testkit.Persist(recovery.ErrBusy, func() error {
				return k.guess(t.Context(), run, run.Next.Images[3], map[string]string{})
			})
		}) {
			if lockOf(err) == nil {
				require.ErrorIs(t, err, recovery.ErrRefused)
				refused++
			}
		}
		require.EqualValues(t, 3*2, recovery.Hashes(k.Service)-before)
		require.Equal(t, 2, refused, "the two who were told how many are left")
	}
}

// Who hangs up before anything was compared loses no try; who hangs up after one of the comparisons gets none back.
func TestHangingUp(t *testing.T) {
	for _, tt := range []struct {
		name             string
		between          bool
		hashes, failures int
	}{{"before", false, 0, 0}, {"between", true, 2, 1}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := answerConfig()
				c.Hashing.Permits = 1
				c.Plans = c.Plans[:1]
				// Questions first: facts and images are compared before there is a hash to wait for.
				c.Plans[0].Steps = []plan.Step{
					plan.Captcha{}, plan.Questions{Ask: 2}, plan.Image{}, plan.Approval{Role: "desk", Second: true},
				}
				k := newAnswerKitOf(t, c)
				k.enrolled(t)
				run := k.asked(t, elsa)
				before := recovery.Hashes(k.Service)
				ctx, hangUp := context.WithCancel(t.Context())
				release := make(chan struct{})
				var wg sync.WaitGroup
				hold := func(f func()) {
					wg.Go(func() { _ = recovery.HoldAnswers(t.Context(), k.Service, f) })
					synctest.Wait()
				}
				hold(func() { <-release })
				wg.Go(func() { _ = k.guess(ctx, run, otherImage(run), map[string]string{}) })
				synctest.Wait()           // it waits for its first hash
				hold(func() { hangUp() }) // and this stands in front of its second
				if !tt.between {
					hangUp()
					synctest.Wait()
				}
				close(release)
				wg.Wait()
				require.EqualValues(t, tt.hashes, recovery.Hashes(k.Service)-before-2)
				require.Equal(t, tt.failures, k.failures(t, "all", elsa))
			})
		})
	}
}

// What is taken out of the configuration is not asked any more, and is there again when it comes back.
func TestRetiredQuestionsAndImages(t *testing.T) {
	m := store.NewMemory()
	newAnswerKitOn(t, m, answerConfig()).enrolled(t)
	c := answerConfig()
	c.Images = slices.DeleteFunc(c.Images, func(image string) bool { return image == "image-07" })
	c.Questions = slices.DeleteFunc(c.Questions, func(q string) bool { return q == "pet" || q == "colour" })
	k := newAnswerKitOn(t, m, c)
	image, questions, err := k.Enrolled(t.Context(), elsa)
	require.NoError(t, err)
	require.False(t, image)
	require.Equal(t, []string{"teacher", "street"}, questions)
	run := k.asked(t, elsa)
	require.ElementsMatch(t, questions, run.Next.Questions)
	require.ErrorIs(t, k.guess(t.Context(), run, run.Next.Images[0], elsas), recovery.ErrRefused)

	k = newAnswerKitOn(t, m, answerConfig())
	image, questions, err = k.Enrolled(t.Context(), elsa)
	require.NoError(t, err)
	require.True(t, image)
	require.Len(t, questions, 4)
}

func TestEnrolledOfNobody(t *testing.T) {
	k := newAnswerKit(t)
	image, questions, err := k.Enrolled(t.Context(), nobody)
	require.NoError(t, err)
	require.False(t, image)
	require.Empty(t, questions)
	_, _, err = k.Enrolled(t.Context(), "")
	require.ErrorIs(t, err, civicpin.ErrInvalid)
}

// An image that was not chosen is not the one of somebody who chose none.
func TestNoImage(t *testing.T) {
	require.True(t, recovery.SameImage("barco", "barco"))
	require.False(t, recovery.SameImage("barco", "tren"))
	require.False(t, recovery.SameImage("", "tren"))
	require.False(t, recovery.SameImage("barco", ""))
	require.False(t, recovery.SameImage("", ""))
}
