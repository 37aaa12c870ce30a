package texts_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/texts"
)

func TestNotifier(t *testing.T) {
	busy := errors.New("try later")
	var gotID string
	var gotTo civicpin.Contact
	var got texts.Text
	calls := 0
	n := writer(t, inps).Notifier(func(_ context.Context, id string, to civicpin.Contact, text texts.Text) (string, error) {
		gotID, gotTo, got = id, to, text
		if calls++; calls > 1 {
			return "", busy
		}
		return "r-1", nil
	})

	m := message(pin.PartMessage, contacts[0], "it")
	receipt, err := n.Notify(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, "r-1", receipt)
	require.Equal(t, m.ID, gotID)
	require.Equal(t, m.To, gotTo)
	require.Contains(t, got.Body.Reveal(), "K7PX 2MQA")

	_, err = n.Notify(t.Context(), m)
	require.ErrorIs(t, err, busy)
	require.NotErrorIs(t, err, civicpin.ErrUndeliverable, "the sender's error stays passing")

	m.Kind = "pin.unheard"
	_, err = n.Notify(t.Context(), m)
	require.ErrorIs(t, err, civicpin.ErrUndeliverable)
	_, ok := errors.AsType[*texts.UnknownKindError](err)
	require.True(t, ok)
	require.Equal(t, 2, calls, "what cannot be worded is not sent")
}

// What Check lets pass is sent, and what it refuses is not: it says of a sample, without an address, what Notify says of the
// message.
func TestCheckSaysWhatNotifySays(t *testing.T) {
	w := writer(t, inps)
	n := w.Notifier(func(context.Context, string, civicpin.Contact, texts.Text) (string, error) { return "", nil })
	checker, ok := n.(civicpin.Checker)
	require.True(t, ok)
	long := strings.Repeat("W", 25)
	for name, change := range map[string]func(m *civicpin.Message){
		"nothing":      func(*civicpin.Message) {},
		"unknown kind": func(m *civicpin.Message) { m.Kind = "pin.unheard" },
		"no secret":    func(m *civicpin.Message) { m.Secret = civicpin.Secret{} },
		"no link":      func(m *civicpin.Message) { m.Link = civicpin.Secret{} },
		"neither":      func(m *civicpin.Message) { m.Secret, m.Link = civicpin.Secret{}, civicpin.Secret{} },
		"long secret":  func(m *civicpin.Message) { m.Secret = civicpin.NewSecret(long) },
		"long act":     func(m *civicpin.Message) { m.Params = map[string]string{"act": strings.Repeat("a", 33)} },
		"linked act":   func(m *civicpin.Message) { m.Params = map[string]string{"act": "inps-rimborsi…it/x"} },
		"an amount":    func(m *civicpin.Message) { m.Params = map[string]string{"act": "pagar 1.250,00 euros"} },
		"a bad time":   func(m *civicpin.Message) { m.Params = map[string]string{"until": "soon"} },
		"no channel":   func(m *civicpin.Message) { m.To.Channel = "" },
		"bad address":  func(m *civicpin.Message) { m.To.Address = "\x00" },
	} {
		t.Run(name, func(t *testing.T) {
			refused := 0
			each(t, func(t *testing.T, m civicpin.Message) {
				change(&m)
				_, notified := n.Notify(t.Context(), m)
				sample := m
				if name != "bad address" {
					sample.To.Address = ""
				}
				for _, err := range []error{checker.Check(m), checker.Check(sample), w.Check(sample)} {
					if notified == nil {
						require.NoError(t, err)
						continue
					}
					refused++
					require.ErrorIs(t, err, civicpin.ErrUndeliverable)
					require.Equal(t, notified.Error(), err.Error())
					require.NotContains(t, err.Error(), long)
				}
			})
			require.Equal(t, name == "nothing" || name == "an amount" || name == "no link", refused == 0)
		})
	}
}

// longZone is a place with long names of its zones, in which the clocks go back by an hour at a time: an English text still
// fits there, and a Spanish one does not.
func longZone(t *testing.T, at time.Time) *time.Location {
	t.Helper()
	names := "OUR-SUMMERS\x00OUR-WINTERS\x00"
	var b bytes.Buffer // RFC 8536 3: version 1, one transition from the first type to the second
	b.WriteString("TZif" + strings.Repeat("\x00", 16))
	for _, v := range []any{
		[]uint32{0, 0, 0, 1, 2, uint32(len(names))},
		uint32(at.Unix()), uint8(1),
		int32(7200), uint8(1), uint8(0), int32(3600), uint8(0), uint8(12),
	} {
		require.NoError(t, binary.Write(&b, binary.BigEndian, v))
	}
	b.WriteString(names)
	l, err := time.LoadLocationFromTZData("Somewhere", b.Bytes())
	require.NoError(t, err)
	return l
}

// A sample without a locale asks for every language, one with a locale for the language of its texts.
func TestCheckAsksForEveryLanguage(t *testing.T) {
	m := message(contact.ProofMessage, civicpin.Contact{Channel: civicpin.SMS}, "")
	m.Link, m.Secret = civicpin.Secret{}, civicpin.NewSecret(strings.Repeat("W", 24))
	m.ExpiresAt = time.Date(2026, time.September, 30, 20, 0, 0, 0, time.UTC)
	w := writer(t, texts.Service{Name: "€€€€€€€€€€", Location: longZone(t, m.ExpiresAt)})
	for locale, refused := range map[string]bool{"": true, "es": true, "es-EC": true, "en": false, "fr": false} {
		m.To.Locale = locale
		if err := w.Check(m); refused {
			require.ErrorIs(t, err, civicpin.ErrUndeliverable, locale)
			require.ErrorContains(t, err, "does not fit", locale)
		} else {
			require.NoError(t, err, locale)
		}
	}
}

// without returns the service without its page.
func without(s texts.Service) texts.Service {
	s.Page = ""
	return s
}

func TestPages(t *testing.T) {
	for _, p := range []string{
		"",
		page,
		"https://portal.example",
		"https://portal.example/",
		"https://portal.example:8443/a/b.html",
		"https://10.0.0.1/r",
		"https://xn--pensin-1za.example/recuperaci%C3%B3n",
		"http://localhost:8080/recover",
		"http://127.0.0.1/recover",
		"https://portal.example/" + strings.Repeat("r", 177), // 200 bytes
	} {
		s := inps
		s.Page = p
		_, err := texts.New(s)
		require.NoError(t, err, p)
	}
	for name, p := range map[string]string{
		"not https":                 "http://portal.example/recover",
		"like localhost":            "http://localhost.example/recover",
		"another scheme":            "javascript://portal.example/recover",
		"upper case scheme":         "HTTPS://portal.example/recover",
		"no scheme":                 "portal.example/recover",
		"no scheme but slashes":     "//portal.example/recover",
		"one slash":                 "https:/portal.example",
		"opaque":                    "https:portal.example",
		"a path":                    "/recover",
		"no host":                   "https:///recover",
		"only a port":               "https://:443/recover",
		"a port without its number": "https://portal.example:/recover",
		"a port that is none":       "https://portal.example:http/recover",
		"user":                      "https://me@portal.example/recover",
		"user and password":         "https://me:pw@portal.example/recover",
		"query":                     "https://portal.example/recover?a=b",
		"empty query":               "https://portal.example/recover?",
		"fragment":                  "https://portal.example/recover#a",
		"empty fragment":            "https://portal.example/recover#",
		"empty label":               "https://portal..example/recover",
		"dot behind the host":       "https://portal.example./recover",
		"hyphen before the host":    "https://-portal.example/recover",
		"escaped host":              "https://portal%2eexample/recover",
		"broken escape":             "https://portal.example/%zz",
		"blank":                     "https://portal.example/re cover",
		"line's end":                "https://portal.example/recover\n",
		"two lines":                 "https://portal.example/\r\nBcc: x",
		"accent":                    "https://portal.example/recuperación",
		"cyrillic host":             "https://pоrtal.example/recover",
		"angle":                     "https://portal.example/<b>",
		"quote":                     `https://portal.example/"`,
		"backslash":                 `https://portal.example\@evil.example/`,
		"bracket":                   "https://portal.example/(recover)",
		"IPv6":                      "https://[::1]/recover",
		"a pattern's name":          "https://portal.example/{code}",
		"too long":                  "https://portal.example/" + strings.Repeat("r", 178),
	} {
		s := inps
		s.Page = p
		_, err := texts.New(s)
		require.ErrorIs(t, err, civicpin.ErrInvalid, "%s: %s", name, p)
	}
}

// What of a link and a code is told, by kind and channel.
func TestWhatIsTold(t *testing.T) {
	with, bare := writer(t, inps), writer(t, without(inps))
	for _, kind := range slices.Concat(steps, notices) {
		step := slices.Contains(steps, kind)
		for _, locale := range locales {
			for _, to := range contacts {
				for _, tt := range []struct {
					w          *texts.Writer
					link, code bool
				}{{with, true, true}, {with, true, false}, {with, false, true}, {with, false, false}, {bare, true, true}, {bare, true, false}} {
					m := message(kind, to, locale)
					if !tt.link {
						m.Link = civicpin.Secret{}
					}
					if !tt.code || !step {
						m.Secret = civicpin.Secret{}
					}
					toldLink := tt.link && tt.w == with && isMail(to.Channel)
					text, err := tt.w.Render(m)
					if step && !tt.code && !toldLink {
						require.ErrorIs(t, err, civicpin.ErrInvalid, "%s, %s, %+v", kind, to.Channel, tt)
						require.NotContains(t, err.Error(), token)
						require.Zero(t, text.Subject)
						continue
					}
					require.NoError(t, err, "%s, %s, %+v", kind, to.Channel, tt)
					body := text.Body.Reveal()
					require.Equal(t, toldLink, strings.Contains(body, token), body)
					require.Equal(t, toldLink, strings.Contains(body, "portal"), body)
					require.Equal(t, step && tt.code, strings.Contains(body, "K7PX 2MQA") || strings.Contains(body, "K, 7, P, X. "), body)
					require.NotContains(t, body, "{")
					require.NotContains(t, body, "[")
					require.NotContains(t, body, "..")
					require.NotContains(t, text.Subject, token)
				}
			}
		}
	}
}

func TestLinksThatAreRefused(t *testing.T) {
	w, bare := writer(t, inps), writer(t, without(inps))
	for _, to := range contacts {
		for _, bad := range []string{
			"a b", "a/b", "a?b", "a#b", "a%20b", "a\nb", "tokén", "<a>", "a\x00", "\xff", "{code}", strings.Repeat("a", 257),
			"https://portal.example/recover#abc",
		} {
			for _, kind := range slices.Concat(steps, notices) {
				m := message(kind, to, "en")
				m.Link = civicpin.NewSecret(bad)
				for _, w := range []*texts.Writer{w, bare} { // bad input is bad whether it is told or not
					text, err := w.Render(m)
					require.ErrorIs(t, err, civicpin.ErrInvalid, "%q", bad)
					require.NotContains(t, err.Error(), bad)
					require.True(t, text.Body.IsZero())
				}
			}
		}
		for _, kind := range kinds {
			m := message(kind, to, "it")
			if !m.Link.IsZero() {
				m.Link = civicpin.NewSecret(strings.Repeat("~", 256))
				render(t, w, m)
				continue
			}
			m.Link = civicpin.NewSecret(token) // one that carries none
			_, err := w.Render(m)
			require.ErrorIs(t, err, civicpin.ErrInvalid, kind)
			require.NotContains(t, err.Error(), token)
		}
		for _, kind := range notices {
			m := message(kind, to, "es")
			m.Secret = civicpin.NewSecret(code)
			_, err := w.Render(m)
			require.ErrorIs(t, err, civicpin.ErrInvalid, kind)
			require.ErrorContains(t, err, "carries no secret")
			require.NotContains(t, err.Error(), code)
		}
		for _, bad := range []string{"", " - ", strings.Repeat("A", 25), "K7PÈ", token} {
			m := message(recovery.CodeMessage, to, "en")
			m.Secret = civicpin.NewSecret(bad)
			_, err := w.Render(m)
			require.ErrorIs(t, err, civicpin.ErrInvalid, bad)
			if m = message(recovery.LinkMessage, to, "en"); bad != "" { // a link beside it does not make a bad code good
				m.Secret = civicpin.NewSecret(bad)
				_, err = w.Render(m)
				require.ErrorIs(t, err, civicpin.ErrInvalid, bad)
			}
		}
		for _, bad := range []string{"Added", "added ", "https://x.example", code} {
			m := message(contact.NoticeChanged, to, "en")
			m.Params["change"] = bad
			_, err := w.Render(m)
			require.ErrorIs(t, err, civicpin.ErrInvalid, bad)
			require.NotContains(t, err.Error(), bad)
		}
		m := message(recovery.NoticeWaiting, to, "en")
		m.Params["until"] = "tomorrow"
		_, err := w.Render(m)
		require.ErrorIs(t, err, civicpin.ErrInvalid)
	}
}

// A notice that a recovery waits tells when it goes ahead, and until when its link works, which may be later.
func TestWaiting(t *testing.T) {
	w := writer(t, inps)
	for _, locale := range locales {
		for _, to := range contacts {
			m := message(recovery.NoticeWaiting, to, locale)
			body := render(t, w, m).Body.Reveal()
			require.Equal(t, 1, strings.Count(body, "14:05"), body)
			require.Equal(t, isMail(to.Channel), strings.Contains(body, "15:35"), body)
			m.Params = nil
			body = render(t, w, m).Body.Reveal()
			require.NotContains(t, body, "14:05")
			require.Equal(t, isMail(to.Channel), strings.Contains(body, "15:35"), body)
			m.ExpiresAt = time.Time{}
			require.NotContains(t, render(t, w, m).Body.Reveal(), ":35")
			m.ExpiresAt = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
			_, err := w.Render(m)
			require.ErrorIs(t, err, civicpin.ErrInvalid)
		}
	}
}

func TestChanges(t *testing.T) {
	w := writer(t, inps)
	for _, locale := range locales {
		for _, to := range contacts {
			seen := map[string]bool{}
			for _, change := range []string{"", "added", "changed", "removed", "primary", "settling"} {
				m := message(contact.NoticeChanged, to, locale)
				m.Params["change"] = change
				seen[render(t, w, m).Body.Reveal()] = true
			}
			require.Len(t, seen, 6, "%s, %s", locale, to.Channel)
		}
	}
}

// A short code stands in one piece, for telephones that offer to fill it in; a longer one in groups.
func TestCodesOfRecoveries(t *testing.T) {
	w := writer(t, inps)
	for _, kind := range slices.Concat(steps, []civicpin.MessageKind{recovery.CodeMessage}) {
		for secret, want := range map[string]string{"123456": ": 123456\n", "123-456": ": 123456\n", "K7PX2MQ": ": K7PX 2MQ\n"} {
			m := message(kind, contacts[0], "en")
			m.Secret = civicpin.NewSecret(secret)
			require.Contains(t, render(t, w, m).Body.Reveal(), want)
		}
	}
	m := message(pin.PartMessage, contacts[0], "en") // nothing fills these in
	m.Secret = civicpin.NewSecret("123456")
	require.Contains(t, render(t, w, m).Body.Reveal(), ": 1234 56\n")
}

// FuzzPage: whatever page New takes, the link in the e-mail is one address with the page's host and the token as its fragment.
func FuzzPage(f *testing.F) {
	f.Add(page, token)
	f.Add("https://portal.example", "a")
	f.Add("http://localhost:80/%41", "-._~")
	f.Add("https://me@portal.example\\@evil.example/?#", "%2e")
	f.Fuzz(func(t *testing.T, page, token string) {
		s := inps
		s.Page = page
		w, err := texts.New(s)
		if err != nil {
			require.ErrorIs(t, err, civicpin.ErrInvalid)
			return
		}
		m := message(recovery.LinkMessage, contacts[3], "en")
		m.Link = civicpin.NewSecret(token)
		text, err := w.Render(m)
		if err != nil {
			require.ErrorIs(t, err, civicpin.ErrInvalid)
			if len(token) > 8 {
				require.NotContains(t, err.Error(), token)
			}
			return
		}
		var links []string
		for l := range strings.Lines(text.Body.Reveal()) {
			if strings.Contains(l, "#") {
				links = append(links, strings.TrimSuffix(l, "\n"))
			}
		}
		if page == "" || token == "" {
			require.Empty(t, links)
			return
		}
		require.Equal(t, []string{page + "#" + token}, links)
		require.LessOrEqual(t, len(links[0]), 998) // RFC 5322 2.1.1
		u, err := url.Parse(links[0])
		require.NoError(t, err)
		require.Equal(t, token, u.Fragment)
		require.Nil(t, u.User)
		require.Empty(t, u.RawQuery)
		require.NotEmpty(t, u.Hostname())
		require.True(t, u.Scheme == "https" || u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1", page)
		require.Contains(t, strings.ReplaceAll(text.Body.Reveal(), "\n", " "), " "+u.Scheme+"://"+u.Host+"/ ")
	})
}

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
		for _, change := range []string{"", "added", "changed", "removed", "primary", "settling"} {
			words := texts.Change(locale, change)
			require.NotEmpty(t, words)
			encode(t, words)
		}
	}
}
