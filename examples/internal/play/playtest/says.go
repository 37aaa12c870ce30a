package playtest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/rule"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/otp"
)

// Explains checks what the pages say about errors: a text with that piece in it, or nothing where the piece is empty.
func Explains(t *testing.T, p *play.Page, pieces map[error]string) {
	t.Helper()
	for err, want := range pieces {
		if got := p.Explain(err); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

// Rules checks that each rule that a chosen secret may break has words of its own, and that there are words for a rule of a
// later release.
func Rules(t *testing.T, p *play.Page, rules ...rule.Rule) {
	t.Helper()
	said := make(map[string]rule.Rule)
	for _, broken := range append(rules, "a rule of a later release") {
		text := p.Rule(broken)
		if other, twice := said[text]; twice || text == "" {
			t.Errorf("%q for %q and %q", text, broken, other)
		}
		said[text] = broken
	}
}

// Words checks a play's own words for activation codes, in each language and to each of the contacts: they differ, and their
// code is found. It returns the texts by language and channel. Other messages, and other languages, are left to package texts.
func Words(t *testing.T, p play.Play, code string, to ...civicpin.Contact) map[string]string {
	t.Helper()
	at, err := time.LoadLocation(p.Zone)
	require.NoError(t, err)
	m := civicpin.Message{
		Kind: pin.PartMessage, Secret: civicpin.NewSecret(strings.ReplaceAll(code, " ", "")),
		ExpiresAt: time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC),
	}
	bodies := make(map[string]string)
	for _, lang := range []string{"es", "en", "it"} {
		for _, m.To = range to {
			m.To.Locale = lang
			text, ok := p.Words(m, at)
			body, name := text.Body.Reveal(), lang+" "+string(m.To.Channel)
			if !ok || strings.Contains(body, "%!") || strings.Contains(text.Subject, code[:4]) {
				t.Errorf("%s: %q", name, body)
			}
			if got := (post.Mail{Channel: m.To.Channel, Text: strings.TrimSpace(body)}).Code(); got != code {
				t.Errorf("%s: code %q", name, got)
			}
			bodies[name] = body
		}
	}
	all := make([]string, 0, len(bodies))
	for _, body := range bodies {
		all = append(all, body)
	}
	slices.Sort(all)
	require.Len(t, slices.Compact(all), 3*len(to), "two texts are the same")

	french, other := m, m
	french.To.Locale = "fr"
	other.Kind = otp.CodeMessage
	for _, m := range []civicpin.Message{french, other} {
		if _, ok := p.Words(m, at); ok {
			t.Errorf("words for %+v", m)
		}
	}
	return bodies
}
