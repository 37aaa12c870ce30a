package civicpin_test

import (
	"net/mail"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/civicpin/civicpin"
)

func TestContactValidate(t *testing.T) {
	const (
		sms, voice, email, pec  = civicpin.SMS, civicpin.Voice, civicpin.Email, civicpin.CertifiedEmail
		push, letter, handed    = civicpin.Push, civicpin.Letter, civicpin.HandedOver
		own                     = civicpin.Channel("whatsapp")
		local64, label60, other = 64, 60, 512
	)
	domain := strings.Repeat(strings.Repeat("d", label60)+".", 3) + "org" // 186 bytes
	for _, tc := range []struct {
		name    string
		channel civicpin.Channel
		address string
		invalid bool
	}{
		{"Italian mobile", sms, "+393331234567", false},
		{"spoken", voice, "+593991234567", false},
		{"shortest number", sms, "+1234567", false},
		{"longest number", sms, "+123456789012345", false},
		{"number too short", sms, "+123456", true},
		{"number too long", sms, "+1234567890123456", true},
		{"no plus", sms, "393331234567", true},
		{"zeros for the plus", sms, "00393331234567", true},
		{"country code zero", sms, "+0393331234567", true},
		{"two pluses", sms, "++39333123456", true},
		{"blanks", sms, "+39 333 1234567", true},
		{"hyphens", voice, "+39-333-1234567", true},
		{"letters", sms, "+39333CALLME0", true},
		{"extension", sms, "+39333123456;ext=1", true},
		{"other digits", sms, "+39\u0663\u0663\u0663\u0661\u0662", true},
		{"wide digits", sms, "+39333\uff11\uff12", true},
		{"only a plus", sms, "+", true},
		{"no number", sms, "", true},
		{"number and a line", sms, "+39333123456\n", true},
		{"two numbers", sms, "+3933312345,+3933312346", true},

		{"plain e-mail", email, "maria.rossi@example.org", false},
		{"plus and upper case", email, "Maria+inps@Example.ORG", false},
		{"international", email, "josé@correo.example", false},
		{"certified", pec, "maria.rossi@pec.example.it", false},
		{"254 bytes", email, strings.Repeat("l", local64) + "@" + domain[:186] + ".ex", false},
		{"255 bytes", email, strings.Repeat("l", 255-1-len(domain)) + "@" + domain, true},
		{"display name", email, "Maria Rossi <maria@example.org>", true},
		{"brackets", email, "<maria@example.org>", true},
		{"comment", email, "maria@example.org (Maria)", true},
		{"quoted local part", email, `"maria rossi"@example.org`, true},
		{"blanks around", email, " maria@example.org ", true},
		{"two addresses", email, "maria@example.org, eve@example.org", true},
		{"two addresses, semicolon", email, "maria@example.org;eve@example.org", true},
		{"group", email, "friends: maria@example.org;", true},
		{"no at", email, "maria.example.org", true},
		{"two ats", email, "maria@eve@example.org", true},
		{"no domain", email, "maria@", true},
		{"no local part", email, "@example.org", true},
		{"header added", email, "maria@example.org\r\nBcc: eve@example.org", true},
		{"header added, LF", pec, "maria@example.org\nSubject: x", true},
		{"header folded", email, "maria@example.org\r\n ", true},
		{"NUL", email, "maria\x00@example.org", true},
		{"zero-width space", email, "maria\u200b@example.org", true},
		{"zero-width space, quoted", email, "\"maria\u200b\"@example.org", true},
		{"no e-mail", email, "", true},

		{"app", push, "dA3_-Zz:APA91bH", false},
		{"app, 512 bytes", push, strings.Repeat("p", other), false},
		{"app, 513 bytes", push, strings.Repeat("p", other+1), true},
		{"no app", push, "", true},
		{"a caller's own channel", own, "anything at all", false},
		{"own channel, no address", own, "", true},

		{"letter, one line", letter, "Via Roma 1, 00100 Roma", false},
		{"letter", letter, "Maria Rossi\nVia Roma 1\n00100 Roma\nITALIA", false},
		{"letter, CRLF", letter, "Maria Rossi\r\nVia Roma 1\r\n", false},
		{"letter, 512 bytes", letter, strings.Repeat("l", other), false},
		{"letter, 513 bytes", letter, strings.Repeat("l", other+1), true},
		{"letter, tab", letter, "Maria Rossi\n\tVia Roma 1", true},
		{"letter, escape", letter, "Maria Rossi\n\x1b[2J", true},
		{"letter, form feed", letter, "Maria Rossi\fVia Roma 1", true},
		{"letter, return within a line", letter, "Maria Rossi\rVia Roma 1", true},
		{"letter, no UTF-8", letter, "Maria\xff", true},
		{"letter, override", letter, "Maria\nVia Ro\u202ema 1", true},
		{"letter, line separator", letter, "Maria\u2028Via Roma 1", true},
		{"letter, blank at a line's end", letter, "Maria \nVia Roma 1", true},
		{"letter, empty line", letter, "Maria\n\nVia Roma 1", false},
		{"letter, first line empty", letter, "\nMaria", true},
		{"no letter", letter, "", true},

		{"handed over", handed, "", false},
		{"handed over, with an address", handed, "desk 4", true},

		{"no channel", "", "maria@example.org", true},
		{"channel of 32 bytes", civicpin.Channel(strings.Repeat("c", 32)), "x", false},
		{"channel of 33 bytes", civicpin.Channel(strings.Repeat("c", 33)), "x", true},
	} {
		refused(t, civicpin.Contact{Channel: tc.channel, Address: tc.address}.Validate(), tc.invalid, tc.name)
	}
	for name, text := range unprintable {
		for _, channel := range []civicpin.Channel{sms, voice, email, pec, push, own, handed} {
			refused(t, civicpin.Contact{Channel: channel, Address: text}.Validate(), true, name+" to "+string(channel))
		}
		refused(t, civicpin.Contact{Channel: civicpin.Channel(text), Address: "x"}.Validate(), true, name+" as channel")
		refused(t, civicpin.Contact{Channel: sms, Address: "+393331234567", Locale: text}.Validate(), true, name+" as locale")
	}
	refused(t, civicpin.Contact{}.Validate(), true, "zero")
	for _, locale := range []string{"", "it", "es-EC", strings.Repeat("x", 35)} {
		refused(t, civicpin.Contact{Channel: sms, Address: "+393331234567", Locale: locale}.Validate(), false, locale)
	}
	refused(t, civicpin.Contact{Channel: sms, Address: "+393331234567", Locale: strings.Repeat("x", 36)}.Validate(), true, "locale")
}

func TestChannel(t *testing.T) {
	for _, tc := range []struct {
		channel              civicpin.Channel
		phone, mail, printed bool
	}{
		{civicpin.SMS, true, false, false},
		{civicpin.Voice, true, false, false},
		{civicpin.Email, false, true, false},
		{civicpin.CertifiedEmail, false, true, false},
		{civicpin.Push, false, false, false},
		{civicpin.Letter, false, false, true},
		{civicpin.HandedOver, false, false, true},
		{"", false, false, false},
		{"whatsapp", false, false, false},
	} {
		assert.Equal(t, tc.phone, tc.channel.Phone(), tc.channel)
		assert.Equal(t, tc.mail, tc.channel.Mail(), tc.channel)
		assert.Equal(t, tc.printed, tc.channel.Printed(), tc.channel)
	}
}

func TestContactSameAddress(t *testing.T) {
	const number, address = "+393331234567", "Maria@Example.org"
	for name, tc := range map[string]struct {
		a, b civicpin.Contact
		want bool
	}{
		"itself":            {civicpin.Contact{Channel: civicpin.SMS, Address: number}, civicpin.Contact{Channel: civicpin.SMS, Address: number}, true},
		"text and call":     {civicpin.Contact{Channel: civicpin.SMS, Address: number}, civicpin.Contact{Channel: civicpin.Voice, Address: number}, true},
		"case":              {civicpin.Contact{Channel: civicpin.Email, Address: address}, civicpin.Contact{Channel: civicpin.Email, Address: "maria@example.ORG"}, true},
		"certified and not": {civicpin.Contact{Channel: civicpin.Email, Address: address}, civicpin.Contact{Channel: civicpin.CertifiedEmail, Address: address}, true},
		"locale":            {civicpin.Contact{Channel: civicpin.SMS, Address: number, Locale: "it"}, civicpin.Contact{Channel: civicpin.SMS, Address: number, Locale: "de"}, true},
		"case beyond ASCII": {civicpin.Contact{Channel: civicpin.Email, Address: "JOSÉ@example.org"}, civicpin.Contact{Channel: civicpin.Email, Address: "josé@example.org"}, true},
		"another number":    {civicpin.Contact{Channel: civicpin.SMS, Address: number}, civicpin.Contact{Channel: civicpin.SMS, Address: "+393331234568"}, false},
		"longer number":     {civicpin.Contact{Channel: civicpin.SMS, Address: number}, civicpin.Contact{Channel: civicpin.SMS, Address: number + "0"}, false},
		"number and e-mail": {civicpin.Contact{Channel: civicpin.SMS, Address: number}, civicpin.Contact{Channel: civicpin.Email, Address: address}, false},
		"both handed over":  {civicpin.Contact{Channel: civicpin.HandedOver}, civicpin.Contact{Channel: civicpin.HandedOver}, false},
		"zero":              {civicpin.Contact{}, civicpin.Contact{}, false},
	} {
		assert.Equal(t, tc.want, tc.a.SameAddress(tc.b), name)
		assert.Equal(t, tc.want, tc.b.SameAddress(tc.a), name)
		if tc.a.Address != "" {
			assert.Equal(t, tc.want, tc.a.Canonical() == tc.b.Canonical(), "counted as it is compared: %s", name)
		}
	}
	assert.Empty(t, civicpin.Contact{}.Canonical())
}

func TestContactPrefix(t *testing.T) {
	for _, tc := range []struct {
		channel civicpin.Channel
		address string
		want    string
	}{
		{civicpin.SMS, "+393331234567", "+39"},
		{civicpin.Voice, "+34600123456", "+34"},
		{civicpin.SMS, "+593991234567", "+593"},
		{civicpin.SMS, "+12025550123", "+1"},
		{civicpin.SMS, "+77012345678", "+7"},
		{civicpin.SMS, "+201001234567", "+20"},
		{civicpin.SMS, "+211912345678", "+211"},
		{civicpin.SMS, "+989121234567", "+98"},
		{civicpin.SMS, "+99299123456", "+992"},
		{civicpin.SMS, "+6661234567", "+66"},
		{civicpin.SMS, "+447700900123", "+44"},
		{civicpin.SMS, "+495512345678", "+49"},
		{civicpin.SMS, "+573001234567", "+57"},
		{civicpin.SMS, "+923001234567", "+92"},
		{civicpin.SMS, "+351912345678", "+351"},
		{civicpin.SMS, "+420601123456", "+420"},
		{civicpin.SMS, "+502412345678", "+502"},
		{civicpin.SMS, "+886912345678", "+886"},
		{civicpin.SMS, "+67012345678", "+670"},
		{civicpin.HandedOver, "", ""},
		{civicpin.SMS, "+2591234567", "+259"}, // not assigned
		{civicpin.SMS, "0039333123456", ""},   // not valid
		{civicpin.SMS, "+39", ""},
		{civicpin.SMS, "", ""},
		{civicpin.Email, "maria@example.org", ""},
		{civicpin.Push, "+393331234567", ""},
	} {
		assert.Equal(t, tc.want, civicpin.Contact{Channel: tc.channel, Address: tc.address}.Prefix(), tc.address)
	}
}

func TestContactMasked(t *testing.T) {
	for _, tc := range []struct {
		channel civicpin.Channel
		address string
		want    string
	}{
		{civicpin.SMS, "+39333123567", "+39******567"},
		{civicpin.Voice, "+1234567", "+12**567"},
		{civicpin.Email, "maria@example.org", "m***@example.org"},
		{civicpin.Email, "m@example.org", "m***@example.org"}, // as long as any other
		{civicpin.CertifiedEmail, "èva@example.org", "è***@example.org"},
		{civicpin.Push, "token-of-the-installation", "***"},
		{civicpin.Letter, "Maria Rossi\nVia Roma 1", "***"},
		{civicpin.HandedOver, "", ""},
		{"whatsapp", "+393331234567", "***"},
		// Not valid, and shown no more for that:
		{civicpin.SMS, "112", "***"},
		{civicpin.SMS, "123456", "***"},
		{civicpin.Email, "maria", "***"},
		{civicpin.Email, "@example.org", "***"},
		{"", "", ""},
	} {
		assert.Equal(t, tc.want, civicpin.Contact{Channel: tc.channel, Address: tc.address}.Masked(), tc.address)
	}
}

func FuzzContact(f *testing.F) {
	for _, c := range []civicpin.Contact{
		{Channel: civicpin.SMS, Address: "+393331234567", Locale: "it"},
		{Channel: civicpin.Email, Address: "maria@example.org"},
		{Channel: civicpin.Email, Address: "Maria <maria@example.org>\r\nBcc: x"},
		{Channel: civicpin.CertifiedEmail, Address: `"a b"@[127.0.0.1]`},
		{Channel: civicpin.Letter, Address: "Maria\r\nVia Roma 1\n"},
		{Channel: civicpin.Push, Address: "x"},
		{Channel: civicpin.HandedOver},
	} {
		f.Add(string(c.Channel), c.Address, c.Locale)
	}
	f.Fuzz(func(t *testing.T, channel, address, locale string) {
		c := civicpin.Contact{Channel: civicpin.Channel(channel), Address: address, Locale: locale}
		masked, prefix := c.Masked(), c.Prefix() // of anything, without panic
		if err := c.Validate(); err != nil {
			assert.ErrorIs(t, err, civicpin.ErrInvalid)
			return
		}
		assert.LessOrEqual(t, len(address), 512)
		assert.Equal(t, c.Channel != civicpin.HandedOver, c.SameAddress(c))
		if c.Channel != civicpin.Letter {
			assert.NotContains(t, channel+address+locale, "\n")
			assert.NotContains(t, channel+address+locale, "\r")
		}
		if address != "" && address != "***" {
			assert.NotEqual(t, address, masked)
		}
		if c.Channel == civicpin.Email || c.Channel == civicpin.CertifiedEmail {
			list, err := mail.ParseAddressList(address)
			assert.NoError(t, err)
			assert.Len(t, list, 1, "one recipient, whatever reads it")
		}
		if c.Channel.Phone() {
			assert.Len(t, masked, len(address))
			assert.GreaterOrEqual(t, len(prefix), 2)
			assert.True(t, strings.HasPrefix(address, prefix))
			assert.GreaterOrEqual(t, strings.Count(masked, "*"), 2)
		}
	})
}
