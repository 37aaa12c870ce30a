package recovery_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

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
