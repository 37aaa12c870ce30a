package flows

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// limit is how many wrong guesses lock, here and in the policies of the packages.
const limit = 5

// operator is who acts when an operator does.
var operator = civicpin.Operator("audit")

// A Site is one process of a portal: the services over one handle on the store.
type Site struct {
	Vault *store.Vault
	Out   *outbox.Outbox
	// PINs issues one slip, exchanged for a password. INPS issues two parts, by text message and e-mail.
	PINs, INPS *pin.Service
	Codes      *otp.Codes
	// Gate limits guesses at nothing in particular, and locks until unlocked.
	Gate *lockout.Gate
	Mail *Mail
}

// clock is the time of all sites of a run, which the audit puts forward.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) forward(d time.Duration) { c.ahead.Add(int64(d)) }

// newSite returns a site over a store. All sites of a run share keys, clock and mail.
func newSite(s store.Store, c *clock, mail *Mail) (*Site, error) {
	sealer, err := store.XChaCha20Poly1305(civicpin.NewSecret(strings.Repeat("s", 32)))
	if err != nil {
		return nil, err
	}
	vault, err := store.NewVault(s, store.Keys{
		Index:   civicpin.NewSecret(strings.Repeat("i", 32)),
		Sealing: []store.SealingKey{{ID: "k1", Sealer: sealer}},
	}, &store.Options{Now: c.now})
	if err != nil {
		return nil, err
	}
	out, err := outbox.New(vault, mail, &outbox.Options{
		Poll: 200 * time.Millisecond, MinDelay: 100 * time.Millisecond, Grace: time.Second,
	})
	if err != nil {
		return nil, err
	}
	site := &Site{Vault: vault, Out: out, Mail: mail}
	if site.PINs, err = pin.New(vault, out, pin.Default()); err != nil {
		return nil, err
	}
	if site.INPS, err = pin.New(vault, out, pin.INPS()); err != nil {
		return nil, err
	}
	if site.Codes, err = otp.NewCodes(vault, out, otp.SMS()); err != nil {
		return nil, err
	}
	site.Gate, err = lockout.New(vault, lockout.Policy{Name: "gate", Limit: limit, Lock: lockout.UntilUnlocked})
	return site, err
}

// Mail is the notifier of all sites of a run: it keeps what it is given.
type Mail struct {
	mu  sync.Mutex
	got map[string][]civicpin.Secret // by address

	arrival time.Duration
}

// Notify implements [civicpin.Notifier].
func (m *Mail) Notify(_ context.Context, msg civicpin.Message) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.got == nil {
		m.got = make(map[string][]civicpin.Secret)
	}
	m.got[msg.To.Address] = append(m.got[msg.To.Address], msg.Secret)
	return msg.ID, nil
}

// To returns what was sent to an address last, and whether anything was.
func (m *Mail) To(address string) (civicpin.Secret, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.got[address]
	if len(all) == 0 {
		return civicpin.Secret{}, false
	}
	return all[len(all)-1], true
}

// Wait is To, but waits until a deadline for something to be sent.
func (m *Mail) Wait(address string, deadline time.Time) (civicpin.Secret, bool) {
	for {
		if text, ok := m.To(address); ok || time.Now().After(deadline) {
			return text, ok
		}
		time.Sleep(50 * time.Millisecond)
	}
}
