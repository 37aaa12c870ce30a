package pin_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
)

// Parts go to the first contacts that reach different places: whoever holds one holds no second.
func TestAssign(t *testing.T) {
	const own civicpin.Channel = "citizen-certified-email"
	at := func(channel civicpin.Channel, address string) civicpin.Contact {
		return civicpin.Contact{Channel: channel, Address: address, Locale: "it"}
	}
	var (
		sms, voice   = at(civicpin.SMS, "+393331234567"), at(civicpin.Voice, "+393331234567")
		second       = at(civicpin.SMS, "+393331234568")
		mail, pec    = at(civicpin.Email, "rosa@example.it"), at(civicpin.CertifiedEmail, "rosa@pec.example.it")
		shouted, app = at(own, "ROSA@example.it"), at(civicpin.Push, "installation-1")
		paper, desk  = at(civicpin.Letter, "Via Roma 1"), at(civicpin.HandedOver, "")
	)
	list := func(contacts ...civicpin.Contact) []civicpin.Contact { return contacts }
	for _, tc := range []struct {
		name     string
		parts    int
		contacts []civicpin.Contact
		want     []civicpin.Contact
	}{
		{"as many as parts", 2, list(mail, sms), list(mail, sms)},
		{"the first", 2, list(sms, mail, pec), list(sms, mail)},
		{"in their order", 3, list(pec, mail, sms), list(pec, mail, sms)},
		{"one part", 1, list(pec, mail, sms), list(pec)},
		{"of different channels", 2, list(sms, second, mail), list(sms, mail)},
		{"of different addresses", 2, list(sms, voice, mail), list(sms, mail)},
		{"an address in another case", 2, list(mail, shouted, sms), list(mail, sms)},
		{"what was passed over takes no place", 2, list(app, sms, mail), list(sms, mail)},
		{"a channel that the policy does not list", 2, list(app, sms), list(sms)},
		{"nobody prints", 2, list(paper, desk, sms), list(sms)},
		{"too few", 3, list(sms, voice, second, mail), list(sms, mail)},
		{"none", 2, nil, nil},
		{"none that will do", 2, list(paper, app), nil},
	} {
		p := pin.INPS()
		p.Parts = tc.parts
		require.Equal(t, tc.want, p.Assign(tc.contacts), tc.name)
	}

	p := pin.INPS()
	p.Valid = map[civicpin.Channel]time.Duration{civicpin.Push: time.Hour, civicpin.SMS: 0}
	require.Equal(t, list(app), p.Assign(list(sms, app)), "the policy's channels, and none that is valid for no time")
}
