package recovery_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// correcting is a plan in which a visitor with Rosa's telephone gives another mailbox.
func correcting() plan.Plan {
	return plan.Plan{
		Name: "mailbox-lost",
		Steps: []plan.Step{
			plan.Code{Channel: civicpin.SMS, Valid: 5 * time.Minute},
			plan.ConfirmContact{Channel: civicpin.Email, MayCorrect: true, Wait: runDay},
			plan.Link{Channel: civicpin.Email, Valid: 10 * time.Minute},
		},
		Limit:   testkit.Until(5),
		Outcome: plan.ChooseSecret,
	}
}

// linked runs the plan, with another mailbox, up to its last link.
func (k *runKit) linked(t *testing.T) civicpin.Secret {
	t.Helper()
	run, err := k.Start(t.Context(), "mailbox-lost", rosa, runHome)
	require.NoError(t, err)
	require.Equal(t, bySMS.Masked(), run.Next.Sent.Masked)
	k.flush(t)
	ticket := run.Ticket
	run, err = k.Answer(t.Context(), ticket, recovery.Answers{Code: k.post.Last(rosaPhone, "recovery.code").Secret})
	require.NoError(t, err)
	require.Equal(t, byMail.Masked(), run.Next.Confirm.Masked)
	_, err = k.Answer(t.Context(), ticket, recovery.Answers{Correct: byNewMail})
	require.NoError(t, err)
	k.clock.Add(runDay)
	run, err = k.Send(t.Context(), ticket, runHome)
	require.NoError(t, err)
	require.Equal(t, byNewMail.Masked(), run.Next.Sent.Masked)
	k.flush(t)
	return k.post.Last(newMail, "recovery.link").Link
}

// A contact that was corrected counts once the recovery is completed, and whoever repudiates the recovery undoes that, too.
func TestContactCorrectedInARecovery(t *testing.T) {
	k := newRunKit(t)
	link := k.linked(t)
	require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t), "not before")
	grant, err := k.Finish(t.Context(), link, runHome)
	require.NoError(t, err)
	require.False(t, grant.IsZero())
	k.flush(t)
	require.Equal(t, []string{rosaPhone, newMail}, k.addresses(t))
	require.Equal(t, []string{rosaPhone}, k.usable(t))
	require.Len(t, k.post.To(rosaMail, changedKind), 1)

	require.NoError(t, k.Repudiate(t.Context(), k.post.Last(rosaMail, "recovery.done").Link, runHome))
	require.Equal(t, []string{rosaPhone, rosaMail}, k.usable(t))
	status, err := k.pins.Status(t.Context(), rosa)
	require.NoError(t, err)
	require.True(t, status.Closed)
	require.False(t, status.Suspended, "no secret was set")
	_, err = k.pins.Set(t.Context(), grant, civicpin.NewSecret("another long password"))
	require.ErrorIs(t, err, pin.ErrNoGrant)
	require.ErrorIs(t, k.undoes(t, rosaPhone), recovery.ErrGone)
}

// Where there is room for no more contacts, a corrected one is refused when it is given; and if the room went since, the
// grant is not spent on a recovery that could not be completed.
func TestContactCorrectedWithoutRoom(t *testing.T) {
	fill := func(k *runKit, n int) {
		var list []civicpin.Contact
		for i := range n {
			list = append(list, civicpin.Contact{Channel: civicpin.Push, Address: string(rune('a' + i))})
		}
		require.NoError(t, k.contacts.Adopt(t.Context(), rosa, list, runClerk, runHome))
		k.flush(t)
	}
	// The plan's own channel has a contact, whose place is taken: there is always room.
	k := newRunKit(t)
	fill(k, 6)
	_, err := k.Finish(t.Context(), k.linked(t), runHome)
	require.NoError(t, err)

	// It has none.
	k = newRunKit(t)
	require.NoError(t, k.contacts.Remove(t.Context(), rosa, k.mailID, runClerk, runHome))
	fill(k, 7)
	k.flush(t)
	run, err := k.Start(t.Context(), "mailbox-lost", rosa, runHome)
	require.NoError(t, err)
	k.flush(t)
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Code: k.post.Last(rosaPhone, "recovery.code").Secret})
	require.NoError(t, err)
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Correct: byNewMail})
	require.ErrorIs(t, err, contact.ErrUnsuitable)

	// It had none, and there was room.
	k = newRunKit(t)
	require.NoError(t, k.contacts.Remove(t.Context(), rosa, k.mailID, runClerk, runHome))
	k.flush(t)
	run, err = k.Start(t.Context(), "mailbox-lost", rosa, runHome)
	require.NoError(t, err)
	k.flush(t)
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Code: k.post.Last(rosaPhone, "recovery.code").Secret})
	require.NoError(t, err)
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Correct: byNewMail})
	require.NoError(t, err)
	k.clock.Add(runDay)
	_, err = k.Send(t.Context(), run.Ticket, runHome)
	require.NoError(t, err)
	fill(k, 7)
	before, err := k.pins.Mark(t.Context(), rosa)
	require.NoError(t, err)
	for range 2 {
		_, err = k.Finish(t.Context(), k.post.Last(newMail, "recovery.link").Link, runHome)
		require.ErrorIs(t, err, contact.ErrUnsuitable)
	}
	after, err := k.pins.Mark(t.Context(), rosa)
	require.NoError(t, err)
	require.Equal(t, before, after, "no grant was made that nobody has")
	require.Empty(t, k.post.To(rosaPhone, "recovery.done"))
}

// A contact that goes ends the recoveries under way: a link may be on its way there. So does an undo.
func TestContactThatGoesEndsRecoveries(t *testing.T) {
	for name, tc := range map[string]struct {
		ends bool
		act  func(k *runKit) error
	}{
		"removed": {true, func(k *runKit) error {
			return k.contacts.Remove(t.Context(), rosa, k.mailID, civicpin.Citizen, runHome)
		}},
		"undone": {true, func(k *runKit) error { return k.undoes(t, rosaPhone) }},
		"primary": {false, func(k *runKit) error {
			return k.contacts.MakePrimary(t.Context(), rosa, k.mailID, civicpin.Citizen, runHome)
		}},
		"asked": {false, func(k *runKit) error {
			_, err := k.contacts.Add(t.Context(), rosa, civicpin.Contact{Channel: civicpin.Push, Address: "app"}, civicpin.Citizen, runHome)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			k := newRunKit(t)
			_, err := k.contacts.Add(t.Context(), rosa, civicpin.Contact{Channel: civicpin.Email, Address: thiefMail}, civicpin.Citizen, runHome)
			require.NoError(t, err)
			k.flush(t)
			require.NoError(t, k.contacts.ProveCode(t.Context(), rosa, k.post.Last(thiefMail, "contact.prove").Secret, runHome))
			k.flush(t)
			link := k.linked(t)
			require.NoError(t, tc.act(k))
			_, err = k.Finish(t.Context(), link, runHome)
			if tc.ends {
				require.ErrorIs(t, err, recovery.ErrGone)
				return
			}
			require.NoError(t, err)
		})
	}
}

const (
	rosa      = civicpin.Subject("0912345678")
	rosaPhone = "+593991234567"
	rosaMail  = "rosa@example.ec"
	newMail   = "rosa.new@example.org"
	thiefMail = "thief@example.net"
	runDay    = 24 * time.Hour

	changedKind civicpin.MessageKind = "contact.changed"
)

var (
	bySMS     = civicpin.Contact{Channel: civicpin.SMS, Address: rosaPhone}
	byMail    = civicpin.Contact{Channel: civicpin.Email, Address: rosaMail}
	byNewMail = civicpin.Contact{Channel: civicpin.Email, Address: newMail}
	runClerk  = civicpin.Operator("zambrano")
	runHome   = civicpin.Source{Address: "192.0.2.7"}
)

// cheapHash is of Rosa's password, as another system kept it.
var cheapHash = sync.OnceValue(func() string {
	hash, err := bcrypt.GenerateFromPassword([]byte("the long password of Rosa"), 10)
	if err != nil {
		panic(err)
	}
	return string(hash)
})

// runKit is a recovery service with one plan, and Rosa, who has a credential and two contacts.
type runKit struct {
	*recovery.Service
	contacts *contact.Service
	pins     *pin.Service
	clock    *testkit.Clock
	post     *testkit.Mailbox
	out      *outbox.Outbox
	mailID   string // of Rosa's mailbox
}

func newRunKit(t *testing.T) *runKit {
	t.Helper()
	k := &runKit{clock: testkit.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)), post: &testkit.Mailbox{}}
	_, k.out = testkit.Open(t, store.NewMemory(), k.clock, k.post, nil)
	var err error
	k.pins, err = pin.New(k.out, pin.Default())
	require.NoError(t, err)
	k.contacts, err = contact.New(k.out, contact.Policy{Sends: testkit.Wide, Decoys: []civicpin.Contact{
		{Channel: civicpin.SMS, Address: "+593990000000"}, {Channel: civicpin.Email, Address: "x@example.ec"},
	}}, k.pins)
	require.NoError(t, err)
	k.Service, err = recovery.New(k.out, recovery.Config{
		Pins: k.pins, Contacts: k.contacts, Plans: []plan.Plan{correcting()}, Sends: testkit.Wide, Hashing: cheap(),
	})
	require.NoError(t, err)
	require.NoError(t, k.pins.Import(t.Context(), rosa, civicpin.NewSecret(cheapHash()), pin.ImportOptions{
		Level: civicpin.Substantial, Evidence: civicpin.Evidence{Method: civicpin.InPerson, By: runClerk}, By: runClerk,
	}))
	require.NoError(t, k.contacts.Adopt(t.Context(), rosa, []civicpin.Contact{bySMS, byMail}, runClerk, runHome))
	proved, _, err := k.contacts.List(t.Context(), rosa)
	require.NoError(t, err)
	k.mailID = proved[1].ID
	return k
}

// flush sends what waits.
func (k *runKit) flush(t testing.TB) {
	t.Helper()
	require.NoError(t, k.out.Flush(t.Context()))
}

// addresses returns those of Rosa's contacts, the primary one first.
func (k *runKit) addresses(t testing.TB) []string {
	t.Helper()
	proved, _, err := k.contacts.List(t.Context(), rosa)
	require.NoError(t, err)
	return testkit.Addresses(proved, func(c contact.Contact) string { return c.Address })
}

// usable returns the addresses of those that prove something.
func (k *runKit) usable(t testing.TB) []string {
	t.Helper()
	now, err := k.contacts.Snapshot(t.Context(), rosa)
	require.NoError(t, err)
	return testkit.Addresses(now.Established(), func(c civicpin.Contact) string { return c.Address })
}

// undoes redeems the link that came last to an address.
func (k *runKit) undoes(t testing.TB, address string) error {
	t.Helper()
	return k.Repudiate(t.Context(), k.post.Last(address, changedKind).Link, runHome)
}
