package recovery_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
)

// A plan that New takes can be gone through: at 6c1446d two steps of one type that are asked together took the same answer.
func TestTwoStepsOfOneType(t *testing.T) {
	for name, steps := range map[string][]plan.Step{
		"images":    {plan.Image{}, plan.Image{}},
		"questions": {plan.Questions{Ask: 2}, plan.Questions{Ask: 2}},
		"contacts":  {plan.Contacts{AtLeast: 1}, plan.Contacts{AtLeast: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			k.config.Plans = []plan.Plan{{
				Name: "twice", Limit: threeTries(), Outcome: plan.Unlocked, Exception: "a test",
				Steps: append(steps, plan.Link{Channel: civicpin.Email, Valid: time.Hour}),
			}}
			rec, err := recovery.New(k.out, k.config)
			require.NoError(t, err)
			run, err := rec.Start(t.Context(), "twice", ana, home)
			require.NoError(t, err)
			a := recovery.Answers{Source: home}
			if len(run.Next.Images) > 0 {
				a.Image = anaImage
			}
			if len(run.Next.Questions) > 0 {
				a.Questions = answered(run.Next.Questions, true)
			}
			if run.Next.Contacts > 0 {
				a.Contacts = anaContacts()[:2]
			}
			_, err = rec.Answer(t.Context(), run.Ticket, a)
			require.NoError(t, err)
		})
	}
}

// A link that is sent late in a run is good until the run ends, and the message and the page say so.
func TestLinksEndWithTheirRun(t *testing.T) {
	k := newKit(t)
	run, err := k.Start(t.Context(), "two", ana, home)
	require.NoError(t, err)
	k.clock.Add(80 * time.Minute) // of two hours, with the wait
	shown, err := k.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
	require.NoError(t, err)
	m, err := k.mailed(t.Context(), 0, anaMail, "recovery.link")
	require.NoError(t, err)
	require.Equal(t, run.ExpiresAt, m.ExpiresAt)
	require.Equal(t, run.ExpiresAt, shown.Next.Sent.ExpiresAt)
	k.clock.Add(40*time.Minute - time.Second)
	_, err = k.Redeem(t.Context(), m.Link, home)
	require.NoError(t, err)
}

// What an operator's act brought about has the same By and Source in the log as at 6c1446d: the message goes to the citizen.
func TestEventsUnderAssist(t *testing.T) {
	k := newKit(t)
	run, err := k.Start(t.Context(), "desk", ana, home)
	require.NoError(t, err)
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true, Source: home})
	require.NoError(t, err)
	files := map[string]string{"front": "a", "back": "b", "face": "c"}
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Documents: files})
	require.NoError(t, err)
	k.events.Take()
	_, err = k.Decide(t.Context(), run.ID, agency, recovery.Verdict{Approve: true})
	require.NoError(t, err)
	_, err = k.Decide(t.Context(), run.ID, other, recovery.Verdict{Approve: true})
	require.NoError(t, err)
	for _, e := range k.events.Of("recovery.sent") {
		require.Equal(t, civicpin.Citizen, e.By)
		require.Equal(t, home.Address, e.Source.Address)
	}
}

func TestRefusedUnderAssist(t *testing.T) {
	k := newKit(t)
	run, err := k.StartBy(t.Context(), "video", ana, video)
	require.NoError(t, err)
	c, err := k.ShowCase(t.Context(), run.ID, video)
	require.NoError(t, err)
	k.events.Take()
	_, err = k.Decide(t.Context(), run.ID, video, recovery.Verdict{Approve: true, Questions: answered(c.Questions, false)})
	require.ErrorIs(t, err, recovery.ErrRefused)
	refused := k.events.Of("recovery.refused")
	require.Len(t, refused, 1)
	for _, e := range refused {
		require.Equal(t, video.ID, e.By)
	}
}
