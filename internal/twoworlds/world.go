package twoworlds

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

const (
	subject = civicpin.Subject("1710034065")
	phone   = "+593991234567"
	email   = "ana@correo.example"
)

var (
	office = civicpin.Operator("quito.1")
	home   = civicpin.Source{Address: "192.0.2.10"} // of visitors and of the adversary
	own    = civicpin.Source{Address: "198.51.100.7"}
	dawn   = time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC) // when schedules begin
)

// A world is one vault with all services over it.
type world struct {
	pins     *pin.Service
	codes    *otp.Codes
	totp     *otp.TOTP
	hotp     *otp.HOTP
	backup   *otp.BackupCodes
	contacts *contact.Service
	recovery *recovery.Service
	out      *outbox.Outbox
	vault    *store.Vault

	setup Setup
	clock *testkit.Clock
	store *watched
	mail  testkit.Mailbox
	names names

	other bool // the register has other personal data
	age   int  // how often policies, costs or keys changed
	read  int  // how many messages were looked at

	// What visitors have, by number.
	requests []string          // ids of codes that they asked for
	tickets  []civicpin.Secret // of runs
	round    int               // how often operators have acted on what was issued: see byLetter
	// What the adversary has.
	own []string // ids of codes
	// What the owner has.
	secret  string // the owner's own, in either world
	paper   []civicpin.Secret
	to      []civicpin.Contact // the subject's contacts, as the caller knows them
	guessed map[string]bool    // the factors at which visitors have guessed
}

// newWorld makes a world in which the subject is in a state, at dawn.
func newWorld(t testing.TB, s Setup, p *person) *world {
	t.Helper()
	password.CheapDefault()
	w := &world{
		setup: s, clock: testkit.NewClock(dawn.Add(-2 * time.Minute)), names: names{}, secret: s.fits(0),
		guessed: make(map[string]bool),
	}
	w.store = newWatched(w.clock)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
	}
	must(w.open(t.Context()))
	must(w.enrolAdversary(t.Context()))
	if p.bring != nil {
		must(p.bring(t.Context(), w))
		must(w.out.Flush(t.Context()))
	}
	w.clock.Set(dawn)
	w.look(t.Context())
	w.read = len(w.mail.Messages())
	w.store.taken()
	return w
}

// open makes the services over the store, as a process that is started anew: with the policies, costs and keys of the age.
func (w *world) open(ctx context.Context) error {
	s := w.setup
	if w.age > 0 {
		s.Pin.Hashing.Former = []pin.Cost{{Memory: 2 * s.Pin.Hashing.Memory, Time: 1, Threads: 1}}
	}
	if w.age%2 == 1 { // an odd age has other limits, costs and keys
		s.Pin.Hashing.Former[0].Memory = s.Pin.Hashing.Memory
		s.Pin.Lockout.Limit++
		s.Pin.Hashing.Memory *= 2
		s.Codes.Lockout.Limit = max(s.Codes.Lockout.Limit-1, 2)
	}
	keys, err := keysOf(w.age)
	if err != nil {
		return err
	}
	if w.vault, err = store.OpenVault(ctx, w.store, keys, &store.Options{Now: w.clock.Now, Recorder: w.store}); err != nil {
		return err
	}
	if w.out, err = outbox.New(w.vault, &w.mail, &outbox.Options{Limits: s.Limits}); err != nil {
		return err
	}
	if w.pins, err = pin.New(w.out, s.Pin); err != nil {
		return err
	}
	if w.totp, err = otp.NewTOTP(w.vault, otp.TOTPPolicy{Issuer: "Agency"}, w.pins); err != nil {
		return err
	}
	if w.hotp, err = otp.NewHOTP(w.vault, otp.HOTPPolicy{Issuer: "Agency"}, w.pins); err != nil {
		return err
	}
	if w.backup, err = otp.NewBackupCodes(w.vault, otp.BackupPolicy{Name: "paper", Count: 2, Permits: 64}, w.pins); err != nil {
		return err
	}
	if w.contacts, err = contact.New(w.out, s.Contacts, w.pins); err != nil {
		return err
	}
	if w.codes, err = otp.NewCodes(w.out, s.Codes, otp.Rests{Credentials: w.pins, Contacts: w.contacts}); err != nil {
		return err
	}
	c := s.config()
	c.Pins, c.Contacts = w.pins, w.contacts
	for name := range c.Factors {
		c.Factors[name] = w.totp.Verify
	}
	w.recovery, err = recovery.New(w.out, c)
	return err
}

// keysOf returns the vault's keys at an age: each age has a new one in front of the former ones.
func keysOf(age int) (store.Keys, error) {
	keys := testkit.Keys()
	for n := range age {
		key, err := store.XChaCha20Poly1305(civicpin.NewSecret(fmt.Sprintf("sealing key %020d", n)))
		if err != nil {
			return keys, err
		}
		keys.Sealing = append([]store.SealingKey{{ID: fmt.Sprintf("n%d", n), Sealer: key}}, keys.Sealing...)
	}
	return keys, nil
}

// look has the caller look up the subject's contacts, which visitors do not see.
func (w *world) look(ctx context.Context) {
	w.to = nil
	proved, _, err := w.contacts.List(ctx, subject)
	if err != nil {
		return
	}
	for i := range proved {
		if !proved[i].Disputed { // recoveries leave it out, too
			w.to = append(w.to, proved[i].Contact)
		}
	}
}
