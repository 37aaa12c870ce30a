package recovery_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
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

// While answers of a former cost are on file, each guess is hashed at each cost, whatever is on file.
func TestFormerCostOfAnswers(t *testing.T) {
	before := newAnswerKit(t)
	before.enrolled(t)
	raised := answerConfig()
	raised.Hashing.Memory, raised.Hashing.Former = 16, []pin.Cost{{Memory: 8, Time: 1, Threads: 1}}
	k := newAnswerKitOn(t, before.memory, raised)
	require.NoError(t, k.EnrolAnswers(t.Context(), "enrolled since", "image-07", secrets(elsas), civicpin.Source{}))
	both := []string{"argon2id(m=16,t=1,p=1)", "argon2id(m=8,t=1,p=1)"}
	for _, subject := range []civicpin.Subject{elsa, "enrolled since", nobody} {
		var costs []string
		ctx := password.WithEach(t.Context(), func(_ context.Context, cost string) { costs = append(costs, cost) })
		require.ErrorIs(t, k.guess(ctx, k.asked(t, subject), "image-07", nil), recovery.ErrRefused)
		require.Equal(t, slices.Concat(both, both), costs, subject)
	}
	require.NoError(t, k.guess(t.Context(), k.asked(t, elsa), "image-07", elsas))
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

// What is opened in place of answers that are not there is as large as most people's: what plans ask them to enrol, or the most
// that there may be.
func TestDecoysOfAnswers(t *testing.T) {
	k := newBareKit(t)
	require.Equal(t, 4, recovery.UsualAnswers(k.Service))
	require.Equal(t, 8, recovery.UsualAnswers(k.with(t, bare()...)))
}

// One answer is enough where a plan asks for one, and is hashed as any.
func TestOneAnswer(t *testing.T) {
	k := newBareKit(t)
	rec := k.with(t, plan.Plan{Name: "one", Outcome: plan.Unlocked, Steps: []plan.Step{
		plan.Questions{Ask: 1}, plan.Link{Channel: civicpin.Email, Valid: time.Hour},
	}})
	before := recovery.Hashes(rec)
	require.NoError(t, rec.EnrolAnswers(t.Context(), ana, "", secrets(map[string]string{"mascota": "Rocinante"}), home))
	require.Equal(t, before+1, recovery.Hashes(rec))
	kept, err := recovery.PlainAnswers(t.Context(), rec, ana)
	require.NoError(t, err)
	require.Contains(t, kept, `"hash":"$argon2id$`)
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

const (
	elsa   = civicpin.Subject("1710034065")
	nobody = civicpin.Subject("1714307103")
)

// elsas are Elsa's answers.
var elsas = map[string]string{"pet": "José María", "teacher": "Li", "street": "L'Aquila 7", "colour": "verde"}

// answerRegister says what everybody's facts are.
type answerRegister struct{}

func (answerRegister) Check(_ context.Context, _ civicpin.Subject, facts map[string]string) (bool, error) {
	return facts["birth-day"] == "14", nil
}

// answerKit is a service whose plans ask for what was enrolled, with everything around it.
type answerKit struct {
	*recovery.Service
	notes *testkit.Recorder
	clock *testkit.Clock

	memory *store.Memory     // nil if made on another store
	faults *storetest.Faults // of this process, over memory
}

// answerPlans are three plans for people without a credential, so that none has to be issued: of all that can be enrolled, of
// the image alone, and of nothing.
func answerPlans() []plan.Plan {
	one := func(name string, steps ...plan.Step) plan.Plan {
		return plan.Plan{
			Name: name, Creates: true, Outcome: plan.ChooseSecret,
			Limit: threeTries(), Steps: steps,
		}
	}
	facts, desk := plan.Facts{"birth-day"}, plan.Approval{Role: "desk", Second: true}
	return []plan.Plan{
		one("all", plan.Captcha{}, facts, plan.Image{}, plan.Questions{Ask: 2}, desk),
		one("image", facts, plan.Image{}, desk),
		one("facts", facts, desk, plan.Enrol{Image: true, Questions: 3}),
	}
}

func answerConfig() recovery.Config {
	c := recovery.Config{
		Plans: answerPlans(), Register: answerRegister{}, Roles: map[string]recovery.Role{"desk": {PerHour: 1000}},
		Questions: []string{"pet", "teacher", "street", "colour", "first-school", "hero", "song", "dish", "hobby", "city"},
		Sends:     testkit.Wide,
		Hashing:   cheap(),
	}
	for i := range 20 {
		c.Images = append(c.Images, fmt.Sprintf("image-%02d", i))
	}
	return c
}

func newAnswerKit(t testing.TB) *answerKit {
	t.Helper()
	return newAnswerKitOf(t, answerConfig())
}

// newAnswerKitOf makes a service over a store of its own, whose calls may fail.
func newAnswerKitOf(t testing.TB, c recovery.Config) *answerKit {
	t.Helper()
	memory := store.NewMemory()
	faults := storetest.NewFaults(memory)
	k := newAnswerKitOn(t, faults.Store(), c)
	k.memory, k.faults = memory, faults
	return k
}

func newAnswerKitOn(t testing.TB, s store.Store, c recovery.Config) *answerKit {
	t.Helper()
	k := &answerKit{notes: &testkit.Recorder{}, clock: newClock()}
	vault := testkit.Vault(t, s, k.clock, k.notes)
	made, err := newAnswerService(t, vault, c)
	require.NoError(t, err)
	k.Service = made
	return k
}

// enrolled enrols Elsa's image and answers.
func (k *answerKit) enrolled(t testing.TB) {
	t.Helper()
	require.NoError(t, k.EnrolAnswers(t.Context(), elsa, "image-07", secrets(elsas), civicpin.Source{Address: "192.0.2.1"}))
}

// asked begins a run of the plan "all" and goes on to its guesses.
func (k *answerKit) asked(t testing.TB, subject civicpin.Subject) recovery.Run {
	t.Helper()
	started, err := k.Start(t.Context(), "all", subject, civicpin.Source{})
	require.NoError(t, err)
	run, err := k.Answer(t.Context(), started.Ticket, recovery.Answers{Captcha: true})
	require.NoError(t, err)
	require.Len(t, run.Next.Questions, 2)
	require.Len(t, run.Next.Images, 12)
	run.Ticket = started.Ticket
	return run
}

// guess answers what a run asks for.
func (k *answerKit) guess(ctx context.Context, run recovery.Run, image string, known map[string]string) error {
	a := recovery.Answers{Image: image, Questions: make(map[string]civicpin.Secret)}
	if run.Next.Facts != nil {
		a.Facts = map[string]string{"birth-day": "14"}
	}
	for _, q := range run.Next.Questions {
		a.Questions[q] = civicpin.NewSecret(known[q])
	}
	_, err := k.Answer(ctx, run.Ticket, a)
	return err
}

// failures is how many failures are counted against a subject.
func (k *answerKit) failures(t testing.TB, name string, subject civicpin.Subject) int {
	t.Helper()
	st, err := recovery.PlanGate(k.Service, name).Status(t.Context(), lockout.Target{Subject: subject})
	require.NoError(t, err)
	return st.Failures
}

// noFactor is a factor that nobody has.
func noFactor(context.Context, civicpin.Subject, civicpin.Secret, civicpin.Source) error {
	return recovery.ErrRefused
}

// newAnswerService makes a service of a configuration, if it can be.
func newAnswerService(t testing.TB, vault *store.Vault, c recovery.Config) (*recovery.Service, error) {
	t.Helper()
	var err error
	out := testkit.Outbox(t, vault, &testkit.Mailbox{}, testkit.Limits())
	p := pin.Default()
	p.Hashing = cheap()
	c.Pins, err = pin.New(out, p)
	require.NoError(t, err)
	if c.Contacts, err = contact.New(out, contact.Policy{Sends: c.Sends}, c.Pins); err != nil {
		return nil, err
	}
	return recovery.New(out, c)
}

// approved has two members of staff approve a run.
func (k *answerKit) approved(t testing.TB, id string) recovery.Run {
	t.Helper()
	var run recovery.Run
	for _, name := range []string{"perez", "suarez"} {
		var err error
		desk := recovery.Operator{ID: civicpin.Operator(name), Role: "desk"}
		run, err = k.Decide(t.Context(), id, desk, recovery.Verdict{Approve: true})
		require.NoError(t, err)
	}
	return run
}

// genSubject draws a subject.
var genSubject = rapid.Custom(func(t *rapid.T) civicpin.Subject {
	return civicpin.Subject(rapid.StringMatching(`[0-9]{10}`).Draw(t, "subject"))
})

// subset draws so many of a list.
func subset(t *rapid.T, list []string, n int) []string {
	return rapid.Permutation(list).Draw(t, "some")[:n]
}

// Questions that are asked are enrolled ones, all different, always the same ones, and the same ones again for a plan
// that asks more. Of whom nothing is known, the answer has the same form.
func TestPickedQuestions(t *testing.T) {
	k := newAnswerKit(t)
	all := answerConfig().Questions
	rapid.Check(t, func(t *rapid.T) {
		subject := genSubject.Draw(t, "subject")
		n := rapid.IntRange(1, 4).Draw(t, "n")
		enrolled := subset(t, all, rapid.SampledFrom([]int{0, 1, 2, 3, 4, 5, 6}).Draw(t, "enrolled"))
		got := recovery.PickedQuestions(k.Service, subject, enrolled, n)
		if len(got) != n {
			t.Fatalf("%d of %d", len(got), n)
		}
		seen := make(map[string]bool)
		own := 0
		for _, q := range got {
			if seen[q] || !slices.Contains(all, q) {
				t.Fatal(got)
			}
			seen[q] = true
			if slices.Contains(enrolled, q) {
				own++
			}
		}
		if want := min(n, len(enrolled)); own < want {
			t.Fatalf("%d of %d are enrolled", own, want)
		}
		again := recovery.PickedQuestions(k.Service, subject, subset(t, enrolled, len(enrolled)), n)
		more := recovery.PickedQuestions(k.Service, subject, enrolled, n+1)
		if !slices.Equal(got, again) || !slices.Equal(got, more[:n]) {
			t.Fatal(got, again, more)
		}
	})
}

// A catalogue that is too small is no error.
func TestSmallCatalogues(t *testing.T) {
	c := answerConfig()
	c.Questions, c.Images = nil, nil
	c.Plans = []plan.Plan{{
		Name: "facts", Creates: true, Outcome: plan.ChooseSecret, Limit: threeTries(),
		Steps: []plan.Step{plan.Facts{"birth-day"}, plan.Approval{Role: "desk", Second: true}},
	}}
	k := newAnswerKitOf(t, c)
	require.Empty(t, recovery.PickedQuestions(k.Service, elsa, nil, 2))
	require.Empty(t, recovery.ShownImages(k.Service, elsa, ""))
	c.Images, c.Questions = []string{"a", "b", "c"}, []string{"pet"}
	k = newAnswerKitOf(t, c)
	require.Equal(t, []string{"pet"}, recovery.PickedQuestions(k.Service, elsa, nil, 2))
	for _, own := range []string{"", "b"} {
		require.ElementsMatch(t, c.Images, recovery.ShownImages(k.Service, elsa, own))
		require.Equal(t, recovery.ShownImages(k.Service, elsa, ""), recovery.ShownImages(k.Service, elsa, own), "the order tells nothing")
	}
}

// Twelve images are shown, all different, among them the subject's own, the same ones in the same order each time.
func TestShownImages(t *testing.T) {
	k := newAnswerKit(t)
	all := answerConfig().Images
	rapid.Check(t, func(t *rapid.T) {
		subject := genSubject.Draw(t, "subject")
		own := rapid.SampledFrom(append([]string{""}, all...)).Draw(t, "own")
		got := recovery.ShownImages(k.Service, subject, own)
		if len(got) != 12 || own != "" && !slices.Contains(got, own) {
			t.Fatal(own, got)
		}
		for i, image := range got {
			if !slices.Contains(all, image) || slices.Contains(got[:i], image) {
				t.Fatal(got)
			}
		}
		if again := recovery.ShownImages(k.Service, subject, own); !slices.Equal(got, again) {
			t.Fatal(got, again)
		}
	})
}

// Nothing about what is shown says which image is whose, or that there is one: own ones stand at each place alike, and over
// many subjects each image is seen as often for those who chose evenly as for those who are not known.
func TestShownImagesTellNothing(t *testing.T) {
	k := newAnswerKit(t)
	all := answerConfig().Images
	const n = 1200
	var places [12]int
	known, unknown := make(map[string]int), make(map[string]int)
	for i := range n {
		subject := civicpin.Subject(fmt.Sprintf("%010d", i))
		own := all[i%len(all)]
		shown := recovery.ShownImages(k.Service, subject, own)
		places[slices.Index(shown, own)]++
		for _, image := range shown {
			known[image]++
		}
		for _, image := range recovery.ShownImages(k.Service, subject, "") {
			unknown[image]++
		}
	}
	for place, times := range places { // 100 each, with a standard deviation of 10
		require.InDelta(t, n/12, times, 45, "place %d", place)
	}
	for _, image := range all { // 720 each, with one of 17
		require.InDelta(t, n*12/20, known[image], 80, image)
		require.InDelta(t, n*12/20, unknown[image], 80, image)
	}
}

// Who looks before and after another image was enrolled does not see which one came in: the two are made up apart. Of twelve
// out of twenty each, 7.2 are in both by chance; were only the own one replaced, eleven would be.
func TestAnotherImageChangesTheOthers(t *testing.T) {
	k := newAnswerKit(t)
	common := 0
	const n = 300
	for i := range n {
		subject := civicpin.Subject(fmt.Sprintf("%010d", i))
		before := recovery.ShownImages(k.Service, subject, []string{"", "image-03"}[i%2])
		for _, image := range recovery.ShownImages(k.Service, subject, "image-07") {
			if slices.Contains(before, image) {
				common++
			}
		}
	}
	require.InDelta(t, 7.2, float64(common)/n, 0.5)
}

// A plan is credited with the images that are shown, not with all that there are.
func TestImagesShownAreWhatCounts(t *testing.T) {
	c := answerConfig()
	c.Images = nil
	for i := range 256 {
		c.Images = append(c.Images, fmt.Sprintf("image-%03d", i))
	}
	p := plan.Plan{
		Steps: []plan.Step{plan.Image{}, plan.Questions{Ask: 2}, plan.Factor("app")},
		Limit: lockout.Policy{Ceiling: 100},
	}
	usual, _ := p.GuessProbability(256)
	require.Less(t, usual, 1e-4, "with all of them it would pass")
	usual, _ = p.GuessProbability(12)
	require.Greater(t, usual, 1e-4)
	refused := c.Plans[0]
	refused.Steps = p.Steps
	c.Plans = []plan.Plan{refused}
	c.Factors = map[string]func(context.Context, civicpin.Subject, civicpin.Secret, civicpin.Source) error{"app": noFactor}
	vault, err := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), nil)
	require.NoError(t, err)
	_, err = newAnswerService(t, vault, c)
	require.ErrorIs(t, err, recovery.ErrInvalidPlan)
	c.Plans[0].Exceptions = []civicpin.Exception{{Clause: "guess budget", Reason: "a test"}}
	_, err = newAnswerService(t, vault, c)
	require.NoError(t, err)
}

// answered are Ana's answers to the questions asked, as she might type them now; wrong ones if she is not herself.
func answered(asked []string, right bool) map[string]civicpin.Secret {
	m := make(map[string]civicpin.Secret)
	for _, q := range asked {
		text := "  " + strings.ToUpper(anaAnswers[q])
		if !right {
			text = "no lo sé"
		}
		m[q] = civicpin.NewSecret(text)
	}
	return m
}
