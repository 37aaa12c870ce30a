package texts_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/texts"
)

// Whatever a caller or a record puts into a message, a text for a telephone or an app has no link and fits one text message,
// and an error does not show the secret.
func FuzzRender(f *testing.F) {
	f.Add("INPS", "K7PX2MQA", "it-IT", "2026-12-03T14:05:00Z", 1, 2, int64(1796303159))
	f.Add("Administración", "http www", "es", "www.example.org", 0, 0, int64(0))
	f.Add("a.b", "HTTPWWW2", "en", "://", 1, 1, int64(-1))
	f.Add("{code}[{time}", "1234-5678 90", "xx", "", 9, 9, int64(253402300799))
	f.Fuzz(func(t *testing.T, name, secret, locale, until string, part, parts int, expires int64) {
		w, err := texts.New(texts.Service{Name: name, LongName: name + " " + until, Help: until})
		if err != nil {
			if w, err = texts.New(texts.Service{Name: "INPS"}); err != nil {
				t.Fatal(err)
			}
		}
		for _, kind := range kinds {
			for _, to := range contacts {
				to.Locale = locale
				m := civicpin.Message{Kind: kind, To: to, Part: part, Parts: parts, Params: map[string]string{
					"until": until, "act": until, "link": "https://example.org", "name": secret,
				}}
				if kind == texts.PINPart || kind == texts.OTPCode {
					m.Secret, m.Expires = civicpin.NewSecret(secret), time.Unix(expires, 0)
				}
				text, err := w.Render(m)
				if err != nil {
					if len(secret) > 12 && strings.Contains(err.Error(), secret) {
						t.Fatalf("%v shows the secret", err)
					}
					if !errors.Is(err, civicpin.ErrInvalid) && !errors.Is(err, texts.ErrLink) {
						t.Fatalf("%v is of no documented kind", err)
					}
					continue
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
