// Package decoy makes up what is shown, masked, of the contact of somebody who has none, so that nobody can tell them from
// somebody who has.
package decoy

import (
	"encoding/binary"
	"strings"

	"github.com/civicpin/civicpin"
)

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
