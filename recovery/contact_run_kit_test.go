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
	return testkit.Addresses(now.Usable(), func(c civicpin.Contact) string { return c.Address })
}

// undoes redeems the link that came last to an address.
func (k *runKit) undoes(t testing.TB, address string) error {
	t.Helper()
	return k.Repudiate(t.Context(), k.post.Last(address, changedKind).Link, runHome)
}
