// Package decoy makes up what is shown, masked, of the contact of somebody who has none, so that nobody can tell them from
// somebody who has.
package decoy

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/civicpin/civicpin"
)

// Address makes an address that nobody has, of a hash, which has to be keyed, for the limits of messages to be counted against:
// for one hash always the same. A telephone's has the country of one of the examples, and so counts towards the limit of that
// country as a true one does; with 15 digits it is too long to be anybody's.
func Address(h [32]byte, channel civicpin.Channel, examples []civicpin.Contact) string {
	address := fmt.Sprintf("%x", h[:12])
	if !channel.Phone() || len(examples) == 0 {
		return address
	}
	d := examples[binary.BigEndian.Uint64(h[:])%uint64(len(examples))]
	if d.Prefix() == "" {
		return address
	}
	number := []byte(d.Prefix())
	for len(number) < len("+")+15 { // as long as ITU-T E.164 lets it be
		number = append(number, '0'+h[len(number)+8]%10)
	}
	return string(number)
}

// Masked makes a contact, and masks it, of one of the examples and a hash, which has to be keyed: plausible, and for one hash
// always the same. Without examples it returns "".
func Masked(h [32]byte, examples []civicpin.Contact) string {
	if len(examples) == 0 {
		return ""
	}
	d := examples[binary.BigEndian.Uint64(h[:])%uint64(len(examples))]
	switch {
	case d.Channel.Phone():
		digits := []byte(d.Address)
		for i := 3; i < len(digits); i++ {
			digits[i] = '0' + h[8+i%24]%10
		}
		d.Address = string(digits)
	case d.Channel == civicpin.Email || d.Channel == civicpin.CertifiedEmail:
		d.Address = string('a'+rune(h[8]%26)) + d.Address[max(0, strings.LastIndexByte(d.Address, '@')):]
	}
	return d.Masked()
}
