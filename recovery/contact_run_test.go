package recovery_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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
	"github.com/civicpin/civicpin/store/storetest"
)

// correcting is a plan in which a visitor with Rosa's telephone gives another mailbox.
func correcting() plan.Plan {
	return plan.Plan{
		Name: "mailbox-lost",
		Steps: []plan.Step{
			plan.Code{Channel: civicpin.SMS, Valid: 5 * time.Minute},
			plan.ConfirmContact{Channel: civicpin.Email, MayCorrect: true, Wait: 72 * time.Hour},
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
	k.flush(t)
	k.clock.Add(rested)
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
	require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t))
	require.Equal(t, []string{rosaPhone}, k.usable(t), "the mailbox is disputed until staff have seen it")
	status, err := k.pins.Status(t.Context(), rosa)
	require.NoError(t, err)
	require.True(t, status.Closed)
	require.False(t, status.Suspended, "no secret was set")
	_, err = k.pins.Set(t.Context(), grant, civicpin.NewSecret("another long password"), civicpin.Source{})
	require.ErrorIs(t, err, pin.ErrNoGrant)
	require.ErrorIs(t, k.undoes(t, rosaPhone), recovery.ErrGone)
}

// Where there is room for no more contacts, a corrected one is refused when it is given; and if the room went since, the
// grant is not spent on a recovery that could not be completed.
func TestContactCorrectedWithoutRoom(t *testing.T) {
	fill := func(k *runKit, n int, by civicpin.Actor) {
		var list []civicpin.Contact
		for i := range n {
			list = append(list, civicpin.Contact{Channel: civicpin.Push, Address: string(rune('a' + i))})
		}
		require.NoError(t, k.contacts.Adopt(t.Context(), rosa, list, by, runHome))
		k.flush(t)
	}
	// The plan's own channel has a contact, whose place is taken: there is always room.
	k := newRunKit(t)
	fill(k, 6, runClerk)
	_, err := k.Finish(t.Context(), k.linked(t), runHome)
	require.NoError(t, err)

	// It has none.
	k = newRunKit(t)
	require.NoError(t, k.contacts.Remove(t.Context(), rosa, k.mailID, runClerk, runHome))
	require.NoError(t, k.contacts.Adopt(t.Context(), rosa, byPEC, runClerk, runHome))
	fill(k, 6, runClerk)
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
	require.NoError(t, k.contacts.Adopt(t.Context(), rosa, byPEC, runClerk, runHome))
	k.flush(t)
	k.clock.Add(time.Minute)
	run, err = k.Start(t.Context(), "mailbox-lost", rosa, runHome)
	require.NoError(t, err)
	k.flush(t)
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Code: k.post.Last(rosaPhone, "recovery.code").Secret})
	require.NoError(t, err)
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Correct: byNewMail})
	require.NoError(t, err)
	k.flush(t)
	k.clock.Add(rested)
	_, err = k.Send(t.Context(), run.Ticket, runHome)
	require.NoError(t, err)
	fill(k, 6, civicpin.Citizen) // what staff bring would end the recovery
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

// A contact that goes ends the recoveries that were proved by it; by staff, all. So does an undo.
func TestContactThatGoesEndsRecoveries(t *testing.T) {
	for name, tc := range map[string]struct {
		ends bool
		act  func(k *runKit) error
	}{
		"removed, and the run does not rest on it": {false, func(k *runKit) error {
			return k.contacts.Remove(t.Context(), rosa, k.mailID, civicpin.Citizen, runHome)
		}},
		"removed": {true, func(k *runKit) error {
			return k.contacts.Remove(t.Context(), rosa, k.phoneID, civicpin.Citizen, runHome)
		}},
		"removed by staff": {true, func(k *runKit) error {
			return k.contacts.Remove(t.Context(), rosa, k.mailID, runClerk, runHome)
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

	changedKind civicpin.MessageKind = "contact.changed"
)

var (
	bySMS     = civicpin.Contact{Channel: civicpin.SMS, Address: rosaPhone}
	byMail    = civicpin.Contact{Channel: civicpin.Email, Address: rosaMail}
	byPEC     = []civicpin.Contact{{Channel: civicpin.CertifiedEmail, Address: "rosa@pec.example"}} // can object
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
	phoneID  string // of Rosa's telephone
	mailID   string // of Rosa's mailbox
}

func newRunKit(t *testing.T) *runKit {
	t.Helper()
	return newRunKitWith(t, nil)
}

// newRunKitWith is newRunKit with roles of staff.
func newRunKitWith(t *testing.T, roles map[string]recovery.Role) *runKit {
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
		Roles: roles,
	})
	require.NoError(t, err)
	require.NoError(t, k.pins.Import(t.Context(), rosa, civicpin.NewSecret(cheapHash()), pin.ImportOptions{
		Level: civicpin.Substantial, Evidence: civicpin.Evidence{Method: civicpin.InPerson, By: runClerk}, By: runClerk,
	}))
	require.NoError(t, k.contacts.Adopt(t.Context(), rosa, []civicpin.Contact{bySMS, byMail}, runClerk, runHome))
	proved, _, err := k.contacts.List(t.Context(), rosa)
	require.NoError(t, err)
	k.phoneID, k.mailID = proved[0].ID, proved[1].ID
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

// known takes a run of "clave" for Ana behind what the visitor knows.
func (k *kit) knows(t testing.TB) (civicpin.Secret, error) {
	t.Helper()
	run, err := k.Start(t.Context(), "clave", ana, home)
	require.NoError(t, err)
	ticket := run.Ticket
	run, err = k.Answer(t.Context(), ticket, recovery.Answers{Captcha: true})
	require.NoError(t, err)
	_, err = k.Answer(t.Context(), ticket, k.known(run, true))
	return ticket, err
}

// Where a rest protects, a plan leads nowhere for a subject without a contact that can object: whoever knows the answers would
// take the account over while the subject is told nothing.
func TestARestNeedsAContact(t *testing.T) {
	fresh := civicpin.Contact{Channel: civicpin.Email, Address: anaMail}
	for name, tc := range map[string]struct {
		prepare func(t *testing.T, k *kit)
		leads   bool
	}{
		"none": {func(*testing.T, *kit) {}, false},
		"one that staff have seen": {func(t *testing.T, k *kit) {
			require.NoError(t, k.contacts.Adopt(t.Context(), ana, []civicpin.Contact{fresh}, agency.ID, home))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			k := newBareKit(t)
			k.importAna(t)
			k.teachAna(t)
			tc.prepare(t, k)
			_, err := k.knows(t)
			if tc.leads {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, recovery.ErrRefused, "as an unknown subject's")
		})
	}
}

// corrected has an attacker who knows Ana's answers give an address of their own, and returns the ticket and the run that rests.
func (k *kit) corrected(t testing.TB) (civicpin.Secret, recovery.Run) {
	t.Helper()
	ticket, err := k.knows(t)
	require.NoError(t, err)
	run, err := k.Answer(t.Context(), ticket, recovery.Answers{Correct: civicpin.Contact{Channel: civicpin.Email, Address: anaNewMail}})
	require.NoError(t, err)
	return ticket, run
}

// correctedLink is corrected, up to the link that finishes the run.
func (k *kit) correctedLink(t *testing.T) civicpin.Secret {
	t.Helper()
	ticket, _ := k.corrected(t)
	k.rested(t)
	_, err := k.Send(t.Context(), ticket, home)
	require.NoError(t, err)
	m, err := k.mailed(t.Context(), 0, anaNewMail, recovery.LinkMessage)
	require.NoError(t, err)
	return m.Link
}

// The rest counts from the first notice that a provider took over: if none is within an hour, the run leads nowhere at its end,
// which is the same for all.
func TestARestIsHeardOf(t *testing.T) {
	shown := make(map[bool]recovery.Run)
	for name, tc := range map[string]struct {
		after time.Duration // is a notice taken over
		leads bool
	}{
		"at once":            {0, true},
		"within the hour":    {time.Hour, true},
		"after the hour":     {time.Hour + 1, false},
		"on the next day":    {24 * time.Hour, false},
		"when the rest ends": {rested, false},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			ticket, run := k.corrected(t)
			up := k.clock.Now().Add(tc.after)
			k.mail.Fail = func(m civicpin.Message) error {
				if m.Kind == recovery.NoticeWaiting && k.clock.Now().Before(up) {
					return errors.New("gateway: down")
				}
				return nil
			}
			for _, at := range []time.Time{k.clock.Now(), up, up.Add(time.Hour), run.Next.WaitsUntil} {
				if at.After(k.clock.Now()) {
					k.clock.Set(at)
				}
				require.NoError(t, k.out.Flush(t.Context()))
			}
			k.clock.Set(run.Next.WaitsUntil)
			run, err := k.Send(t.Context(), ticket, home)
			require.NoError(t, err)
			m, err := k.mailed(t.Context(), 0, anaNewMail, recovery.LinkMessage)
			if tc.leads {
				require.NoError(t, err)
				require.NoError(t, testkit.Err(k.Finish(t.Context(), m.Link, home)))
			} else {
				require.ErrorIs(t, err, errNoMail)
			}
			run.ID = ""
			shown[tc.leads] = run
		})
	}
	require.Equal(t, shown[true].Next.Sent.Masked, shown[false].Next.Sent.Masked)
	require.Equal(t, shown[true].ExpiresAt, shown[false].ExpiresAt)
}

// A contact that the visitor proved in the run does not count, nor one that has no link while no office is open.
func TestAReaderIsNoObjector(t *testing.T) {
	starts := func(t *testing.T, k *runKit) bool {
		require.NoError(t, testkit.Err(k.Start(t.Context(), "mailbox-lost", rosa, runHome)))
		k.flush(t)
		return len(k.post.To(rosaPhone, recovery.CodeMessage)) > 0
	}
	desk := map[string]recovery.Role{"desk": {}}
	require.True(t, starts(t, newRunKit(t)))
	k := newRunKitWith(t, desk)
	require.NoError(t, k.contacts.Remove(t.Context(), rosa, k.mailID, runClerk, runHome))
	require.False(t, starts(t, k), "the telephone alone, by which the run would be proved")

	app := []civicpin.Contact{{Channel: civicpin.Push, Address: "app"}}
	for name, tc := range map[string]struct {
		roles map[string]recovery.Role
		leads bool
	}{
		"no staff":             {nil, false},
		"staff who are there":  {desk, true},
		"staff, in four days":  {map[string]recovery.Role{"desk": {Days: []time.Weekday{time.Friday}}}, false},
		"staff, in three days": {map[string]recovery.Role{"desk": {Days: []time.Weekday{time.Thursday}}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			k := newRunKitWith(t, tc.roles)
			require.NoError(t, k.contacts.Remove(t.Context(), rosa, k.mailID, runClerk, runHome))
			require.NoError(t, k.contacts.Adopt(t.Context(), rosa, app, runClerk, runHome))
			require.Equal(t, tc.leads, starts(t, k))
		})
	}
}

// A notice that a provider took over, and that bounced later, was not heard: the run leads nowhere, unless another notice was.
func TestARestIsNotHeardOfWhatBounced(t *testing.T) {
	for name, tc := range map[string]struct {
		bounce []string // notices to these addresses
		leads  bool
	}{
		"none":       {nil, true},
		"one of two": {[]string{anaMail}, true},
		"all":        {[]string{anaMail, anaPEC, anaPhone}, false},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t)
			ticket, _ := k.corrected(t)
			k.rested(t)
			for i, m := range k.mail.Messages() {
				if m.Kind == recovery.NoticeWaiting && slices.Contains(tc.bounce, m.To.Address) {
					require.NoError(t, k.out.Bounced(t.Context(), fmt.Sprintf("receipt-%d", i+1)))
				}
			}
			require.Len(t, k.events.Of("outbox.bounced"), len(tc.bounce))
			_, err := k.Send(t.Context(), ticket, home)
			require.NoError(t, err)
			_, err = k.mailed(t.Context(), 0, anaNewMail, recovery.LinkMessage)
			require.Equal(t, tc.leads, err == nil, err)
		})
	}
}

// One recovery of a subject rests at a time. Another one may as soon as that has ended, and the visitor is told when.
func TestOneRestsAtATime(t *testing.T) {
	k := newKit(t)
	correct := recovery.Answers{Correct: civicpin.Contact{Channel: civicpin.Email, Address: anaNewMail}}
	first, run := k.corrected(t)
	second, err := k.knows(t)
	require.NoError(t, err)
	for range 2 {
		_, err = k.Answer(t.Context(), second, correct)
		require.ErrorIs(t, err, recovery.ErrWaiting)
		var rests *recovery.RestError
		require.ErrorAs(t, err, &rests)
		require.Equal(t, run.ExpiresAt, rests.Until, "it can be completed until then")
		require.NotContains(t, rests.Error(), anaNewMail)
	}
	require.NoError(t, k.Cancel(t.Context(), first))
	_, err = k.Answer(t.Context(), second, correct)
	require.NoError(t, err)

	// A run that another act has ended keeps no other one from resting.
	require.NoError(t, walkClave(t.Context(), k, newSecret))
	_, _ = k.corrected(t)
}

// newCounterKit is newKit with a plan of staff's that rests.
func newCounterKit(t *testing.T) *kit {
	t.Helper()
	k := newKit(t)
	k.config.Plans = append(plans(), plan.Plan{
		Name: "counter", Steps: []plan.Step{plan.Approval{Role: "agency"}, plan.Wait{For: 72 * time.Hour}},
		Limit: threeTries(), Outcome: plan.ReissueInParts,
	})
	var err error
	k.Service, err = recovery.New(k.out, k.config)
	require.NoError(t, err)
	return k
}

// atCounter has a run rest that staff began.
func (k *kit) atCounter(t *testing.T) recovery.Run {
	t.Helper()
	run, err := k.StartBy(t.Context(), "counter", ana, agency)
	require.NoError(t, err)
	run, err = k.Decide(t.Context(), run.ID, agency, approved)
	require.NoError(t, err)
	require.False(t, run.Next.WaitsUntil.IsZero())
	return run
}

// finishes brings a run that has rested, and corrected the mailbox, to its end.
func (k *kit) finishes(t *testing.T, ticket civicpin.Secret) error {
	t.Helper()
	if _, err := k.Send(t.Context(), ticket, home); err != nil {
		return err
	}
	m, err := k.mailed(t.Context(), 0, anaNewMail, recovery.LinkMessage)
	require.NoError(t, err)
	return testkit.Err(k.Finish(t.Context(), m.Link, home))
}

// One objection ends whatever rests, or rested: of a run that a visitor began, and of staff's beside it.
func TestOneObjectionEndsAll(t *testing.T) {
	for name, tc := range map[string]struct {
		object    int           // to the first run, the second, or none
		after     time.Duration // when staff's run begins to rest
		staffDies bool
	}{
		"no objection":           {0, 0, false},
		"to the visitor's":       {1, 0, true},
		"to staff's":             {2, 0, true},
		"to one that has rested": {1, rested, true},
		"to staff's behind it":   {2, rested, true},
	} {
		t.Run(name, func(t *testing.T) {
			k := newCounterKit(t)
			ticket, _ := k.corrected(t)
			first, err := k.mailed(t.Context(), 0, anaMail, recovery.NoticeWaiting)
			require.NoError(t, err)
			k.clock.Add(tc.after)
			before := len(k.mail.Messages())
			run := k.atCounter(t)
			second, err := k.mailed(t.Context(), before, anaMail, recovery.NoticeWaiting)
			require.NoError(t, err)
			if tc.object > 0 {
				link := []civicpin.Secret{first.Link, second.Link}[tc.object-1]
				require.NoError(t, k.Repudiate(t.Context(), link, home))
			}
			if tc.after == 0 {
				k.clock.Add(rested)
			}
			require.ErrorIs(t, k.finishes(t, ticket), recovery.ErrGone)
			k.clock.Add(tc.after)
			_, err = k.Decide(t.Context(), run.ID, other, approved)
			if tc.staffDies {
				require.ErrorIs(t, err, recovery.ErrGone)
				return
			}
			require.NoError(t, err)
		})
	}
}

// Two runs that come to their rest at the same moment do not both rest; nor does one beside another whose rest is over.
func TestNoTwoRestAtOnce(t *testing.T) {
	correct := recovery.Answers{Correct: civicpin.Contact{Channel: civicpin.Email, Address: anaNewMail}}
	rest := func(t *testing.T, k *kit) error {
		second, err := k.knows(t)
		require.NoError(t, err)
		return testkit.Err(k.Answer(t.Context(), second, correct))
	}
	t.Run("at the same moment", func(t *testing.T) {
		k := newKit(t)
		ticket, err := k.knows(t)
		require.NoError(t, err)
		watched, met := false, error(nil)
		k.faults.Hook(func(method, key string) error {
			if method != storetest.Put {
				return nil
			}
			if watched && strings.HasPrefix(key, "recovery.run/") {
				k.faults.Hook(nil)
				met = rest(t, k)
			}
			watched = watched || strings.HasPrefix(key, "recovery.watch/")
			return nil
		})
		require.NoError(t, testkit.Err(k.Answer(t.Context(), ticket, correct)))
		require.True(t, watched)
		require.ErrorIs(t, met, recovery.ErrWaiting)
	})
	t.Run("when the rest is over", func(t *testing.T) {
		k := newKit(t)
		ticket, run := k.corrected(t)
		k.rested(t)
		until, ok := errors.AsType[*recovery.RestError](rest(t, k))
		require.True(t, ok)
		require.Equal(t, run.ExpiresAt, until.Until)
		require.NoError(t, k.finishes(t, ticket))
	})
}

// An objection that meets the completion at the same moment repudiates what that brings, as one does that comes just after.
func TestAnObjectionMeetsFinish(t *testing.T) {
	k := newKit(t)
	ticket, _ := k.corrected(t)
	objection, err := k.mailed(t.Context(), 0, anaMail, recovery.NoticeWaiting)
	require.NoError(t, err)
	k.rested(t)
	_, err = k.Send(t.Context(), ticket, home)
	require.NoError(t, err)
	m, err := k.mailed(t.Context(), 0, anaNewMail, recovery.LinkMessage)
	require.NoError(t, err)
	var grant pin.Grant
	k.faults.Hook(func(method, key string) error {
		if method == storetest.Put && strings.HasPrefix(key, "recovery.watch/") { // the objection has read the open run
			k.faults.Hook(nil)
			grant, err = k.Finish(t.Context(), m.Link, home)
			require.NoError(t, err)
			require.NoError(t, k.set(t.Context(), grant, newSecret))
		}
		return nil
	})
	require.NoError(t, k.Repudiate(t.Context(), objection.Link, home))
	require.NotZero(t, grant)
	require.Len(t, k.events.Of("recovery.repudiated"), 1)
	_, err = k.login(t, newSecret)
	require.ErrorIs(t, err, pin.ErrRefused)
}

// What the contacts are told has happened: where staff change them at the moment at which the run is completed, the new mailbox is
// not kept, there is no grant, and no message says otherwise, though a dispatcher runs in between.
func TestFinishTellsWhatHappened(t *testing.T) {
	k := newKit(t)
	link := k.correctedLink(t)
	k.faults.Hook(func(method, key string) error {
		if method == storetest.Put && strings.HasPrefix(key, "recovery.run/") {
			k.faults.Hook(func(_, key string) error {
				if strings.HasPrefix(key, "contact.book/") { // the run is finished, and its contact not kept yet
					k.faults.Hook(nil)
					require.NoError(t, k.contacts.Adopt(t.Context(), ana, []civicpin.Contact{{Channel: civicpin.SMS, Address: "+593997654321"}}, agency.ID, home))
					require.NoError(t, k.out.Flush(t.Context()))
				}
				return nil
			})
		}
		return nil
	})
	_, err := k.Finish(t.Context(), link, home)
	require.ErrorIs(t, err, recovery.ErrGone)
	k.clock.Add(time.Hour)
	require.NoError(t, k.out.Flush(t.Context()))
	require.Empty(t, k.mail.To(anaPhone, recovery.NoticeDone))
	require.Empty(t, k.mail.To(anaMail, recovery.NoticeDone))
	require.Empty(t, k.events.Of("recovery.finished"))
}

// After an objection no recovery of the subject rests for seven days, but one that staff began. The objection stands, whatever
// becomes of the contact that made it.
func TestAfterAnObjection(t *testing.T) {
	k := newCounterKit(t)
	correct := recovery.Answers{Correct: civicpin.Contact{Channel: civicpin.Email, Address: anaNewMail}}
	ticket, _ := k.corrected(t)
	m, err := k.mailed(t.Context(), 0, anaMail, recovery.NoticeWaiting)
	require.NoError(t, err)
	proved, _, err := k.contacts.List(t.Context(), ana)
	require.NoError(t, err)
	for _, c := range proved { // by a thief in a session
		if c.Address == anaMail {
			require.NoError(t, k.contacts.Remove(t.Context(), ana, c.ID, civicpin.Citizen, home))
		}
	}
	require.NoError(t, k.Repudiate(t.Context(), m.Link, home))
	objected := k.clock.Now()
	_, err = k.Send(t.Context(), ticket, home)
	require.ErrorIs(t, err, recovery.ErrGone)

	for _, after := range []time.Duration{0, 7*24*time.Hour - 1} {
		k.clock.Set(objected.Add(after))
		second, err := k.knows(t)
		require.NoError(t, err)
		_, err = k.Answer(t.Context(), second, correct)
		var rests *recovery.RestError
		require.ErrorAs(t, err, &rests)
		require.Equal(t, objected.Add(7*24*time.Hour), rests.Until)
	}
	k.atCounter(t)

	k.clock.Set(objected.Add(7 * 24 * time.Hour).Add(rested + time.Hour))
	_, _ = k.corrected(t)
}

// A contact that the visitor named for a part of the new secret gets none if it goes before the run is completed.
func TestANamedContactGoes(t *testing.T) {
	k := newKit(t)
	run, err := k.Start(t.Context(), "parts", ana, home)
	require.NoError(t, err)
	_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Source: home, Contacts: []civicpin.Contact{
		{Channel: civicpin.Email, Address: anaMail}, {Channel: civicpin.SMS, Address: anaPhone},
	}})
	require.NoError(t, err)
	m, err := k.mailed(t.Context(), 0, anaMail, recovery.LinkMessage)
	require.NoError(t, err)
	list, _, err := k.contacts.List(t.Context(), ana)
	require.NoError(t, err)
	for _, c := range list {
		if c.Address == anaPhone {
			require.NoError(t, k.contacts.Remove(t.Context(), ana, c.ID, civicpin.Citizen, home))
		}
	}
	_, err = k.Finish(t.Context(), m.Link, home)
	require.ErrorIs(t, err, recovery.ErrGone)
}

// To deny an unlock that did not rest objects to no run that rests: a thief who unlocks must not have the owner end the owner's.
func TestADeniedUnlockEndsNoRest(t *testing.T) {
	k := newKit(t)
	ticket, _ := k.corrected(t)
	require.NoError(t, walkUnlock(t.Context(), k, ""))
	m, err := k.mailed(t.Context(), 0, anaPEC, recovery.NoticeUnlocked)
	require.NoError(t, err)
	require.NoError(t, k.Repudiate(t.Context(), m.Link, home))
	k.clock.Add(rested)
	require.NoError(t, k.finishes(t, ticket))
}
