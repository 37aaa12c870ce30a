package otp_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/otp"
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
