package otp_test

import (
	"encoding/json"
	"errors"
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
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store/storetest"
)

const (
	rfcSeed   = "12345678901234567890"
	rfcSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
)

func TestKeySecret(t *testing.T) {
	for seed, want := range map[string]string{
		rfcSeed:                  rfcSecret,
		"Hello!\xde\xad\xbe\xef": "JBSWY3DPEHPK3PXP",
		"":                       "",
		"a":                      "ME",
	} {
		assert.Equal(t, want, otp.Key{Seed: civicpin.NewSecret(seed)}.Secret().Reveal())
	}
}

// A key does not print, in whatever way it is printed.
func TestKeyPrints(t *testing.T) {
	k := otp.Key{Issuer: "Agency", Account: "ada", Seed: civicpin.NewSecret(rfcSeed), Algorithm: otp.SHA1, Digits: 6, Period: 30 * time.Second}
	var text strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		text.WriteString(fmt.Sprintf(verb, k) + fmt.Sprintf(verb, k.URI()) + fmt.Sprintf(verb, k.Secret()))
	}
	b, err := json.Marshal(k)
	require.NoError(t, err)
	text.WriteString(string(b))
	for _, secret := range []string{rfcSeed, rfcSecret, fmt.Sprintf("%x", rfcSeed), "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA", "otpauth"} {
		assert.NotContains(t, text.String(), secret)
	}
}

// testURI makes the URI of a key of the RFC's with something changed.
func testURI(change func(*otp.Key)) string {
	k := otp.Key{
		Issuer: "Agency", Account: "ada", Seed: civicpin.NewSecret(rfcSeed), Algorithm: otp.SHA1, Digits: 6, Period: 30 * time.Second,
	}
	change(&k)
	return k.URI().Reveal()
}

func TestKeyURI(t *testing.T) {
	for _, c := range []struct {
		change func(*otp.Key)
		want   string
	}{
		{func(*otp.Key) {}, "otpauth://totp/Agency:ada?secret=" + rfcSecret + "&issuer=Agency"},
		{func(k *otp.Key) { k.Issuer = "" }, "otpauth://totp/ada?secret=" + rfcSecret},
		{
			func(k *otp.Key) { k.Issuer, k.Account = "Città & Co. + 1", "maria@example.it" },
			"otpauth://totp/Citt%C3%A0%20%26%20Co.%20%2B%201:maria@example.it?secret=" + rfcSecret +
				"&issuer=Citt%C3%A0%20%26%20Co.%20%2B%201",
		},
		{
			func(k *otp.Key) { k.Account = "a:b/c?d#e%f" },
			"otpauth://totp/Agency:a%3Ab%2Fc%3Fd%23e%25f?secret=" + rfcSecret + "&issuer=Agency",
		},
		{
			func(k *otp.Key) { k.Algorithm, k.Digits, k.Period = otp.SHA256, 8, time.Minute },
			"otpauth://totp/Agency:ada?secret=" + rfcSecret + "&issuer=Agency&algorithm=SHA256&digits=8&period=60",
		},
		{func(k *otp.Key) { k.Period = 0 }, "otpauth://hotp/Agency:ada?secret=" + rfcSecret + "&issuer=Agency&counter=0"},
		{
			func(k *otp.Key) { k.Period, k.Counter, k.Algorithm, k.Digits = 0, 17, otp.SHA512, 7 },
			"otpauth://hotp/Agency:ada?secret=" + rfcSecret + "&issuer=Agency&algorithm=SHA512&digits=7&counter=17",
		},
	} {
		uri := testURI(c.change)
		assert.Equal(t, c.want, uri)
		k, err := otp.ParseKey(civicpin.NewSecret(uri))
		if assert.NoError(t, err, uri) {
			assert.Equal(t, uri, k.URI().Reveal())
		}
	}
}

// sameKey compares what a key holds.
func sameKey(t assert.TestingT, want, got otp.Key) bool {
	if !assert.Equal(t, want.Seed.Reveal(), got.Seed.Reveal()) {
		return false
	}
	want.Seed, got.Seed = civicpin.Secret{}, civicpin.Secret{}
	return assert.Equal(t, want, got)
}

func TestParseKey(t *testing.T) {
	const s = "?secret=" + rfcSecret
	plain := otp.Key{Account: "ada", Seed: civicpin.NewSecret(rfcSeed), Algorithm: otp.SHA1, Digits: 6, Period: 30 * time.Second}
	with := func(change func(*otp.Key)) otp.Key {
		k := plain
		change(&k)
		return k
	}
	for uri, want := range map[string]otp.Key{
		"otpauth://totp/ada" + s:                                        plain,
		"OTPAUTH://TOTP/ada" + s:                                        plain,
		"otpauth://totp/ada?secret=" + strings.ToLower(rfcSecret):       plain,
		"otpauth://totp/ada" + s + "&algorithm=SHA1&digits=6&period=30": plain,
		"otpauth://totp/Agency:ada" + s:                                 with(func(k *otp.Key) { k.Issuer = "Agency" }),
		"otpauth://totp/Agency%3Aada" + s:                               with(func(k *otp.Key) { k.Issuer = "Agency" }),
		"otpauth://totp/Agency:%20%20ada" + s:                           with(func(k *otp.Key) { k.Issuer = "Agency" }),
		"otpauth://totp/ada" + s + "&issuer=Agency":                     with(func(k *otp.Key) { k.Issuer = "Agency" }),
		"otpauth://totp/Ag%20cy:a+b" + s + "&issuer=Ag%20cy":            with(func(k *otp.Key) { k.Issuer, k.Account = "Ag cy", "a+b" }),
		"otpauth://totp/A:b:c" + s + "&issuer=A":                        with(func(k *otp.Key) { k.Issuer, k.Account = "A", "b:c" }),
		"otpauth://totp/ada" + s + "&period=120":                        with(func(k *otp.Key) { k.Period = 2 * time.Minute }),
		"otpauth://totp/ada" + s + "&period=1":                          with(func(k *otp.Key) { k.Period = time.Second }),
		"otpauth://totp/ada?digits=8&algorithm=SHA512&secret=" + rfcSecret: with(func(k *otp.Key) {
			k.Digits, k.Algorithm = 8, otp.SHA512
		}),
		"otpauth://hotp/ada" + s + "&counter=0": with(func(k *otp.Key) { k.Period = 0 }),
		"otpauth://hotp/ada" + s + "&counter=4611686018427387904": with(func(k *otp.Key) {
			k.Period, k.Counter = 0, 1<<62
		}),
		// The example of the format's own page: a seed of 10 bytes.
		"otpauth://totp/Example:alice@google.com?secret=JBSWY3DPEHPK3PXP&issuer=Example": with(func(k *otp.Key) {
			k.Issuer, k.Account, k.Seed = "Example", "alice@google.com", civicpin.NewSecret("Hello!\xde\xad\xbe\xef")
		}),
	} {
		k, err := otp.ParseKey(civicpin.NewSecret(uri))
		if assert.NoError(t, err, uri) {
			sameKey(t, want, k)
		}
	}
}

func TestParseKeyRefuses(t *testing.T) {
	const s = "?secret=" + rfcSecret
	for uri, part := range map[string]string{
		"":                                                               "scheme",
		"otpauth:/":                                                      "scheme",
		"https://totp/ada" + s:                                           "scheme",
		" otpauth://totp/ada" + s:                                        "scheme",
		"otpauth://":                                                     "type",
		"otpauth://totp":                                                 "type",
		"otpauth://ocra/ada" + s:                                         "type",
		"otpauth://totp" + s:                                             "type",
		"otpauth://totp:80/ada" + s:                                      "type",
		"otpauth://x@totp/ada" + s:                                       "type",
		"otpauth://totp/ada":                                             "label",
		"otpauth://totp/" + s:                                            "label",
		"otpauth://totp/%20" + s:                                         "label",
		"otpauth://totp/Agency:" + s:                                     "label",
		"otpauth://totp/:ada" + s:                                        "label",
		"otpauth://totp/%3Aada" + s:                                      "label",
		"otpauth://totp/a/b" + s:                                         "label",
		"otpauth://totp/a%zz" + s:                                        "label",
		"otpauth://totp/a%0Ab" + s:                                       "label",
		"otpauth://totp/a%FF" + s:                                        "label",
		"otpauth://totp/a#b" + s:                                         "label",
		"otpauth://totp/ada?":                                            "parameter",
		"otpauth://totp/ada" + s + "&":                                   "parameter",
		"otpauth://totp/ada" + s + "&image=x":                            "parameter",
		"otpauth://totp/ada" + s + "&Digits=6":                           "parameter",
		"otpauth://totp/ada" + s + "&secret=" + rfcSecret:                "parameter",
		"otpauth://totp/ada" + s + "&digits=6&digits=6":                  "parameter",
		"otpauth://totp/ada" + s + "&%64igits=6":                         "parameter",
		"otpauth://totp/ada?issuer=Agency":                               "secret",
		"otpauth://totp/ada?secret":                                      "secret",
		"otpauth://totp/ada?secret=":                                     "secret",
		"otpauth://totp/ada" + s + "#x":                                  "secret",
		"otpauth://totp/ada?secret=M":                                    "secret", // no whole byte
		"otpauth://totp/ada?secret=MF":                                   "secret", // bits left over
		"otpauth://totp/ada?secret=ME======":                             "secret",
		"otpauth://totp/ada?secret=ME%3D%3D%3D%3D%3D%3D":                 "secret",
		"otpauth://totp/ada?secret=GEZD%20GNBV":                          "secret",
		"otpauth://totp/ada?secret=GEZD%0AGNBV":                          "secret",
		"otpauth://totp/ada?secret=GEZD-GNBV":                            "secret",
		"otpauth://totp/ada?secret=GEZD0NBV":                             "secret",
		"otpauth://totp/ada?secret=GEZD1NBV":                             "secret",
		"otpauth://totp/ada?secret=%C5%BFEZDGNBV":                        "secret", // a long s, whose upper case is an S
		"otpauth://totp/ada?secret=" + strings.Repeat("A", 206):          "secret",
		"otpauth://totp/ada" + s + "&issuer=":                            "issuer",
		"otpauth://totp/ada" + s + "&issuer=A+B":                         "issuer",
		"otpauth://totp/ada" + s + "&issuer=A:B":                         "issuer",
		"otpauth://totp/ada" + s + "&issuer=A%3AB":                       "issuer",
		"otpauth://totp/ada" + s + "&issuer=A%00":                        "issuer",
		"otpauth://totp/Agency:ada" + s + "&issuer=Other":                "issuer",
		"otpauth://totp/Agency:ada" + s + "&issuer=agency":               "issuer",
		"otpauth://totp/ada" + s + "&algorithm=sha1":                     "algorithm",
		"otpauth://totp/ada" + s + "&algorithm=MD5":                      "algorithm",
		"otpauth://totp/ada" + s + "&algorithm=":                         "algorithm",
		"otpauth://totp/ada" + s + "&digits=5":                           "digits",
		"otpauth://totp/ada" + s + "&digits=9":                           "digits",
		"otpauth://totp/ada" + s + "&digits=06":                          "digits",
		"otpauth://totp/ada" + s + "&digits=-6":                          "digits",
		"otpauth://totp/ada" + s + "&digits=six":                         "digits",
		"otpauth://totp/ada" + s + "&digits=18446744073709551622":        "digits", // 2^64 + 6
		"otpauth://totp/ada" + s + "&period=0":                           "period",
		"otpauth://totp/ada" + s + "&period=121":                         "period",
		"otpauth://totp/ada" + s + "&period=030":                         "period",
		"otpauth://totp/ada" + s + "&period=30s":                         "period",
		"otpauth://totp/ada" + s + "&period=-30":                         "period",
		"otpauth://totp/ada" + s + "&period=18446744073709551615":        "period",
		"otpauth://hotp/ada" + s + "&counter=1&period=30":                "period",
		"otpauth://hotp/ada" + s:                                         "counter",
		"otpauth://hotp/ada" + s + "&counter=":                           "counter",
		"otpauth://hotp/ada" + s + "&counter=-1":                         "counter",
		"otpauth://hotp/ada" + s + "&counter=01":                         "counter",
		"otpauth://hotp/ada" + s + "&counter=4611686018427387905":        "counter",
		"otpauth://hotp/ada" + s + "&counter=18446744073709551616":       "counter",
		"otpauth://totp/ada" + s + "&counter=0":                          "counter",
		"otpauth://totp/" + strings.Repeat("a", 257) + s:                 "label",
		"otpauth://totp/ada" + s + "&issuer=" + strings.Repeat("a", 257): "issuer",
		"otpauth://totp/" + strings.Repeat("a", 5000) + s:                "length",
	} {
		k, err := otp.ParseKey(civicpin.NewSecret(uri))
		wrong, ok := errors.AsType[*otp.KeyError](err)
		if assert.True(t, ok, uri) {
			assert.Equal(t, part, wrong.Part, uri)
		}
		assert.ErrorIs(t, err, civicpin.ErrInvalid)
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), rfcSecret)
		sameKey(t, otp.Key{}, k)
	}
}

// The longest key that may be can be written and read.
func TestLongestKey(t *testing.T) {
	k := otp.Key{
		Issuer: strings.Repeat("à", 128), Account: strings.Repeat("ü", 128), Seed: civicpin.NewSecret(strings.Repeat("\xff", 128)),
		Algorithm: otp.SHA512, Digits: 8, Counter: 1 << 62,
	}
	back, err := otp.ParseKey(k.URI())
	require.NoError(t, err)
	sameKey(t, k, back)
}

// FuzzParseKey: what is accepted can be written and read again without change; what is refused is of no use and is not quoted.
func FuzzParseKey(f *testing.F) {
	f.Add("otpauth://totp/Agency:ada?secret=" + rfcSecret + "&issuer=Agency&algorithm=SHA256&digits=8&period=60")
	f.Add("otpauth://hotp/Citt%C3%A0:a%20b?secret=" + strings.ToLower(rfcSecret) + "&counter=4611686018427387904")
	f.Add("otpauth://totp/a?secret=" + strings.Repeat("A", 205))
	f.Add("otpauth://totp/" + strings.Repeat("%C3%A0", 128) + "?secret=ME")
	f.Add("OTPAUTH://HOTP/a%3A%20b?counter=0&secret=ME")
	f.Add("otpauth://totp/a?secret=ME&issuer=a+b")
	f.Add("otpauth://totp/a:b:c?secret=ME")
	f.Fuzz(func(t *testing.T, uri string) {
		k, err := otp.ParseKey(civicpin.NewSecret(uri))
		if err != nil {
			wrong, ok := errors.AsType[*otp.KeyError](err)
			require.True(t, ok)
			require.Equal(t, "otp: key: invalid "+wrong.Part, err.Error())
			sameKey(t, otp.Key{}, k)
			return
		}
		require.NotEmpty(t, k.Account)
		require.Contains(t, []otp.Algorithm{otp.SHA1, otp.SHA256, otp.SHA512}, k.Algorithm)
		require.Contains(t, []int{6, 7, 8}, k.Digits)
		require.True(t, k.Period >= 0 && k.Period <= 2*time.Minute && k.Period%time.Second == 0)
		require.False(t, k.Period > 0 && k.Counter > 0)
		n := len(k.Seed.Reveal())
		require.True(t, n > 0 && n <= 128)
		codeAt(k, k.Counter) // can be computed with
		again, err := otp.ParseKey(k.URI())
		require.NoError(t, err)
		sameKey(t, k, again)
		require.Equal(t, k.URI().Reveal(), again.URI().Reveal())
	})
}

// Each default that the documentation names.
func TestKeyDefaults(t *testing.T) {
	totp := newTOTP(t, otp.TOTPPolicy{})
	limits := lockout.Policy{Limit: 5, Lock: lockout.Timed, For: time.Minute, Max: 24 * time.Hour, Reserve: 10}.WithRates()
	assert.Equal(t, otp.TOTPPolicy{
		Name: "totp", Issuer: "Agency", Algorithm: otp.SHA1, Digits: 6, Period: 30 * time.Second, PendingFor: time.Hour, Lockout: limits,
	}, totp.TOTP.Policy())
	assert.Equal(t, 100, otp.GateOf(totp.TOTP).Policy().Ceiling)

	hotp := newHOTP(t, otp.HOTPPolicy{})
	limits.Ceiling = 50
	assert.Equal(t, otp.HOTPPolicy{
		Name: "hotp", Issuer: "Agency", Algorithm: otp.SHA1, Digits: 6, ResyncWindow: 100, PendingFor: time.Hour, Lockout: limits,
	}, hotp.HOTP.Policy())
	assert.Equal(t, 50, otp.GateOf(hotp.HOTP).Policy().Ceiling)
	// How many codes are accepted: TestTOTPWindow, TestTOTPDrift, TestHOTPLookAhead, TestHOTPResync.

	// A configuration read back makes the same service.
	again := newTOTP(t, totp.TOTP.Policy())
	assert.Equal(t, totp.TOTP.Policy(), again.TOTP.Policy())
	onceMore := newHOTP(t, hotp.HOTP.Policy())
	assert.Equal(t, hotp.HOTP.Policy(), onceMore.HOTP.Policy())
	custom := newTOTP(t, otp.TOTPPolicy{Name: "x", Lockout: testkit.Until(3)})
	assert.Equal(t, 3, custom.TOTP.Policy().Lockout.Limit)
}

// refusesChanges makes each change to a valid policy: the policy is refused then, and so is a service made of it. An exception
// excuses nothing but what is easy to guess.
func refusesChanges[P interface{ Validate() error }](
	t *testing.T, valid P, changes map[string]func(*P), makes func(P) error, except func(*P),
) {
	t.Helper()
	require.NoError(t, valid.Validate())
	for name, change := range changes {
		p := valid
		change(&p)
		assert.ErrorIs(t, p.Validate(), otp.ErrInvalidPolicy, name)
		assert.ErrorIs(t, makes(p), otp.ErrInvalidPolicy, name)
		except(&p)
		assert.Equal(t, name == "easy to guess", p.Validate() == nil, name)
	}
}

func TestTOTPConfigRefused(t *testing.T) {
	refusesChanges(t, otp.TOTPPolicy{Issuer: "Agency"}, map[string]func(*otp.TOTPPolicy){
		"no issuer":      func(c *otp.TOTPPolicy) { c.Issuer = "" },
		"colon":          func(c *otp.TOTPPolicy) { c.Issuer = "a:b" },
		"control":        func(c *otp.TOTPPolicy) { c.Issuer = "a\nb" },
		"long issuer":    func(c *otp.TOTPPolicy) { c.Issuer = strings.Repeat("a", 257) },
		"UTF-8":          func(c *otp.TOTPPolicy) { c.Issuer = "a\xff" },
		"name":           func(c *otp.TOTPPolicy) { c.Name = "a b" },
		"slash":          func(c *otp.TOTPPolicy) { c.Name = "a/b" },
		"long name":      func(c *otp.TOTPPolicy) { c.Name = strings.Repeat("a", 41) },
		"algorithm":      func(c *otp.TOTPPolicy) { c.Algorithm = "MD5" },
		"few digits":     func(c *otp.TOTPPolicy) { c.Digits = 5 },
		"many digits":    func(c *otp.TOTPPolicy) { c.Digits = 9 },
		"period":         func(c *otp.TOTPPolicy) { c.Period = 121 * time.Second },
		"minus period":   func(c *otp.TOTPPolicy) { c.Period = -30 * time.Second },
		"part of second": func(c *otp.TOTPPolicy) { c.Period = time.Second + 1 },
		"back":           func(c *otp.TOTPPolicy) { c.Back, c.Digits = 11, 8 },
		"minus back":     func(c *otp.TOTPPolicy) { c.Back = -2 },
		"forward":        func(c *otp.TOTPPolicy) { c.Forward, c.Digits = 11, 8 },
		"minus forward":  func(c *otp.TOTPPolicy) { c.Forward = -2 },
		"drift":          func(c *otp.TOTPPolicy) { c.MaxDrift, c.Digits = 101, 8 },
		"minus drift":    func(c *otp.TOTPPolicy) { c.MaxDrift = -2 },
		"short pending":  func(c *otp.TOTPPolicy) { c.PendingFor = time.Second },
		"minus pending":  func(c *otp.TOTPPolicy) { c.PendingFor = -time.Hour },
		"long pending":   func(c *otp.TOTPPolicy) { c.PendingFor = 31 * 24 * time.Hour },
		"lockout":        func(c *otp.TOTPPolicy) { c.Lockout.Limit = 5 },
		"devices":        func(c *otp.TOTPPolicy) { c.Lockout = testkit.Until(3); c.Lockout.Devices = 2 },
		"ceiling": func(c *otp.TOTPPolicy) {
			c.Lockout = lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked, Ceiling: 101}
		},
		"easy to guess": func(c *otp.TOTPPolicy) { c.Back, c.Forward = 3, 3 },
	}, func(c otp.TOTPPolicy) error {
		return testkit.Err(otp.NewTOTP(newVault(t), c))
	}, func(c *otp.TOTPPolicy) { c.Exceptions = testkit.Except(c.Breaks()) })
}

func TestHOTPConfigRefused(t *testing.T) {
	refusesChanges(t, otp.HOTPPolicy{Issuer: "Agency"}, map[string]func(*otp.HOTPPolicy){
		"no issuer":        func(c *otp.HOTPPolicy) { c.Issuer = "" },
		"name":             func(c *otp.HOTPPolicy) { c.Name = "a b" },
		"algorithm":        func(c *otp.HOTPPolicy) { c.Algorithm = "MD5" },
		"few digits":       func(c *otp.HOTPPolicy) { c.Digits = 5 },
		"look-ahead":       func(c *otp.HOTPPolicy) { c.LookAhead, c.Digits, c.ResyncWindow = 101, 8, 200 },
		"minus look-ahead": func(c *otp.HOTPPolicy) { c.LookAhead = -2 },
		"resync":           func(c *otp.HOTPPolicy) { c.ResyncWindow = 1001 },
		"resync less":      func(c *otp.HOTPPolicy) { c.ResyncWindow = 8 },
		"minus resync":     func(c *otp.HOTPPolicy) { c.ResyncWindow = -1 },
		"pending":          func(c *otp.HOTPPolicy) { c.PendingFor = time.Second },
		"lockout":          func(c *otp.HOTPPolicy) { c.Lockout.Limit = 5 },
		"devices":          func(c *otp.HOTPPolicy) { c.Lockout = testkit.Until(3); c.Lockout.Devices = 2 },
		"easy to guess":    func(c *otp.HOTPPolicy) { c.LookAhead = 10 },
	}, func(c otp.HOTPPolicy) error {
		return testkit.Err(otp.NewHOTP(newVault(t), c))
	}, func(c *otp.HOTPPolicy) { c.Exceptions = testkit.Except(c.Breaks()) })
}

func TestKeyGuessProbability(t *testing.T) {
	assert.InEpsilon(t, 8e-4, otp.TOTPPolicy{}.GuessProbability(), 1e-9)
	assert.InEpsilon(t, 100*2e-6, otp.TOTPPolicy{Back: otp.None, Forward: otp.None, MaxDrift: otp.None}.GuessProbability(), 1e-9)
	assert.InEpsilon(t, 100*6e-8, otp.TOTPPolicy{MaxDrift: otp.None, Digits: 8}.GuessProbability(), 1e-9)
	assert.InEpsilon(t, 100*9e-6, otp.TOTPPolicy{MaxDrift: 100}.GuessProbability(), 1e-9, "two windows and one")
	ten := lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked, Ceiling: 10}
	assert.InEpsilon(t, 8e-5, otp.TOTPPolicy{Lockout: ten}.GuessProbability(), 1e-9)
	assert.InEpsilon(t, 1e-3, otp.HOTPPolicy{}.GuessProbability(), 1e-9)
	assert.InEpsilon(t, 50*2e-6, otp.HOTPPolicy{LookAhead: otp.None}.GuessProbability(), 1e-9)
	assert.InEpsilon(t, 10*20e-8, otp.HOTPPolicy{Digits: 8, Lockout: ten}.GuessProbability(), 1e-9)
	assert.InDelta(t, 1, otp.TOTPPolicy{Back: 1 << 40}.GuessProbability(), 0, "no chance above one")
}

// The chance that GuessProbability states, for one try at a time: so many of all codes are accepted.
func TestKeyGuessProbabilityIsMeasured(t *testing.T) {
	const limit = 100
	many := testkit.Until(limit)
	f := newTOTP(t, otp.TOTPPolicy{Lockout: many})
	key := f.enrolled(t)
	f.clock.Add(100 * step)
	require.NoError(t, otp.SetDrift(t.Context(), f.TOTP, ada, 2))
	pending, err := f.Enrol(t.Context(), ada)
	require.NoError(t, err)
	accepted := map[string]bool{}
	for offset := -20; offset <= 20; offset++ {
		for _, k := range []otp.Key{key, pending} {
			fresh := totpOn(t, copyOf(t, f.memory), otp.TOTPPolicy{Lockout: many}, f.clock, f.events)
			if code := f.shown(k, time.Duration(offset)*step); fresh.verify(t, code) == fobAccepted {
				accepted[code] = true
			}
		}
	}
	assert.InEpsilon(t, f.TOTP.Policy().GuessProbability(), float64(limit*len(accepted))/1e6, 1e-9)
}

// keyPeople are the states that a subject can be in when somebody guesses wrong at them.
var keyPeople = []struct {
	name    string
	prepare func(t *testing.T, f *fob)
}{
	{"unknown", func(*testing.T, *fob) {}},
	{"pending", func(t *testing.T, f *fob) { f.enrol(t) }},
	{"lapsed", func(t *testing.T, f *fob) { f.enrol(t); f.clock.Add(2 * time.Hour) }},
	{"active", func(t *testing.T, f *fob) { f.enrolled(t) }},
	{"active and pending", func(t *testing.T, f *fob) { f.enrolled(t); f.enrol(t) }},
	{"active and lapsed", func(t *testing.T, f *fob) { f.enrolled(t); f.enrol(t); f.clock.Add(2 * time.Hour) }},
	{"removed", func(t *testing.T, f *fob) { f.enrolled(t); require.NoError(t, f.Remove(t.Context(), ada, fobClerk)) }},
	{"removed long ago", func(t *testing.T, f *fob) {
		f.enrolled(t)
		require.NoError(t, f.Remove(t.Context(), ada, fobClerk))
		f.clock.Add(48 * time.Hour)
	}},
	{"drifting", func(t *testing.T, f *fob) {
		key := f.enrolled(t)
		if f.TOTP != nil {
			require.Equal(t, fobAccepted, f.verify(t, f.shown(key, step)))
		}
	}},
	{"guessed at before", func(t *testing.T, f *fob) {
		require.Equal(t, fobRefused, f.verify(t, "000000"))
		require.NoError(t, otp.GateOf(f).Rebind(t.Context(), gateOf(ada), fobClerk))
	}},
}

// TestKeyStrangersLearnNothing shows that whoever does not know a code gets the same answers after the same store calls, and
// the same number of codes computed, whatever the subject is.
func TestKeyStrangersLearnNothing(t *testing.T) {
	guesses := map[string]func(t *testing.T, f *fob) error{
		"verify":  func(t *testing.T, f *fob) error { return f.verifyErr(t, "000000") },
		"nothing": func(t *testing.T, f *fob) error { return f.verifyErr(t, "") },
		"no code": func(t *testing.T, f *fob) error { return f.verifyErr(t, "\x00~"+strings.Repeat("é", 5000)) },
		"until locked": func(t *testing.T, f *fob) error {
			var err error
			for range 7 {
				err = f.verifyErr(t, "000000")
			}
			return err
		},
		"resync": func(t *testing.T, f *fob) error {
			if f.HOTP == nil {
				return nil
			}
			return f.HOTP.Resync(t.Context(), ada, civicpin.NewSecret("000000"), civicpin.NewSecret("111111"), fobSource)
		},
	}
	sorts := map[string]func(t *testing.T) *fob{
		"TOTP": func(t *testing.T) *fob { return newTOTP(t, otp.TOTPPolicy{Digits: 8}) },
		"HOTP": func(t *testing.T) *fob { return newHOTP(t, otp.HOTPPolicy{Digits: 8}) },
	}
	for sort, make := range sorts {
		for guess, do := range guesses {
			t.Run(sort+"/"+guess, func(t *testing.T) {
				first := ""
				for _, p := range keyPeople {
					f := make(t)
					p.prepare(t, f)
					f.clock.Set(start.Add(96 * time.Hour))
					if strings.Contains(p.name, "pending") { // must still be one
						f.clock.Set(start.Add(2 * time.Minute))
					}
					var err error
					calls := testkit.Calls(f.faults, func() { err = do(t, f) })
					got := fmt.Sprintf("%v; %s", err, strings.Join(calls, ", "))
					got = strings.ReplaceAll(got, f.clock.Now().Format("2006-01-02T15:04"), "NOW")
					got = strings.ReplaceAll(got, f.clock.Now().Add(time.Minute).Format("2006-01-02T15:04"), "NOW")
					if first == "" {
						first = got
						t.Log(got)
					}
					assert.Equal(t, first, got, p.name)
				}
			})
		}
		for _, p := range keyPeople {
			f := make(t)
			p.prepare(t, f)
			n, err := otp.Comparisons(t.Context(), f, ada)
			require.ErrorIs(t, err, otp.ErrRefused)
			assert.Equal(t, 2, n, "%s, %s", sort, p.name)
		}
	}
}

// TestKeyNobodyElseLearnsIt walks through good and bad ways with a faulty store, and looks for seeds and codes in every error,
// event, log line and stored byte.
func TestKeyNobodyElseLearnsIt(t *testing.T) {
	w := testkit.NewWitness()
	w.Personal(string(ada))
	clock := newClock()
	totp := totpOn(t, w.Store(), otp.TOTPPolicy{Digits: 8}, clock, w.Events).TOTP
	hotp := hotpOn(t, w.Store(), otp.HOTPPolicy{Digits: 8}, clock, w.Events).HOTP
	ctx := t.Context()
	learn := func(k otp.Key, err error) otp.Key {
		require.NoError(t, err)
		w.Secret(k.Seed.Reveal(), k.Secret().Reveal())
		w.Say(k, k.URI(), k.Secret())
		return k
	}
	code := func(k otp.Key, n uint64) civicpin.Secret {
		text := codeAt(k, n)
		w.Secret(text)
		return civicpin.NewSecret(text)
	}
	now := func() uint64 { return uint64(clock.Now().Unix() / 30) }

	tk := learn(totp.Enrol(ctx, ada))
	hk := learn(hotp.Enrol(ctx, ada))
	require.NoError(t, totp.Verify(ctx, ada, code(tk, now()), fobSource))
	w.Say(totp.Verify(ctx, ada, code(tk, now()), fobSource))
	require.NoError(t, hotp.Verify(ctx, ada, code(hk, 0), fobSource))
	clock.Add(time.Hour)
	for call := 1; call < 8; call++ {
		for _, o := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost} {
			for _, do := range []func() error{
				func() error { return totp.Verify(ctx, ada, code(tk, now()), fobSource) },
				func() error { return totp.Verify(ctx, ada, code(tk, now()-50), fobSource) },
				func() error { return hotp.Verify(ctx, ada, code(hk, uint64(call)), fobSource) },
				func() error { return hotp.Resync(ctx, ada, code(hk, 500), code(hk, 501), fobSource) },
			} {
				w.Faults.FailAt(call, o)
				w.Say(do())
			}
			w.Faults.Reset()
			clock.Add(time.Hour)
		}
	}
	learn(totp.Enrol(ctx, ada))
	w.Say(totp.Import(ctx, ada, tk, fobClerk), totp.Import(ctx, ada, otp.Key{Seed: tk.Seed}, fobClerk))
	st, err := totp.Enrolled(ctx, ada)
	require.NoError(t, err)
	w.Say(st, totp.Policy(), totp, hotp)
	w.Say(testkit.Err(otp.ParseKey(civicpin.NewSecret(tk.URI().Reveal() + "&x=" + tk.Secret().Reveal()))))
	learn(totp.Rebind(ctx, ada, inPerson))
	w.Say(totp.Remove(ctx, ada, fobClerk))
	w.LeaksNothing(t, "otp.activated", "otp.verified", "otp.refused", "otp.enrolled", "otp.removed")
}

// Under the seal the seed is there, and only there: what the vault protects is what there is to protect.
func TestKeySeedsAreSealed(t *testing.T) {
	f := newTOTP(t, otp.TOTPPolicy{})
	f.enrolled(t)
	plain := func() string {
		text, err := otp.PlainKeys(t.Context(), f.TOTP)
		require.NoError(t, err)
		return text
	}
	require.Contains(t, plain(), `"seed":"`)
	second := f.enrol(t)
	require.Equal(t, fobAccepted, f.verify(t, f.shown(second, 0)))
	require.Equal(t, 1, strings.Count(plain(), `"seed":"`), "nothing is left of a displaced key")
	require.NoError(t, f.Remove(t.Context(), ada, fobClerk))
	require.NotContains(t, plain(), "seed", "nothing is left of a removed key")
}

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
	assert.Equal(t, 30, compared, "and ten each for a login and a device")
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

// only is a policy that disables after one failure.
var only = lockout.Policy{Limit: 1, Lock: lockout.UntilUnlocked, Ceiling: 1}

// TestLimitsOfPolicies takes as much as each limit allows, and refuses one more. TestCodePolicyValidate, TestTOTPConfigRefused
// and others try what is not at a limit.
func TestLimitsOfPolicies(t *testing.T) {
	own := func(n int) (list []civicpin.Channel) {
		for i := range n {
			list = append(list, civicpin.Channel(fmt.Sprint("own-", i)))
		}
		return list
	}
	sms := func(change func(*otp.CodePolicy)) func() error {
		p := otp.SMS()
		change(&p)
		return p.Validate
	}
	totp := func(p otp.TOTPPolicy) func() error {
		p.Issuer, p.Digits = "Agency", max(8, p.Digits)
		p.Exceptions = testkit.Except(p.Breaks())
		return p.Validate
	}
	hotp := func(p otp.HOTPPolicy) func() error {
		p.Issuer, p.Digits = "Agency", 8
		p.Exceptions = testkit.Except(p.Breaks())
		return p.Validate
	}
	for name, tc := range map[string]struct{ most, more func() error }{
		"CodePolicy.Channels": {
			sms(func(p *otp.CodePolicy) { p.Channels, p.OwnChannels = own(16), own(16) }),
			sms(func(p *otp.CodePolicy) { p.Channels, p.OwnChannels = slices.Concat(own(16), p.Channels[:1]), own(16) }),
		},
		"CodePolicy.Decoys": {
			sms(func(p *otp.CodePolicy) { p.Decoys = slices.Repeat([]civicpin.Contact{bySMS}, 16) }),
			sms(func(p *otp.CodePolicy) { p.Decoys = slices.Repeat([]civicpin.Contact{bySMS}, 17) }),
		},
		"CodePolicy.Tries": {
			sms(func(p *otp.CodePolicy) { p.Lockout, p.Tries = only, 1 }),
			sms(func(p *otp.CodePolicy) { p.Lockout, p.Tries = only, 2 }),
		},
		"CodePolicy.MaxPending": {
			sms(func(p *otp.CodePolicy) { p.MaxPending = 1 }),
			sms(func(p *otp.CodePolicy) { p.MaxPending = -1 }),
		},
		"TOTPPolicy.Back":     {totp(otp.TOTPPolicy{Back: 10}), totp(otp.TOTPPolicy{Back: 11})},
		"TOTPPolicy.Forward":  {totp(otp.TOTPPolicy{Forward: 10}), totp(otp.TOTPPolicy{Forward: 11})},
		"TOTPPolicy.MaxDrift": {totp(otp.TOTPPolicy{MaxDrift: 100}), totp(otp.TOTPPolicy{MaxDrift: 101})},
		"TOTPPolicy.Digits":   {totp(otp.TOTPPolicy{Digits: 8}), totp(otp.TOTPPolicy{Digits: 9})},
		"TOTPPolicy.Period":   {totp(otp.TOTPPolicy{Period: time.Second}), totp(otp.TOTPPolicy{Period: 1})},
		"TOTPPolicy.Name":     {totp(otp.TOTPPolicy{Name: strings.Repeat("n", 40)}), totp(otp.TOTPPolicy{Name: strings.Repeat("n", 41)})},
		"HOTPPolicy.LookAhead": {
			hotp(otp.HOTPPolicy{LookAhead: 100, ResyncWindow: 100}), hotp(otp.HOTPPolicy{LookAhead: 101, ResyncWindow: 101}),
		},
		"HOTPPolicy.ResyncWindow": {
			hotp(otp.HOTPPolicy{LookAhead: 20, ResyncWindow: 1000}), hotp(otp.HOTPPolicy{LookAhead: 20, ResyncWindow: 1001}),
		},
		"HOTPPolicy.ResyncWindow, below": {
			hotp(otp.HOTPPolicy{LookAhead: 20, ResyncWindow: 20}), hotp(otp.HOTPPolicy{LookAhead: 20, ResyncWindow: 19}),
		},
		"PendingFor": {
			hotp(otp.HOTPPolicy{PendingFor: 30 * 24 * time.Hour}), hotp(otp.HOTPPolicy{PendingFor: 30*24*time.Hour + 1}),
		},
		"PendingFor, below": {hotp(otp.HOTPPolicy{PendingFor: time.Minute}), hotp(otp.HOTPPolicy{PendingFor: 1})},
	} {
		assert.NoError(t, tc.most(), name)
		assert.ErrorIs(t, tc.more(), otp.ErrInvalidPolicy, name)
	}
	long := otp.TOTPPolicy{Issuer: strings.Repeat("a", 256)}
	require.NoError(t, long.Validate())
	long.Digits = 1
	require.ErrorIs(t, long.Validate(), otp.ErrInvalidPolicy, "one digit is not the default")
}

// TestSmallestOfEach gives each field with a default its least value, which is not taken for none.
func TestSmallestOfEach(t *testing.T) {
	small := sms()
	small.MaxPending, small.Lockout, small.Tries, small.Sends = 1, only, 1, civicpin.Rate{Limit: 1, Window: time.Hour}
	require.Equal(t, small, newCodeKit(t, small).Policy())
	alone, _ := small.GuessProbability()
	require.InEpsilon(t, 1e-6, alone, 1e-9)
	require.Len(t, issuedBy(t, otp.BackupPolicy{Name: "paper", Count: 1}), 1)

	narrow := otp.HOTPPolicy{Issuer: "Agency", LookAhead: 1, ResyncWindow: 1, Lockout: only}
	policy := newHOTP(t, narrow).HOTP.Policy()
	require.Equal(t, []int{1, 1}, []int{policy.ResyncWindow, policy.Lockout.Ceiling})
	require.InEpsilon(t, 4e-6, policy.GuessProbability(), 1e-9)
	f := newTOTP(t, otp.TOTPPolicy{MaxDrift: 1})
	key := f.enrol(t)
	for ahead := range 3 { // the second window is one step ahead of the first
		require.Equal(t, fobAccepted, f.verify(t, f.shown(key, time.Duration(ahead)*step)), ahead)
	}
	require.InEpsilon(t, 7e-6, otp.TOTPPolicy{MaxDrift: 1, Back: 2, Forward: otp.None, Lockout: only}.GuessProbability(), 1e-9)
}

// issuedBy issues a set to Ana.
func issuedBy(t *testing.T, p otp.BackupPolicy) []civicpin.Secret {
	t.Helper()
	set, err := newBackupKitOf(t, p).Issue(t.Context(), ana, civicpin.Citizen)
	require.NoError(t, err)
	return set
}

// TestLettersOfURIs: each end of a range of signs that a URI writes as they are, or a seed has.
func TestLettersOfURIs(t *testing.T) {
	const plain = "azAZ09-._~@"
	uri := testURI(func(k *otp.Key) { k.Account = plain })
	require.Contains(t, uri, ":"+plain+"?")
	for _, seed := range []string{"AZ27AZ27", "az27az27"} {
		k, err := otp.ParseKey(civicpin.NewSecret("otpauth://totp/ada?secret=" + seed))
		require.NoError(t, err)
		require.Equal(t, strings.ToUpper(seed), k.Secret().Reveal())
	}
}
