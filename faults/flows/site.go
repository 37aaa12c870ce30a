package flows

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
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
	Contacts   *contact.Service
	// Recovery gives a password of PINs back, by a link and then a code.
	Recovery *recovery.Service
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
	vault, err := store.OpenVault(context.Background(), s, testkit.Keys(), &store.Options{
		Now: c.now, Adopt: true, // some of the stores cannot list
	})
	if err != nil {
		return nil, err
	}
	out, err := outbox.New(vault, mail, &outbox.Options{
		Poll: time.Second, MinDelay: 100 * time.Millisecond, Grace: time.Second,
		Limits: outbox.Limits{Proved: civicpin.Rate{Limit: 100, Window: 24 * time.Hour}}, // sends fit it
	})
	if err != nil {
		return nil, err
	}
	site := &Site{Vault: vault, Out: out, Mail: mail}
	if site.PINs, err = pin.New(out, pin.Default()); err != nil {
		return nil, err
	}
	if site.INPS, err = pin.New(out, pin.INPS()); err != nil {
		return nil, err
	}
	if site.Contacts, err = contact.New(out, contact.Policy{Sends: sends}, site.PINs); err != nil {
		return nil, err
	}
	rests := otp.Rests{Credentials: site.PINs, Contacts: site.Contacts}
	if site.Codes, err = otp.NewCodes(out, otp.SMS(), rests); err != nil {
		return nil, err
	}
	if site.Recovery, err = newRecovery(vault, out, site.PINs, site.Contacts); err != nil {
		return nil, err
	}
	site.Gate, err = lockout.New(vault, "gate", lockout.Policy{Limit: limit, Lock: lockout.UntilUnlocked})
	return site, err
}

// linkAndCode is the name of the plan of recoveries, and deskRole that of who lifts its locks.
const (
	linkAndCode = "link-and-code"
	deskRole    = "desk"
)

// sends limits messages above what a recovery needs whose answers are lost.
var sends = civicpin.Rate{Limit: 20, Window: 24 * time.Hour}

// newRecovery returns the service with that plan.
func newRecovery(v *store.Vault, out *outbox.Outbox, pins *pin.Service, contacts *contact.Service) (*recovery.Service, error) {
	return recovery.New(out, recovery.Config{
		Pins: pins, Contacts: contacts,
		Plans: []plan.Plan{{
			Name: linkAndCode,
			Steps: []plan.Step{
				plan.Link{Channel: civicpin.Email, Valid: time.Hour},
				plan.Code{Channel: civicpin.SMS, Valid: 10 * time.Minute},
			},
			Limit:   lockout.Policy{Limit: limit, Lock: lockout.UntilUnlocked},
			Outcome: plan.ChooseSecret,
		}},
		Roles: map[string]recovery.Role{deskRole: {Unlocks: true}},
		Sends: sends,
	})
}

// Mail is the notifier of all sites of a run: it keeps what it is given.
type Mail struct {
	mu  sync.Mutex
	got map[string][]civicpin.Message // by address

	arrival time.Duration
}

// Notify implements [civicpin.Notifier].
func (m *Mail) Notify(_ context.Context, msg civicpin.Message) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.got == nil {
		m.got = make(map[string][]civicpin.Message)
	}
	m.got[msg.To.Address] = append(m.got[msg.To.Address], msg)
	return msg.ID, nil
}

// To returns the last message to an address that is wanted, and whether there is one. Nil wants all.
func (m *Mail) To(address string, wanted func(civicpin.Message) bool) (civicpin.Message, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, msg := range slices.Backward(m.got[address]) {
		if wanted == nil || wanted(msg) {
			return msg, true
		}
	}
	return civicpin.Message{}, false
}

// Wait is To, but waits until a deadline for something to be sent.
func (m *Mail) Wait(address string, wanted func(civicpin.Message) bool, deadline time.Time) (civicpin.Message, bool) {
	for {
		if msg, ok := m.To(address, wanted); ok || time.Now().After(deadline) {
			return msg, ok
		}
		time.Sleep(50 * time.Millisecond)
	}
}
