package pin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/choice"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/texts"
)

const day = 24 * time.Hour

func TestReadyPoliciesAreValid(t *testing.T) {
	for _, p := range []pin.Policy{pin.Default(), pin.INPS()} {
		require.NoError(t, p.Validate())
		issued, chosen := p.GuessProbability()
		require.Less(t, issued, lockout.Budget)
		require.Less(t, chosen, lockout.Budget)
	}
}

// Each ready policy refuses at least 3,000 listed values that fit it (OWASP ASVS 6.2.4), and so do passwords of eight.
func TestListedValuesThatFitTheReadyPolicies(t *testing.T) {
	forms := map[pin.Form]choice.Form{pin.Alphanumeric: choice.Alphanumeric, pin.Password: choice.Password}
	for name, c := range map[string]pin.Chosen{
		"default": pin.Default().Chosen, "inps": pin.INPS().Chosen, "eight": {Form: pin.Password, Min: 8, Max: 8},
	} {
		rules, fit := choice.Rules{Form: forms[c.Form], Min: c.Min, Max: c.Max}, 0
		for _, list := range []string{"common.txt", "words.txt"} {
			data, err := os.ReadFile("../internal/choice/data/" + list)
			require.NoError(t, err)
			for value := range strings.Lines(string(data)) {
				text, err := rules.Normalise(strings.TrimSuffix(value, "\n"))
				if len(text) < c.Min || len(text) > c.Max || err != nil {
					continue
				}
				fit++
				require.Error(t, rules.Check(text, nil), text)
			}
		}
		t.Logf("%s: %d listed values fit", name, fit)
		require.GreaterOrEqual(t, fit, 3000, name)
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
	require.Equal(t, 3, p.Lockout.Devices)
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
	p := pin.INPS()
	p.Hashing.Wait = time.Minute + 1
	_, err = pin.New(newKit(t, pin.INPS()).out, p)
	require.ErrorIs(t, err, pin.ErrInvalidPolicy, "a wait is at most a minute")
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

// TestFormerCosts: while hashes of a former cost are in use, a wrong guess is hashed at each cost, in one order, whatever the
// subject's secret costs and whether there is one; and the right one is found at either cost.
func TestFormerCosts(t *testing.T) {
	raised := pin.Default()
	raised.Hashing.Former = []pin.Cost{{Memory: 12 << 10, Time: 3}}
	former := password.Params{Memory: 12 << 10, Time: 3, Threads: 1}
	k := newKit(t, raised)
	const text = "tre gatti sul tetto"
	for subject, cost := range map[civicpin.Subject]password.Params{"OLD": former, "NEW": {Memory: 8, Time: 1, Threads: 1}} {
		hash := civicpin.NewSecret(password.New(cost, text).Encode())
		require.NoError(t, k.Import(t.Context(), subject, hash, pin.ImportOptions{By: clerk}))
	}
	for name, call := range map[string]func(context.Context, pin.Attempt) error{
		"[argon2id(m=8,t=1,p=1) argon2id(m=12288,t=3,p=1)]": func(ctx context.Context, a pin.Attempt) error {
			return testkit.Err(k.Verify(ctx, a))
		},
		"[argon2id(m=8,t=1,p=1) argon2id(m=12288,t=3,p=1) argon2id(m=8,t=1,p=1) argon2id(m=12288,t=3,p=1)]": func(
			ctx context.Context, a pin.Attempt,
		) error {
			return testkit.Err(k.Change(ctx, a, civicpin.NewSecret("cinque cani sotto il ponte")))
		},
	} {
		for _, subject := range []civicpin.Subject{"OLD", "NEW", "UNKNOWN"} {
			var costs []string
			ctx := password.WithEach(t.Context(), func(_ context.Context, cost string) { costs = append(costs, cost) })
			require.ErrorIs(t, call(ctx, pin.Attempt{Subject: subject, Secret: civicpin.NewSecret(wrong)}), pin.ErrRefused)
			require.Equal(t, name, fmt.Sprint(costs), subject)
		}
	}
	for _, subject := range []civicpin.Subject{"OLD", "NEW"} {
		require.NoError(t, testkit.Err(k.Verify(t.Context(), pin.Attempt{Subject: subject, Secret: civicpin.NewSecret(text)})))
	}
}

// excepted are the exceptions of INPS and one more.
func excepted(p pin.Policy, clause string) []civicpin.Exception {
	return append(p.Exceptions, civicpin.Exception{Clause: clause, Reason: "a test"})
}

func breach(clause, field, value, set string) civicpin.Breach {
	return civicpin.Breach{Clause: clause, Field: field, Value: value, Set: set}
}

// A policy is refused for each clause that it breaks without naming it, by an error that names the clause, the field, its value and
// what to set; and for each exception that names what it keeps.
func TestPolicyBreaks(t *testing.T) {
	const length, most, period, valid, budget = "SP 800-63B-4 3.1.1.2(1)", "SP 800-63B-4 3.1.1.2(2)", "SP 800-63B-4 3.1.1.2(6)",
		"SP 800-63A-4 3.8", "guess budget"
	require.Empty(t, pin.Default().Breaks())
	var clauses []string
	for _, e := range pin.INPS().Exceptions {
		clauses = append(clauses, e.Clause)
	}
	require.Equal(t, []string{length, most, period, valid, "typed contacts"}, clauses)
	for name, tc := range map[string]struct {
		change func(*pin.Policy)
		want   []civicpin.Breach // none means that the policy is valid
	}{
		"fourteen characters": {func(p *pin.Policy) { p.Chosen.Min = 14 }, []civicpin.Breach{breach(length, "Chosen.Min", "14", "at least 15")}},
		"fifteen":             {func(p *pin.Policy) { p.Chosen.Min = 15 }, nil},
		"at most 63":          {func(p *pin.Policy) { p.Chosen.Max = 63 }, []civicpin.Breach{breach(most, "Chosen.Max", "63", "at least 64")}},
		"at most 64":          {func(p *pin.Policy) { p.Chosen.Max = 64 }, nil},
		"a change each year":  {func(p *pin.Policy) { p.MaxAge = 365 * day }, []civicpin.Breach{breach(period, "MaxAge", "365d", "no MaxAge")}},
		"eleven minutes by telephone": {func(p *pin.Policy) {
			p.Valid[civicpin.SMS], p.Valid[civicpin.Voice] = 11*time.Minute, 12*time.Minute
		}, []civicpin.Breach{
			breach(valid, `Valid["sms"]`, "11m", "at most 10m"), breach(valid, `Valid["voice"]`, "12m", "at most 10m"),
		}},
		"eleven by an app": {func(p *pin.Policy) { p.Valid[civicpin.Push] = 11 * time.Minute }, []civicpin.Breach{
			breach(valid, `Valid["push"]`, "11m", "at most 10m"),
		}},
		"a day and a second by e-mail": {func(p *pin.Policy) { p.Valid[civicpin.Email] = day + time.Second }, []civicpin.Breach{
			breach(valid, `Valid["email"]`, "24h0m1s", "at most 1d"),
		}},
		"two days by certified e-mail": {func(p *pin.Policy) { p.Valid[civicpin.CertifiedEmail] = 2 * day }, []civicpin.Breach{
			breach(valid, `Valid["certified-email"]`, "2d", "at most 1d"),
		}},
		"thirty days by letter": {func(p *pin.Policy) { p.Valid[civicpin.Letter] = 30 * day }, nil},
		"five digits": {func(p *pin.Policy) { p.Alphabet, p.Length = "0123456789", 5 }, []civicpin.Breach{
			breach(budget, "Length", "5, a chance of 1.0e-03 to guess it", "what leaves at most 1e-04"),
		}},
		"typed contacts": {func(p *pin.Policy) { p.Requests.Typed = true }, []civicpin.Breach{
			breach("typed contacts", "Requests.Typed", "true", "false"),
		}},
		"six chosen": {func(p *pin.Policy) { p.Chosen = pin.Chosen{Form: pin.Digits, Min: 6, Max: 64} }, []civicpin.Breach{
			breach(length, "Chosen.Min", "6", "at least 15"),
			breach(budget, "Chosen.Min", "6, a chance of 1.0e-01 to guess it", "what leaves at most 1e-04"),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := pin.Default()
			tc.change(&p)
			require.Equal(t, tc.want, p.Breaks())
			if tc.want == nil {
				require.NoError(t, p.Validate())
				p.Exceptions = excepted(p, length)
				require.ErrorContains(t, p.Validate(), `Exceptions[0].Clause "SP 800-63B-4 3.1.1.2(1)" is not broken`)
				return
			}
			err := p.Validate()
			require.ErrorIs(t, err, pin.ErrInvalidPolicy)
			require.Equal(t, tc.want[0], testkit.As[civicpin.Breach](t, err))
			for _, b := range tc.want {
				require.ErrorContains(t, err, b.Field+" is "+b.Value+`, which breaks "`+b.Clause+`"`)
			}
			p.Exceptions = testkit.Except(tc.want)
			require.NoError(t, p.Validate())
			p.Exceptions = p.Exceptions[1:]
			require.Error(t, p.Validate())
			for _, wrong := range []civicpin.Exception{
				{Clause: tc.want[0].Clause}, {Clause: tc.want[0].Clause + " ", Reason: "a test"}, {Clause: tc.want[0].Clause, Reason: "a\nb"},
			} {
				p.Exceptions = append([]civicpin.Exception{wrong}, testkit.Except(tc.want)[1:]...)
				require.ErrorIs(t, p.Validate(), pin.ErrInvalidPolicy)
			}
			p.Exceptions = append(testkit.Except(tc.want), testkit.Except(tc.want)...)
			require.ErrorContains(t, p.Validate(), "is named twice")
		})
	}
}

func TestPolicyValidation(t *testing.T) {
	eight := func(p *pin.Policy) {
		p.Chosen = pin.Chosen{Form: pin.Password, Min: 8, Max: 64}
		p.Exceptions = testkit.Except(p.Breaks())
	}
	five := func(p *pin.Policy) {
		p.Alphabet, p.Length, p.Exceptions = "0123456789", 5, excepted(*p, "guess budget")
	}
	ageless := func(p *pin.Policy) { p.MaxAge, p.MaxUnused, p.Exceptions = 0, 0, slices.Delete(p.Exceptions, 2, 3) }
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
		"with a named exception":       {five, true},
		"six digits each":              {func(p *pin.Policy) { p.Alphabet, p.Length = "0123456789", 6 }, true},
		"no channel":                   {func(p *pin.Policy) { p.Valid = nil }, false},
		"valid for no time":            {func(p *pin.Policy) { p.Valid[civicpin.SMS] = 0 }, false},
		"valid for a month":            {func(p *pin.Policy) { p.Valid[civicpin.SMS] = 30 * day }, true},
		"an unknown channel":           {func(p *pin.Policy) { p.Valid["emial"] = day }, false},
		"valid for longer":             {func(p *pin.Policy) { p.Valid[civicpin.SMS] = 30*day + 1 }, false},
		"no form":                      {func(p *pin.Policy) { p.Chosen.Form = "" }, false},
		"an unknown form":              {func(p *pin.Policy) { p.Chosen.Form = "picture" }, false},
		"chosen too short":             {func(p *pin.Policy) { p.Chosen.Min = 3 }, false},
		"chosen min over max":          {func(p *pin.Policy) { p.Chosen.Min = 9 }, false},
		"chosen too long":              {func(p *pin.Policy) { p.Chosen.Max = 129 }, false},
		"six chosen digits":            {func(p *pin.Policy) { p.Chosen = pin.Chosen{Form: pin.Digits, Min: 6, Max: 6} }, false},
		"a password of seven":          {func(p *pin.Policy) { p.Chosen = pin.Chosen{Form: pin.Password, Min: 7, Max: 64} }, false},
		"a password of eight":          {eight, true},
		"words":                        {func(p *pin.Policy) { p.Chosen.Words = []string{"inps"} }, true},
		"an empty word":                {func(p *pin.Policy) { p.Chosen.Words = []string{""} }, false},
		"a name of one letter":         {func(p *pin.Policy) { p.Name = "a" }, true},
		"the shortest parts":           {func(p *pin.Policy) { p.Length = 4 }, true},
		"the longest parts":            {func(p *pin.Policy) { p.Length = 32 }, true},
		"valid for a minute":           {func(p *pin.Policy) { p.Valid[civicpin.SMS] = time.Minute }, true},
		"valid for less":               {func(p *pin.Policy) { p.Valid[civicpin.SMS] = time.Minute - 1 }, false},
		"an age of nothing":            {func(p *pin.Policy) { p.MaxAge = 1 }, false},
		"an age below nothing":         {func(p *pin.Policy) { p.MaxAge = -1 }, false},
		"an age of a day":              {func(p *pin.Policy) { p.MaxAge = day }, true},
		"disuse of nothing":            {func(p *pin.Policy) { p.MaxUnused = 1 }, false},
		"disuse below nothing":         {func(p *pin.Policy) { p.MaxUnused = -1 }, false},
		"disuse of two days":           {func(p *pin.Policy) { p.MaxUnused = 2 * day }, true},
		"disuse of less":               {func(p *pin.Policy) { p.MaxUnused = 2*day - 1 }, false},
		"the highest level":            {func(p *pin.Policy) { p.Levels[civicpin.InPerson] = civicpin.High }, true},
		"the lowest level":             {func(p *pin.Policy) { p.Levels[civicpin.InPerson] = civicpin.Low }, true},
		"a level of no method":         {func(p *pin.Policy) { p.Levels[""] = civicpin.Low }, false},
		"a negative wait":              {func(p *pin.Policy) { p.Hashing.Wait = -1 }, false},
		"the shortest wait":            {func(p *pin.Policy) { p.Hashing.Wait = 1 }, true},
		"one permit":                   {func(p *pin.Policy) { p.Hashing.Permits = 1 }, true},
		"a channel of no name":         {func(p *pin.Policy) { p.Valid[""] = day }, false},
		"an age of hours":              {func(p *pin.Policy) { p.MaxAge = 23 * time.Hour }, false},
		"a negative age":               {func(p *pin.Policy) { p.MaxAge = -day }, false},
		"no age":                       {ageless, true},
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
		"the current cost as a former": {func(p *pin.Policy) { p.Hashing.Former = []pin.Cost{{}} }, false},
		"a former cost twice":          {func(p *pin.Policy) { p.Hashing.Former = []pin.Cost{{Time: 3}, {Time: 3}} }, false},
		"three former costs":           {func(p *pin.Policy) { p.Hashing.Former = []pin.Cost{{Time: 3}, {Time: 4}, {Time: 5}} }, false},
		"two former costs":             {func(p *pin.Policy) { p.Hashing.Former = []pin.Cost{{Time: 3}, {Time: 4}} }, true},
		"a weak former cost":           {func(p *pin.Policy) { p.Hashing.Former = []pin.Cost{{Time: 1}} }, false},
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
	inps := pin.INPS()
	inps.Chosen.Breached = func(context.Context, civicpin.Secret) (bool, error) { return false, nil }
	text, err := json.Marshal(inps)
	require.NoError(t, err)
	require.NotContains(t, string(text), "breached", "a function is no data")
	require.Contains(t, string(text), `"maxAge":"90d"`)
	require.Contains(t, string(text), `"in-person":"substantial"`)
	require.Contains(t, string(text), `"for":"15m"`)
}

func TestParsePolicyIsStrict(t *testing.T) {
	good, err := json.Marshal(pin.INPS())
	require.NoError(t, err)
	with := testkit.Replacing(t, string(good))
	for name, text := range map[string]string{
		"empty":               "",
		"null":                "null",
		"a list":              "[]",
		"an unknown field":    with(`{"name"`, `{"nane":"x","name"`),
		"a function":          with(`"form"`, `"breached":null,"form"`),
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
		"a misspelt channel":  with(`"email":"7d"`, `"emial":"7d"`),
		"an own channel":      with(`,"ownChannels":["citizen-certified-email"]`, ``),
		"an unknown form":     with(`"alphanumeric"`, `"letters"`),
		"an unknown lock":     with(`"timed"`, `"time"`),
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

	// An error names the place, the field and what it takes; that of a clause, too.
	lines, err := json.MarshalIndent(pin.Default(), "", "  ")
	require.NoError(t, err)
	with = testkit.Replacing(t, string(lines))
	for text, want := range map[string]string{
		with(`"limit": 5`, `"limit": "5"`):     `: lockout.limit: want a whole number`,
		with(`"timed"`, `"time"`):              `: lockout.lock: want "timed", "until-unlocked"`,
		with(`"letter"`, `"post"`):             `: valid.post: want "sms", "voice",`,
		with(`"min": 15`, `"min": 14`):         `(line 17, column 12: chosen.min)`,
		with(`"email": "1d"`, `"email": "2d"`): `or name the clause in Exceptions (line 8, column 14: valid.email)`,
	} {
		_, err := pin.ParsePolicy([]byte(text))
		require.ErrorContains(t, err, want)
		require.Regexp(t, `line \d+, column \d+`, err)
	}
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

// Parts go to the first contacts that reach different places: whoever holds one holds no second.
func TestAssign(t *testing.T) {
	const own civicpin.Channel = "citizen-certified-email"
	at := func(channel civicpin.Channel, address string) civicpin.Contact {
		return civicpin.Contact{Channel: channel, Address: address, Locale: "it"}
	}
	var (
		sms, voice   = at(civicpin.SMS, "+393331234567"), at(civicpin.Voice, "+393331234567")
		second       = at(civicpin.SMS, "+393331234568")
		mail, pec    = at(civicpin.Email, "rosa@example.it"), at(civicpin.CertifiedEmail, "rosa@pec.example.it")
		shouted, app = at(own, "ROSA@example.it"), at(civicpin.Push, "installation-1")
		paper, desk  = at(civicpin.Letter, "Via Roma 1"), at(civicpin.HandedOver, "")
	)
	list := func(contacts ...civicpin.Contact) []civicpin.Contact { return contacts }
	for _, tc := range []struct {
		name     string
		parts    int
		contacts []civicpin.Contact
		want     []civicpin.Contact
	}{
		{"as many as parts", 2, list(mail, sms), list(mail, sms)},
		{"the first", 2, list(sms, mail, pec), list(sms, mail)},
		{"in their order", 3, list(pec, mail, sms), list(pec, mail, sms)},
		{"one part", 1, list(pec, mail, sms), list(pec)},
		{"of different channels", 2, list(sms, second, mail), list(sms, mail)},
		{"of different addresses", 2, list(sms, voice, mail), list(sms, mail)},
		{"an address in another case", 2, list(mail, shouted, sms), list(mail, sms)},
		{"what was passed over takes no place", 2, list(app, sms, mail), list(sms, mail)},
		{"a channel that the policy does not list", 2, list(app, sms), list(sms)},
		{"nobody prints", 2, list(paper, desk, sms), list(sms)},
		{"too few", 3, list(sms, voice, second, mail), list(sms, mail)},
		{"none", 2, nil, nil},
		{"none that will do", 2, list(paper, app), nil},
	} {
		p := pin.INPS()
		p.Parts = tc.parts
		require.Equal(t, tc.want, p.Assign(tc.contacts), tc.name)
	}

	p := pin.INPS()
	p.Valid = map[civicpin.Channel]time.Duration{civicpin.Push: 1, civicpin.SMS: 0}
	require.Equal(t, list(app), p.Assign(list(sms, app)), "the policy's channels, and none that is valid for no time")
}

func TestChoiceNamesTheRule(t *testing.T) {
	for broken, choices := range map[rule.Rule][]string{
		rule.Length:     {"", "QZ7WK4P", "QZ7WK4PMX", "   "},
		rule.Characters: {"QZ7WK4P!", "ñ7WK4PMX", "QZ7WK4\x00M"},
		rule.Common:     {"PASSWORD"},
		rule.Repeated:   {"AAAAAAAA", "12121212"},
		rule.Sequence:   {"ABCDEFGH", "87654321", "QWERTYUI"},
		rule.Date:       {"13051990"},
		rule.Personal:   {"RSSMRA85", "85T10A56", "XQROSSI7"},
	} {
		for _, choice := range choices {
			t.Run(string(broken)+"/"+choice, func(t *testing.T) {
				k := newKit(t, pin.INPS())
				a := try(k.issued(t))
				a.Personal = []string{"Maria Rossi", "1985-12-10"}
				_, err := k.Exchange(t.Context(), a, civicpin.NewSecret(choice))
				require.ErrorIs(t, err, pin.ErrUnfitSecret)
				var refused *pin.ChoiceError
				require.ErrorAs(t, err, &refused)
				require.Equal(t, broken, refused.Rule)
				_, err = k.Verify(t.Context(), a)
				require.NoError(t, err, "nothing has changed")
				require.Zero(t, k.failures(t))
			})
		}
	}
}

// A choice that is known from a breach is refused, and so is any while the source of that knowledge fails: for known subjects as
// for unknown ones, and no try is spent.
func TestChoiceKnownFromABreach(t *testing.T) {
	var asked []string
	down := errors.New("down")
	p := pin.INPS()
	p.Chosen.Breached = func(_ context.Context, s civicpin.Secret) (bool, error) {
		asked = append(asked, s.Reveal())
		switch s.Reveal() {
		case "hd5tn8rc":
			return true, nil
		case "HD5TN8RK":
			return true, down
		}
		return false, nil
	}
	p.Hashing.Permits, p.Hashing.Wait = 1, time.Nanosecond
	k := newKit(t, p)
	stranger := try(k.issued(t))
	stranger.Subject = "VRDLGU80A01F205X"
	k.exchanged(t)
	former, grant := k.granted(t), k.granted(t)
	for secret, want := range map[string]struct {
		asked []string
		is    []error
	}{
		"hd5t n8rc": {[]string{"HD5TN8RC", "hd5tn8rc"}, []error{pin.ErrUnfitSecret}},
		"HD5TN8RK":  {[]string{"HD5TN8RK"}, []error{pin.ErrUnchecked, down}},
		"PASSWORD":  {nil, []error{pin.ErrUnfitSecret}},
	} {
		for name, choose := range map[string]func(civicpin.Secret) error{
			"change":            func(s civicpin.Secret) error { return testkit.Err(k.Change(t.Context(), try(chosen), s)) },
			"of a stranger":     func(s civicpin.Secret) error { return testkit.Err(k.Change(t.Context(), stranger, s)) },
			"under a grant":     func(s civicpin.Secret) error { return testkit.Err(k.Set(t.Context(), grant, s, civicpin.Source{})) },
			"without the proof": func(s civicpin.Secret) error { return testkit.Err(k.Change(t.Context(), try(wrong), s)) },
		} {
			asked = nil
			err := choose(civicpin.NewSecret(secret))
			for _, is := range want.is {
				require.ErrorIs(t, err, is, "%s %s", secret, name)
			}
			require.Equal(t, want.asked, asked, "%s %s", secret, name)
		}
	}
	require.Zero(t, k.failures(t))

	// No more are asked about at once than there are places, and none under a grant that is not good.
	asked = nil
	free := civicpin.NewSecret("MN6B3VCX")
	require.ErrorIs(t, testkit.Err(k.Set(t.Context(), former, free, civicpin.Source{})), pin.ErrNoGrant)
	release := pin.Occupy(k.Service, 1)
	require.ErrorIs(t, testkit.Err(k.Change(t.Context(), stranger, free)), pin.ErrBusy)
	require.ErrorIs(t, testkit.Err(k.Change(t.Context(), try(chosen), free)), pin.ErrBusy)
	require.ErrorIs(t, testkit.Err(k.Set(t.Context(), grant, free, civicpin.Source{})), pin.ErrBusy)
	release()
	require.Empty(t, asked)
	require.NoError(t, testkit.Err(k.Set(t.Context(), grant, free, civicpin.Source{})), "the grant is still good")
}

func TestChoiceMayNotBeOfTheIssuedSecret(t *testing.T) {
	k := newKit(t, pin.INPS())
	code := k.issued(t)
	for _, half := range []string{code[:8], strings.ToLower(code[8:]), code[4:12]} {
		_, err := k.Exchange(t.Context(), try(code), civicpin.NewSecret(half))
		var broken *pin.ChoiceError
		require.ErrorAs(t, err, &broken)
		// A random half may break another rule first.
		if broken.Rule != rule.Issued {
			t.Logf("%s breaks rule %s", half, broken.Rule)
		}
	}
}

// A stranger must not find out somebody's telephone number by choosing secrets.
func TestChoiceAgainstContactsNeedsTheProof(t *testing.T) {
	k := newKit(t, pin.INPS())
	code := k.issued(t)
	inPhone := civicpin.NewSecret("K331234W")
	require.ErrorIs(t, testkit.Err(k.Exchange(t.Context(), try(wrong+wrong), inPhone)), pin.ErrRefused)
	var broken *pin.ChoiceError
	require.ErrorAs(t, testkit.Err(k.Exchange(t.Context(), try(code), inPhone)), &broken)
	require.Equal(t, rule.Personal, broken.Rule)
}

// Of what is known of the subject 32 pieces count.
func TestPersonalPiecesAreBounded(t *testing.T) {
	for at, counts := range map[int]bool{31: true, 32: false} {
		k := newKit(t, pin.INPS())
		a := try(k.issued(t))
		a.Personal = slices.Repeat([]string{"1980-05-17"}, 33)
		a.Personal[at] = "Xyquvern"
		err := testkit.Err(k.Exchange(t.Context(), a, civicpin.NewSecret("XYQUVERN")))
		require.Equal(t, counts, errors.Is(err, pin.ErrUnfitSecret), "%d: %v", at, err)
	}
}

// Without the proof, no visitor finds out what the register knows by choosing secrets.
func TestChoiceAgainstPersonalNeedsTheProof(t *testing.T) {
	for name, choose := range map[string]func(k *kit, a pin.Attempt, text string) error{
		"Exchange": func(k *kit, a pin.Attempt, text string) error {
			return testkit.Err(k.Exchange(t.Context(), a, civicpin.NewSecret(text)))
		},
		"Change": func(k *kit, a pin.Attempt, text string) error {
			return testkit.Err(k.Change(t.Context(), a, civicpin.NewSecret(text)))
		},
	} {
		k := newKit(t, pin.INPS())
		k.issued(t)
		a := try(wrong + wrong)
		a.Personal = []string{"Maria Rossi", "1985-12-10"}
		require.ErrorIs(t, choose(k, a, "XQROSSI7"), pin.ErrRefused, name)
		require.Equal(t, 1, k.failures(t), "and it counts")
		var broken *pin.ChoiceError
		require.ErrorAs(t, choose(k, a, "RSSMRA85"), &broken, "the visitor has typed the id")
	}
}

// Staff who printed an issued secret know it: it makes no part of the subject's own, in whatever spelling.
func TestChoiceHoldsNothingOfTheIssuedSecret(t *testing.T) {
	mirror := func(s string) string { b := []byte(s); slices.Reverse(b); return string(b) }
	for name, spell := range map[string]func(slip string) string{
		"as it is":      func(slip string) string { return slip + "abc" },
		"in lower case": func(slip string) string { return "abc" + strings.ToLower(slip) },
		"in groups":     func(slip string) string { return slip[:4] + "-" + slip[4:8] + " " + slip[8:] + "x" },
		"half of it":    func(slip string) string { return slip[:7] + " tavolo blu" },
		"backwards":     func(slip string) string { return mirror(slip) + "abc" },
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t, pin.Default())
			is, err := k.Issue(t.Context(), maria, pin.IssueOptions{Parts: []civicpin.Contact{{Channel: civicpin.HandedOver}}, By: clerk})
			require.NoError(t, err)
			slip := is.Slip.Reveal()
			text := civicpin.NewSecret(spell(slip))
			var broken *pin.ChoiceError
			require.ErrorAs(t, testkit.Err(k.Exchange(t.Context(), try(slip), text)), &broken)
			require.Equal(t, rule.Issued, broken.Rule)
			require.ErrorAs(t, testkit.Err(k.Set(t.Context(), k.granted(t), text, civicpin.Source{})), &broken)
			require.Equal(t, rule.History, broken.Rule)
			good := civicpin.NewSecret("cinco perros bajo la mesa")
			require.ErrorIs(t, testkit.Err(k.Exchange(t.Context(), try(slip), good)), pin.ErrExpired, "the recovery ended it")
			require.NoError(t, testkit.Err(k.Set(t.Context(), k.granted(t), good, civicpin.Source{})))
		})
	}
}

func TestStates(t *testing.T) {
	k := newKit(t, pin.INPS())
	code := k.issued(t)
	require.ErrorIs(t, testkit.Err(k.Change(t.Context(), try(code), civicpin.NewSecret(chosen))), pin.ErrWrongState, "an issued secret is exchanged")
	require.NoError(t, testkit.Err(k.Exchange(t.Context(), try(code), civicpin.NewSecret(chosen))))
	require.ErrorIs(t, testkit.Err(k.Exchange(t.Context(), try(code), civicpin.NewSecret(changed))), pin.ErrRefused)
	require.ErrorIs(t, testkit.Err(k.Exchange(t.Context(), try(chosen), civicpin.NewSecret(changed))), pin.ErrWrongState)
	var broken *pin.ChoiceError
	require.ErrorAs(t, testkit.Err(k.Change(t.Context(), try(chosen), civicpin.NewSecret("qz7w k4pm"))), &broken)
	require.Equal(t, rule.Same, broken.Rule)
}

func TestExpiry(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	var expired *pin.ExpiredError

	k.clock.Add(90*day - 1)
	ok, err := k.Verify(t.Context(), try(chosen))
	require.NoError(t, err)
	require.Equal(t, k.clock.Now().Add(1), ok.ExpiresAt)
	k.clock.Add(1)
	_, err = k.Verify(t.Context(), try(chosen))
	require.ErrorAs(t, err, &expired)
	require.Equal(t, state.SinceChange, expired.Since)
	require.ErrorIs(t, err, pin.ErrExpired)
	require.NoError(t, testkit.Err(k.Change(t.Context(), try(chosen), civicpin.NewSecret(changed))))

	// Used now and then it lives as long as it is changed in time; a use within a day of the last one need not count.
	p := pin.INPS()
	p.MaxAge = 0
	k = newKit(t, p)
	k.exchanged(t)
	for range 10 {
		k.clock.Add(179 * day)
		_, err = k.Verify(t.Context(), try(chosen))
		require.NoError(t, err)
	}
	k.clock.Add(180 * day)
	_, err = k.Verify(t.Context(), try(chosen))
	require.ErrorAs(t, err, &expired)
	require.Equal(t, state.SinceUse, expired.Since)
	require.ErrorIs(t, testkit.Err(k.Change(t.Context(), try(chosen), civicpin.NewSecret(changed))), pin.ErrExpired, "must be issued anew")
	k.walk(t)
}

// Five lost secrets are kept.
func TestLostSecretsAreBounded(t *testing.T) {
	for n, kept := range map[int]bool{5: true, 6: false} {
		k := newKit(t, pin.INPS())
		k.exchanged(t)
		for i := range n {
			require.NoError(t, testkit.Err(k.Set(t.Context(), k.granted(t), civicpin.NewSecret(choiceOf(i)), home)))
		}
		err := testkit.Err(k.Set(t.Context(), k.granted(t), civicpin.NewSecret(chosen), home))
		require.Equal(t, kept, errors.Is(err, pin.ErrUnfitSecret), "%d: %v", n, err)
	}
}

// A secret that was lost or revoked is never chosen again, whatever History says and whatever came between; nor is the current
// one, in any spelling that the form takes for the same.
func TestLostSecretsStayLost(t *testing.T) {
	set := func(k *kit, text string) error {
		return testkit.Err(k.Set(t.Context(), k.granted(t), civicpin.NewSecret(text), civicpin.Source{}))
	}
	exchange := func(k *kit, text string) error {
		return testkit.Err(k.Exchange(t.Context(), try(k.atDeskSent(t)), civicpin.NewSecret(text)))
	}
	for name, do := range map[string]func(k *kit) error{
		"Set over the lost one": func(k *kit) error { k.exchanged(t); return set(k, chosen) },
		"set after it was lost": func(k *kit) error { k.exchanged(t); require.NoError(t, set(k, changed)); return set(k, chosen) },
		"change after it was lost": func(k *kit) error {
			k.exchanged(t)
			require.NoError(t, set(k, changed))
			return testkit.Err(k.Change(t.Context(), try(changed), civicpin.NewSecret(chosen)))
		},
		"revoked": func(k *kit) error { k.exchanged(t); k.revoked(t); return exchange(k, chosen) },
		"revoked, and Set over what was issued": func(k *kit) error {
			k.exchanged(t)
			k.revoked(t)
			k.atDeskSent(t)
			return set(k, "qz7w-k4pm")
		},
		"revoked twice": func(k *kit) error {
			k.exchanged(t)
			k.revoked(t)
			require.NoError(t, exchange(k, changed))
			k.revoked(t)
			return exchange(k, chosen)
		},
		"repudiated": func(k *kit) error {
			k.exchanged(t)
			require.NoError(t, set(k, changed))
			require.NoError(t, k.Repudiated(t.Context(), repudiated(nil)))
			return exchange(k, changed)
		},
		"imported, and set": func(k *kit) error { k.imported(t, "qz7wk4pm"); return set(k, "QZ7W K4PM") },
		"imported, and changed": func(k *kit) error {
			k.imported(t, "qz7wk4pm")
			return testkit.Err(k.Change(t.Context(), try("qz7wk4pm"), civicpin.NewSecret("QZ7W K4PM")))
		},
		"imported, and revoked": func(k *kit) error { k.imported(t, "qz7wk4pm"); k.revoked(t); return exchange(k, chosen) },
		"revoked, and imported": func(k *kit) error {
			k.exchanged(t)
			k.revoked(t)
			k.imported(t, changed)
			return testkit.Err(k.Change(t.Context(), try(changed), civicpin.NewSecret(chosen)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t, pin.INPS())
			var broken *pin.ChoiceError
			require.ErrorAs(t, do(k), &broken)
			require.Contains(t, []rule.Rule{rule.History, rule.Same}, broken.Rule)
		})
	}
}

func TestHistory(t *testing.T) {
	p := pin.INPS()
	p.History = 2
	k := newKit(t, p)
	k.exchanged(t)
	secrets := []string{chosen, "HJ4N8RTX", "MN6B3VCX", "TR5W9PLK"}
	for i := 1; i < len(secrets); i++ {
		require.NoError(t, testkit.Err(k.Change(t.Context(), try(secrets[i-1]), civicpin.NewSecret(secrets[i]))))
	}
	var broken *pin.ChoiceError
	for i, want := range map[int]rule.Rule{3: rule.Same, 2: rule.History, 1: rule.History} {
		require.ErrorAs(t, testkit.Err(k.Change(t.Context(), try(secrets[3]), civicpin.NewSecret(secrets[i]))), &broken)
		require.Equal(t, want, broken.Rule)
	}
	require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "stolen", clerk))
	code := k.issued(t)
	require.ErrorAs(t, testkit.Err(k.Exchange(t.Context(), try(code), civicpin.NewSecret(secrets[3]))), &broken)
	require.Equal(t, rule.History, broken.Rule, "what was stolen does not come back")
	require.NoError(t, testkit.Err(k.Exchange(t.Context(), try(code), civicpin.NewSecret(secrets[0]))), "two are remembered, no more")
}

// choiceOf returns the choice of the i-th of up to 676 requests.
func choiceOf(i int) string { return "QZ7W" + string(rune('A'+i%26)) + string(rune('A'+i/26)) + "PM" }

// Of any number of exchanges with the right code and different choices, one wins.
func TestOneExchangeWins(t *testing.T) {
	p := pin.INPS()
	p.Hashing.Wait = time.Minute
	k := newKit(t, p)
	code := k.issued(t)
	var won []string
	for i, err := range crowd(64, func(i int) error {
		return testkit.Err(k.Exchange(t.Context(), try(code), civicpin.NewSecret(choiceOf(i))))
	}) { // most are locked by the losers' guesses at a secret that is not right any more
		if err == nil {
			won = append(won, choiceOf(i))
		}
	}
	require.Len(t, won, 1)
	require.NoError(t, k.Unlock(t.Context(), maria, clerk))
	_, right := k.works(t, won[0])
	require.True(t, right)
}

// An operator, or a citizen who proved the secret, is told in which state the credential is that the call is not for.
func TestErrStateTellsTheState(t *testing.T) {
	imports := func(k *kit) error {
		const hash = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$Yk5uZ2xHb2xkZW5UYWdHb2xkZW5UYWdHb2w"
		return k.Import(t.Context(), maria, civicpin.NewSecret(hash), pin.ImportOptions{Level: civicpin.Low, By: clerk})
	}
	suspend := func(k *kit) error { return k.Suspend(t.Context(), maria, "lost", clerk) }
	issues := func(k *kit, by civicpin.Actor) error {
		o := inps()
		o.By = by
		return testkit.Err(k.Issue(t.Context(), maria, o))
	}
	for name, tc := range map[string]struct {
		before func(k *kit) (shown string)
		call   func(k *kit, shown string) error
		says   string
	}{
		"an exchange of what was exchanged": {
			func(k *kit) string { k.exchanged(t); return chosen },
			func(k *kit, shown string) error {
				return testkit.Err(k.Exchange(t.Context(), try(shown), civicpin.NewSecret("MN6B3VCX")))
			},
			"the citizen's own secret is set",
		},
		"a change of what was issued": {
			func(k *kit) string { return k.issued(t) },
			func(k *kit, shown string) error {
				return testkit.Err(k.Change(t.Context(), try(shown), civicpin.NewSecret("MN6B3VCX")))
			},
			"issued, and not exchanged yet",
		},
		"an import over one that was issued": {
			func(k *kit) string { return k.issued(t) },
			func(k *kit, _ string) error { return imports(k) },
			"issued, and not exchanged yet",
		},
		"an import over one in use": {
			func(k *kit) string { k.exchanged(t); return "" },
			func(k *kit, _ string) error { return imports(k) },
			"the citizen's own secret is set",
		},
		"an import over one that is suspended": {
			func(k *kit) string { k.exchanged(t); require.NoError(t, suspend(k)); return "" },
			func(k *kit, _ string) error { return imports(k) },
			"the citizen's own secret is set, and suspended",
		},
		"an operator's issue over one in use": {
			func(k *kit) string { k.exchanged(t); return "" },
			func(k *kit, _ string) error { return issues(k, clerk) },
			"the citizen's own secret is set",
		},
		"an operator's issue over one that is suspended": {
			func(k *kit) string { k.issued(t); require.NoError(t, suspend(k)); return "" },
			func(k *kit, _ string) error { return issues(k, clerk) },
			"issued, and not exchanged yet, and suspended",
		},
		"a suspension of what was revoked": {
			func(k *kit) string {
				k.exchanged(t)
				require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "lost", clerk))
				return ""
			},
			func(k *kit, _ string) error { return suspend(k) },
			"revoked",
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t, pin.INPS())
			shown := tc.before(k)
			k.clock.Add(time.Minute)
			err := tc.call(k, shown)
			require.ErrorIs(t, err, pin.ErrWrongState)
			require.EqualError(t, err, pin.ErrWrongState.Error()+": "+tc.says)
		})
	}
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	require.EqualError(t, issues(k, civicpin.Citizen), pin.ErrWrongState.Error(), "a visitor is not told")
}

// The ready texts must know what this package sends.
func TestMessagesHaveTexts(t *testing.T) {
	words, err := texts.New(texts.Service{Name: "INPS"})
	require.NoError(t, err)
	k := newKit(t, pin.INPS())
	k.issued(t)
	for _, m := range k.mail.Messages() {
		for _, locale := range []string{"", "it", "es-EC", "en"} {
			m.To.Locale = locale
			_, err := words.Render(m)
			require.NoError(t, err)
		}
	}
}

// TestINPS walks the whole life of an INPS PIN: two halves, their exchange, locks, age, a revocation and a new issue.
func TestINPS(t *testing.T) {
	k := newKit(t, pin.INPS())
	ctx := t.Context()

	code := k.issued(t)
	st, err := k.Status(ctx, maria)
	require.NoError(t, err)
	require.Equal(t, state.Provisional, st.State)
	for _, p := range st.Parts {
		require.Equal(t, state.Accepted, p.State)
		require.NotEmpty(t, p.Receipt)
	}

	ok, err := k.Verify(ctx, try(code))
	require.NoError(t, err)
	require.True(t, ok.MustExchange)
	require.Equal(t, civicpin.NoLevel, ok.Level, "an issued secret is good for nothing but the exchange")

	require.NoError(t, testkit.Err(k.Exchange(ctx, try(code), civicpin.NewSecret(chosen))))
	_, err = k.Verify(ctx, try(code))
	require.ErrorIs(t, err, pin.ErrRefused, "the issued secret never becomes the long-term one")

	ok, err = k.Verify(ctx, try("qz7w-k4pm"))
	require.NoError(t, err)
	require.False(t, ok.MustExchange)
	require.Equal(t, civicpin.Low, ok.Level)
	require.Equal(t, k.clock.Now().Add(90*24*time.Hour), ok.ExpiresAt)

	for range 3 { // the issued one was the first wrong one
		_, err = k.Verify(ctx, try(wrong))
		require.ErrorIs(t, err, pin.ErrRefused)
	}
	_, err = k.Verify(ctx, try(wrong))
	require.Equal(t, k.clock.Now().Add(15*time.Minute), testkit.LockedBy(t, err).Until)
	_, err = k.Verify(ctx, try(chosen))
	testkit.LockedBy(t, err) // the right PIN, too
	k.clock.Add(15 * time.Minute)
	_, err = k.Verify(ctx, try(chosen))
	require.NoError(t, err)

	require.NoError(t, k.Attest(ctx, maria, civicpin.Evidence{Method: civicpin.InPerson, Document: "CA00000AA", By: clerk}))
	ok, err = k.Verify(ctx, try(chosen))
	require.NoError(t, err)
	require.Equal(t, civicpin.Substantial, ok.Level, "dispositivo")

	k.clock.Add(90 * 24 * time.Hour)
	_, err = k.Verify(ctx, try(wrong))
	require.ErrorIs(t, err, pin.ErrRefused, "who does not know the PIN is not told that it expired")
	_, err = k.Verify(ctx, try(chosen))
	require.ErrorIs(t, err, pin.ErrExpired)
	require.NoError(t, testkit.Err(k.Change(ctx, try(chosen), civicpin.NewSecret("HJ4N8RTX"))))
	ok, err = k.Verify(ctx, try("HJ4N8RTX"))
	require.NoError(t, err)
	require.Equal(t, civicpin.Substantial, ok.Level)

	require.NoError(t, k.Revoke(ctx, maria, state.Ended, "telephone stolen", clerk))
	_, err = k.Verify(ctx, try("HJ4N8RTX"))
	require.ErrorIs(t, err, pin.ErrRefused)

	code = k.issued(t)
	require.NoError(t, testkit.Err(k.Exchange(ctx, try(code), civicpin.NewSecret("MN6B3VCX"))))
	ok, err = k.Verify(ctx, try("MN6B3VCX"))
	require.NoError(t, err)
	require.Equal(t, civicpin.Low, ok.Level, "a new request starts at low")
}

// The ready policies are those that docs/policies shows.
func TestReadyPoliciesWhole(t *testing.T) {
	for name, p := range map[string]pin.Policy{"pin-default": pin.Default(), "pin-inps": pin.INPS()} {
		text, err := os.ReadFile("../docs/policies/" + name + ".json")
		require.NoError(t, err)
		want, err := pin.ParsePolicy(text)
		require.NoError(t, err)
		require.Equal(t, want, p)
	}
}

func TestEvents(t *testing.T) { testkit.Infos(t, pin.Events()) }

// Each check of a policy refuses by itself: the error is that check's own, and not one of a later check.
func TestPolicyErrors(t *testing.T) {
	channels := func(n int) func(*pin.Policy) {
		return func(p *pin.Policy) {
			p.Valid = make(map[civicpin.Channel]time.Duration)
			for i := range n {
				p.Valid[civicpin.Channel(fmt.Sprint("own-", i))] = 10 * time.Minute
			}
		}
	}
	for says, changes := range map[string][]func(*pin.Policy){
		"Name is not 1 to 40 ASCII letters, digits and -_.": {
			func(p *pin.Policy) { p.Name = "" }, func(p *pin.Policy) { p.Name = strings.Repeat("a", 41) },
		},
		"Parts is not 1 to 8, or Length not 4 to 32": {
			func(p *pin.Policy) { p.Parts = 0 }, func(p *pin.Policy) { p.Parts = 9 },
			func(p *pin.Policy) { p.Length = 3 }, func(p *pin.Policy) { p.Length = 33 },
		},
		"Valid lists no channel, or more than 32": {channels(0), channels(33)},
		`Valid for "" is not 1 minute to 30 days`: {func(p *pin.Policy) { p.Valid[""] = day }},
		`Valid for "letter" is not 1 minute to 30 days`: {
			func(p *pin.Policy) { p.Valid[civicpin.Letter] = time.Minute - 1 },
			func(p *pin.Policy) { p.Valid[civicpin.Letter] = 30*day + 1 },
		},
		`Levels for "" is not a level`: {func(p *pin.Policy) { p.Levels[""] = civicpin.Low }},
		`Levels for "video" is not a level`: {
			func(p *pin.Policy) { p.Levels[civicpin.Video] = civicpin.NoLevel },
			func(p *pin.Policy) { p.Levels[civicpin.Video] = civicpin.High + 1 },
		},
		"Chosen.Min is below 8 for a password (NIST SP 800-63B-4 3.1.1.2)": {func(p *pin.Policy) { p.Chosen.Min = 7 }},
		"MaxAge is under a day": {
			func(p *pin.Policy) { p.MaxAge = -1 }, func(p *pin.Policy) { p.MaxAge = 1 }, func(p *pin.Policy) { p.MaxAge = day - 1 },
		},
		"MaxUnused is under two days": {
			func(p *pin.Policy) { p.MaxUnused = -1 }, func(p *pin.Policy) { p.MaxUnused = 1 },
			func(p *pin.Policy) { p.MaxUnused = 2*day - 1 },
		},
		"History is not 0 to 10": {func(p *pin.Policy) { p.History = -1 }, func(p *pin.Policy) { p.History = 11 }},
		"Hashing.Permits or Wait is negative": {
			func(p *pin.Policy) { p.Hashing.Permits = -1 }, func(p *pin.Policy) { p.Hashing.Wait = -1 },
		},
	} {
		for i, change := range changes {
			p := pin.Default()
			change(&p)
			require.EqualError(t, p.Validate(), pin.ErrInvalidPolicy.Error()+": "+says, i)
		}
	}
	p := pin.Default()
	channels(32)(&p)
	require.ErrorContains(t, p.Validate(), `"own-0"`, "32 channels are not too many: these are unknown")
	p = pin.Default()
	p.Chosen.Form = "picture"
	require.ErrorContains(t, p.Validate(), pin.ErrInvalidPolicy.Error()+": Chosen: ")
}

// A chance is at most one.
func TestGuessProbabilityIsAProbability(t *testing.T) {
	p := pin.Default()
	p.Alphabet, p.Length, p.Chosen = "01", 4, pin.Chosen{Form: pin.Digits, Min: 1, Max: 1}
	issued, chosen := p.GuessProbability()
	require.Equal(t, []float64{1, 1}, []float64{issued, chosen})
}

// A service's policy shares nothing with what the caller keeps, and has 10 messages in 24 hours unless it says so.
func TestPolicyIsItsOwn(t *testing.T) {
	p := pin.INPS()
	p.Hashing.Former, p.Chosen.Words = []pin.Cost{{Time: 3}}, []string{"inps"}
	k := newKit(t, p)
	service, err := pin.New(k.out, p)
	require.NoError(t, err)
	want := service.Policy()
	require.Equal(t, civicpin.Rate{Limit: 10, Window: day}, want.Sends)
	for _, mine := range []pin.Policy{p, service.Policy()} {
		mine.Valid[civicpin.SMS], mine.Levels[civicpin.Video] = time.Hour, civicpin.Low
		mine.Chosen.Words[0], mine.OwnChannels[0], mine.Exceptions[0].Reason = "other", "other", "other"
		mine.Hashing.Former[0].Time = 4
		require.Equal(t, want, service.Policy())
	}
}

// Half of Sends must fit the outbox's Limits.Proved.
func TestNewNeedsRoomForResends(t *testing.T) {
	vault := testkit.Vault(t, store.NewMemory(), newClock(), nil)
	for limit, want := range map[int]error{80: nil, 82: civicpin.ErrInvalid} {
		p := pin.Default()
		p.Sends = civicpin.Rate{Limit: limit, Window: day}
		p.Name = strings.Repeat("a", 40) // the longest
		service, err := pin.New(testkit.Outbox(t, vault, nil, outbox.Limits{Proved: civicpin.Rate{Limit: 40, Window: day}}), p)
		require.ErrorIs(t, err, want)
		require.Equal(t, want != nil, service == nil)
	}
}

// New asks the notifier for each channel of the policy about the message that would carry a part.
func TestNewAsksWithTheWholeMessage(t *testing.T) {
	var asked []civicpin.Message
	k := newKit(t, pin.INPS())
	box := &testkit.Mailbox{Refuse: func(m civicpin.Message) error {
		asked = append(asked, m)
		return nil
	}}
	_, err := pin.NewCheap(k.vault, testkit.Outbox(t, k.vault, box, outbox.Limits{}), pin.INPS())
	require.NoError(t, err)
	valid := make(map[civicpin.Channel]time.Time)
	for _, m := range asked {
		require.Len(t, m.Secret.Reveal(), 8)
		require.Equal(t, []any{pin.PartMessage, 2, 2}, []any{m.Kind, m.Part, m.Parts})
		valid[m.To.Channel] = m.ExpiresAt
	}
	for channel, d := range pin.INPS().Valid {
		if !channel.Printed() {
			require.Equal(t, k.clock.Now().Add(d), valid[channel], channel)
		}
	}
}

// Six symbols in a row of the issued secret are too many, wherever they stand, and fewer if there is nothing else.
func TestRowsOfTheIssuedSecret(t *testing.T) {
	for name, tc := range map[string]struct {
		choose func(slip string) string
		broken bool
	}{
		"five":             {func(slip string) string { return slip[:5] + "éñü tavolò blù" }, false},
		"six at the start": {func(slip string) string { return slip[:6] + "éñü tavolò blù" }, true},
		"six at the end":   {func(slip string) string { return "tavolò blù éñü" + slip[6:] }, true},
		"six with blanks":  {func(slip string) string { return "tavolò blù éñü" + slip[6:9] + " -" + slip[9:] }, true},
		"a letter between": {func(slip string) string { return "tavolò blù éñü" + slip[6:9] + "ø" + slip[9:] }, false},
		"nothing but four": {func(slip string) string { return slip[:2] + "!?#+*~%&/()" + slip[2:4] }, true},
		"nothing but one":  {func(slip string) string { return "!?#+*~%&/()=;:" + slip[:1] }, true},
		"no symbol":        {func(string) string { return "!?#+*~%&/()=;:,@" }, false},
	} {
		k := newKit(t, pin.Default())
		is, err := k.Issue(t.Context(), maria, pin.IssueOptions{Parts: []civicpin.Contact{{Channel: civicpin.HandedOver}}, By: clerk})
		require.NoError(t, err)
		slip := is.Slip.Reveal()
		err = testkit.Err(k.Exchange(t.Context(), try(slip), civicpin.NewSecret(tc.choose(slip))))
		if !tc.broken {
			require.NoError(t, err, name)
			continue
		}
		require.Equal(t, rule.Issued, testkit.As[*pin.ChoiceError](t, err).Rule, name)
	}
}

// The bounds of a breach to the moment.
func TestBreachesToTheMoment(t *testing.T) {
	for name, change := range map[string]func(*pin.Policy){
		"an age":   func(p *pin.Policy) { p.MaxAge = 1 },
		"a letter": func(p *pin.Policy) { p.Valid[civicpin.Letter] = 30*day + 1 },
		"a text":   func(p *pin.Policy) { p.Valid[civicpin.SMS] = 10*time.Minute + 1 },
		"a mail":   func(p *pin.Policy) { p.Valid[civicpin.Email] = day + 1 },
	} {
		p := pin.Default()
		change(&p)
		require.Len(t, p.Breaks(), 1, name)
	}
}

// Records are padded to multiples of 2,048 bytes: what most credentials hold does not show in their length.
func TestRecordsArePadded(t *testing.T) {
	k := newKit(t, pin.INPS())
	size := func() (n int) {
		for item, err := range k.memory.List(t.Context(), "pin.inps/", "") {
			require.NoError(t, err)
			n = len(item.Value)
		}
		return n
	}
	k.issued(t)
	first := size()
	k.beat(t)
	require.Equal(t, first, size())
	for range 16 {
		require.NoError(t, k.Attest(t.Context(), maria, civicpin.Evidence{
			Method: civicpin.InPerson, Document: strings.Repeat("D", 60), By: clerk,
		}))
	}
	require.Equal(t, 2048, (size()-first)/((size()-first)/2048))
	require.Zero(t, (size()-first)%2048)
	require.NotEqual(t, first, size())
}
