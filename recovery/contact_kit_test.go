package recovery_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery"
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

// bookKeys are the keys of all vaults of these tests, so that a store can be opened again.
var bookKeys = sync.OnceValue(func() store.Keys {
	keys, err := store.ParseKeys("civicpin keys 1\n" +
		"index MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE\n" +
		"seal k1 c2VhbGluZyBrZXkgZm9yIHRoZSB0ZXN0cyBvbmx5ISE\n")
	if err != nil {
		panic(err)
	}
	return keys
})

// bookClock is a clock that tests move.
type bookClock struct {
	mu  sync.Mutex
	now time.Time
}

func newBookClock() *bookClock {
	return &bookClock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
}

func (c *bookClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *bookClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bookPost is a notifier that keeps what it is given. fail, if set, decides about each message first.
type bookPost struct {
	mu   sync.Mutex
	got  []civicpin.Message
	fail func(civicpin.Message) error
}

func (p *bookPost) Notify(_ context.Context, m civicpin.Message) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		if err := p.fail(m); err != nil {
			return "", err
		}
	}
	p.got = append(p.got, m)
	return fmt.Sprintf("receipt-%d", len(p.got)), nil
}

func (p *bookPost) messages() []civicpin.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]civicpin.Message(nil), p.got...)
}

// last returns the message of a kind that came last to an address; the zero one if none did.
func (p *bookPost) last(kind civicpin.MessageKind, address string) civicpin.Message {
	var last civicpin.Message
	for _, m := range p.messages() {
		if m.Kind == kind && m.To.Address == address {
			last = m
		}
	}
	return last
}

// count returns how many messages of a kind came to an address.
func (p *bookPost) count(kind civicpin.MessageKind, address string) int {
	n := 0
	for _, m := range p.messages() {
		if m.Kind == kind && m.To.Address == address {
			n++
		}
	}
	return n
}

const (
	proveKind   civicpin.MessageKind = "contact.prove"
	changedKind civicpin.MessageKind = "contact.changed"
)

// bookEvents is a recorder that keeps what it is told.
type bookEvents struct {
	mu  sync.Mutex
	got []civicpin.Event
}

func (r *bookEvents) Record(_ context.Context, e civicpin.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, e)
}

// of returns the reasons of the events of a code.
func (r *bookEvents) of(code civicpin.EventCode) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []string
	for _, e := range r.got {
		if e.Code == code {
			list = append(list, e.Reason)
		}
	}
	return list
}

// bookKit is a service with everything around it.
type bookKit struct {
	*recovery.Service
	clock  *bookClock
	post   *bookPost
	events *bookEvents
	vault  *store.Vault
	out    *outbox.Outbox
	config recovery.Config
	mailID string // of Rosa's mailbox
}

// bookConfig is a configuration whose limits of messages are not reached.
func bookConfig() recovery.Config {
	wide := lockout.Rate{Limit: 100_000, Window: time.Hour}
	return recovery.Config{Sends: lockout.SendLimits{Subject: wide, Address: wide, Prefix: wide, Source: wide}}
}

func newBookKit(t testing.TB, c recovery.Config) *bookKit {
	t.Helper()
	return newBookKitOn(t, store.NewMemory(), c, newBookClock(), &bookPost{}, &bookEvents{})
}

// newBookKitOn makes a service over a store that may have served another before.
func newBookKitOn(t testing.TB, s store.Store, c recovery.Config, clock *bookClock, post *bookPost, events *bookEvents) *bookKit {
	t.Helper()
	vault, err := store.NewVault(s, bookKeys(), &store.Options{Now: clock.Now, Recorder: events})
	require.NoError(t, err)
	out, err := outbox.New(vault, post, &outbox.Options{PerDestination: outbox.Rate{Limit: 1_000_000, Window: time.Hour}})
	require.NoError(t, err)
	svc, err := recovery.NewContacts(vault, out, c)
	require.NoError(t, err)
	return &bookKit{Service: svc, clock: clock, post: post, events: events, vault: vault, out: out, config: c}
}

// flush sends what waits.
func (k *bookKit) flush(t testing.TB) {
	t.Helper()
	require.NoError(t, k.out.Flush(t.Context()))
}

// asks adds an address and has the proof sent.
func (k *bookKit) asks(t testing.TB, to civicpin.Contact) recovery.PendingContact {
	t.Helper()
	p, err := k.AddContact(t.Context(), rosa, to, civicpin.Citizen, bookHome)
	require.NoError(t, err)
	k.flush(t)
	return p
}

// proves types the code that came last to an address.
func (k *bookKit) proves(t testing.TB, address string) {
	t.Helper()
	require.NoError(t, k.ProveCode(t.Context(), rosa, k.post.last(proveKind, address).Secret, bookHome))
	k.flush(t)
}

// enrolled gives Rosa a telephone and a mailbox, neither of which cools down.
func (k *bookKit) enrolled(t testing.TB) (phone, mail recovery.ProvedContact) {
	t.Helper()
	require.NoError(t, k.AdoptContacts(t.Context(), rosa, []civicpin.Contact{bySMS, byMail}, bookClerk, bookHome))
	phone, mail = k.contact(t, rosaPhone), k.contact(t, rosaMail)
	k.mailID = mail.ID
	return phone, mail
}

// contact returns Rosa's contact of an address.
func (k *bookKit) contact(t testing.TB, address string) recovery.ProvedContact {
	t.Helper()
	proved, _, err := k.Contacts(t.Context(), rosa)
	require.NoError(t, err)
	for _, c := range proved {
		if c.Address == address {
			return c
		}
	}
	t.Fatalf("%s is no contact", address)
	return recovery.ProvedContact{}
}

// addresses returns those of Rosa's contacts, the primary one first.
func (k *bookKit) addresses(t testing.TB) []string {
	t.Helper()
	proved, _, err := k.Contacts(t.Context(), rosa)
	require.NoError(t, err)
	list := []string{}
	for _, c := range proved {
		list = append(list, c.Address)
	}
	return list
}

// usable returns the addresses of those that prove something.
func (k *bookKit) usable(t testing.TB) []string {
	t.Helper()
	list, err := recovery.Usable(t.Context(), k.Service, rosa)
	require.NoError(t, err)
	return list
}

// undoes uses the link that came last to an address.
func (k *bookKit) undoes(t testing.TB, address string) error {
	t.Helper()
	return k.Disown(t.Context(), k.post.last(changedKind, address).Link, bookHome)
}
