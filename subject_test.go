package civicpin_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/civicpin/civicpin"
)

// unprintable is text that could end a log line, a header or a message early, or hides something, or that is no text.
var unprintable = map[string]string{
	"line feed": "a\nb", "carriage return": "a\rb", "CRLF and a header": "a\r\nBcc: b", "NUL": "a\x00b", "tab": "a\tb",
	"escape": "a\x1b[2Jb", "delete": "a\x7fb", "next line": "a\u0085b", "C1 control": "a\u009bb",
	"line separator": "a\u2028b", "paragraph separator": "a\u2029b", "half a rune": "a\xc3", "no UTF-8": "a\xffb",
	"override": "a\u202eb", "zero-width space": "a\u200bb", "byte order mark": "\ufeffRSSMRA85T10A562S", "soft hyphen": "a\u00adb",
	"no-break space": "a\u00a0b", "blank before": " ab", "blank after": "ab ", "variation selector": "a\ufe0fb", "private": "\ue000",
}

// refused checks an answer of a Validate method.
func refused(t *testing.T, err error, want bool, what string) {
	t.Helper()
	if !want {
		assert.NoError(t, err, what)
		return
	}
	assert.ErrorIs(t, err, civicpin.ErrInvalid, what)
	assert.True(t, strings.HasPrefix(err.Error(), "civicpin: "), err.Error())
}

func TestSubjectValidate(t *testing.T) {
	for _, tc := range []struct {
		name    string
		subject string
		invalid bool
	}{
		{"codice fiscale", "RSSMRA85T10A562S", false},
		{"one byte", "1", false},
		{"with blanks and marks", "X-1234567-L / ñ 北", false},
		{"256 bytes", strings.Repeat("x", 256), false},
		{"empty", "", true},
		{"257 bytes", strings.Repeat("x", 257), true},
		{"256 runes of two bytes", strings.Repeat("ñ", 256), true},
		{"composed", "Muñoz", false},
		{"decomposed", "Mun\u0303oz", true},
		{"another form of a letter", "\u212b", true},
	} {
		refused(t, civicpin.Subject(tc.subject).Validate(), tc.invalid, tc.name)
	}
	for name, text := range unprintable {
		refused(t, civicpin.Subject(text).Validate(), true, name)
	}
}

func TestErrorsQuoteNothing(t *testing.T) {
	const text = "Rossi\n42"
	for _, err := range []error{
		civicpin.Subject(text).Validate(),
		civicpin.Actor(text).Validate(),
		civicpin.Contact{Channel: civicpin.Email, Address: text}.Validate(),
		civicpin.Contact{Channel: civicpin.SMS, Address: "Rossi 42"}.Validate(),
		civicpin.Contact{Channel: civicpin.Channel(text), Address: "x"}.Validate(),
		civicpin.Evidence{Method: civicpin.InPerson, Document: text, By: civicpin.Operator("7")}.Validate(),
		new(civicpin.Level).UnmarshalText([]byte(text)),
	} {
		refused(t, err, true, text)
		assert.NotContains(t, err.Error(), "Rossi")
	}
}

func TestActor(t *testing.T) {
	for name, tc := range map[string]struct {
		actor             civicpin.Actor
		operator, invalid bool
	}{
		"citizen":                        {civicpin.Citizen, false, false},
		"operator":                       {civicpin.Operator("m.bianchi"), true, false},
		"operator called citizen":        {civicpin.Operator("citizen"), true, false},
		"operator called as an operator": {civicpin.Operator("operator:7"), true, false},
		"operator, 128 bytes":            {civicpin.Operator(strings.Repeat("x", 128)), true, false},
		"operator, 129 bytes":            {civicpin.Operator(strings.Repeat("x", 129)), true, true},
		"nobody":                         {"", false, true},
		"operator without an id":         {civicpin.Operator(""), false, true},
		"plain word":                     {"admin", false, true},
		"another case":                   {"Citizen", false, true},
		"prefix in another case":         {"Operator:7", false, true},
		"blank before":                   {" operator:7", false, true},
		"citizen and more":               {"citizen:7", false, true},
	} {
		assert.Equal(t, tc.operator, tc.actor.IsOperator(), name)
		refused(t, tc.actor.Validate(), tc.invalid, name)
	}
	for name, text := range unprintable {
		refused(t, civicpin.Operator(text).Validate(), true, name)
	}
	assert.NotEqual(t, civicpin.Citizen, civicpin.Operator("citizen"))
}

func TestSourceValidate(t *testing.T) {
	for _, address := range []string{"", "203.0.113.7", "fe80::1%eth0", "[2001:db8::1]:443", strings.Repeat("x", 256)} {
		refused(t, civicpin.Source{Address: address}.Validate(), false, address)
	}
	refused(t, civicpin.Source{Address: strings.Repeat("x", 257)}.Validate(), true, "too long")
	for name, text := range unprintable {
		refused(t, civicpin.Source{Address: text}.Validate(), true, name)
	}
}

func TestSourceNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"":                             "",
		"203.0.113.7":                  "203.0.113.7",
		"203.0.113.7:443":              "203.0.113.7",
		"::ffff:203.0.113.7":           "203.0.113.7",
		"64:ff9b::203.0.113.7":         "203.0.113.7",
		"[64:ff9b::cb00:7107]:443":     "203.0.113.7",
		"64:ff9b::1:203.0.113.7":       "64:ff9b::/64",
		"2001:db8:1:2:3:4:5:6":         "2001:db8:1:2::/64",
		"[2001:db8:1:2::9]:443":        "2001:db8:1:2::/64",
		"2001:0DB8:1:2:ffff::1":        "2001:db8:1:2::/64",
		"2001:db8:1:3::1":              "2001:db8:1:3::/64",
		"fe80::1%eth0":                 "fe80::/64",
		"counter 4, office of Trapani": "counter 4, office of Trapani",
	} {
		assert.Equal(t, want, civicpin.Source{Address: address}.Network(), address)
	}
	refused(t, civicpin.Source{Address: " 203.0.113.7"}.Validate(), true, "the same source, with a blank in front")
}

func TestActorCanonical(t *testing.T) {
	for _, id := range []string{"Muñoz.1", "MUÑOZ.1", "muñoz.1", "mun\u0303oz.1"} {
		assert.Equal(t, civicpin.Operator("muñoz.1"), civicpin.Operator(id).Canonical(), id)
	}
	assert.NotEqual(t, civicpin.Operator("munoz.1").Canonical(), civicpin.Operator("muñoz.1").Canonical())
	assert.NotEqual(t, civicpin.Citizen.Canonical(), civicpin.Operator("citizen").Canonical())
	assert.Equal(t, civicpin.Citizen, civicpin.Citizen.Canonical())
	assert.Empty(t, civicpin.Actor("").Canonical())
}
