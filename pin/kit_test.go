package pin_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// testKeys are the keys of all vaults of these tests, so that a store can be opened again.
var testKeys = sync.OnceValue(func() store.Keys {
	keys, err := store.ParseKeys("civicpin keys 1\n" +
		"index MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE\n" +
		"seal k1 c2VhbGluZyBrZXkgZm9yIHRoZSB0ZXN0cyBvbmx5ISE\n")
	if err != nil {
		panic(err)
	}
	return keys
})

// A clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// mailbox is a notifier that keeps what it is given. fail, if set, decides about each message first.
type mailbox struct {
	mu   sync.Mutex
	got  []civicpin.Message
	fail func(civicpin.Message) error
}

func (m *mailbox) Notify(_ context.Context, msg civicpin.Message) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(msg); err != nil {
			return "", err
		}
	}
	m.got = append(m.got, msg)
	return fmt.Sprintf("receipt-%d", len(m.got)), nil
}

// messages returns what arrived, oldest first.
func (m *mailbox) messages() []civicpin.Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]civicpin.Message(nil), m.got...)
}

// last returns the text that came last to an address, "" if none did.
func (m *mailbox) last(address string) string {
	text := ""
	for _, msg := range m.messages() {
		if msg.To.Address == address {
			text = msg.Secret.Reveal()
		}
	}
	return text
}

// events is a recorder that keeps what it is told.
type events struct {
	mu  sync.Mutex
	got []civicpin.Event
}

func (r *events) Record(_ context.Context, e civicpin.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, e)
}

func (r *events) all() []civicpin.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]civicpin.Event(nil), r.got...)
}

// kit is a service with everything around it.
type kit struct {
	*pin.Service
	clock  *clock
	mail   *mailbox
	events *events
	vault  *store.Vault
	out    *outbox.Outbox
	policy pin.Policy
	memory *store.Memory // nil if made on another store
	grant  pin.Grant     // for flows that use one
}

// newKit makes a service of a policy over a store of its own.
func newKit(t testing.TB, p pin.Policy) *kit {
	t.Helper()
	m := store.NewMemory()
	k := newKitOn(t, m, p, newClock(), &mailbox{}, &events{})
	k.memory = m
	return k
}

// newKitOn makes a service over a store that may have served another before.
func newKitOn(t testing.TB, s store.Store, p pin.Policy, c *clock, m *mailbox, r *events) *kit {
	t.Helper()
	vault, err := store.NewVault(s, testKeys(), &store.Options{Now: c.Now, Recorder: r})
	require.NoError(t, err)
	out, err := outbox.New(vault, m, nil)
	require.NoError(t, err)
	pins, err := pin.NewCheap(vault, out, p)
	require.NoError(t, err)
	return &kit{Service: pins, clock: c, mail: m, events: r, vault: vault, out: out, policy: p}
}

// other is a service of the same policy in another process, which reaches the same records through s.
func (k *kit) other(t testing.TB, s store.Store) *kit {
	t.Helper()
	o := newKitOn(t, s, k.policy, k.clock, k.mail, k.events)
	o.grant = k.grant
	return o
}

const (
	maria  = civicpin.Subject("RSSMRA85T10A562S")
	phone  = "+393331234567"
	email  = "maria.rossi@example.it"
	chosen = "QZ7WK4PM"
	wrong  = "ZZ9Y8X7W"
)

var clerk = civicpin.Operator("bianchi")

// inps are the options of an issue as a citizen asks for it.
func inps() pin.IssueOptions {
	return pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.SMS, Address: phone}, {Channel: civicpin.Email, Address: email}},
		By:    civicpin.Citizen,
	}
}

// try is an attempt of Maria's.
func try(secret string) pin.Attempt {
	return pin.Attempt{Subject: maria, Secret: civicpin.NewSecret(secret), Source: civicpin.Source{Address: "192.0.2.1"}}
}

// issued issues to Maria, sends the parts, and returns the 16 characters as she would type them.
func (k *kit) issued(t testing.TB) string {
	t.Helper()
	_, err := k.Issue(t.Context(), maria, inps())
	require.NoError(t, err)
	require.NoError(t, k.out.Flush(t.Context()))
	first, second := k.mail.last(phone), k.mail.last(email)
	require.Len(t, first, 8)
	require.Len(t, second, 8)
	return first + second
}

// exchanged issues to Maria and exchanges for the chosen PIN.
func (k *kit) exchanged(t testing.TB) {
	t.Helper()
	require.NoError(t, k.Exchange(t.Context(), try(k.issued(t)), civicpin.NewSecret(chosen)))
}
