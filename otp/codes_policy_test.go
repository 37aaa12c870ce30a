package otp_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// unlimited takes send limits out of the way of tests that are about something else.
func unlimited(p otp.CodePolicy) otp.CodePolicy {
	p.Sends = testkit.Wide
	return p
}

// The documentation of the ready policies states these.
func TestReadyCodePoliciesAsDocumented(t *testing.T) {
	p := otp.SMS()
	require.NoError(t, p.Validate())
	require.Empty(t, p.Exception)
	require.Equal(t, civicpin.Push, p.Channels[0], "the restricted channels come last")
	require.Equal(t, []any{"0123456789", 6, 10 * time.Minute, 5, 0}, []any{p.Alphabet, p.Length, p.Valid, p.Tries, p.Joined})
	alone, joined := p.GuessProbability()
	require.InEpsilon(t, 1e-4, alone, 1e-9)
	require.InDelta(t, alone, joined, 0)

	p = otp.ClavePIN()
	require.NoError(t, p.Validate())
	require.Equal(t, []any{32, 3, 10 * time.Minute, 3, 4}, []any{len(p.Alphabet), p.Length, p.Valid, p.Tries, p.Joined})
	require.Empty(t, strings.Trim(p.Alphabet, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), "no 0, 1, 8 and 9")
	require.InDelta(t, 32768, math.Pow(float64(len(p.Alphabet)), float64(p.Length)), 0, "15 bits")
	require.InDelta(t, 10923, 32768.0/float64(p.Tries), 0.5)
	alone, joined = p.GuessProbability()
	require.InEpsilon(t, 1/1638.4, alone, 1e-9)
	require.InDelta(t, 4.7e-7, joined, 0.05e-7)
	p.Exception = ""
	require.ErrorIs(t, p.Validate(), otp.ErrInvalidPolicy, "only as a named exception")
}

func TestCodePolicyDefaults(t *testing.T) {
	k := newCodeKit(t, otp.SMS())
	p := k.Policy()
	require.Equal(t, 3, p.MaxPending)
	p.Channels[0] = "changed"
	require.Equal(t, civicpin.Push, k.Policy().Channels[0], "a copy")
}

func TestCodePolicyValidate(t *testing.T) {
	mail := []civicpin.Channel{civicpin.Email, civicpin.CertifiedEmail}
	for name, tc := range map[string]struct {
		change func(*otp.CodePolicy)
		ok     bool
	}{
		"unchanged":                    {func(*otp.CodePolicy) {}, true},
		"zero":                         {func(p *otp.CodePolicy) { *p = otp.CodePolicy{} }, false},
		"no name":                      {func(p *otp.CodePolicy) { p.Name = "" }, false},
		"a blank in the name":          {func(p *otp.CodePolicy) { p.Name = "a b" }, false},
		"a slash in the name":          {func(p *otp.CodePolicy) { p.Name = "a/b" }, false},
		"a name of 40":                 {func(p *otp.CodePolicy) { p.Name = strings.Repeat("n", 40) }, true},
		"a name of 41":                 {func(p *otp.CodePolicy) { p.Name = strings.Repeat("n", 41) }, false},
		"no alphabet":                  {func(p *otp.CodePolicy) { p.Alphabet = "" }, false},
		"a symbol twice":               {func(p *otp.CodePolicy) { p.Alphabet = "0123456789A0" }, false},
		"twelve characters":            {func(p *otp.CodePolicy) { p.Length = 12 }, true},
		"thirteen":                     {func(p *otp.CodePolicy) { p.Length = 13 }, false},
		"five digits":                  {func(p *otp.CodePolicy) { p.Length, p.Lockout.Ceiling = 5, 5 }, false},
		"five digits by exception":     {func(p *otp.CodePolicy) { p.Length, p.Exception = 5, "test" }, true},
		"two by exception":             {func(p *otp.CodePolicy) { p.Length, p.Exception = 2, "test" }, false},
		"above NIST's ceiling":         {func(p *otp.CodePolicy) { p.Lockout.Ceiling = 101 }, false},
		"above it by exception":        {func(p *otp.CodePolicy) { p.Lockout.Ceiling, p.Exception = 101, "test" }, false},
		"no lock":                      {func(p *otp.CodePolicy) { p.Lockout.Lock = "" }, false},
		"no limit":                     {func(p *otp.CodePolicy) { p.Lockout.Limit = 0 }, false},
		"negative own part":            {func(p *otp.CodePolicy) { p.Joined = -1 }, false},
		"own part of eight":            {func(p *otp.CodePolicy) { p.Joined = 8 }, true},
		"own part of nine":             {func(p *otp.CodePolicy) { p.Joined = 9 }, false},
		"own part and punctuation":     {func(p *otp.CodePolicy) { p.Joined, p.Alphabet = 4, "0123456789+" }, false},
		"punctuation alone":            {func(p *otp.CodePolicy) { p.Alphabet = "0123456789+" }, true},
		"own part and lower case":      {func(p *otp.CodePolicy) { p.Joined, p.Alphabet = 4, "abcdefghijk" }, true},
		"valid for a minute":           {func(p *otp.CodePolicy) { p.Valid = time.Minute }, true},
		"valid for less":               {func(p *otp.CodePolicy) { p.Valid = time.Minute - 1 }, false},
		"valid for longer":             {func(p *otp.CodePolicy) { p.Valid = 10*time.Minute + 1 }, false},
		"a day by text message":        {func(p *otp.CodePolicy) { p.Valid, p.Channels = 24*time.Hour, append(mail, civicpin.SMS) }, false},
		"a day by e-mail":              {func(p *otp.CodePolicy) { p.Valid, p.Channels = 24*time.Hour, mail }, true},
		"longer by e-mail":             {func(p *otp.CodePolicy) { p.Valid, p.Channels = 24*time.Hour+1, mail }, false},
		"a day by one of one's own":    {func(p *otp.CodePolicy) { p.Valid, p.Channels = 24*time.Hour, []civicpin.Channel{"kiosk"} }, false},
		"no channel":                   {func(p *otp.CodePolicy) { p.Channels = nil }, false},
		"an empty channel":             {func(p *otp.CodePolicy) { p.Channels = []civicpin.Channel{""} }, false},
		"a channel twice":              {func(p *otp.CodePolicy) { p.Channels = append(p.Channels, civicpin.SMS) }, false},
		"letters":                      {func(p *otp.CodePolicy) { p.Channels = append(p.Channels, civicpin.Letter) }, false},
		"no tries":                     {func(p *otp.CodePolicy) { p.Tries = 0 }, false},
		"as many tries as the ceiling": {func(p *otp.CodePolicy) { p.Tries = 100 }, true},
		"more":                         {func(p *otp.CodePolicy) { p.Tries = 101 }, false},
		"negative pending":             {func(p *otp.CodePolicy) { p.MaxPending = -1 }, false},
		"ten pending":                  {func(p *otp.CodePolicy) { p.MaxPending = 10 }, true},
		"eleven pending":               {func(p *otp.CodePolicy) { p.MaxPending = 11 }, false},
		"a bad rate of sends":          {func(p *otp.CodePolicy) { p.Sends = civicpin.Rate{Limit: 1} }, false},
		"a decoy":                      {func(p *otp.CodePolicy) { p.Decoys = []civicpin.Contact{bySMS} }, true},
		"a decoy that is none":         {func(p *otp.CodePolicy) { p.Decoys = []civicpin.Contact{{Channel: civicpin.SMS}} }, false},
		"a decoy on no channel": {func(p *otp.CodePolicy) {
			p.Decoys = []civicpin.Contact{{Channel: civicpin.Email, Address: "a@example.org"}}
		}, false},
		"seventeen decoys": {func(p *otp.CodePolicy) {
			for range 17 {
				p.Decoys = append(p.Decoys, bySMS)
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := otp.SMS()
			tc.change(&p)
			vault, err := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), nil)
			require.NoError(t, err)
			out, err := outbox.New(vault, &testkit.Mailbox{}, &outbox.Options{Limits: testkit.Fitting(p.Sends)})
			require.NoError(t, err)
			_, newErr := otp.NewCodes(out, p)
			if tc.ok {
				require.NoError(t, p.Validate())
				require.NoError(t, newErr)
				return
			}
			require.ErrorIs(t, p.Validate(), otp.ErrInvalidPolicy)
			require.ErrorIs(t, newErr, otp.ErrInvalidPolicy)
		})
	}
	_, err := otp.NewCodes(nil, otp.SMS())
	require.ErrorIs(t, err, civicpin.ErrInvalid)
}

// The greatest Valid is told as the documentation writes it.
func TestCodePolicyNamesTheGreatestValid(t *testing.T) {
	p := otp.SMS()
	p.Valid = time.Hour
	require.ErrorContains(t, p.Validate(), "Valid is not 1 minute to 10 minutes, the most for these channels")
	p.Valid, p.Channels = 25*time.Hour, []civicpin.Channel{civicpin.Email}
	require.ErrorContains(t, p.Validate(), "Valid is not 1 minute to 24 hours, the most for these channels")
}

// An outbox whose addresses get fewer messages than a subject may ask for is refused.
func TestCodesFitTheOutbox(t *testing.T) {
	vault, err := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), nil)
	require.NoError(t, err)
	few := outbox.Limits{Proved: civicpin.Rate{Limit: 1, Window: time.Hour}}
	out, err := outbox.New(vault, &testkit.Mailbox{}, &outbox.Options{Limits: few})
	require.NoError(t, err)
	_, err = otp.NewCodes(out, otp.SMS())
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	require.ErrorContains(t, err, "raise Options.Limits.Proved")
}

func TestCodePolicyJSON(t *testing.T) {
	p := otp.ClavePIN()
	p.Decoys = []civicpin.Contact{bySMS, byApp}
	for _, p := range []otp.CodePolicy{otp.SMS(), otp.ClavePIN(), p} {
		text, err := json.MarshalIndent(p, "", "  ")
		require.NoError(t, err)
		back, err := otp.ParseCodePolicy(text)
		require.NoError(t, err)
		require.Equal(t, p, back)
	}
	text, err := json.Marshal(otp.SMS())
	require.NoError(t, err)
	require.Contains(t, string(text), `"valid":"10m"`)
	require.Contains(t, string(text), `"channels":["push","sms","voice"]`)
	for name, bad := range map[string]string{
		"empty":            "",
		"null":             "null",
		"an unknown field": strings.Replace(string(text), `"tries"`, `"tires"`, 1),
		"a field twice":    strings.Replace(string(text), `"tries"`, `"tries":5,"tries"`, 1),
		"not valid":        strings.Replace(string(text), `"length":6`, `"length":4`, 1),
		"something behind": string(text) + "{}",
	} {
		require.NotEqual(t, string(text), bad)
		p, err := otp.ParseCodePolicy([]byte(bad))
		require.ErrorIs(t, err, otp.ErrInvalidPolicy, name)
		require.Zero(t, p)
	}
}

func FuzzParseCodePolicy(f *testing.F) {
	for _, p := range []otp.CodePolicy{otp.SMS(), otp.ClavePIN(), {}} {
		text, err := json.Marshal(p)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add([]byte(`{"name":"x","channels":["sms"],"decoys":[{"channel":"sms","address":"+34600000000"}],"valid":"1h30m"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := otp.ParseCodePolicy(text)
		if err != nil {
			require.ErrorIs(t, err, otp.ErrInvalidPolicy)
			require.Zero(t, p)
			return
		}
		again, err := json.Marshal(p)
		require.NoError(t, err)
		back, err := otp.ParseCodePolicy(again)
		require.NoError(t, err)
		require.Equal(t, p, back)
	})
}
