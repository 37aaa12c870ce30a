package recovery_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store/storetest"
)

// TestStoreCalls counts what docs/costs.md says.
func TestStoreCalls(t *testing.T) {
	var costs testkit.Costs
	for _, subject := range []civicpin.Subject{ana, stranger} {
		strangerCosts(t, &costs, subject)
	}
	ownerCosts(t, &costs, 3, anaContacts())
	ownerCosts(t, &costs, 2, []civicpin.Contact{
		{Channel: civicpin.Email, Address: anaMail}, {Channel: civicpin.SMS, Address: anaPhone},
	})
	operatorCosts(t, &costs)
	costs.Compare(t, "recovery")
}

// counter returns what counts the calls of a kit that end in an error, or in none if it is nil.
func (k *kit) counter(t *testing.T, costs *testkit.Costs, f *storetest.Faults) func(call, when string, want error, do func() error) {
	return func(call, when string, want error, do func() error) {
		t.Helper()
		costs.Count(t, call, when, f, func() int64 { return recovery.Hashes(k.Service) }, func() {
			if err := do(); want == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, want)
			}
		})
	}
}

// strangerCosts are those of the calls that a visitor makes about any subject.
func strangerCosts(t *testing.T, costs *testkit.Costs, subject civicpin.Subject) {
	ctx, nowhere := t.Context(), civicpin.Source{}
	k, f := countedKit(t, false)
	count := k.counter(t, costs, f)
	for range 2 { // the first time and later
		var run recovery.Run
		start := func(source civicpin.Source) func() error {
			return func() (err error) { run, err = k.Start(ctx, "clave", subject, source); return err }
		}
		count("Start", "", nil, start(home))
		count("Start", "no source", nil, start(nowhere))
		ticket := run.Ticket
		count("Answer", "a captcha", nil, func() (err error) {
			run, err = k.Answer(ctx, ticket, recovery.Answers{Captcha: true})
			return err
		})
		count("Show", "", nil, func() error { return testkit.Err(k.Show(ctx, ticket)) })
		a := k.known(run, false)
		a.Image, a.Source = run.Next.Images[0], nowhere
		count("Answer", "facts, image and a question, wrong", recovery.ErrRefused, func() error {
			return testkit.Err(k.Answer(ctx, ticket, a))
		})
		count("Cancel", "", nil, func() error { return k.Cancel(ctx, ticket) })
	}
	for _, source := range []civicpin.Source{home, nowhere} {
		again := k.asked(t, "unlock", subject)
		when := map[string]string{home.Address: "", "": "no source"}[source.Address]
		count("Send", when, nil, func() error { return testkit.Err(k.Send(ctx, again.Ticket, source)) })
	}

	c := k.config
	c.Plans = []plan.Plan{{
		Name: "bare", Steps: []plan.Step{plan.Link{Channel: civicpin.Email, Valid: time.Hour}}, Limit: threeTries(),
		Outcome: plan.Unlocked,
	}}
	bare, err := recovery.New(k.out, c)
	require.NoError(t, err)
	count("Start", "first step sends, no source", nil, func() error { return testkit.Err(bare.Start(ctx, "bare", subject, nowhere)) })

	run := k.asked(t, "clave", subject)
	a := k.known(run, false)
	a.Image, a.Source = run.Next.Images[0], nowhere
	for k.answers(t, run, a) != "locked" {
		require.Less(t, f.Calls(), 2000)
	}
	count("Answer", "locked", lockout.ErrLocked, func() error { return testkit.Err(k.Answer(ctx, run.Ticket, a)) })
	count("Enrolled", "", nil, func() error { _, _, err := k.Enrolled(ctx, subject); return err })
}

// ownerCosts are those of a subject with so many contacts, who can go through a plan.
func ownerCosts(t *testing.T, costs *testkit.Costs, told int, contacts []civicpin.Contact) {
	ctx, nowhere := t.Context(), civicpin.Source{}
	k, f := countedKitWith(t, false, contacts)
	count := k.counter(t, costs, f)
	each := fmt.Sprintf(", %d contacts are told", told)
	for range 2 {
		run := k.asked(t, "clave", ana)
		a := k.known(run, true)
		a.Source = nowhere
		count("Answer", "facts, image and a question, right", nil, func() error { return testkit.Err(k.Answer(ctx, run.Ticket, a)) })

		link := k.atItsEnd(t, "unlock", "recovery.unlock")
		count("Inspect", "", nil, func() error { return testkit.Err(k.Inspect(ctx, link)) })
		count("Finish", "an unlock"+each, nil, func() error { return testkit.Err(k.Finish(ctx, link, nowhere)) })
		require.NoError(t, k.out.Flush(ctx))

		after := k.sofar()
		k.asked(t, "two", ana)
		m, err := k.mailed(ctx, after, anaMail, "recovery.link")
		require.NoError(t, err)
		count("Redeem", "next step sends, no source", nil, func() error { return testkit.Err(k.Redeem(ctx, m.Link, nowhere)) })

		ticket := k.atItsEnd(t, "two", "recovery.link")
		count("Finish", "a grant"+each, nil, func() error { return testkit.Err(k.Finish(ctx, ticket, nowhere)) })
		done, err := k.mailed(ctx, k.sofar(), anaMail, "recovery.done")
		require.NoError(t, err)
		count("Repudiate", "a completed recovery", nil, func() error { return k.Repudiate(ctx, done.Link, nowhere) })
		require.NoError(t, k.pins.Resume(ctx, ana, "seen", agency.ID))
	}
	count("EnrolAnswers", "an image and four answers", nil, func() error {
		return k.EnrolAnswers(ctx, ana, anaImage, secrets(anaAnswers), nowhere)
	})
}

// operatorCosts are those of staff.
func operatorCosts(t *testing.T, costs *testkit.Costs) {
	ctx := t.Context()
	k, f := countedKit(t, false)
	count := k.counter(t, costs, f)
	var run recovery.Run
	count("StartBy", "", nil, func() (err error) { run, err = k.StartBy(ctx, "office", ana, agency); return err })
	count("ShowCase", "", nil, func() error { return testkit.Err(k.ShowCase(ctx, run.ID, agency)) })
	count("Unlock", "", nil, func() error { return k.Unlock(ctx, "clave", ana, civicpin.Evidence{}, agency) })
}

// answers answers, and says what came of it.
func (k *kit) answers(t *testing.T, run recovery.Run, a recovery.Answers) string {
	t.Helper()
	_, err := k.Answer(t.Context(), run.Ticket, a)
	require.Error(t, err)
	if lockOf(err) != nil {
		return "locked"
	}
	require.ErrorIs(t, err, recovery.ErrRefused)
	return "refused"
}
