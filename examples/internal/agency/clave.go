package agency

import (
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
)

// ClaveActivation is the policy of activation codes: sixteen characters in one part, by letter, text message or on a slip. The
// app exchanges one for a key of its own, 26 random characters that nobody types. Both are guessed by nobody.
func ClaveActivation() pin.Policy {
	p := pin.Default()
	p.Name = "clave"
	p.Length = 16
	p.Valid = map[civicpin.Channel]time.Duration{
		civicpin.Letter: 21 * day, civicpin.HandedOver: 7 * day, civicpin.SMS: 10 * time.Minute,
	}
	p.Chosen = pin.Chosen{Form: pin.Password, Min: 26, Max: 26}
	p.Exceptions = []civicpin.Exception{{
		Clause: "SP 800-63B-4 3.1.1.2(2)",
		Reason: "the app draws a key of 26 characters, and has no use for a longer one",
	}}
	p.Lockout.ShowLeft = true
	p.Requests.Renew = true // by letter to where the register says that the citizen lives
	return p
}

// ClaveCards limits guesses at the data on an identity card: there are some 3,650 days on which one may expire.
func ClaveCards() lockout.Policy {
	return lockout.Policy{Limit: 5, Lock: lockout.Timed, For: 15 * time.Minute, Max: day}.WithRates()
}

// ClavePIN is the policy of PINs: the page says how many tries are left.
func ClavePIN() otp.CodePolicy {
	p := otp.ClavePIN()
	p.Lockout.ShowLeft = true
	return p
}
