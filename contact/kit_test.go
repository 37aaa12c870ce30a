package contact_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

const (
	rosa      = civicpin.Subject("0912345678")
	rosaPhone = "+593991234567"
	rosaMail  = "rosa@example.ec"
	newMail   = "rosa.new@example.org"
	thiefMail = "thief@example.net"
	bookDay   = 24 * time.Hour
)

var (
	bySMS     = civicpin.Contact{Channel: civicpin.SMS, Address: rosaPhone}
	byMail    = civicpin.Contact{Channel: civicpin.Email, Address: rosaMail}
	byNewMail = civicpin.Contact{Channel: civicpin.Email, Address: newMail}
	byThief   = civicpin.Contact{Channel: civicpin.Email, Address: thiefMail}
	bookClerk = civicpin.Operator("zambrano")
	bookHome  = civicpin.Source{Address: "192.0.2.7"}
)

func newBookClock() *testkit.Clock {
	return testkit.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
}

const (
	proveKind   civicpin.MessageKind = "contact.prove"
	changedKind civicpin.MessageKind = "contact.changed"
)

// reasons returns the reasons of the events of a code.
func reasons(r *testkit.Recorder, code civicpin.EventCode) []string {
	var list []string
	for _, e := range r.Of(code) {
		list = append(list, e.Reason)
	}
	return list
}

// bookKit is a service with everything around it.
type bookKit struct {
	*contact.Service
	clock  *testkit.Clock
	post   *testkit.Mailbox
	events *testkit.Recorder
	vault  *store.Vault
	out    *outbox.Outbox
	config contact.Policy
	pins   *pin.Service // nil but for withPins
	mailID string       // of Rosa's mailbox
	mine   []string     // ids, for claims
	by     string
}

// bookConfig is a configuration whose limits of messages are not reached.
func bookConfig() contact.Policy {
	return contact.Policy{Sends: testkit.Wide}
}

func newBookKit(t testing.TB, c contact.Policy) *bookKit {
	t.Helper()
	return newBookKitOn(t, store.NewMemory(), c, newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
}

// newBookKitOn makes a service over a store that may have served another before.
func newBookKitOn(t testing.TB, s store.Store, c contact.Policy, clock *testkit.Clock, post *testkit.Mailbox, r *testkit.Recorder) *bookKit {
	t.Helper()
	vault, out := testkit.Open(t, s, clock, post, r)
	svc, err := contact.New(out, c, nil)
	require.NoError(t, err)
	return &bookKit{Service: svc, clock: clock, post: post, events: r, vault: vault, out: out, config: c}
}

// flush sends what waits.
func (k *bookKit) flush(t testing.TB) {
	t.Helper()
	require.NoError(t, k.out.Flush(t.Context()))
}

// asks adds an address and has the proof sent.
func (k *bookKit) asks(t testing.TB, to civicpin.Contact) contact.Candidate {
	t.Helper()
	p, err := k.Add(t.Context(), rosa, to, civicpin.Citizen, bookHome)
	require.NoError(t, err)
	k.flush(t)
	return p
}

// proves types the code that came last to an address.
func (k *bookKit) proves(t testing.TB, address string) {
	t.Helper()
	require.NoError(t, k.ProveCode(t.Context(), rosa, k.post.Last(address, proveKind).Secret, bookHome))
	k.flush(t)
}

// enrolled gives Rosa a telephone and a mailbox, neither of which cools down.
func (k *bookKit) enrolled(t testing.TB) (phone, mail contact.Contact) {
	t.Helper()
	require.NoError(t, k.Adopt(t.Context(), rosa, []civicpin.Contact{bySMS, byMail}, bookClerk, bookHome))
	phone, mail = k.contact(t, rosaPhone), k.contact(t, rosaMail)
	k.mailID = mail.ID
	return phone, mail
}

// contact returns Rosa's contact of an address.
func (k *bookKit) contact(t testing.TB, address string) contact.Contact {
	t.Helper()
	proved, _, err := k.List(t.Context(), rosa)
	require.NoError(t, err)
	for _, c := range proved {
		if c.Address == address {
			return c
		}
	}
	t.Fatalf("%s is no contact", address)
	return contact.Contact{}
}

// addresses returns those of Rosa's contacts, the primary one first.
func (k *bookKit) addresses(t testing.TB) []string {
	t.Helper()
	proved, _, err := k.List(t.Context(), rosa)
	require.NoError(t, err)
	return testkit.Addresses(proved, func(c contact.Contact) string { return c.Address })
}

// usable returns the addresses of those that prove something.
func (k *bookKit) usable(t testing.TB) []string {
	t.Helper()
	list, err := contact.Usable(t.Context(), k.Service, rosa)
	require.NoError(t, err)
	return list
}

// disputed has Rosa replace a stolen mailbox, and the thief undo that.
func (k *bookKit) disputed(t testing.TB) {
	t.Helper()
	_, mail := k.enrolled(t)
	require.NoError(t, testkit.Err(k.Change(t.Context(), rosa, mail.ID, byNewMail, civicpin.Citizen, bookHome)))
	k.flush(t)
	k.proves(t, newMail)
	require.NoError(t, k.undoes(t, rosaMail))
	k.flush(t)
	require.Equal(t, []string{rosaPhone}, k.usable(t))
	k.by = k.contact(t, rosaPhone).ID
	for _, c := range k.dispute(t).Addresses {
		if c.Address == newMail {
			k.mine = append(k.mine, c.ID)
		}
	}
}

// dispute returns Rosa's dispute.
func (k *bookKit) dispute(t testing.TB) contact.Dispute {
	t.Helper()
	d, err := k.Dispute(t.Context(), rosa)
	require.NoError(t, err)
	require.NotNil(t, d)
	return *d
}

// claims has Rosa say, by her telephone, that the new mailbox is hers, and the old one is not.
func (k *bookKit) claims(t testing.TB) error {
	t.Helper()
	return testkit.Err(k.EndDispute(t.Context(), rosa, k.mine, k.by, bookHome))
}

// ends looks at a dispute that ends as Rosa said: all are told once, by a link that objects, and nobody does.
func (k *bookKit) ends(t testing.TB) {
	t.Helper()
	d := k.dispute(t)
	require.Equal(t, []civicpin.Contact{byNewMail}, d.Mine)
	for _, address := range []string{rosaPhone, rosaMail, newMail} {
		told := slices.DeleteFunc(k.post.To(address, changedKind), func(m civicpin.Message) bool {
			return m.Params["change"] != "settling"
		})
		require.Len(t, told, 1, address)
		require.Equal(t, d.EndsAt, told[0].ExpiresAt)
		info, err := k.Inspect(t.Context(), told[0].Link)
		require.NoError(t, err)
		require.Equal(t, contact.ToUndo, info.Purpose)
	}
	k.clock.Add(d.EndsAt.Sub(k.clock.Now()) - 1)
	require.Equal(t, []string{rosaPhone, rosaMail}, k.addresses(t))
	k.clock.Add(1)
	require.Equal(t, []string{rosaPhone, newMail}, k.addresses(t))
	require.Equal(t, []string{rosaPhone, newMail}, k.usable(t), "its cooling down went on")
	left, err := k.Dispute(t.Context(), rosa)
	require.NoError(t, err)
	require.Nil(t, left)
}

// undoes uses the link that came last to an address.
func (k *bookKit) undoes(t testing.TB, address string) error {
	t.Helper()
	return k.Undo(t.Context(), k.post.Last(address, changedKind).Link, bookHome)
}

// tells is Notify without the number of those who are told.
func (k *bookKit) tells(ctx context.Context, subject civicpin.Subject, kind civicpin.MessageKind, params map[string]string) error {
	told, err := k.Notify(ctx, subject, kind, params)
	if err != nil && told != 0 {
		return errors.New("contacts are told in spite of " + err.Error())
	}
	return err
}
