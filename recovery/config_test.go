package recovery_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

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
	k := newBareKit(t)
	before, err := k.Start(t.Context(), "clave", stranger, home)
	require.NoError(t, err)
	for i := range k.config.Plans {
		clear(k.config.Plans[i].Steps)
	}
	clear(k.config.Images)
	clear(k.config.Roles)
	after, err := k.Start(t.Context(), "clave", stranger, home)
	require.NoError(t, err)
	require.Equal(t, before.Next, after.Next)
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
