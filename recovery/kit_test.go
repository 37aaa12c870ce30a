package recovery_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
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

// newClock returns a clock that stands at 10:00 in Guayaquil.
func newClock() *testkit.Clock { return testkit.NewClock(time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)) }

// register is the agency's file of people.
type register map[civicpin.Subject]map[string]string

func (r register) Check(_ context.Context, subject civicpin.Subject, facts map[string]string) (bool, error) {
	known, right := r[subject]
	for name, value := range facts {
		right = known[name] == value && right
	}
	return right, nil
}

// uploads is the agency's store of documents.
type uploads map[string]recovery.Document

func (u uploads) Describe(_ context.Context, _ civicpin.Subject, ref string) (recovery.Document, error) {
	d, ok := u[ref]
	if !ok {
		return d, fmt.Errorf("%w: no upload", civicpin.ErrInvalid)
	}
	d.Digest = cmp.Or(d.Digest, "digest of "+ref)
	return d, nil
}

const (
	ana      = civicpin.Subject("1710034065")
	luis     = civicpin.Subject("1714307103") // in the register, without a key
	stranger = civicpin.Subject("0926687856")

	anaMail    = "ana@correo.example"
	anaPEC     = "ana@certificado.example"
	anaPhone   = "+593991234567"
	anaNewMail = "ana.nueva@correo.example"

	anaSecret = "tres gatos en el tejado"
	newSecret = "cinco perros bajo la mesa"
)

var (
	video  = recovery.Operator{ID: civicpin.Operator("video.3"), Role: "video"}
	agency = recovery.Operator{ID: civicpin.Operator("quito.1"), Role: "agency"}
	other  = recovery.Operator{ID: civicpin.Operator("quito.2"), Role: "agency"}

	home = civicpin.Source{Address: "192.0.2.10"}
)

var (
	questions = []string{"mascota", "escuela", "ciudad", "madrina", "plato", "calle"}
	images    = []string{"barco", "gato", "casa", "rosa", "tren", "luna", "pera", "vela", "oso"}
)

// rested is how long the plans rest that do, with the time for the notices.
const rested = 72*time.Hour + plan.NoticeTime

func threeTries() lockout.Policy { return lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked} }

// bare is one plan, of a link alone.
func bare() []plan.Plan {
	return []plan.Plan{{
		Name: "bare", Steps: []plan.Step{plan.Link{Channel: civicpin.Email, Valid: time.Hour}}, Limit: threeTries(),
		Outcome: plan.Unlocked,
	}}
}

// The plans of the four systems, and some more.
func plans() []plan.Plan {
	const email = civicpin.Email
	return []plan.Plan{
		{
			Name: "clave", // IESS: A4
			Steps: []plan.Step{
				plan.Captcha{},
				plan.Facts{"birth-day", "birth-month"},
				plan.Image{},
				plan.Questions{Ask: 1},
				plan.ConfirmContact{Channel: email, MayCorrect: true, Wait: 72 * time.Hour},
				plan.Link{Channel: email, Valid: 3 * time.Minute},
			},
			Limit: threeTries(), Outcome: plan.ChooseSecret,
			Exception: "with a contact corrected it rests on what is known, and three days in which the old one can object",
		},
		{
			Name: "first", // IESS: A3
			Steps: []plan.Step{
				plan.Captcha{},
				plan.Facts{"birth-day", "birth-month"},
				plan.ConfirmContact{Channel: email, MayCorrect: true},
				plan.Link{Channel: email, Valid: 15 * time.Minute},
				plan.Enrol{Image: true, Questions: 4},
				plan.Terms{Version: "2026"},
			},
			Limit: threeTries(), Outcome: plan.ChooseSecret, Creates: true,
			Exception: "nothing is known of somebody who begins but what the register has",
		},
		{
			Name:  "unlock", // IESS: A5, by link
			Steps: []plan.Step{plan.Captcha{}, plan.Link{Channel: email, Valid: 3 * time.Minute}},
			Limit: threeTries(), Outcome: plan.Unlocked,
		},
		{
			Name:  "video", // A5, by a video operator
			Steps: []plan.Step{plan.Approval{Role: "video", Questions: 4}},
			Limit: threeTries(), Outcome: plan.Unlocked,
		},
		{
			Name: "desk", // A5, with uploaded documents
			Steps: []plan.Step{
				plan.Captcha{},
				plan.Documents{
					Kinds: []string{"front", "back", "face"}, Types: []string{"image/jpeg", "application/pdf"}, MaxBytes: 1 << 20,
				},
				plan.Approval{Role: "agency", Second: true},
				plan.Link{Channel: email, Valid: time.Hour},
			},
			Limit: threeTries(), Outcome: plan.ChooseSecret, Valid: 72 * time.Hour,
		},
		{
			Name: "parts", // INPS: A2
			Steps: []plan.Step{
				plan.Contacts{AtLeast: 2, Of: []civicpin.Channel{civicpin.SMS, email, civicpin.CertifiedEmail}},
				plan.Link{Channel: email, Or: []civicpin.Channel{civicpin.CertifiedEmail}, Valid: 24 * time.Hour, Code: 8},
			},
			Limit: threeTries(), Outcome: plan.ReissueInParts, Valid: 25 * time.Hour,
		},
		{
			Name: "two", // Tu Seguridad Social: two codes by different methods
			Steps: []plan.Step{
				plan.Captcha{},
				plan.Link{Channel: email, Valid: time.Hour},
				plan.Code{Channel: civicpin.SMS, Valid: 10 * time.Minute},
				plan.Wait{For: 72 * time.Hour},
			},
			Limit: threeTries(), Outcome: plan.ChooseSecret,
		},
		{
			Name: "both", // the same, without the wait
			Steps: []plan.Step{
				plan.Captcha{},
				plan.Link{Channel: email, Valid: time.Hour},
				plan.Code{Channel: civicpin.SMS, Valid: 10 * time.Minute},
			},
			Limit: threeTries(), Outcome: plan.ChooseSecret,
		},
		{
			Name:  "office", // in person
			Steps: []plan.Step{plan.Approval{Role: "agency"}},
			Limit: threeTries(), Outcome: plan.ReissueInParts,
		},
		{
			Name:  "texted",
			Steps: []plan.Step{plan.Captcha{}, plan.Code{Channel: civicpin.SMS, Valid: 10 * time.Minute}},
			Limit: threeTries(), Outcome: plan.Unlocked,
		},
		{
			Name:  "factor",
			Steps: []plan.Step{plan.Factor("app"), plan.Code{Channel: civicpin.SMS, Valid: 10 * time.Minute}},
			Limit: threeTries(), Outcome: plan.Unlocked,
		},
	}
}

// policy is that of the keys: five wrong logins lock until somebody unlocks.
func policy() pin.Policy {
	p := pin.Default()
	p.Name = "clave"
	p.Parts = 2
	p.Lockout = lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked}
	return p
}

// kit is a service with everything around it.
type kit struct {
	*recovery.Service
	pins     *pin.Service
	contacts *contact.Service
	clock    *testkit.Clock
	mail     *testkit.Mailbox
	events   *testkit.Recorder
	vault    *store.Vault
	out      *outbox.Outbox
	store    store.Store
	facts    register
	files    uploads
	config   recovery.Config
	app      func(civicpin.Subject, civicpin.Secret) error // the factor
	memory   *store.Memory                                 // nil if made on another store
	faults   *storetest.Faults                             // of this process, over memory
}

// newKit makes a service over a store of its own, in which Ana has a key, contacts and answers, and Luis is in the register.
func newKit(t testing.TB) *kit {
	t.Helper()
	k := newBareKit(t)
	k.enrolAna(t)
	return k
}

// newBareKit makes a service over a store of its own, whose calls may fail. Luis is in the register, and Ana has nothing yet.
func newBareKit(t testing.TB) *kit {
	t.Helper()
	memory := store.NewMemory()
	faults := storetest.NewFaults(memory)
	k := newKitOn(t, faults.Store(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.memory, k.faults = memory, faults
	return k
}

// newKitOn makes a service over a store that may have served another before.
func newKitOn(t testing.TB, s store.Store, c *testkit.Clock, m *testkit.Mailbox, r *testkit.Recorder) *kit {
	t.Helper()
	k, err := openKit(s, c, m, r)
	require.NoError(t, err)
	return k
}

func openKit(s store.Store, c *testkit.Clock, m *testkit.Mailbox, r *testkit.Recorder) (*kit, error) {
	return openKitWith(testkit.Keys(), s, c, m, r)
}

// openKitWith is openKit with other keys.
func openKitWith(keys store.Keys, s store.Store, c *testkit.Clock, m *testkit.Mailbox, r *testkit.Recorder) (*kit, error) {
	k := &kit{clock: c, mail: m, events: r, store: s}
	var err error
	if k.vault, err = store.OpenVault(context.Background(), s, keys, &store.Options{Now: c.Now, Recorder: r}); err != nil {
		return nil, err
	}
	if k.out, err = outbox.New(k.vault, m, &outbox.Options{Limits: testkit.Limits()}); err != nil {
		return nil, err
	}
	p := policy()
	p.Hashing = cheap()
	if k.pins, err = pin.New(k.out, p); err != nil {
		return nil, err
	}
	k.contacts, err = contact.New(k.out, contact.Policy{Decoys: []civicpin.Contact{
		{Channel: civicpin.Email, Address: "x@correo.example"}, {Channel: civicpin.SMS, Address: "+593990000000"},
	}}, k.pins)
	if err != nil {
		return nil, err
	}
	k.facts = register{
		ana:  {"birth-day": "14", "birth-month": "3"},
		luis: {"birth-day": "1", "birth-month": "12"},
	}
	k.files = uploads{
		"a": {Type: "image/jpeg", Size: 200_000, Clean: true},
		"b": {Type: "application/pdf", Size: 1 << 20, Clean: true},
		"c": {Type: "image/jpeg", Size: 1, Clean: true},
	}
	k.app = func(subject civicpin.Subject, typed civicpin.Secret) error {
		if subject == ana && typed.Reveal() == "123456" {
			return nil
		}
		return recovery.ErrRefused
	}
	k.config = recovery.Config{
		Pins: k.pins, Plans: plans(), Register: k.facts, Documents: k.files, Questions: slices.Clone(questions), Images: slices.Clone(images),
		Factors: map[string]func(context.Context, civicpin.Subject, civicpin.Secret, civicpin.Source) error{
			"app": func(_ context.Context, subject civicpin.Subject, typed civicpin.Secret, _ civicpin.Source) error {
				return k.app(subject, typed)
			},
		},
		Roles: map[string]recovery.Role{
			"video":  {From: 8 * time.Hour, To: 17 * time.Hour, Zone: "America/Guayaquil"},
			"agency": {Unlocks: true},
		},
		Contacts: k.contacts,
		Hashing:  cheap(),
	}
	k.Service, err = recovery.New(k.out, k.config)
	return k, err
}

// cheap is hashing that costs nothing: the tests make thousands of hashes.
func cheap() pin.Hashing {
	password.Cheap()
	return pin.Hashing{Memory: 8, Time: 1, Threads: 1, Permits: 64, Queue: 4096}
}

// anaAnswers are what Ana answered when she enrolled.
var anaAnswers = map[string]string{"mascota": "Luna Lunera", "escuela": "Simón Bolívar", "ciudad": "Riobamba", "madrina": "Tía Rosario"}

const anaImage = "tren"

// secrets are texts as they are typed.
func secrets(texts map[string]string) map[string]civicpin.Secret {
	m := make(map[string]civicpin.Secret)
	for name, text := range texts {
		m[name] = civicpin.NewSecret(text)
	}
	return m
}

// enrolAna gives Ana a key at level substantial, contacts and answers.
func (k *kit) enrolAna(t testing.TB) {
	t.Helper()
	k.importAna(t)
	k.teachAna(t)
	k.adoptAna(t)
}

// importAna gives Ana a key.
func (k *kit) importAna(t testing.TB) {
	t.Helper()
	hash := password.New(password.Params{Memory: 8, Time: 1, Threads: 1}, anaSecret).Encode()
	require.NoError(t, k.pins.Import(t.Context(), ana, civicpin.NewSecret(hash), pin.ImportOptions{
		Level: civicpin.Substantial, By: agency.ID, Evidence: civicpin.Evidence{Method: civicpin.InPerson, By: agency.ID},
	}))
}

// teachAna enrols Ana's image and answers.
func (k *kit) teachAna(t testing.TB) {
	t.Helper()
	require.NoError(t, k.EnrolAnswers(t.Context(), ana, anaImage, secrets(anaAnswers), home))
}

// adoptAna gives Ana her contacts.
func (k *kit) adoptAna(t testing.TB) {
	t.Helper()
	require.NoError(t, k.contacts.Adopt(t.Context(), ana, anaContacts(), agency.ID, home))
}

func anaContacts() []civicpin.Contact {
	return []civicpin.Contact{
		{Channel: civicpin.Email, Address: anaMail},
		{Channel: civicpin.SMS, Address: anaPhone},
		{Channel: civicpin.CertifiedEmail, Address: anaPEC},
	}
}

// login reports whether a secret lets Ana in.
func (k *kit) login(t testing.TB, secret string) (pin.Verified, error) {
	t.Helper()
	return k.pins.Verify(t.Context(), pin.Attempt{Subject: ana, Secret: civicpin.NewSecret(secret), Source: home})
}

// lock has strangers guess until Ana's key is locked.
func (k *kit) lock(t testing.TB) {
	t.Helper()
	for range 5 {
		_, err := k.login(t, "wrong and wrong again")
		require.Error(t, err)
	}
	_, err := k.login(t, anaSecret)
	require.NotNil(t, lockOf(err))
}

// lockOf returns the lock that an error tells of, nil if none.
func lockOf(err error) *lockout.LockedError {
	locked, _ := errors.AsType[*lockout.LockedError](err)
	return locked
}

// set sets a secret of Ana's under a grant.
func (k *kit) set(ctx context.Context, g pin.Grant, secret string) error {
	return testkit.Err(k.pins.Set(ctx, g, civicpin.NewSecret(secret), civicpin.Source{}))
}
