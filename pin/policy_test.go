package pin_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

const day = 24 * time.Hour

func TestReadyPoliciesAreValid(t *testing.T) {
	for _, p := range []pin.Policy{pin.Default(), pin.INPS()} {
		require.NoError(t, p.Validate())
		issued, chosen := p.GuessProbability()
		require.Less(t, issued, lockout.Budget)
		require.Less(t, chosen, lockout.Budget)
		require.Empty(t, p.Exception)
	}
}

// The documentation of the ready policies states these.
func TestReadyPoliciesAsDocumented(t *testing.T) {
	p := pin.INPS()
	issued, chosen := p.GuessProbability()
	require.InEpsilon(t, 50/math.Pow(28, 8), issued, 1e-9, "1 in 7*10^9")
	require.InDelta(t, 3e-5, chosen, 0.5e-5, "3 in 100,000")
	require.Equal(t, []int{2, 8, 8, 8}, []int{p.Parts, p.Length, p.Chosen.Min, p.Chosen.Max})
	require.Equal(t, 90*day, p.MaxAge)
	require.Equal(t, 180*day, p.MaxUnused)
	require.Equal(t, 21*day, p.Valid[civicpin.Letter])
	require.Equal(t, 7*day, p.Valid[civicpin.SMS])

	d := pin.Default()
	issued, chosen = d.GuessProbability()
	require.Less(t, max(issued, chosen), 1e-10)
	require.Equal(t, []int{1, 12, 15}, []int{d.Parts, d.Length, d.Chosen.Min})
	require.Equal(t, 24*time.Hour, d.Valid[civicpin.Email])
	require.Equal(t, 21*day, d.Valid[civicpin.Letter])
	require.Equal(t, 7*day, d.Valid[civicpin.HandedOver])
	require.Equal(t, 10*time.Minute, d.Valid[civicpin.SMS])
	require.Equal(t, 3, d.Lockout.Devices)
	require.Zero(t, p.Lockout.Devices)
}

// TestDevicesLeaveTheChance: known devices share the ceiling, and a policy in which they do not fit is refused.
func TestDevicesLeaveTheChance(t *testing.T) {
	for _, p := range []pin.Policy{pin.INPS(), pin.Default()} {
		p.Lockout.Devices = 0
		issued, chosen := p.GuessProbability()
		p.Lockout.Devices, p.Lockout.DeviceValid = 8, 30*day
		require.NoError(t, p.Validate())
		withDevices, chosenWith := p.GuessProbability()
		require.Equal(t, []float64{issued, chosen}, []float64{withDevices, chosenWith})
		text, err := json.Marshal(p)
		require.NoError(t, err)
		require.Contains(t, string(text), `"devices":8,"deviceValid":"30d"`)
		back, err := pin.ParsePolicy(text)
		require.NoError(t, err)
		require.Equal(t, p, back)
	}
	p := pin.INPS()
	p.Lockout.Devices = 9
	require.ErrorIs(t, p.Validate(), pin.ErrInvalidPolicy)
	require.ErrorIs(t, p.Validate(), lockout.ErrInvalidPolicy)
}

// TestDefaults pins each default that a zero field stands for.
func TestDefaults(t *testing.T) {
	k := newKit(t, pin.INPS())
	service, err := pin.New(k.out, pin.INPS())
	require.NoError(t, err)
	p := service.Policy()
	require.Equal(t, pin.Hashing{Memory: 19456, Time: 2, Threads: 1}, p.Hashing)
	p.Valid[civicpin.SMS], p.Levels[civicpin.InPerson] = 1, civicpin.High
	require.Equal(t, 7*day, service.Policy().Valid[civicpin.SMS], "nobody changes a policy from outside")
	require.Equal(t, civicpin.Substantial, service.Policy().Levels[civicpin.InPerson])
}

// The name of the gate is stored: under another one, failures would be forgotten and locks would end.
func TestGateName(t *testing.T) {
	k := newKit(t, pin.INPS())
	_, err := k.Verify(t.Context(), try("wrong"))
	require.ErrorIs(t, err, pin.ErrRefused)
	gate, err := lockout.New(k.vault, "pin.inps", k.policy.Lockout)
	require.NoError(t, err)
	st, err := gate.Status(t.Context(), lockout.Target{Subject: try("").Subject})
	require.NoError(t, err)
	require.Equal(t, 1, st.Failures)
}

// The vault is said once, by the outbox.
func TestNewNeedsAnOutbox(t *testing.T) {
	_, err := pin.New(nil, pin.INPS())
	require.ErrorIs(t, err, civicpin.ErrInvalid)
}

// Without a notifier a PIN that would be sent is not issued, and one that is handed over is.
func TestIssueWithoutANotifier(t *testing.T) {
	vault, err := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), nil)
	require.NoError(t, err)
	out, err := outbox.New(vault, nil, nil)
	require.NoError(t, err)
	p := pin.Default()
	pins, err := pin.New(out, p)
	require.NoError(t, err)
	_, err = pins.Issue(t.Context(), maria, pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.Email, Address: "maria@example.it"}}, By: civicpin.Citizen,
	})
	require.ErrorIs(t, err, outbox.ErrNoNotifier)
	_, err = pins.Status(t.Context(), maria)
	require.ErrorIs(t, err, pin.ErrNoCredential, "nothing changed")
	_, err = pins.Issue(t.Context(), maria, pin.IssueOptions{Parts: []civicpin.Contact{{Channel: civicpin.HandedOver}}, By: clerk})
	require.NoError(t, err)
}

func TestNewCopiesThePolicy(t *testing.T) {
	p := pin.INPS()
	k := newKit(t, p)
	delete(p.Valid, civicpin.SMS)
	_, err := k.Issue(t.Context(), maria, inps())
	require.NoError(t, err)
}

func TestPolicyValidation(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*pin.Policy)
		ok     bool
	}{
		"as it is":                     {func(*pin.Policy) {}, true},
		"zero":                         {func(p *pin.Policy) { *p = pin.Policy{} }, false},
		"no name":                      {func(p *pin.Policy) { p.Name = "" }, false},
		"a name with a slash":          {func(p *pin.Policy) { p.Name = "a/b" }, false},
		"a long name":                  {func(p *pin.Policy) { p.Name = strings.Repeat("a", 41) }, false},
		"the longest name":             {func(p *pin.Policy) { p.Name = strings.Repeat("a", 40) }, true},
		"no alphabet":                  {func(p *pin.Policy) { p.Alphabet = "" }, false},
		"an alphabet with a hyphen":    {func(p *pin.Policy) { p.Alphabet = "ABC-" }, false},
		"no parts":                     {func(p *pin.Policy) { p.Parts = 0 }, false},
		"one part":                     {func(p *pin.Policy) { p.Parts = 1 }, true},
		"eight parts":                  {func(p *pin.Policy) { p.Parts = 8 }, true},
		"nine parts":                   {func(p *pin.Policy) { p.Parts = 9 }, false},
		"short parts":                  {func(p *pin.Policy) { p.Length = 3 }, false},
		"long parts":                   {func(p *pin.Policy) { p.Length = 33 }, false},
		"parts that can be guessed":    {func(p *pin.Policy) { p.Alphabet, p.Length = "0123456789", 5 }, false},
		"with a named exception":       {func(p *pin.Policy) { p.Alphabet, p.Length, p.Exception = "0123456789", 5, "test" }, true},
		"six digits each":              {func(p *pin.Policy) { p.Alphabet, p.Length = "0123456789", 6 }, true},
		"no channel":                   {func(p *pin.Policy) { p.Valid = nil }, false},
		"valid for no time":            {func(p *pin.Policy) { p.Valid[civicpin.SMS] = 0 }, false},
		"valid for a month":            {func(p *pin.Policy) { p.Valid[civicpin.SMS] = 30 * day }, true},
		"valid for longer":             {func(p *pin.Policy) { p.Valid[civicpin.SMS] = 30*day + 1 }, false},
		"no form":                      {func(p *pin.Policy) { p.Chosen.Form = "" }, false},
		"an unknown form":              {func(p *pin.Policy) { p.Chosen.Form = "picture" }, false},
		"chosen too short":             {func(p *pin.Policy) { p.Chosen.Min = 3 }, false},
		"chosen min over max":          {func(p *pin.Policy) { p.Chosen.Min = 9 }, false},
		"chosen too long":              {func(p *pin.Policy) { p.Chosen.Max = 129 }, false},
		"six chosen digits":            {func(p *pin.Policy) { p.Chosen = pin.Chosen{Form: pin.Digits, Min: 6, Max: 6} }, false},
		"a password of seven":          {func(p *pin.Policy) { p.Chosen = pin.Chosen{Form: pin.Password, Min: 7, Max: 64} }, false},
		"a password of eight":          {func(p *pin.Policy) { p.Chosen = pin.Chosen{Form: pin.Password, Min: 8, Max: 64} }, true},
		"words":                        {func(p *pin.Policy) { p.Chosen.Words = []string{"inps"} }, true},
		"an empty word":                {func(p *pin.Policy) { p.Chosen.Words = []string{""} }, false},
		"an age of hours":              {func(p *pin.Policy) { p.MaxAge = 23 * time.Hour }, false},
		"a negative age":               {func(p *pin.Policy) { p.MaxAge = -day }, false},
		"no age":                       {func(p *pin.Policy) { p.MaxAge, p.MaxUnused = 0, 0 }, true},
		"disuse of a day":              {func(p *pin.Policy) { p.MaxUnused = day }, false},
		"a long history":               {func(p *pin.Policy) { p.History = 11 }, false},
		"a negative history":           {func(p *pin.Policy) { p.History = -1 }, false},
		"a history":                    {func(p *pin.Policy) { p.History = 10 }, true},
		"no lock":                      {func(p *pin.Policy) { p.Lockout.Lock = "" }, false},
		"no limit":                     {func(p *pin.Policy) { p.Lockout.Limit = 0 }, false},
		"above NIST's ceiling":         {func(p *pin.Policy) { p.Lockout.Ceiling = 101 }, false},
		"a bad rate of sends":          {func(p *pin.Policy) { p.Sends = civicpin.Rate{Limit: 1} }, false},
		"a level that is none":         {func(p *pin.Policy) { p.Levels[civicpin.InPerson] = civicpin.NoLevel }, false},
		"a level beyond":               {func(p *pin.Policy) { p.Levels[civicpin.InPerson] = civicpin.High + 1 }, false},
		"no levels":                    {func(p *pin.Policy) { p.Levels = nil }, true},
		"weak hashing":                 {func(p *pin.Policy) { p.Hashing.Memory = 8192 }, false},
		"costly hashing":               {func(p *pin.Policy) { p.Hashing.Memory = 1 << 30 }, false},
		"negative permits":             {func(p *pin.Policy) { p.Hashing.Permits = -1 }, false},
		"a budget of the other policy": {func(p *pin.Policy) { *p = pin.Default() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := pin.INPS()
			tc.change(&p)
			err := p.Validate()
			vault, vaultErr := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), nil)
			require.NoError(t, vaultErr)
			out, outErr := outbox.New(vault, &testkit.Mailbox{}, nil)
			require.NoError(t, outErr)
			if tc.ok {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, pin.ErrInvalidPolicy)
			_, err = pin.New(out, p)
			require.ErrorIs(t, err, pin.ErrInvalidPolicy)
		})
	}
}

func TestPolicyJSON(t *testing.T) {
	for _, p := range []pin.Policy{pin.INPS(), pin.Default()} {
		text, err := json.MarshalIndent(p, "", "  ")
		require.NoError(t, err)
		back, err := pin.ParsePolicy(text)
		require.NoError(t, err)
		require.Equal(t, p, back)
	}
	text, err := json.Marshal(pin.INPS())
	require.NoError(t, err)
	require.Contains(t, string(text), `"maxAge":"90d"`)
	require.Contains(t, string(text), `"in-person":"substantial"`)
	require.Contains(t, string(text), `"for":"15m"`)
}

func TestParsePolicyIsStrict(t *testing.T) {
	good, err := json.Marshal(pin.INPS())
	require.NoError(t, err)
	with := func(old, replacement string) string {
		require.Contains(t, string(good), old)
		return strings.Replace(string(good), old, replacement, 1)
	}
	for name, text := range map[string]string{
		"empty":               "",
		"null":                "null",
		"a list":              "[]",
		"an unknown field":    with(`{"name"`, `{"nane":"x","name"`),
		"a field twice":       with(`{"name"`, `{"name":"x","name"`),
		"a channel twice":     with(`"sms":"7d"`, `"sms":"7d","sms":"7d"`),
		"in another case":     with(`"maxAge"`, `"MaxAge"`),
		"a number of seconds": with(`"90d"`, `7776000`),
		"a fraction of days":  with(`"90d"`, `"1.5d"`),
		"negative days":       with(`"90d"`, `"-90d"`),
		"too many days":       with(`"90d"`, `"99999999999999999999d"`),
		"an unknown level":    with(`"substantial"`, `"medium"`),
		"a number as text":    with(`"parts":2`, `"parts":"2"`),
		"a fraction":          with(`"parts":2`, `"parts":2.5`),
		"a huge number":       with(`"parts":2`, `"parts":1e99`),
		"null inside":         with(`"parts":2`, `"parts":null`),
		"cut off":             string(good[:len(good)-1]),
		"something behind":    string(good) + "{}",
		"not valid":           with(`"parts":2`, `"parts":0`),
		"too long":            with(`{"name"`, strings.Repeat(" ", 1<<17)+`{"name"`),
	} {
		t.Run(name, func(t *testing.T) {
			p, err := pin.ParsePolicy([]byte(text))
			require.ErrorIs(t, err, pin.ErrInvalidPolicy)
			require.Zero(t, p)
		})
	}
	require.NotErrorIs(t, new(pin.Policy).UnmarshalJSON(good), pin.ErrInvalidPolicy)
}

func FuzzParsePolicy(f *testing.F) {
	for _, p := range []pin.Policy{pin.INPS(), pin.Default(), {}} {
		text, err := json.Marshal(p)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add([]byte(`{"name":"x","valid":{"sms":"1h30m"},"hashing":{"threads":256},"chosen":{"words":["a","b"]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := pin.ParsePolicy(text)
		if err != nil {
			require.ErrorIs(t, err, pin.ErrInvalidPolicy)
			require.Zero(t, p)
			return
		}
		again, err := json.Marshal(p)
		require.NoError(t, err)
		back, err := pin.ParsePolicy(again)
		require.NoError(t, err)
		require.Equal(t, p, back)
	})
}
