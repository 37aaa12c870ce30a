package recovery_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
	"github.com/civicpin/civicpin/texts"
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

// The plans of the four systems, and some more. All keep what a run shows enough for.
func plans() []plan.Plan {
	const email = civicpin.Email
	all := []plan.Plan{
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
			Exceptions: []civicpin.Exception{{
				Clause: "guess budget",
				Reason: "with a contact corrected it rests on what is known, and three days in which the old one can object",
			}},
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
			Exceptions: []civicpin.Exception{{
				Clause: "guess budget",
				Reason: "nothing is known of somebody who begins but what the register has",
			}},
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
	for i := range all {
		if name := all[i].Name; name != "clave" && name != "first" { // of which no run could leave it
			all[i].Keeps = civicpin.Substantial
		}
	}
	return all
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
	return openKitWith(testkit.Keys(), plans(), s, c, m, r)
}

// openKitWith is openKit with other keys and plans.
func openKitWith(
	keys store.Keys, ways []plan.Plan, s store.Store, c *testkit.Clock, m *testkit.Mailbox, r *testkit.Recorder,
) (*kit, error) {
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
		Pins: k.pins, Plans: ways, Register: k.facts, Documents: k.files, Questions: slices.Clone(questions), Images: slices.Clone(images),
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
	return pin.Hashing{Memory: 8, Time: 1, Threads: 1, Permits: 64, Wait: time.Minute}
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

// construct makes a service of one plan with all that it could need around it.
func construct(t *testing.T, change func(*recovery.Config), p ...plan.Plan) error {
	t.Helper()
	k := newBareKit(t)
	c := k.config
	if len(p) > 0 {
		c.Plans = p
	}
	if change != nil {
		change(&c)
	}
	_, err := recovery.New(k.out, c)
	return err
}

func TestPlansThatConstruct(t *testing.T) {
	for _, p := range plans() {
		require.NoError(t, construct(t, nil, p), p.Name)
	}
}

func TestConfigsThatDoNotConstruct(t *testing.T) {
	good := plans()[0]
	require.ErrorIs(t, construct(t, nil, good, good), recovery.ErrInvalidPlan, "two of one name")
	for name, change := range map[string]func(*recovery.Config){
		"no pins":            func(c *recovery.Config) { c.Pins = nil },
		"no contacts":        func(c *recovery.Config) { c.Contacts = nil },
		"no plans":           func(c *recovery.Config) { c.Plans = nil },
		"no register":        func(c *recovery.Config) { c.Register = nil },
		"no document store":  func(c *recovery.Config) { c.Documents = nil },
		"no images":          func(c *recovery.Config) { c.Images = nil },
		"no questions":       func(c *recovery.Config) { c.Questions = nil },
		"a question twice":   func(c *recovery.Config) { c.Questions = []string{"a", "b", "c", "d", "a"} },
		"no roles":           func(c *recovery.Config) { c.Roles = nil },
		"a place of no time": func(c *recovery.Config) { c.Roles = map[string]recovery.Role{"video": {Zone: "Nowhere"}} },
		"hours backwards":    func(c *recovery.Config) { c.Roles = map[string]recovery.Role{"video": {From: 2, To: 1}} },
		"negative limits":    func(c *recovery.Config) { c.Sends.Limit = -1 },
	} {
		require.ErrorIs(t, construct(t, change), recovery.ErrInvalidPlan, name)
	}
}

// A service over another outbox is refused: what it would promise, nobody would send.
func TestConfigsOverAnotherOutbox(t *testing.T) {
	k := newBareKit(t)
	other, err := outbox.New(k.vault, k.mail, nil)
	require.NoError(t, err)
	pins, err := pin.New(other, pin.Default())
	require.NoError(t, err)
	contacts, err := contact.New(other, contact.Policy{}, pins)
	require.NoError(t, err)
	const (
		noPins     = "Pins send through another outbox: give New the outbox that pin.New got"
		noContacts = "Contacts send through another outbox: give New the outbox that contact.New got"
	)
	for _, tc := range []struct {
		out      *outbox.Outbox
		pins     *pin.Service
		contacts *contact.Service
		says     string
	}{
		{nil, k.pins, k.contacts, "New needs an outbox"},
		{other, k.pins, k.contacts, noPins},
		{k.out, pins, k.contacts, noPins},
		{k.out, k.pins, contacts, noContacts},
	} {
		c := k.config
		c.Pins, c.Contacts = tc.pins, tc.contacts
		_, err = recovery.New(tc.out, c)
		require.ErrorIs(t, err, civicpin.ErrInvalid)
		require.ErrorContains(t, err, tc.says)
	}
}

// A run that was begun under a plan goes on under the same plan that was written and read again.
func TestRunsOutliveJSON(t *testing.T) {
	k := newKit(t)
	run, err := k.Start(t.Context(), "clave", ana, home)
	require.NoError(t, err)
	c := k.config
	c.Plans = nil
	text, err := json.Marshal(plans())
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &c.Plans))
	again, err := recovery.New(k.out, c)
	require.NoError(t, err)
	_, err = again.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
	require.NoError(t, err)
}

// Reading does not validate; New does, and nothing comes of a plan that cannot be.
func TestPlanJSONIsValidatedByNew(t *testing.T) {
	text := func(step string) []byte {
		return []byte(`{"name":"p","steps":[` + step + `],"limit":{"limit":3,"lock":"until-unlocked"},"outcome":"unlocked"}`)
	}
	var p plan.Plan
	require.NoError(t, p.UnmarshalJSON(text(`{"facts":["birth-day"]}`)))
	require.ErrorIs(t, construct(t, nil, p), recovery.ErrInvalidPlan, "knowing is not enough")
	require.NoError(t, p.UnmarshalJSON(text(`{"link":{"channel":"email","valid":"3m"}}`)))
	require.NoError(t, construct(t, nil, p))
}

// Configurations are copied: who changes theirs afterwards changes nothing.
func TestConfigIsCopied(t *testing.T) {
	k := newKit(t)
	before, err := k.Start(t.Context(), "clave", stranger, home)
	require.NoError(t, err)
	first := k.config
	rec := k.with(t, plan.Plan{Name: "app", Outcome: plan.Unlocked, Steps: []plan.Step{
		plan.Factor("app"), plan.Approval{Role: "agency"},
	}})
	for _, c := range []recovery.Config{first, k.config} {
		for i := range c.Plans {
			clear(c.Plans[i].Steps)
		}
		clear(c.Images)
		clear(c.Questions)
		clear(c.Factors)
		clear(c.Roles)
	}
	after, err := k.Start(t.Context(), "clave", stranger, home)
	require.NoError(t, err)
	require.Equal(t, before.Next, after.Next)
	run, err := rec.Start(t.Context(), "app", ana, home)
	require.NoError(t, err)
	next, err := rec.Answer(t.Context(), run.Ticket, recovery.Answers{Factor: civicpin.NewSecret("123456")})
	require.NoError(t, err)
	require.Equal(t, "agency", next.Next.Approval)
	_, err = rec.Decide(t.Context(), run.ID, recovery.Operator{ID: civicpin.Operator("clerk"), Role: "agency"}, approved)
	require.NoError(t, err)
}

// Each bound of a configuration is kept exactly, and says what it is.
func TestConfigBounds(t *testing.T) {
	named := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprint("n", i))
		}
		return list
	}
	long := func(n int) []string { return append(named(8), strings.Repeat("x", n)) }
	role := func(name string, r recovery.Role) func(*recovery.Config) {
		return func(c *recovery.Config) { c.Roles = map[string]recovery.Role{"video": {}, "agency": {}, name: r} }
	}
	const names = "recovery: invalid plan: Questions are not at most 64, or Images not at most 256, different names of 1 to 64 bytes"
	for _, tc := range []struct {
		change func(*recovery.Config)
		says   string // "" if it is valid
	}{
		{func(c *recovery.Config) { c.Questions = named(64) }, ""},
		{func(c *recovery.Config) { c.Questions = named(65) }, names},
		{func(c *recovery.Config) { c.Questions = long(64) }, ""},
		{func(c *recovery.Config) { c.Questions = long(65) }, names},
		{func(c *recovery.Config) { c.Images = named(256) }, ""},
		{func(c *recovery.Config) { c.Images = named(257) }, names},
		{func(c *recovery.Config) { c.Images = long(65) }, names},
		{role(strings.Repeat("r", 32), recovery.Role{}), ""},
		{role(strings.Repeat("r", 33), recovery.Role{}), "the name is not 1 to 32 of ASCII letters, digits, period, - and _"},
		{role("", recovery.Role{}), `recovery: invalid plan: role "": the name is not`},
		{role("desk", recovery.Role{PerHour: -1}), `recovery: invalid plan: role "desk": `},
		{role("desk", recovery.Role{PerHour: 1}), ""},
		{role("desk", recovery.Role{Zone: "Nowhere"}), `recovery: invalid plan: role "desk": `},
		{func(c *recovery.Config) { c.Hashing.Memory = 1 }, "recovery: invalid plan: "},
		{func(c *recovery.Config) { c.Hashing.Permits = -1 }, "recovery: invalid plan: "},
		{func(c *recovery.Config) { c.Sends = civicpin.Rate{Limit: 1_000_000, Window: time.Hour} }, "recovery"},
		{func(c *recovery.Config) { c.Pins = nil }, "Config.Pins, Config.Contacts or Config.Plans is not given"},
		{func(c *recovery.Config) { c.Contacts = nil }, "Config.Pins, Config.Contacts or Config.Plans is not given"},
		{func(c *recovery.Config) { c.Plans = nil }, "Config.Pins, Config.Contacts or Config.Plans is not given"},
		{func(c *recovery.Config) { c.Plans = append(bare(), bare()...) }, "recovery: invalid plan: two plans called bare"},
		{func(c *recovery.Config) { c.Factors = nil }, "step 1, plan.Factor: not one of Config.Factors"},
		{func(c *recovery.Config) { c.Factors["app"] = nil }, "step 1, plan.Factor: not one of Config.Factors"},
	} {
		err := construct(t, tc.change)
		if tc.says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, tc.says)
	}
}

// Zero Sends lets through ten messages for a subject in a day, and three times as many recoveries.
func TestDefaultSends(t *testing.T) {
	k := newKit(t)
	count := func(do func() error) (n int, err error) {
		for err == nil {
			if err = do(); err == nil {
				n++
			}
		}
		return n, err
	}
	k.asked(t, "unlock", ana) // one message, of another run
	run := k.asked(t, "unlock", ana)
	sent, err := count(func() error { return testkit.Err(k.Send(t.Context(), run.Ticket, civicpin.Source{})) })
	require.Equal(t, 8, sent)
	require.Equal(t, k.clock.Now().Add(24*time.Hour/10), lockOf(err).Until)
	started, err := count(func() error { return testkit.Err(k.Start(t.Context(), "clave", ana, civicpin.Source{})) })
	require.Equal(t, 28, started)
	require.Equal(t, k.clock.Now().Add(24*time.Hour/30), lockOf(err).Until)
	k.clock.Set(lockOf(err).Until)
	require.NoError(t, testkit.Err(k.Start(t.Context(), "clave", ana, civicpin.Source{})))
}

// TestBeforeItIsSent: a step that sends shows its first channel until something was sent, and a link takes no code.
func TestBeforeItIsSent(t *testing.T) {
	k := newKit(t)
	k.config.Sends = civicpin.Rate{Limit: 1, Window: time.Hour}
	link := plan.Link{Channel: civicpin.Email, Valid: time.Hour}
	rec := k.with(t, plan.Plan{Name: "link", Steps: []plan.Step{plan.Captcha{}, link}, Outcome: plan.Unlocked})
	var ticket civicpin.Secret
	for _, sent := range []bool{true, false} { // the second message is one too many
		run, err := rec.Start(t.Context(), "link", ana, home)
		require.NoError(t, err)
		ticket = run.Ticket
		_, err = rec.Answer(t.Context(), ticket, recovery.Answers{Captcha: true})
		require.Equal(t, sent, err == nil, "%v", err)
	}
	run, err := rec.Show(t.Context(), ticket)
	require.NoError(t, err)
	require.Equal(t, &recovery.ContactAsk{Channel: civicpin.Email, Link: true}, run.Next.Sent)
	_, err = rec.Answer(t.Context(), ticket, recovery.Answers{Code: civicpin.NewSecret("ABCDEFGH")})
	require.ErrorIs(t, err, recovery.ErrWrongStep)
}

// Whoever matches either error catches the other.
func TestErrPlanIsErrInvalid(t *testing.T) {
	require.ErrorIs(t, construct(t, nil, plan.Plan{}), plan.ErrInvalid)
	require.ErrorIs(t, plan.Plan{}.Validate(plan.Facilities{}), recovery.ErrInvalidPlan)
}

// The name of a plan's gate is stored: under another one, failures would be forgotten and locks would end.
func TestGateName(t *testing.T) {
	memory := store.NewMemory()
	k := newAnswerKitOn(t, memory, answerConfig())
	run := k.asked(t, elsa)
	require.ErrorIs(t, k.guess(t.Context(), run, run.Next.Images[3], map[string]string{}), recovery.ErrRefused)
	vault, err := store.OpenVault(t.Context(), memory, testkit.Keys(), &store.Options{Now: k.clock.Now})
	require.NoError(t, err)
	gate, err := lockout.New(vault, "recovery.all", threeTries())
	require.NoError(t, err)
	st, err := gate.Status(t.Context(), lockout.Target{Subject: elsa})
	require.NoError(t, err)
	require.Equal(t, 1, st.Failures)
}

// New refuses a plan whose messages its notifier would refuse over one of the plan's channels.
func TestNewAsksTheNotifier(t *testing.T) {
	words := func(page string) func(civicpin.Message) error {
		w, err := texts.New(texts.Service{Name: "IESS", Page: page})
		require.NoError(t, err)
		return w.Check
	}
	refusing := func(f func(civicpin.Message) bool) func(civicpin.Message) error {
		return func(m civicpin.Message) error {
			if f(m) {
				return fmt.Errorf("%w: no words", civicpin.ErrUndeliverable)
			}
			return nil
		}
	}
	without := func(kind civicpin.MessageKind) func(civicpin.Message) error {
		return refusing(func(m civicpin.Message) bool { return m.Kind == kind })
	}
	const email, sms = civicpin.Email, civicpin.SMS
	link := plan.Link{Channel: email, Valid: time.Hour}
	both := plan.Link{Channel: email, Or: []civicpin.Channel{civicpin.Push}, Valid: 10 * time.Minute, Code: 8}
	code := plan.Code{Channel: sms, Valid: 10 * time.Minute}
	for name, tc := range map[string]struct {
		refuse  func(civicpin.Message) error
		steps   []plan.Step
		outcome plan.Outcome
		begin   bool
		kind    civicpin.MessageKind // that is refused; empty if none is
		channel civicpin.Channel
	}{
		"links and codes":           {words("https://iess.example/r"), []plan.Step{link, code}, plan.Unlocked, false, "", ""},
		"a link without a page":     {words(""), []plan.Step{link}, plan.Unlocked, false, "recovery.unlock", email},
		"a code beside it is told":  {words(""), []plan.Step{both}, plan.Unlocked, false, "", ""},
		"no words for links":        {without("recovery.link"), []plan.Step{link, code}, plan.ChooseSecret, false, "recovery.link", email},
		"no words for another link": {without("recovery.unlock"), []plan.Step{link, code}, plan.ChooseSecret, false, "", ""},
		"no words for codes":        {without("recovery.code"), []plan.Step{link, code}, plan.ChooseSecret, false, "recovery.code", sms},
		"none are sent":             {without("recovery.code"), []plan.Step{link}, plan.Unlocked, false, "", ""},
		"no words for the end":      {without("recovery.done"), []plan.Step{link, code}, plan.ChooseSecret, false, "recovery.done", email},
		"nor over another channel":  {refusing(func(m civicpin.Message) bool { return m.Kind == "recovery.done" && m.To.Channel == sms }), []plan.Step{link}, plan.ChooseSecret, false, "recovery.done", sms},
		"nor for that of an unlock": {without("recovery.unlocked"), []plan.Step{code}, plan.Unlocked, false, "recovery.unlocked", sms},
		"no notice with a link": {
			refusing(func(m civicpin.Message) bool { return m.Kind == "recovery.done" && !m.Link.IsZero() }),
			[]plan.Step{link},
			plan.ChooseSecret, false, "recovery.done", email,
		},
		"no notice without a link": {
			refusing(func(m civicpin.Message) bool { return m.Kind == "recovery.done" && m.Link.IsZero() }),
			[]plan.Step{link},
			plan.ChooseSecret, false, "recovery.done", email,
		},
		"a notice tells until when it waits": {
			refusing(func(m civicpin.Message) bool { return m.Kind == "recovery.waiting" && m.Params["until"] == "" }),
			[]plan.Step{link, code, plan.Wait{For: 72 * time.Hour}},
			plan.ChooseSecret, false, "", "",
		},
		"no words for waiting": {
			without("recovery.waiting"),
			[]plan.Step{link, code, plan.Wait{For: 72 * time.Hour}},
			plan.ChooseSecret, false,
			"recovery.waiting", email,
		},
		"no words for waiting for a correction": {
			without("recovery.waiting"),
			[]plan.Step{
				plan.Facts{"birth-day"}, plan.ConfirmContact{Channel: email, MayCorrect: true, Wait: 72 * time.Hour}, link, code,
			},
			plan.ChooseSecret, false, "recovery.waiting", email,
		},
		"nothing is corrected": {
			without("recovery.waiting"),
			[]plan.Step{plan.Facts{"birth-day"}, plan.ConfirmContact{Channel: email}, link, code},
			plan.ChooseSecret, false, "", "",
		},
		"it does not wait": {without("recovery.waiting"), []plan.Step{link, code}, plan.ChooseSecret, false, "", ""},
		"no route": {
			func(m civicpin.Message) error {
				return civicpin.ByChannel{email: &testkit.Mailbox{}, sms: &testkit.Mailbox{}}.Check(m)
			},
			[]plan.Step{both},
			plan.Unlocked, false, "recovery.unlock", civicpin.Push,
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newBareKit(t)
			k.mail.Refuse = tc.refuse // after the services that were made
			c := k.config
			c.Plans = []plan.Plan{{
				Name: "worded", Steps: append([]plan.Step{plan.Captcha{}}, tc.steps...), Limit: threeTries(), Outcome: tc.outcome, Creates: tc.begin,
			}}
			c.Plans[0] = accepted(c, c.Plans[0])
			_, err := recovery.New(k.out, c)
			testkit.Unsendable(t, err, tc.kind, tc.channel)
			if err != nil {
				require.ErrorContains(t, err, "plan worded")
			}
		})
	}
}

// A notice that a run waits is sent as long as its link can end the run, which is longer than the wait, and tells when the wait
// ends: a gateway that was down for the whole of it must not cost the contacts their right.
func TestNoticesLastAsLongAsTheirRight(t *testing.T) {
	for name, tc := range map[string]struct {
		after time.Duration // is it sent
		sent  bool
	}{
		"at once":                      {0, true},
		"when the wait ends":           {rested, true},
		"shortly before the run ends":  {rested + time.Hour - time.Second, true},
		"after the end of that run":    {rested + time.Hour, false},
		"long after the end of it all": {30 * rested, false},
	} {
		t.Run(name, func(t *testing.T) {
			k := newRunKit(t)
			begun := k.clock.Now()
			run, err := k.Start(t.Context(), "mailbox-lost", rosa, runHome)
			require.NoError(t, err)
			k.flush(t)
			code := k.post.Last(rosaPhone, "recovery.code").Secret
			_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Code: code})
			require.NoError(t, err)
			_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Correct: byNewMail})
			require.NoError(t, err)
			k.clock.Add(tc.after)
			k.flush(t)
			for _, address := range []string{rosaMail, rosaPhone} {
				got := k.post.To(address, "recovery.waiting")
				if !tc.sent {
					require.Empty(t, got)
					continue
				}
				require.Len(t, got, 1)
				require.Equal(t, map[string]string{"until": begun.Add(rested).Format(time.RFC3339)}, got[0].Params)
				require.Equal(t, begun.Add(rested+time.Hour), got[0].ExpiresAt, "as its link")
				look, err := k.Inspect(t.Context(), got[0].Link)
				require.NoError(t, err)
				require.Equal(t, got[0].ExpiresAt, look.ExpiresAt)
			}
			if tc.sent {
				require.NoError(t, k.Repudiate(t.Context(), k.post.Last(rosaMail, "recovery.waiting").Link, civicpin.Source{}))
			}
		})
	}
}

// portal is all services over one vault, with the ready policies and the default limits.
type portal struct {
	pins     *pin.Service
	codes    *otp.Codes
	contacts *contact.Service
	rec      *recovery.Service
	out      *outbox.Outbox
	mail     *testkit.Mailbox
	clock    *testkit.Clock
}

func newPortal(t *testing.T) *portal {
	t.Helper()
	clock := newClock()
	p := newPortalAt(t, clock.Now, pin.Default())
	p.clock = clock
	return p
}

// newPortalAt is newPortal with another policy, by a clock of the test's; nil means the real one, or that of a bubble.
func newPortalAt(t *testing.T, now func() time.Time, policy pin.Policy) *portal {
	t.Helper()
	p := &portal{mail: &testkit.Mailbox{}}
	vault, err := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), &store.Options{Now: now})
	require.NoError(t, err)
	p.out, err = outbox.New(vault, p.mail, nil)
	require.NoError(t, err)
	policy.Hashing = cheap()
	policy.Requests.Typed = true
	policy.Exceptions = testkit.Except(policy.Breaks())
	p.pins, err = pin.New(p.out, policy)
	require.NoError(t, err)
	p.codes, err = otp.NewCodes(p.out, otp.SMS())
	require.NoError(t, err)
	p.contacts, err = contact.New(p.out, contact.Policy{Decoys: []civicpin.Contact{
		{Channel: civicpin.SMS, Address: "+593990000000"}, {Channel: civicpin.Email, Address: "x@correo.example"},
	}}, p.pins)
	require.NoError(t, err)
	p.rec, err = recovery.New(p.out, recovery.Config{
		Pins: p.pins, Contacts: p.contacts, Hashing: cheap(), Plans: []plan.Plan{{
			Name: "sms", Steps: []plan.Step{plan.Captcha{}, plan.Code{Channel: civicpin.SMS, Valid: 10 * time.Minute}},
			Limit: threeTries(), Outcome: plan.Unlocked,
		}},
	})
	require.NoError(t, err)
	return p
}

// issue issues a PIN to a telephone at a citizen's request.
func (p *portal) issue(t *testing.T, subject civicpin.Subject, to civicpin.Contact) error {
	t.Helper()
	_, err := p.pins.Issue(t.Context(), subject, pin.IssueOptions{Parts: []civicpin.Contact{to}, By: civicpin.Citizen})
	return err
}

// A limit of one service, used up by another, tells nobody who is registered: each anonymous call gives a citizen, who has a
// telephone that many others have, too, the answer that it gives a stranger.
func TestLimitsOverAllServicesTellNothing(t *testing.T) {
	phone := civicpin.Contact{Channel: civicpin.SMS, Address: anaPhone}
	p := newPortal(t)
	require.NoError(t, p.issue(t, ana, phone))
	require.NoError(t, p.contacts.Adopt(t.Context(), ana, []civicpin.Contact{phone}, agency.ID, home))
	for i := range 60 { // the family's telephone
		require.NoError(t, p.issue(t, civicpin.Subject(fmt.Sprint("FAMILY ", i)), phone))
	}
	answers := func(subject civicpin.Subject, to ...civicpin.Contact) (list []string) {
		note := func(err error) {
			if locked := lockOf(err); locked != nil {
				list = append(list, string(locked.Scope))
			} else {
				list = append(list, fmt.Sprint(err))
			}
		}
		for range 12 {
			note(p.pins.Resend(t.Context(), subject, 0, civicpin.Source{}))
			_, err := p.codes.Request(t.Context(), subject, otp.Purpose{Act: "login"}, otp.RequestOptions{To: to})
			note(err)
			run, err := p.rec.Start(t.Context(), "sms", subject, civicpin.Source{})
			note(err)
			if err == nil {
				_, err = p.rec.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
				note(err)
			}
			require.NoError(t, p.out.Flush(t.Context()))
		}
		return list
	}
	citizen := answers(ana, phone)
	require.Equal(t, answers(stranger), citizen)
	require.Contains(t, citizen, "sends")
	require.NotContains(t, citizen, "address")
}

// Forty subjects with one telephone get no more than its rates through all services together, and services whose windows
// differ do not cut each other's counts.
func TestOneTelephoneOverAllServices(t *testing.T) {
	phone := civicpin.Contact{Channel: civicpin.SMS, Address: anaPhone}
	p := newPortal(t)
	for i := range 40 {
		subject := civicpin.Subject(fmt.Sprint("FAMILY ", i))
		require.NoError(t, p.issue(t, subject, phone))
		_, err := p.codes.Request(t.Context(), subject, otp.Purpose{Act: "login"}, otp.RequestOptions{To: []civicpin.Contact{phone}})
		require.NoError(t, err)
		require.NoError(t, p.out.Flush(t.Context()))
	}
	require.Len(t, p.mail.To(anaPhone, "pin.part"), 3, "typed by a visitor")
	require.Len(t, p.mail.To(anaPhone, "otp.code"), 40, "proved")
	_, err := p.codes.Request(t.Context(), ana, otp.Purpose{Act: "login"}, otp.RequestOptions{To: []civicpin.Contact{phone}})
	require.NoError(t, err)
	require.NoError(t, p.out.Flush(t.Context()))
	require.Len(t, p.mail.To(anaPhone, "otp.code"), 40, "it waits")
}

// A notice of a change arrives at once, however many messages strangers have had sent to that address.
func TestNoticesArriveThroughAFlood(t *testing.T) {
	phone := civicpin.Contact{Channel: civicpin.SMS, Address: anaPhone}
	p := newPortal(t)
	require.NoError(t, p.contacts.Adopt(t.Context(), ana, []civicpin.Contact{phone}, agency.ID, home))
	for i := range 1000 {
		require.NoError(t, p.issue(t, civicpin.Subject(fmt.Sprint("MADE UP ", i)), phone))
	}
	require.NoError(t, p.out.Flush(t.Context()))
	told, err := p.contacts.Notify(t.Context(), ana, "pin.changed", nil)
	require.NoError(t, err)
	require.Equal(t, 1, told)
	require.NoError(t, p.out.Flush(t.Context()))
	require.Len(t, p.mail.To(anaPhone, "pin.changed"), 1)
}
