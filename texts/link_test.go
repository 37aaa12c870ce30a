package texts_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/texts"
)

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
			for _, change := range []string{"", "added", "changed", "removed", "primary"} {
				m := message(contact.NoticeChanged, to, locale)
				m.Params["change"] = change
				seen[render(t, w, m).Body.Reveal()] = true
			}
			require.Len(t, seen, 5, "%s, %s", locale, to.Channel)
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
