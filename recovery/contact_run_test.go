package recovery_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
)

// correcting is a plan in which a visitor with Rosa's telephone gives another mailbox.
func correcting() plan.Plan {
	return plan.Plan{
		Name: "mailbox-lost",
		Steps: []plan.Step{
			plan.Code{Channel: civicpin.SMS, Valid: 5 * time.Minute},
			plan.ConfirmContact{Channel: civicpin.Email, MayCorrect: true, Wait: bookDay},
			plan.Link{Channel: civicpin.Email, Valid: 10 * time.Minute},
		},
		Limit:   lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked},
		Outcome: plan.ChooseSecret,
	}
}

// newRunKit gives the kit that plan, and Rosa a credential and two contacts.
func newRunKit(t *testing.T) *bookKit {
	t.Helper()
	c := bookConfig()
	c.Plans = []plan.Plan{correcting()}
	k := newBookKit(t, bookConfig())
	k.config = c
	k.withPins(t, recovery.ContactPolicy{Decoys: []civicpin.Contact{
		{Channel: civicpin.SMS, Address: "+593990000000"}, {Channel: civicpin.Email, Address: "x@example.ec"},
	}})
	k.credential(t)
	k.enrolled(t)
	return k
}

// linked runs the plan, with another mailbox, up to its last link.
func (k *bookKit) linked(t *testing.T) civicpin.Secret {
	t.Helper()
	run, err := k.Start(t.Context(), "mailbox-lost", rosa, bookHome)
	require.NoError(t, err)
	require.Equal(t, bySMS.Masked(), run.Next.Sent.Masked)
	k.flush(t)
	ticket := run.Ticket
	run, err = k.Answer(t.Context(), ticket, recovery.Answers{Code: k.post.Last(rosaPhone, "recovery.code").Secret})
	require.NoError(t, err)
	require.Equal(t, byMail.Masked(), run.Next.Confirm.Masked)
	_, err = k.Answer(t.Context(), ticket, recovery.Answers{Correct: byNewMail})
	require.NoError(t, err)
	k.clock.Add(bookDay)
	run, err = k.Send(t.Context(), ticket, bookHome)
	require.NoError(t, err)
	require.Equal(t, byNewMail.Masked(), run.Next.Sent.Masked)
	k.flush(t)
	return k.post.Last(newMail, "recovery.link").Link
}

// A contact that was corrected counts once the recovery is completed, and whoever disowns the recovery undoes that, too.
func TestContactCorrectedInARecovery(t *testing.T) {
	k := newRunKit(t)
	link := k.linked(t)
	require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t), "not before")
	grant, err := k.Finish(t.Context(), link, bookHome)
	require.NoError(t, err)
	require.False(t, grant.IsZero())
	k.flush(t)
	require.Equal(t, []string{rosaPhone, newMail}, k.addresses(t))
	require.Equal(t, []string{rosaPhone}, k.usable(t))
	require.Len(t, k.post.To(rosaMail, changedKind), 1)

	require.NoError(t, k.Disown(t.Context(), k.post.Last(rosaMail, "recovery.done").Link, bookHome))
	require.Equal(t, []string{rosaPhone, rosaMail}, k.usable(t))
	require.True(t, k.status(t).Suspended)
	require.ErrorIs(t, k.config.Pins.Set(t.Context(), grant, civicpin.NewSecret("another long password")), pin.ErrGrant)
	require.ErrorIs(t, k.undoes(t, rosaPhone), recovery.ErrGone)
}

// Where there is room for no more contacts, a corrected one is refused when it is given; and if the room went since, the grant is not
// spent on a recovery that could not be completed.
func TestContactCorrectedWithoutRoom(t *testing.T) {
	fill := func(k *bookKit, n int) {
		var list []civicpin.Contact
		for i := range n {
			list = append(list, civicpin.Contact{Channel: civicpin.Push, Address: string(rune('a' + i))})
		}
		require.NoError(t, k.AdoptContacts(t.Context(), rosa, list, bookClerk, bookHome))
		k.flush(t)
	}
	// The plan's own channel has a contact, whose place is taken: there is always room.
	k := newRunKit(t)
	fill(k, 6)
	_, err := k.Finish(t.Context(), k.linked(t), bookHome)
	require.NoError(t, err)

	// It has none.
	k = newRunKit(t)
	require.NoError(t, k.RemoveContact(t.Context(), rosa, k.mailID, bookClerk, bookHome))
	fill(k, 7)
	k.flush(t)
	run, err := k.Start(t.Context(), "mailbox-lost", rosa, bookHome)
	require.NoError(t, err)
	k.flush(t)
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Code: k.post.Last(rosaPhone, "recovery.code").Secret})
	require.NoError(t, err)
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Correct: byNewMail})
	require.ErrorIs(t, err, recovery.ErrContacts)

	// It had none, and there was room.
	k = newRunKit(t)
	require.NoError(t, k.RemoveContact(t.Context(), rosa, k.mailID, bookClerk, bookHome))
	k.flush(t)
	run, err = k.Start(t.Context(), "mailbox-lost", rosa, bookHome)
	require.NoError(t, err)
	k.flush(t)
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Code: k.post.Last(rosaPhone, "recovery.code").Secret})
	require.NoError(t, err)
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Correct: byNewMail})
	require.NoError(t, err)
	k.clock.Add(bookDay)
	_, err = k.Send(t.Context(), run.Ticket, bookHome)
	require.NoError(t, err)
	fill(k, 7)
	before, err := k.config.Pins.Mark(t.Context(), rosa)
	require.NoError(t, err)
	for range 2 {
		_, err = k.Finish(t.Context(), k.post.Last(newMail, "recovery.link").Link, bookHome)
		require.ErrorIs(t, err, recovery.ErrContacts)
	}
	after, err := k.config.Pins.Mark(t.Context(), rosa)
	require.NoError(t, err)
	require.Equal(t, before, after, "no grant was made that nobody has")
	require.Empty(t, k.post.To(rosaPhone, "recovery.done"))
}

// A contact that goes ends the recoveries under way: a link may be on its way there. So does an undo.
func TestContactThatGoesEndsRecoveries(t *testing.T) {
	for name, tc := range map[string]struct {
		ends bool
		act  func(k *bookKit) error
	}{
		"removed": {true, func(k *bookKit) error {
			return k.RemoveContact(t.Context(), rosa, k.mailID, civicpin.Citizen, bookHome)
		}},
		"undone": {true, func(k *bookKit) error { return k.undoes(t, rosaPhone) }},
		"primary": {false, func(k *bookKit) error {
			return k.MakePrimary(t.Context(), rosa, k.mailID, civicpin.Citizen, bookHome)
		}},
		"asked": {false, func(k *bookKit) error {
			_, err := k.AddContact(t.Context(), rosa, civicpin.Contact{Channel: civicpin.Push, Address: "app"}, civicpin.Citizen, bookHome)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			k := newRunKit(t)
			k.asks(t, byThief)
			k.proves(t, thiefMail)
			link := k.linked(t)
			require.NoError(t, tc.act(k))
			_, err := k.Finish(t.Context(), link, bookHome)
			if tc.ends {
				require.ErrorIs(t, err, recovery.ErrGone)
				return
			}
			require.NoError(t, err)
		})
	}
}
