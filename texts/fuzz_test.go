package texts_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

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
