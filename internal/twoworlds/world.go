package twoworlds

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// A Setup is what both worlds have in common.
type Setup struct {
	Pin    pin.Policy
	Codes  otp.CodePolicy
	Plans  []plan.Plan
	Facts  map[string]string // the register's, of the subject
	Images []string
	// Questions are those that can be enrolled; the subject has answered the first of them.
	Questions []string
	Limits    outbox.Limits
	// State brings the registered subject into a state, after all has been enrolled. Nil leaves it as it is.
	State func(ctx context.Context, w *World) error
}

const (
	subject  = civicpin.Subject("1710034065")
	stranger = civicpin.Subject("0926687856") // unknown in both worlds

	phone = "+593991234567"
	email = "ana@correo.example"
	right = "tres gatos en el tejado" // the subject's secret
)

var (
	office = civicpin.Operator("quito.1")
	home   = civicpin.Source{Address: "192.0.2.10"}
	dawn   = time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)
)

// A World is one vault with all services over it.
type World struct {
	Pins     *pin.Service
	Codes    *otp.Codes
	TOTP     *otp.TOTP
	Backup   *otp.BackupCodes
	Contacts *contact.Service
	Recovery *recovery.Service
	Out      *outbox.Outbox
	Clock    *testkit.Clock

	vault    *store.Vault
	store    *watched
	setup    Setup
	known    bool
	requests []string          // the ids of codes that visitors asked for, by number
	tickets  []civicpin.Secret // of runs, by number
	asked    []recovery.Ask
}

// newWorld makes a world, in which the subject is registered or not.
func newWorld(t testing.TB, s Setup, known bool) *World {
	t.Helper()
	password.Cheap()
	w := &World{setup: s, known: known, Clock: testkit.NewClock(dawn), store: &watched{Lister: store.NewMemory()}}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	w.vault, err = store.OpenVault(t.Context(), w.store, testkit.Keys(), &store.Options{Now: w.Clock.Now})
	must(err)
	w.Out, err = outbox.New(w.vault, &testkit.Mailbox{}, &outbox.Options{Limits: s.Limits})
	must(err)
	hashing := pin.Hashing{Memory: 8, Time: 1, Threads: 1, Permits: 64, Queue: 4096}
	s.Pin.Hashing = hashing
	w.Pins, err = pin.New(w.Out, s.Pin)
	must(err)
	w.Codes, err = otp.NewCodes(w.Out, s.Codes)
	must(err)
	w.TOTP, err = otp.NewTOTP(w.vault, otp.TOTPPolicy{Issuer: "Agency"})
	must(err)
	w.Backup, err = otp.NewBackupCodes(w.vault, otp.BackupPolicy{Name: "paper", Count: 2, Permits: 64})
	must(err)
	w.Contacts, err = contact.New(w.Out, contact.Policy{Decoys: []civicpin.Contact{
		{Channel: civicpin.Email, Address: "x@correo.example"}, {Channel: civicpin.SMS, Address: "+593990000000"},
	}}, w.Pins)
	must(err)
	w.Recovery, err = recovery.New(w.Out, recovery.Config{
		Pins: w.Pins, Contacts: w.Contacts, Plans: s.Plans, Register: register(s.Facts), Images: s.Images, Questions: s.Questions,
		Hashing: hashing,
	})
	must(err)
	if known {
		must(w.enrol(t.Context()))
	}
	return w
}

// enrol registers the subject with every service.
func (w *World) enrol(ctx context.Context) error {
	hash := password.New(password.Params{Memory: 8, Time: 1, Threads: 1}, right).Encode()
	if err := w.Pins.Import(ctx, subject, civicpin.NewSecret(hash), pin.ImportOptions{By: office}); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	if err := w.Contacts.Adopt(ctx, subject, w.to(), office, home); err != nil {
		return fmt.Errorf("adopt: %w", err)
	}
	if len(w.setup.Images) > 0 {
		answers := map[string]civicpin.Secret{}
		for i, question := range w.setup.Questions[:min(4, len(w.setup.Questions))] {
			answers[question] = civicpin.NewSecret("respuesta larga " + strings.Repeat("xy", i+1))
		}
		if err := w.Recovery.EnrolAnswers(ctx, subject, w.setup.Images[0], answers, home); err != nil {
			return fmt.Errorf("answers: %w", err)
		}
	}
	key := otp.Key{Issuer: "Agency", Account: "ana", Seed: civicpin.NewSecret("12345678901234567890"), Algorithm: otp.SHA1, Digits: 6, Period: 30 * time.Second}
	if err := w.TOTP.Import(ctx, subject, key, office); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	if _, err := w.Backup.Issue(ctx, subject, civicpin.Citizen); err != nil {
		return fmt.Errorf("backup codes: %w", err)
	}
	if err := w.Out.Flush(ctx); err != nil {
		return err
	}
	if w.setup.State != nil {
		return w.setup.State(ctx, w)
	}
	return nil
}

// to returns the subject's contacts as the caller knows them: none where the subject is unknown.
func (w *World) to() []civicpin.Contact {
	if !w.known {
		return nil
	}
	return []civicpin.Contact{{Channel: civicpin.SMS, Address: phone}, {Channel: civicpin.Email, Address: email}}
}

// register is the agency's file of people, in which the subject is in both worlds: it is older than the portal.
type register map[string]string

// Check implements [recovery.Register].
func (r register) Check(_ context.Context, s civicpin.Subject, facts map[string]string) (bool, error) {
	right := s == subject
	for name, value := range facts {
		right = r[name] == value && right
	}
	return right, nil
}
