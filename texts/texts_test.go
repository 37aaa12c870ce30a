package texts_test

import (
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/texts"
)

var (
	// steps carry a link, a code, or both; notices may carry a link.
	steps   = []civicpin.MessageKind{recovery.LinkMessage, recovery.ActivateMessage, recovery.UnlockMessage, contact.ProofMessage}
	notices = []civicpin.MessageKind{
		recovery.NoticeWaiting, recovery.NoticeDone, recovery.NoticeUnlocked, contact.NoticeChanged,
	}
	kinds = slices.Concat([]civicpin.MessageKind{
		pin.PartMessage, pin.NoticeChanged, pin.NoticeRevoked, pin.NoticeLocked, otp.CodeMessage, recovery.CodeMessage,
	}, steps, notices)
	locales = []string{"en", "es", "it"}
	// contacts has one of each channel, and one that the library does not know.
	contacts = []civicpin.Contact{
		{Channel: civicpin.SMS, Address: "+393331234567"},
		{Channel: civicpin.Voice, Address: "+393331234567"},
		{Channel: civicpin.Push, Address: "installation-7"},
		{Channel: civicpin.Email, Address: "m@example.org"},
		{Channel: civicpin.CertifiedEmail, Address: "m@pec.example.org"},
		{Channel: civicpin.Letter, Address: "Mario Rossi\nVia Larga 1\n00100 Roma RM"},
		{Channel: civicpin.HandedOver},
		{Channel: "kiosk", Address: "kiosk-4"},
	}
	// noon is 14:05 in Rome, and in winter.
	noon = time.Date(2026, time.December, 3, 13, 5, 59, 0, time.UTC)
	rome = time.FixedZone("CET", 3600)
	inps = texts.Service{
		Name: "INPS", LongName: "Istituto Nazionale della Previdenza Sociale", Help: "803 164", Location: rome,
		Page: page,
	}
)

const (
	code  = "K7PX2MQA"
	page  = "https://portal.example/recover"
	token = "Zq3-_.~4vXw7tYb2Nc5mKd8fGh1jLp6r"
)

// hasCode reports whether messages of a kind may have a code.
func hasCode(kind civicpin.MessageKind) bool {
	return kind == pin.PartMessage || kind == otp.CodeMessage || kind == recovery.CodeMessage || slices.Contains(steps, kind)
}

func isMail(c civicpin.Channel) bool { return c == civicpin.Email || c == civicpin.CertifiedEmail }

// message is a complete message of a kind: the second of two parts, a link and a code, or a notice with a link.
func message(kind civicpin.MessageKind, to civicpin.Contact, locale string) civicpin.Message {
	to.Locale = locale
	m := civicpin.Message{ID: "m1", Kind: kind, To: to}
	switch kind {
	case pin.PartMessage:
		m.Secret, m.Part, m.Parts, m.ExpiresAt = civicpin.NewSecret(code), 2, 2, noon
	case pin.NoticeLocked:
		m.Params = map[string]string{"until": noon.Format(time.RFC3339)}
	case otp.CodeMessage:
		m.Secret, m.ExpiresAt, m.Params = civicpin.NewSecret(code), noon, map[string]string{"act": "form 130"}
	case recovery.CodeMessage:
		m.Secret, m.ExpiresAt = civicpin.NewSecret(code), noon
	case recovery.LinkMessage, recovery.ActivateMessage, recovery.UnlockMessage, contact.ProofMessage:
		m.Secret, m.Link, m.ExpiresAt = civicpin.NewSecret(code), civicpin.NewSecret(token), noon
	case recovery.NoticeDone, recovery.NoticeUnlocked:
		m.Link, m.ExpiresAt = civicpin.NewSecret(token), noon
	case recovery.NoticeWaiting:
		m.Link, m.ExpiresAt = civicpin.NewSecret(token), noon.Add(90*time.Minute)
		m.Params = map[string]string{"until": noon.Format(time.RFC3339)}
	case contact.NoticeChanged:
		m.Link, m.ExpiresAt, m.Params = civicpin.NewSecret(token), noon, map[string]string{"change": "removed"}
	}
	return m
}

func writer(t testing.TB, s texts.Service) *texts.Writer {
	t.Helper()
	w, err := texts.New(s)
	require.NoError(t, err)
	return w
}

func render(t testing.TB, w *texts.Writer, m civicpin.Message) texts.Text {
	t.Helper()
	text, err := w.Render(m)
	require.NoError(t, err)
	return text
}

// each calls f with every kind, language and channel.
func each(t *testing.T, f func(t *testing.T, m civicpin.Message)) {
	t.Helper()
	for _, kind := range kinds {
		for _, locale := range locales {
			for _, to := range contacts {
				t.Run(fmt.Sprintf("%s/%s/%s", kind, locale, to.Channel), func(t *testing.T) { f(t, message(kind, to, locale)) })
			}
		}
	}
}

func TestEveryText(t *testing.T) {
	w := writer(t, inps)
	each(t, func(t *testing.T, m civicpin.Message) {
		text := render(t, w, m)
		body := text.Body.Reveal()
		require.Equal(t, m.To.Locale, text.Language)
		require.NotContains(t, body+text.Subject, "{", "a name was not filled in")
		require.NotContains(t, body+text.Subject, "[")
		require.NotContains(t, text.Subject, code)
		require.NotContains(t, text.Subject, "K7PX")
		require.False(t, texts.Linked(text.Subject), text.Subject)
		require.NotEmpty(t, strings.TrimSpace(body))
		for l := range strings.Lines(body) {
			require.Equal(t, strings.TrimRight(l, " \n"), strings.TrimSuffix(l, "\n"), "blanks at a line's end")
		}

		long := !m.To.Channel.Phone() && m.To.Channel != civicpin.Push && m.To.Channel != "kiosk"
		require.Equal(t, m.To.Channel.Phone(), text.Subject == "", "telephones have no subject")
		if long {
			require.Contains(t, strings.ReplaceAll(body, "\n", " "), "Istituto Nazionale della Previdenza Sociale")
			require.Contains(t, body, "803 164")
			for l := range strings.Lines(body) {
				require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(l, "\n")), 72, l)
			}
		} else {
			require.Contains(t, body, "INPS")
		}
		// The link is a line of its own in the e-mails of its kinds, which name its beginning once more, and nowhere else.
		rest := body
		if isMail(m.To.Channel) && !m.Link.IsZero() {
			require.Equal(t, 1, strings.Count(body, "\n"+page+"#"+token+"\n"), body)
			rest = strings.Replace(body, page+"#"+token, "", 1)
			require.Equal(t, 1, strings.Count(rest, "https://portal.example/"), body)
			rest = strings.Replace(rest, "https://portal.example/", "", 1)
		}
		require.False(t, texts.Linked(rest), body)
		require.NotContains(t, rest+text.Subject, token)
		switch {
		case !hasCode(m.Kind):
			require.NotContains(t, body, "K7PX")
		case m.To.Channel == civicpin.Voice:
			require.Equal(t, 2, strings.Count(body, "K, 7, P, X. 2, M, Q, A"), body)
		default:
			require.Equal(t, 1, strings.Count(body, "K7PX 2MQA"), body)
		}
		if m.Kind == otp.CodeMessage {
			require.Contains(t, strings.ReplaceAll(body, "\n", " "), "form 130")
		}
		told := m.Kind == pin.NoticeLocked || m.Kind == recovery.NoticeWaiting ||
			(hasCode(m.Kind) && m.To.Channel != civicpin.Voice) || // a code read aloud goes without its expiry
			(!m.Link.IsZero() && isMail(m.To.Channel))
		require.Equal(t, told, strings.Contains(body, "14:05"), body)
		require.NotContains(t, body, "UTC")
	})
}

// The dearest text message of each kind still is one: 160 septets, 140 octets.
func TestTextMessagesFit(t *testing.T) {
	place := func(name string) *time.Location {
		l, err := time.LoadLocation(name)
		require.NoError(t, err)
		return l
	}
	late := time.Date(2026, time.September, 30, 23, 59, 0, 0, time.UTC)
	twice := map[string]time.Time{
		"Europe/Rome":         time.Date(2026, time.October, 25, 0, 59, 0, 0, time.UTC), // 02:59 CEST, before 02:59 CET
		"Australia/Lord_Howe": time.Date(2026, time.April, 4, 15, 29, 0, 0, time.UTC),   // 01:59 +1030, after 01:59 +11
	}
	fits := func(w *texts.Writer, m civicpin.Message) {
		body := render(t, w, m).Body.Reveal()
		septets := encode(t, body)
		t.Logf("%d: %s", len(septets), body)
		assert.LessOrEqual(t, len(septets), 160, body)
		assert.LessOrEqual(t, len(pack(septets)), 140, body)
	}
	for _, s := range []texts.Service{
		{Name: "Seguridad Social {"},
		{Name: strings.Repeat("Ü", 20)},
		{Name: "€€€€€€€€€€"},
		{Name: "€€€€€€€€€€", Location: place("Europe/Rome")},
		{Name: "€€€€€€€€€€", Location: place("Australia/Lord_Howe")},
	} {
		w := writer(t, s)
		late := late
		if s.Location != nil {
			late = twice[s.Location.String()]
		}
		for _, kind := range kinds {
			for _, locale := range locales {
				m := message(kind, contacts[0], locale)
				m.ExpiresAt = late
				if hasCode(kind) {
					m.Secret = civicpin.NewSecret(strings.Repeat("W", 24))
				}
				switch kind {
				case pin.PartMessage:
					m.Part, m.Parts = 1, 1
					fits(w, m)
					m.Part, m.Parts = 9, 9
				case pin.NoticeLocked, recovery.NoticeWaiting:
					m.Params["until"] = late.Format(time.RFC3339)
				case otp.CodeMessage:
					m.Secret = civicpin.NewSecret(strings.Repeat("W", 12))
					m.Params["act"] = strings.Repeat("€", 16)
				case contact.NoticeChanged:
					for _, change := range []string{"", "added", "changed", "primary", "settling"} {
						m.Params["change"] = change
						fits(w, m)
					}
					m.Params["change"] = "removed"
				}
				fits(w, m)
			}
		}
	}
}

func TestLocales(t *testing.T) {
	for _, tt := range []struct{ fallback, locale, want string }{
		{"", "", "en"},
		{"", "it", "it"},
		{"", "it-IT", "it"},
		{"", "IT_it", "it"},
		{"", "es-EC", "es"},
		{"", "es-419", "es"},
		{"", "en-GB", "en"},
		{"", "de", "en"},
		{"", "ita", "en"},
		{"it", "", "it"},
		{"it", "de-AT", "it"},
		{"es-ES", "ca", "es"},
		{"it", "en", "en"},
	} {
		w := writer(t, texts.Service{Name: "INPS", Locale: tt.fallback})
		require.Equal(t, tt.want, render(t, w, message(pin.NoticeChanged, contacts[0], tt.locale)).Language, "%+v", tt)
	}
}

func TestParts(t *testing.T) {
	w := writer(t, inps)
	for _, to := range contacts {
		m := message(pin.PartMessage, to, "en")
		m.Part, m.Parts = 1, 3
		require.Contains(t, render(t, w, m).Body.Reveal(), "art 1 of 3")
		for _, parts := range []int{0, 1} {
			m.Part, m.Parts = parts, parts
			text := render(t, w, m)
			require.NotContains(t, text.Body.Reveal()+text.Subject, "art "+fmt.Sprint(parts), "the only part is not counted")
			require.NotContains(t, text.Body.Reveal(), "parts")
			require.Regexp(t, "(?i)your activation code", text.Body.Reveal())
			require.NotContains(t, text.Body.Reveal()+text.Subject, "new PIN")
		}
		for _, bad := range [][2]int{{3, 2}, {0, 2}, {-1, 2}, {1, 0}, {1, -1}, {1, 10}} {
			m.Part, m.Parts = bad[0], bad[1]
			_, err := w.Render(m)
			require.ErrorIs(t, err, civicpin.ErrInvalid, "%v", bad)
		}
	}
}

func TestTimes(t *testing.T) {
	guayaquil := time.FixedZone("", -5*3600)
	for _, tt := range []struct {
		location *time.Location
		locale   string
		short    string
		long     string
	}{
		{nil, "en", "Valid until 3 Dec 2026 13:05 UTC. ", "valid until 3 December 2026, 13:05 UTC."},
		{rome, "en", "Valid until 3 Dec 2026 14:05. ", "valid until 3 December 2026, 14:05."},
		{rome, "it", "Valido fino al 03/12/2026 14:05. ", "valido fino al 3 dicembre 2026, ore 14:05."},
		{rome, "es", "Vale hasta el 03/12/2026 14:05. ", "Vale hasta el 3 de diciembre de 2026 a las 14:05."},
		{guayaquil, "es", "Vale hasta el 03/12/2026 08:05. ", "Vale hasta el 3 de diciembre de 2026 a las 08:05."},
	} {
		w := writer(t, texts.Service{Name: "INPS", Location: tt.location})
		require.Contains(t, render(t, w, message(pin.PartMessage, contacts[0], tt.locale)).Body.Reveal(), tt.short)
		body := render(t, w, message(pin.PartMessage, contacts[3], tt.locale)).Body.Reveal()
		require.Contains(t, strings.ReplaceAll(body, "\n", " "), tt.long)
	}
	// Every month has its name.
	w := writer(t, inps)
	for _, locale := range locales {
		seen := map[string]bool{}
		for month := range 12 {
			m := message(pin.NoticeLocked, contacts[3], locale)
			m.Params["until"] = time.Date(2026, time.Month(month+1), 9, 12, 0, 0, 0, time.UTC).Format(time.RFC3339)
			seen[render(t, w, m).Body.Reveal()] = true
		}
		require.Len(t, seen, 12, locale)
	}
}

func TestWithoutATime(t *testing.T) {
	w := writer(t, inps)
	each(t, func(t *testing.T, m civicpin.Message) {
		m.ExpiresAt, m.Params = time.Time{}, nil
		body := render(t, w, m).Body.Reveal()
		require.NotContains(t, body, "14:05")
		require.NotContains(t, body, "2026")
		for _, word := range []string{"until", "hasta el", "fino al", "goes ahead", "efectivo", "efectiva", "effettivo"} {
			require.NotContains(t, body, word)
		}
	})
}

func TestWhatIsRefused(t *testing.T) {
	w := writer(t, inps)
	for name, change := range map[string]func(m *civicpin.Message){
		"no secret":         func(m *civicpin.Message) { m.Secret = civicpin.Secret{} },
		"blank secret":      func(m *civicpin.Message) { m.Secret = civicpin.NewSecret(" - ") },
		"long secret":       func(m *civicpin.Message) { m.Secret = civicpin.NewSecret(strings.Repeat("A", 25)) },
		"link for a secret": func(m *civicpin.Message) { m.Secret = civicpin.NewSecret("https://example.org/t") },
		"accented secret":   func(m *civicpin.Message) { m.Secret = civicpin.NewSecret("K7PÈ") },
		"secret in a notice": func(m *civicpin.Message) {
			m.Kind = pin.NoticeChanged
		},
		"no time": func(m *civicpin.Message) { *m = message(pin.NoticeLocked, m.To, "en"); m.Params["until"] = "tomorrow" },
		"link for a time": func(m *civicpin.Message) {
			*m = message(pin.NoticeLocked, m.To, "en")
			m.Params["until"] = "http://x.example"
		},
		"time out of range": func(m *civicpin.Message) { m.ExpiresAt = time.Unix(1, 0) },
		"no channel":        func(m *civicpin.Message) { m.To.Channel = "" },
		"contact":           func(m *civicpin.Message) { m.To.Address = "\x00" },
	} {
		for _, to := range contacts {
			m := message(pin.PartMessage, to, "en")
			change(&m)
			text, err := w.Render(m)
			require.ErrorIs(t, err, civicpin.ErrInvalid, "%s, %s", name, to.Channel)
			require.Zero(t, text.Language)
			require.True(t, text.Body.IsZero())
			if s := m.Secret.Reveal(); s != "" {
				require.NotContains(t, err.Error(), s)
			}
		}
	}
	for _, to := range contacts {
		m := message("pin.unheard", to, "it")
		m.Secret = civicpin.NewSecret(code)
		_, err := w.Render(m)
		unknown, ok := errors.AsType[*texts.UnknownKindError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, civicpin.MessageKind("pin.unheard"), unknown.Kind)
		require.NotContains(t, err.Error(), code)
	}
	// In lower case a code could be taken for an address.
	for _, secret := range []string{"httpk7px", "k7pxwww2"} {
		m := message(pin.PartMessage, contacts[0], "en")
		m.Secret = civicpin.NewSecret(secret)
		_, err := w.Render(m)
		require.ErrorIs(t, err, texts.ErrContainsLink)
		m.Secret = civicpin.NewSecret(strings.ToUpper(secret))
		_, err = w.Render(m)
		require.NoError(t, err, "a code that has these letters by chance must reach the citizen")
	}
}

func TestNew(t *testing.T) {
	for _, s := range []texts.Service{
		{Name: "INPS"},
		{Name: "Administración"},
		{Name: "Serv. Roma"},
		{Name: "IESS", LongName: "Instituto Ecuatoriano de Seguridad Social", Help: "140", Locale: "es-EC"},
	} {
		_, err := texts.New(s)
		require.NoError(t, err, "%+v", s)
	}
	for _, s := range []texts.Service{
		{},
		{Name: strings.Repeat("I", 21)},
		{Name: "€€€€€€€€€€€"}, // 11 characters, 22 septets
		{Name: "IN\nPS"},
		{Name: "IN\u2028PS"},
		{Name: "INPS\u200b"},
		{Name: "INPS", Help: "call \u202e555"},
		{Name: "\xff"},
		{Name: "Пенсия"},
		{Name: "INPS", LongName: strings.Repeat("I", 101)},
		{Name: "INPS", LongName: "Istituto\nNazionale"},
		{Name: "INPS", Help: strings.Repeat("8", 101)},
		{Name: "INPS", Help: "\x00"},
		{Name: "INPS", Locale: "de"},
	} {
		_, err := texts.New(s)
		require.ErrorIs(t, err, civicpin.ErrInvalid, "%+v", s)
	}
	for _, link := range []string{"www inps", "inps.it", "HTTPS", "a://b", "Http INPS", "x@inps.it", "INPS.IT", "10.0.0.1"} {
		for field, s := range map[string]texts.Service{
			"Name":     {Name: link},
			"LongName": {Name: "INPS", LongName: link},
			"Help":     {Name: "INPS", Help: link},
		} {
			_, err := texts.New(s)
			require.ErrorIs(t, err, texts.ErrContainsLink, "%+v", s)
			require.ErrorContains(t, err, "Service."+field+" ")
		}
	}
}

// A name is looked at as a text message carries it: there the ellipsis is a full stop.
func TestNameThatBecomesALink(t *testing.T) {
	_, err := texts.New(texts.Service{Name: "inps…it"})
	require.ErrorIs(t, err, texts.ErrContainsLink)
	require.ErrorContains(t, err, "Service.Name ")
	_, err = texts.New(texts.Service{Name: "INPS", LongName: "INPS…it", Help: "803.164"})
	require.NoError(t, err, "e-mails and paper keep the ellipsis, and no address ends in a number")
}

// The same service in NFD, as some systems write it, is as long, and can stand in a text message.
func TestNameInNFD(t *testing.T) {
	nfd := strings.Repeat("o\u0301", 20)
	w := writer(t, texts.Service{Name: nfd, LongName: strings.Repeat("o\u0301", 100), Help: strings.Repeat("o\u0301", 100)})
	require.Contains(t, render(t, w, message(pin.NoticeChanged, contacts[0], "es")).Body.Reveal(), strings.Repeat("o", 20)+": ")
	require.Contains(t, render(t, w, message(pin.NoticeChanged, contacts[3], "es")).Subject, strings.Repeat("ó", 20)+": ")
}

func TestNameWithoutItsAccentsInTextMessagesOnly(t *testing.T) {
	w := writer(t, texts.Service{Name: "Administración"})
	require.Contains(t, render(t, w, message(pin.NoticeChanged, contacts[0], "es")).Body.Reveal(), "Administracion: ")
	require.Contains(t, render(t, w, message(pin.NoticeChanged, contacts[3], "es")).Subject, "Administración: ")
}

// A name that looks like one of the patterns' own marks is a name.
func TestValuesAreNotPatterns(t *testing.T) {
	w := writer(t, texts.Service{Name: "{code}[{help}"})
	body := render(t, w, message(pin.PartMessage, contacts[0], "en")).Body.Reveal()
	require.True(t, strings.HasPrefix(body, "{code}[{help}: your new PIN, part 2 of 2: K7PX 2MQA\n"), body)
}

func TestTheBodyIsASecret(t *testing.T) {
	text := render(t, writer(t, inps), message(pin.PartMessage, contacts[0], "en"))
	for _, shown := range []string{fmt.Sprint(text), fmt.Sprintf("%+v %#v %q", text, text, text)} {
		require.NotContains(t, shown, "K7PX")
	}
}

func TestWrap(t *testing.T) {
	long := strings.Repeat("x", 90)
	require.Equal(t, "a\n"+long+"\nb", texts.Wrap("a "+long+"  b"))
	require.Equal(t, strings.Repeat("y", 72), texts.Wrap(strings.Repeat("y", 72)))
	require.Equal(t, strings.Repeat("ù", 70)+" a\nb", texts.Wrap(strings.Repeat("ù", 70)+" a b"))
	require.Empty(t, texts.Wrap(" \n "))
}

func TestOneTimeCodes(t *testing.T) {
	w := writer(t, inps)
	for _, tt := range []struct{ secret, act, locale, want string }{
		{"123456", "", "en", "INPS: your code: 123456\nValid until 3 Dec 2026 14:05. Never tell it to anybody."},
		{"123 456", "form 130", "en", "INPS: your code for form 130: 123456\nValid until 3 Dec 2026 14:05. Never tell it to anybody."},
		{"K7P", "firmar", "es", "INPS: su clave de un solo uso para firmar: K7P\nVale hasta el 03/12/2026 14:05. No la diga a nadie."},
		{"1234567", "la domanda", "it", "INPS: il suo codice per la domanda: 1234 567\nValido fino al 03/12/2026 14:05. Non lo dica a nessuno."},
		{"K7P", "declaración", "es", "INPS: su clave de un solo uso para declaracion: K7P\nVale hasta el 03/12/2026 14:05. No la diga a nadie."},
	} {
		m := message(otp.CodeMessage, contacts[0], tt.locale)
		m.Secret, m.Params = civicpin.NewSecret(tt.secret), map[string]string{"act": tt.act}
		require.Equal(t, tt.want, render(t, w, m).Body.Reveal())
	}
	m := message(otp.CodeMessage, contacts[3], "es")
	m.Params["act"] = "declaración"
	require.Contains(t, render(t, w, m).Body.Reveal(), "declaración", "only text messages lose their accents")
	for _, to := range contacts {
		m := message(otp.CodeMessage, to, "en")
		m.Secret = civicpin.NewSecret(strings.Repeat("1", 13))
		_, err := w.Render(m)
		require.ErrorIs(t, err, civicpin.ErrInvalid)
		for _, act := range []string{strings.Repeat("a", 33), "two\nlines", "Пенсия", strings.Repeat("€", 17), "\xff"} {
			m = message(otp.CodeMessage, to, "en")
			m.Params["act"] = act
			_, err := w.Render(m)
			require.ErrorIs(t, err, civicpin.ErrInvalid, "%q", act)
			require.NotContains(t, err.Error(), code)
		}
		for _, act := range []string{
			"a look at inps.it", "log in at 192.168.1.1", "1.a", "a.1", "12.03.2026.it", "1.250.000.000",
		} {
			m.Params["act"] = act
			_, err = w.Render(m)
			require.ErrorIs(t, err, texts.ErrContainsLink, act)
			require.ErrorContains(t, err, "parameter act")
			require.NotContains(t, err.Error(), act)
		}
		m.Params["act"] = "inps-rimborsi…it/x"
		switch text, err := w.Render(m); to.Channel {
		case civicpin.SMS, civicpin.Push, "kiosk": // where the ellipsis would be a full stop
			require.ErrorIs(t, err, texts.ErrContainsLink)
		default:
			require.NoError(t, err)
			require.Contains(t, text.Body.Reveal(), "…")
		}
	}
}

// Amounts and dates are no links, and how an accent is encoded makes no difference.
func TestActs(t *testing.T) {
	w := writer(t, inps)
	for act, want := range map[string]string{
		"pagar 1.250,00 euros":               "pagar 1.250,00 euros",
		"pagar 1.250.000,00 euros":           "pagar 1.250.000,00 euros",
		"ver su cita del 12.03.2026":         "ver su cita del 12.03.2026",
		"firmar su declaracio\u0301n":        "firmar su declaracion",
		"mod. 1.2, 3.4, 5.6":                 "mod. 1.2, 3.4, 5.6",
		"1.2..3.4.5":                         "1.2..3.4.5",
		"an\u0303o 2026":                     "año 2026",
		strings.Repeat("o\u0301", 32):        strings.Repeat("o", 32),
		"… e poi":                            ". e poi",
		"Sig. Rossi, art. 5, mod. 730. Fine": "",
	} {
		for _, locale := range locales {
			for _, to := range contacts {
				m := message(otp.CodeMessage, to, locale)
				m.Params["act"] = act
				text, err := w.Render(m)
				if want == "" {
					require.ErrorIs(t, err, civicpin.ErrInvalid, "%q: too long", act)
					continue
				}
				require.NoError(t, err, "%q over %s", act, to.Channel)
				require.NotContains(t, text.Body.Reveal(), "\u0301", "accents are composed")
				if to.Channel == civicpin.SMS {
					require.Contains(t, text.Body.Reveal(), want)
				}
			}
		}
	}
}

// In the hour that comes twice when the clocks go back, the zone is told.
func TestTimesThatComeTwice(t *testing.T) {
	rome, err := time.LoadLocation("Europe/Rome")
	require.NoError(t, err)
	lord, err := time.LoadLocation("Australia/Lord_Howe") // goes back by half an hour
	require.NoError(t, err)
	back := time.Date(2026, time.October, 25, 1, 0, 0, 0, time.UTC) // 03:00 CEST is 02:00 CET
	forth := time.Date(2026, time.March, 29, 1, 0, 0, 0, time.UTC)  // 02:00 CET is 03:00 CEST
	half := time.Date(2026, time.April, 4, 15, 0, 0, 0, time.UTC)   // 02:00 +11 is 01:30 +1030
	for _, tt := range []struct {
		in   *time.Location
		at   time.Time
		want string
	}{
		{rome, back.Add(-61 * time.Minute), "01:59. "},
		{rome, back.Add(-60 * time.Minute), "02:00 CEST. "},
		{rome, back.Add(-time.Minute), "02:59 CEST. "},
		{rome, back, "02:00 CET. "},
		{rome, back.Add(5 * time.Minute), "02:05 CET. "},
		{rome, back.Add(59 * time.Minute), "02:59 CET. "},
		{rome, back.Add(60 * time.Minute), "03:00. "},
		{rome, forth.Add(-time.Minute), "01:59. "},
		{rome, forth, "03:00. "},
		{lord, half.Add(-31 * time.Minute), "01:29. "},
		{lord, half.Add(-30 * time.Minute), "01:30 +11. "},
		{lord, half.Add(29 * time.Minute), "01:59 +1030. "},
		{lord, half.Add(30 * time.Minute), "02:00. "},
	} {
		w := writer(t, texts.Service{Name: "INPS", Location: tt.in})
		for _, locale := range locales {
			m := message(otp.CodeMessage, contacts[0], locale)
			m.ExpiresAt = tt.at
			require.Contains(t, render(t, w, m).Body.Reveal(), tt.want)
			m = message(otp.CodeMessage, contacts[3], locale)
			m.ExpiresAt = tt.at
			long := regexp.QuoteMeta(strings.TrimSuffix(tt.want, ". ")) + "[.,]"
			require.Regexp(t, long, strings.ReplaceAll(render(t, w, m).Body.Reveal(), "\n", " "))
		}
	}
}

// A notice that stands for others says so at length, and in a text message if there is room; a number that is none is refused.
func TestMore(t *testing.T) {
	w := writer(t, texts.Service{Name: "Portal", Page: "https://portal.example/r"})
	for _, kind := range []civicpin.MessageKind{pin.NoticeChanged, pin.NoticeRevoked, pin.NoticeLocked, contact.NoticeChanged} {
		for _, locale := range []string{"en", "es", "it"} {
			for _, to := range []civicpin.Contact{
				{Channel: civicpin.SMS, Address: "+393331234567"},
				{Channel: civicpin.Voice, Address: "+393331234567"},
				{Channel: civicpin.Email, Address: "a@example.org"},
			} {
				m := message(kind, to, locale)
				if m.Params == nil {
					m.Params = map[string]string{}
				}
				without := render(t, w, m).Body.Reveal()
				m.Params["more"] = "4711"
				with := render(t, w, m).Body.Reveal()
				if to.Channel == civicpin.SMS && with == without {
					require.Greater(t, len(without), 160-60, "there was room")
					continue
				}
				require.Contains(t, with, "4711")
				require.NotContains(t, without, "4711")
				for _, bad := range []string{"0", "-1", "01", "many", "http://x.example"} {
					m.Params["more"] = bad
					_, err := w.Render(m)
					require.ErrorIs(t, err, civicpin.ErrInvalid, bad)
				}
			}
		}
	}
}

// sent are the kinds of message that the packages export.
var sent = map[string]civicpin.MessageKind{
	"contact.NoticeChanged": contact.NoticeChanged, "contact.ProofMessage": contact.ProofMessage,
	"otp.CodeMessage":   otp.CodeMessage,
	"pin.NoticeChanged": pin.NoticeChanged, "pin.NoticeLocked": pin.NoticeLocked, "pin.NoticeRevoked": pin.NoticeRevoked,
	"pin.PartMessage":          pin.PartMessage,
	"recovery.ActivateMessage": recovery.ActivateMessage, "recovery.CodeMessage": recovery.CodeMessage,
	"recovery.LinkMessage": recovery.LinkMessage, "recovery.UnlockMessage": recovery.UnlockMessage,
	"recovery.NoticeDone": recovery.NoticeDone, "recovery.NoticeUnlocked": recovery.NoticeUnlocked,
	"recovery.NoticeWaiting": recovery.NoticeWaiting,
}

// Each kind that a package exports has texts, and there are texts for no other kind.
func TestKinds(t *testing.T) {
	var exported []string
	for _, name := range []string{"contact", "otp", "pin", "recovery", "lockout", "store/outbox", "store"} {
		for constant := range messageKinds(t, filepath.Join("..", name)) {
			if ast.IsExported(constant) {
				exported = append(exported, name+"."+constant)
			}
		}
	}
	require.ElementsMatch(t, exported, slices.Collect(maps.Keys(sent)))
	worded := slices.Collect(maps.Values(messageKinds(t, ".")))
	var want []string
	for _, kind := range sent {
		want = append(want, `"`+string(kind)+`"`)
	}
	require.ElementsMatch(t, want, worded)
	require.ElementsMatch(t, slices.Collect(maps.Values(sent)), kinds, "the kinds that the tests go through")
}

// messageKinds returns the constants of type MessageKind in the sources of a package, with their values where they are literal.
func messageKinds(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, files, dir)
	found := make(map[string]string)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(gotoken.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if typ, ok := spec.Type.(*ast.SelectorExpr); ok && typ.Sel.Name == "MessageKind" {
				value := ""
				if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
					value = literal.Value
				}
				found[spec.Names[0].Name] = value
			}
			return true
		})
	}
	return found
}

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// The golden files are there to be read by people who know the languages: one for each kind and language, with all
// channels, and then what a message says that carries less.
func TestGolden(t *testing.T) {
	w := writer(t, inps)
	files := 0
	for _, kind := range kinds {
		for _, locale := range locales {
			var b strings.Builder
			show := func(heading string, m civicpin.Message) {
				text := render(t, w, m)
				fmt.Fprintf(&b, "-- %s --\n", heading)
				if text.Subject != "" {
					fmt.Fprintf(&b, "Subject: %s\n\n", text.Subject)
				}
				b.WriteString(strings.TrimSuffix(text.Body.Reveal(), "\n") + "\n")
			}
			for _, to := range contacts {
				show(string(to.Channel), message(kind, to, locale))
			}
			switch {
			case kind == pin.PartMessage:
				for _, to := range contacts {
					m := message(kind, to, locale)
					m.Part, m.Parts = 1, 1
					show(string(to.Channel)+", in one part", m)
				}
			case slices.Contains(steps, kind):
				m := message(kind, contacts[3], locale)
				m.Secret = civicpin.Secret{}
				show("email, only a link", m)
				m = message(kind, contacts[3], locale)
				m.Link = civicpin.Secret{}
				show("email, only a code", m)
			case slices.Contains(notices, kind):
				m := message(kind, contacts[3], locale)
				m.Link = civicpin.Secret{}
				show("email, no link", m)
			}
			name := filepath.Join("testdata", fmt.Sprintf("%s.%s.txt", kind, locale))
			if *update {
				require.NoError(t, os.WriteFile(name, []byte(b.String()), 0o644))
			}
			want, err := os.ReadFile(name)
			require.NoError(t, err)
			require.Equal(t, string(want), b.String(), "%s: read the change, then run go test ./texts -update", name)
			files++
		}
	}
	found, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	require.NoError(t, err)
	require.Len(t, found, files, "a golden file that no test reads")
}
