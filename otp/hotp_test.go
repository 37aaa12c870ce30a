package otp_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/otp"
)

// RFC 4226 appendix D.
var hotpVectors = []string{
	"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
}

// rfcToken is the token of the RFC's vectors at a counter.
func rfcToken(counter uint64) otp.Key {
	return otp.Key{Account: "ada", Seed: civicpin.NewSecret(rfcSeed), Algorithm: otp.SHA1, Digits: 6, Counter: counter}
}

func (f *fob) resync(t testing.TB, first, second string) string {
	t.Helper()
	return outcome(t, f.HOTP.Resync(t.Context(), ada, civicpin.NewSecret(first), civicpin.NewSecret(second), fobSource))
}

func TestHOTPVectors(t *testing.T) {
	f := newHOTP(t, otp.HOTPPolicy{LookAhead: otp.None})
	f.imported(t, rfcToken(0))
	for i, code := range hotpVectors {
		assert.EqualValues(t, i, f.status(t).Counter)
		assert.Equal(t, fobRefused, f.verify(t, hotpVectors[(i+1)%10]))
		assert.Equal(t, fobAccepted, f.verify(t, code))
		assert.Equal(t, fobRefused, f.verify(t, code))
		f.clock.Add(48 * time.Hour) // forgives both
	}
}

func TestHOTPLife(t *testing.T) {
	f := newHOTP(t, otp.HOTPPolicy{Algorithm: otp.SHA256, Digits: 8})
	key := f.enrol(t)
	assert.Len(t, key.Seed.Reveal(), 32)
	assert.Zero(t, key.Period)
	assert.Zero(t, key.Counter)
	assert.Contains(t, key.URI().Reveal(), "otpauth://hotp/Agency:")
	assert.Equal(t, []string{"otp.enrolled"}, f.told())
	assert.Equal(t, fobAccepted, f.verify(t, codeAt(key, 0)))
	assert.Equal(t, []string{"otp.activated", "otp.verified"}, f.told())
	second, err := f.Enrol(t.Context(), ada)
	require.NoError(t, err)
	assert.Equal(t, fobAccepted, f.verify(t, codeAt(key, 1)), "still the active one")
	assert.Equal(t, fobAccepted, f.verify(t, codeAt(second, 3)))
	assert.Equal(t, fobRefused, f.verify(t, codeAt(key, 2)), "displaced")
	assert.EqualValues(t, 4, f.status(t).Counter)
	require.NoError(t, f.Remove(t.Context(), ada, civicpin.Citizen))
	assert.Equal(t, fobRefused, f.verify(t, codeAt(second, 4)))
}

// A match moves the counter behind it, and it never goes back.
func TestHOTPLookAhead(t *testing.T) {
	type try struct {
		at       uint64
		accepted bool
		next     uint64
	}
	for name, c := range map[string]struct {
		config otp.HOTPPolicy
		tries  []try
	}{
		"defaults": {otp.HOTPPolicy{}, []try{
			{9, true, 10},
			{20, false, 10},
			{9, false, 10},
			{5, false, 10},
			{19, true, 20},
			{20, true, 21},
			{20, false, 21},
			{31, false, 21},
			{30, true, 31},
		}},
		"none":  {otp.HOTPPolicy{LookAhead: otp.None}, []try{{1, false, 0}, {0, true, 1}, {1, true, 2}, {0, false, 2}, {3, false, 2}}},
		"three": {otp.HOTPPolicy{LookAhead: 3}, []try{{4, false, 0}, {3, true, 4}, {7, true, 8}, {12, false, 8}}},
	} {
		f := newHOTP(t, c.config)
		key := rfcToken(0)
		f.imported(t, key)
		for i, try := range c.tries {
			assert.Equal(t, try.accepted, f.verify(t, codeAt(key, try.at)) == fobAccepted, "%s: %d", name, i)
			assert.Equal(t, try.next, f.status(t).Counter, "%s: %d", name, i)
			f.clock.Add(24 * time.Hour) // forgives a wrong one
		}
	}
}

func TestHOTPResync(t *testing.T) {
	for name, c := range map[string]struct {
		config        otp.HOTPPolicy
		first, second uint64
		accepted      bool
	}{
		"next":           {otp.HOTPPolicy{}, 0, 1, true},
		"lost":           {otp.HOTPPolicy{}, 50, 51, true},
		"edge":           {otp.HOTPPolicy{}, 100, 101, true},
		"beyond":         {otp.HOTPPolicy{}, 101, 102, false},
		"wide":           {otp.HOTPPolicy{ResyncWindow: 1000}, 1000, 1001, true},
		"narrow":         {otp.HOTPPolicy{ResyncWindow: 20}, 21, 22, false},
		"not in a row":   {otp.HOTPPolicy{}, 50, 52, false},
		"backwards":      {otp.HOTPPolicy{}, 51, 50, false},
		"the same twice": {otp.HOTPPolicy{}, 50, 50, false},
	} {
		f := newHOTP(t, c.config)
		key := rfcToken(0)
		f.imported(t, key)
		f.told()
		got := f.resync(t, codeAt(key, c.first), codeAt(key, c.second))
		assert.Equal(t, c.accepted, got == fobAccepted, name)
		st := f.status(t)
		if !c.accepted {
			assert.Zero(t, st.Counter, name)
			assert.Equal(t, 1, st.Lockout.Failures, "%s: one attempt", name)
			assert.Equal(t, []string{"otp.refused: wrong"}, f.told(), name)
			continue
		}
		assert.Equal(t, []string{"otp.resynced"}, f.told(), name)
		assert.Equal(t, c.second+1, st.Counter, name)
		assert.Equal(t, fobRefused, f.resync(t, codeAt(key, c.first), codeAt(key, c.second)), "%s: spent", name)
		assert.Equal(t, fobRefused, f.verify(t, codeAt(key, c.second)), "%s: spent", name)
		assert.Equal(t, fobAccepted, f.verify(t, codeAt(key, c.second+1)), name)
	}
}

// Resync and Verify share one count: the wider window brings no guesses of its own.
func TestHOTPResyncCounts(t *testing.T) {
	f := newHOTP(t, otp.HOTPPolicy{})
	key := rfcToken(0)
	f.imported(t, key)
	for range 2 {
		require.Equal(t, fobRefused, f.verify(t, f.wrongCode(key)))
		require.Equal(t, fobRefused, f.resync(t, codeAt(key, 50), f.wrongCode(key)))
	}
	require.Equal(t, fobLocked, f.resync(t, f.wrongCode(key), codeAt(key, 51)))
	require.Equal(t, fobLocked, f.verify(t, codeAt(key, 0)))
	require.Equal(t, fobLocked, f.resync(t, codeAt(key, 50), codeAt(key, 51)))
	require.NoError(t, f.Unlock(t.Context(), ada, fobClerk))
	require.Equal(t, fobAccepted, f.resync(t, codeAt(key, 50), codeAt(key, 51)))
	require.Zero(t, f.status(t).Lockout.Failures)
}

// A pending key can be activated by two codes in a row as well.
func TestHOTPResyncPending(t *testing.T) {
	f := newHOTP(t, otp.HOTPPolicy{})
	old := f.enrolled(t)
	key := f.enrol(t)
	assert.Equal(t, fobAccepted, f.resync(t, codeAt(key, 30), codeAt(key, 31)))
	assert.False(t, f.status(t).Pending)
	assert.Equal(t, fobRefused, f.verify(t, codeAt(old, 1)))
	assert.Equal(t, fobAccepted, f.verify(t, codeAt(key, 32)))
}

// What is typed for Resync is digits, as many as the key's.
func TestHOTPResyncTyped(t *testing.T) {
	for _, typed := range [][2]string{
		{"", ""},
		{hotpVectors[0], ""},
		{"", hotpVectors[1]},
		{hotpVectors[0][1:], hotpVectors[1]},
		{hotpVectors[0], hotpVectors[1] + "0"},
		{"0" + hotpVectors[0], hotpVectors[1]},
		{hotpVectors[0] + hotpVectors[1], ""},
		{"abcdef", "abcdef"},
	} {
		f := newHOTP(t, otp.HOTPPolicy{})
		f.imported(t, rfcToken(0))
		assert.Equal(t, fobRefused, f.resync(t, typed[0], typed[1]), typed)
		assert.Equal(t, fobAccepted, f.resync(t, " 755 224 ", "287-082"))
	}
}

// A leading zero is a digit of each of the two codes.
func TestHOTPResyncLeadingZero(t *testing.T) {
	for _, which := range []uint64{0, 1} {
		at := uint64(0)
		for codeAt(rfcToken(0), at+which)[0] != '0' {
			at++
		}
		f := newHOTP(t, otp.HOTPPolicy{})
		key := f.imported(t, rfcToken(at))
		codes := []string{codeAt(key, at), codeAt(key, at+1)}
		trimmed := slices.Clone(codes)
		trimmed[which] = trimmed[which][1:]
		assert.Equal(t, fobRefused, f.resync(t, trimmed[0], trimmed[1]))
		assert.Equal(t, fobAccepted, f.resync(t, codes[0], codes[1]))
	}
}

func TestHOTPImport(t *testing.T) {
	f := newHOTP(t, otp.HOTPPolicy{})
	ctx := t.Context()
	totp := rfcToken(0)
	totp.Period = step
	var wrong *otp.KeyError
	require.ErrorAs(t, f.Import(ctx, ada, totp, fobClerk), &wrong)
	require.Equal(t, "type", wrong.Part)
	far := rfcToken(1<<62 + 1)
	require.ErrorAs(t, f.Import(ctx, ada, far, fobClerk), &wrong)
	require.Equal(t, "counter", wrong.Part)

	require.NoError(t, f.Import(ctx, ada, rfcToken(5), fobClerk))
	require.NoError(t, f.Import(ctx, ada, rfcToken(5), fobClerk))
	require.ErrorIs(t, f.Import(ctx, ada, rfcToken(0), fobClerk), otp.ErrWrongState, "an older counter of the same token")
	assert.Equal(t, fobRefused, f.verify(t, hotpVectors[4]))
	assert.Equal(t, fobAccepted, f.verify(t, hotpVectors[5]))
	require.ErrorIs(t, f.Import(ctx, ada, rfcToken(5), fobClerk), otp.ErrWrongState)
	assert.Equal(t, fobRefused, f.verify(t, hotpVectors[5]))
	assert.Equal(t, fobAccepted, f.verify(t, hotpVectors[6]))
}

// From a URI to a check: how another system's keys are taken over.
func TestHOTPImportParsed(t *testing.T) {
	key, err := otp.ParseKey(civicpin.NewSecret("otpauth://hotp/Old:ada?secret=" + rfcSecret + "&issuer=Old&counter=3"))
	require.NoError(t, err)
	f := newHOTP(t, otp.HOTPPolicy{})
	f.imported(t, key)
	assert.Equal(t, fobAccepted, f.verify(t, hotpVectors[3]))
}

// The last counters that there may be can be used.
func TestHOTPLastCounter(t *testing.T) {
	f := newHOTP(t, otp.HOTPPolicy{})
	key := rfcToken(1 << 62)
	f.imported(t, key)
	assert.Equal(t, fobAccepted, f.verify(t, codeAt(key, 1<<62+9)))
	assert.EqualValues(t, uint64(1<<62+10), f.status(t).Counter)
	assert.Equal(t, fobAccepted, f.resync(t, codeAt(key, 1<<62+60), codeAt(key, 1<<62+61)))
}

func TestHOTPCeiling(t *testing.T) {
	f := newHOTP(t, otp.HOTPPolicy{})
	key := f.enrolled(t)
	compared := 0
	f.told()
	for range 80 {
		f.verify(t, f.wrongCode(key))
		f.clock.Add(25 * 3600e9)
		for _, e := range f.told() {
			if strings.HasPrefix(e, "otp.refused: wrong") {
				compared++
			}
		}
	}
	assert.Equal(t, 50, compared)
	fresh, err := f.Rebind(t.Context(), ada, inPerson)
	require.NoError(t, err)
	assert.Equal(t, fobAccepted, f.verify(t, codeAt(fresh, 0)))
}

// oathtool runs Debian's oathtool, a program that shares nothing with this one, and returns the code that it prints.
func oathtool(t *testing.T, key otp.Key, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("oathtool")
	if err != nil {
		if os.Getenv("CIVICPIN_REQUIRE_SERVERS") != "" {
			t.Fatal("oathtool is not installed")
		}
		t.Skip("oathtool is not installed")
	}
	cmd := exec.CommandContext(t.Context(), path, append(args, "--base32", "--digits="+strconv.Itoa(key.Digits), "-")...)
	cmd.Stdin = strings.NewReader(key.Secret().Reveal() + "\n")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return strings.TrimSpace(string(out))
}

// A code that oathtool makes of an enrolled key verifies, for each algorithm, number of digits and a few periods.
func TestOathtoolTOTP(t *testing.T) {
	for _, algorithm := range []otp.Algorithm{otp.SHA1, otp.SHA256, otp.SHA512} {
		for _, digits := range []int{6, 7, 8} {
			for _, period := range []time.Duration{30 * time.Second, time.Minute} {
				t.Run(fmt.Sprint(algorithm, " ", digits, " ", period), func(t *testing.T) {
					c := strict
					c.Algorithm, c.Digits, c.Period = algorithm, digits, period
					f := newTOTP(t, c)
					for range 3 {
						f.clock.Add(12_345_678 * time.Second)
						key := f.enrol(t) // a new one, since the last lapsed
						code := oathtool(
							t, key, "--totp="+string(algorithm), fmt.Sprintf("--time-step-size=%ds", int(period.Seconds())),
							"--now="+f.clock.Now().UTC().Format("2006-01-02 15:04:05 UTC"),
						)
						require.Len(t, code, digits)
						require.Equal(t, fobAccepted, f.verify(t, code))
						require.Equal(t, fobRefused, f.verify(t, code))
					}
				})
			}
		}
	}
}

func TestOathtoolHOTP(t *testing.T) {
	for _, digits := range []int{6, 7, 8} {
		t.Run(fmt.Sprint(digits), func(t *testing.T) {
			f := newHOTP(t, otp.HOTPPolicy{Digits: digits, LookAhead: otp.None})
			key := f.enrol(t)
			code := func(counter int) string { return oathtool(t, key, "--hotp", fmt.Sprintf("--counter=%d", counter)) }
			for counter := range 3 {
				require.Equal(t, fobAccepted, f.verify(t, code(counter)))
			}
			require.Equal(t, fobRefused, f.verify(t, code(5)))
			require.Equal(t, fobAccepted, f.resync(t, code(50), code(51)))
			require.Equal(t, fobAccepted, f.verify(t, code(52)))
		})
	}
}
