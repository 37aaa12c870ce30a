package texts_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/texts"
)

// Whatever a caller or a record puts into a message, a text for a telephone or an app has no link and fits one text message,
// an error does not show the secrets, and the link's token is nowhere but in the body of an e-mail.
func FuzzRender(f *testing.F) {
	f.Add("INPS", "K7PX2MQA", token, "it-IT", "2026-12-03T14:05:00Z", 1, 2, int64(1796303159))
	f.Add("Administración", "http www", "", "es", "www.example.org", 0, 0, int64(0))
	f.Add("a.b", "HTTPWWW2", "www.example.org", "en", "://", 1, 1, int64(-1))
	f.Add("{code}[{time}", "1234-5678 90", "{if link}", "xx", "", 9, 9, int64(253402300799))
	f.Add("INPS", "", "https", "en", "removed", 0, 0, int64(1796303159))
	f.Fuzz(func(t *testing.T, name, secret, link, locale, until string, part, parts int, expires int64) {
		w, err := texts.New(texts.Service{Name: name, LongName: name + " " + until, Help: until, Page: page})
		if err != nil {
			if w, err = texts.New(inps); err != nil {
				t.Fatal(err)
			}
		}
		for _, kind := range kinds {
			for _, to := range contacts {
				to.Locale = locale
				m := civicpin.Message{Kind: kind, To: to, Part: part, Parts: parts, Params: map[string]string{
					"until": until, "act": until, "change": until, "link": "https://example.org", "name": secret,
				}}
				m.ExpiresAt = time.Unix(expires, 0)
				if hasCode(kind) {
					m.Secret = civicpin.NewSecret(secret)
				}
				if slices.Contains(steps, kind) || slices.Contains(notices, kind) {
					m.Link = civicpin.NewSecret(link)
				}
				text, err := w.Render(m)
				if err != nil {
					for _, s := range []string{secret, link} {
						if len(s) > 12 && strings.Contains(err.Error(), s) {
							t.Fatalf("%v shows the secret", err)
						}
					}
					if !errors.Is(err, civicpin.ErrInvalid) && !errors.Is(err, texts.ErrContainsLink) {
						t.Fatalf("%v is of no documented kind", err)
					}
					continue
				}
				m.Link = civicpin.Secret{}
				plain, err := w.Render(m)
				switch told := isMail(to.Channel) && link != ""; {
				case err == nil && plain.Subject != text.Subject:
					t.Fatalf("a link makes %q of %q", text.Subject, plain.Subject)
				case !isMail(to.Channel) && (err != nil || !plain.Body.Equal(text.Body)):
					t.Fatalf("a link that is not told makes %q of %q, %v", text.Body.Reveal(), plain.Body.Reveal(), err)
				case told && (slices.Contains(steps, kind) || slices.Contains(notices, kind)) &&
					strings.Count(text.Body.Reveal(), "\n"+page+"#"+link+"\n") != 1:
					t.Fatalf("%q does not have the link once", text.Body.Reveal())
				}
				body := text.Body.Reveal()
				if !utf8.ValidString(body) || body == "" {
					t.Fatalf("%q", body)
				}
				switch to.Channel {
				case civicpin.SMS, civicpin.Voice, civicpin.Push, "kiosk":
					for _, link := range []string{"http", "www", "://"} {
						if strings.Contains(body+text.Subject, link) {
							t.Fatalf("%q has a link", body)
						}
					}
				}
				if to.Channel == civicpin.SMS && len(pack(encode(t, body))) > 140 {
					t.Fatalf("%q is more than one text message", body)
				}
			}
		}
	})
}

// gsm7 is 3GPP TS 23.038 6.2.1 as the standard prints it, by code, written down apart from the package's own table. Code
// 0x1B is the escape.
var gsm7 = [128]rune{
	'@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å',
	'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', 0x1b, 'Æ', 'æ', 'ß', 'É',
	' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
	'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
	'¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
	'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§',
	'¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
	'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
}

// gsm7Extension is 6.2.1.1: what follows the escape.
var gsm7Extension = map[rune]byte{
	'\f': 0x0a, '^': 0x14, '{': 0x28, '}': 0x29, '\\': 0x2f, '[': 0x3c, '~': 0x3d, ']': 0x3e, '|': 0x40, '€': 0x65,
}

// encode returns the septets of s, as a gateway would make them.
func encode(t testing.TB, s string) []byte {
	t.Helper()
	codes := map[rune]byte{}
	for code, c := range gsm7 {
		if code != 0x1b {
			codes[c] = byte(code)
		}
	}
	require.Len(t, codes, 127)
	var out []byte
	for _, c := range s {
		if code, ok := codes[c]; ok {
			out = append(out, code)
		} else if code, ok := gsm7Extension[c]; ok {
			out = append(out, 0x1b, code)
		} else {
			require.Failf(t, "not in the GSM 7-bit alphabet", "%q in %q", c, s)
		}
	}
	return out
}

// pack puts septets into octets: a text message has 140 of those (3GPP TS 23.040 9.2.3.24).
func pack(septets []byte) []byte {
	var out []byte
	var bits, held uint
	for _, s := range septets {
		bits |= uint(s) << held
		for held += 7; held >= 8; held -= 8 {
			out = append(out, byte(bits))
			bits >>= 8
		}
	}
	if held > 0 {
		out = append(out, byte(bits))
	}
	return out
}

func TestPack(t *testing.T) {
	// The packing of "hello" that every description of the format shows.
	require.Equal(t, []byte{0xe8, 0x32, 0x9b, 0xfd, 0x06}, pack(encode(t, "hello")))
}

func TestGSM(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		ok       bool
	}{
		{"INPS", "INPS", true},
		{"Administración", "Administracion", true},
		{"Previdenza è qui àéìòù", "Previdenza è qui àéìòù", true},
		{"È Á Í Ó Ú ú í", "E A I O U u i", true},
		{"Señor Ñ ü ¿¡", "Señor Ñ ü ¿¡", true},
		{"l’ente – «X»", "l'ente - \"X\"", true},
		{"a{b}€", "a{b}€", true},
		{"Łódź", "Lodź", false},
		{"Пенсия", "Пенсия", false},
		{"e\u0301 o\u0301 n\u0303 C\u0327", "é o ñ Ç", true},
		{"x\u0301", "x\u0301", false},
		{"\x1b", "\x1b", false},
	} {
		got, ok := texts.GSM(tt.in)
		require.Equal(t, tt.ok, ok, tt.in)
		require.Equal(t, tt.want, got, tt.in)
		if ok {
			encode(t, got)
		}
	}
	for code, c := range gsm7 {
		if code != 0x1b {
			got, ok := texts.GSM(string(c))
			require.True(t, ok, "%q", c)
			require.Equal(t, string(c), got)
		}
	}
}

// The texts themselves need no accent left out; only a service's name may.
func TestShortPatternsAreInTheAlphabet(t *testing.T) {
	for _, locale := range locales {
		for _, kind := range kinds {
			for parts := range 3 {
				pattern := texts.ShortPattern(locale, kind, parts)
				require.NotEmpty(t, pattern)
				encode(t, pattern)
			}
		}
		for _, change := range []string{"", "added", "changed", "removed", "primary"} {
			words := texts.Change(locale, change)
			require.NotEmpty(t, words)
			encode(t, words)
		}
	}
}
