package waits_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

const (
	rosa       = civicpin.Subject("0912345678")
	rosaPhone  = "+593991234567"
	rosaMail   = "rosa@example.ec"
	rosaPEC    = "rosa@pec.example.ec"
	newMail    = "rosa.new@example.org"
	otherMail  = "rosa.other@example.org"
	thiefMail  = "thief@example.net"
	secret     = "tres gatos en el tejado"
	nextSecret = "cinco perros bajo la mesa"
	day        = 24 * time.Hour

	proveKind   civicpin.MessageKind = "contact.prove"
	changedKind civicpin.MessageKind = "contact.changed"
	linkKind    civicpin.MessageKind = "recovery.link"
	doneKind    civicpin.MessageKind = "recovery.done"
)

var (
	bySMS   = civicpin.Contact{Channel: civicpin.SMS, Address: rosaPhone}
	byMail  = civicpin.Contact{Channel: civicpin.Email, Address: rosaMail}
	byPEC   = civicpin.Contact{Channel: civicpin.CertifiedEmail, Address: rosaPEC}
	byNew   = civicpin.Contact{Channel: civicpin.Email, Address: newMail}
	byOther = civicpin.Contact{Channel: civicpin.Email, Address: otherMail}
	byThief = civicpin.Contact{Channel: civicpin.Email, Address: thiefMail}
	clerk   = recovery.Operator{ID: civicpin.Operator("zambrano"), Role: "agency"}
	second  = recovery.Operator{ID: civicpin.Operator("quishpe"), Role: "agency"}
	home    = civicpin.Source{Address: "192.0.2.7"}
)

// services are the services of one process.
type services struct {
	pins     *pin.Service
	contacts *contact.Service
	runs     *recovery.Service
	vault    *store.Vault
	out      *outbox.Outbox
}

// world is two processes over one store: calls of the first can be held up at any store call, while the second acts.
type world struct {
	services
	other  services
	t      testing.TB
	clock  *testkit.Clock
	post   *testkit.Mailbox
	faults *storetest.Faults // of the first
}

// newWorld makes a world in which nobody is known.
func newWorld(t testing.TB) *world {
	t.Helper()
	password.Cheap()
	memory := store.NewMemory()
	w := &world{
		t: t, clock: testkit.NewClock(time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)), post: &testkit.Mailbox{},
		faults: storetest.NewFaults(memory),
	}
	w.services, w.other = w.process(w.faults.Store()), w.process(memory)
	return w
}

// process starts the services of a process.
func (w *world) process(s store.Store) (p services) {
	w.t.Helper()
	cheap := pin.Hashing{Memory: 8, Time: 1, Threads: 1, Permits: 64, Queue: 4096}
	var err error
	p.vault, p.out = testkit.Open(w.t, s, w.clock, w.post, nil)
	policy := pin.Default()
	policy.Hashing = cheap
	p.pins, err = pin.New(p.out, policy)
	require.NoError(w.t, err)
	p.contacts, err = contact.New(p.out, contact.Policy{Sends: testkit.Wide}, p.pins)
	require.NoError(w.t, err)
	p.runs, err = recovery.New(p.out, recovery.Config{
		Pins: p.pins, Contacts: p.contacts, Plans: plans(), Sends: testkit.Wide, Hashing: cheap,
		Roles: map[string]recovery.Role{"agency": {Unlocks: true}},
	})
	require.NoError(w.t, err)
	return p
}

// plans are those of the world.
func plans() []plan.Plan {
	link := plan.Link{Channel: civicpin.Email, Valid: time.Hour}
	limit := lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked}
	return []plan.Plan{
		{Name: "link", Steps: []plan.Step{plan.Captcha{}, link}, Limit: limit, Outcome: plan.ChooseSecret, Grant: day, Repudiate: 30 * day},
		{
			Name: "code", Outcome: plan.ChooseSecret, Grant: day, Limit: limit,
			Steps: []plan.Step{plan.Captcha{}, plan.Code{Channel: civicpin.SMS, Valid: 10 * time.Minute}, link},
		},
		{
			Name: "desk", Outcome: plan.ChooseSecret, Grant: day, Limit: limit,
			Steps: []plan.Step{plan.Captcha{}, plan.Approval{Role: "agency"}, link},
		},
		{Name: "unlock", Steps: []plan.Step{plan.Captcha{}, link}, Limit: limit, Outcome: plan.Unlocked},
	}
}

// does fails the test at an error.
func (w *world) does(err error) {
	w.t.Helper()
	require.NoError(w.t, err)
	w.flush()
}

// flush sends what waits.
func (w *world) flush() {
	w.t.Helper()
	require.NoError(w.t, w.other.out.Flush(w.t.Context()))
}

// enrolled gives Rosa a secret of her own, and three contacts that staff have seen.
func (w *world) enrolled() {
	w.t.Helper()
	hash := password.New(password.Params{Memory: 8, Time: 1, Threads: 1}, secret).Encode()
	w.does(w.pins.Import(w.t.Context(), rosa, civicpin.NewSecret(hash), pin.ImportOptions{
		Level: civicpin.Substantial, By: clerk.ID, Evidence: seen(),
	}))
	w.does(w.contacts.Adopt(w.t.Context(), rosa, []civicpin.Contact{bySMS, byMail, byPEC}, clerk.ID, home))
}

func seen() civicpin.Evidence { return civicpin.Evidence{Method: civicpin.InPerson, By: clerk.ID} }

// asked has an address wait for its proof.
func (w *world) asked(to civicpin.Contact, by civicpin.Actor) {
	w.t.Helper()
	w.does(testkit.Err(w.contacts.Add(w.t.Context(), rosa, to, by, home)))
}

// prove uses the link that came last to an address.
func (w *world) prove(address string) error {
	return w.contacts.Prove(w.t.Context(), w.post.Last(address, proveKind).Link, home)
}

// usable returns the addresses of those that prove something.
func (w *world) usable() []string {
	w.t.Helper()
	now, err := w.contacts.Snapshot(w.t.Context(), rosa)
	require.NoError(w.t, err)
	return testkit.Addresses(now.Established(), func(c civicpin.Contact) string { return c.Address })
}

// contact returns Rosa's contact of an address, and whether there is one.
func (w *world) contact(address string) (contact.Contact, bool) {
	w.t.Helper()
	list, _, err := w.contacts.List(w.t.Context(), rosa)
	require.NoError(w.t, err)
	for _, c := range list {
		if c.Address == address {
			return c, true
		}
	}
	return contact.Contact{}, false
}

// begun starts a plan, and returns its run; its first message is sent.
func (w *world) begun(name string) recovery.Run {
	w.t.Helper()
	run, err := w.runs.Start(w.t.Context(), name, rosa, home)
	require.NoError(w.t, err)
	w.does(testkit.Err(w.runs.Answer(w.t.Context(), run.Ticket, recovery.Answers{Captcha: true})))
	return run
}

// granted completes the plan "link".
func (w *world) granted() pin.Grant {
	w.t.Helper()
	w.begun("link")
	g, err := w.runs.Finish(w.t.Context(), w.post.Last(rosaMail, linkKind).Link, home)
	require.NoError(w.t, err)
	w.flush()
	return g
}

// issues has staff issue on evidence.
func (w *world) issues(p services) error {
	_, err := p.pins.Issue(w.t.Context(), rosa, pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.HandedOver}}, By: clerk.ID, Evidence: seen(), Level: civicpin.Substantial,
	})
	return err
}

// remove removes the contact of an address.
func (w *world) remove(p services, address string, by civicpin.Actor) {
	w.t.Helper()
	c, ok := w.contact(address)
	require.True(w.t, ok, address)
	w.does(p.contacts.Remove(w.t.Context(), rosa, c.ID, by, home))
}
