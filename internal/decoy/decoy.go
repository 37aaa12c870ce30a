// Package decoy makes decoys of masked contacts: a visitor is shown one where the subject has no contact, and cannot tell the
// two apart.
package decoy

import (
	"encoding/binary"
	"strings"

	"github.com/civicpin/civicpin"
)

// Masked returns a decoy, masked. It is made of one of the examples and a hash, which must be keyed: plausible, and always the
// same for one hash. Without examples Masked returns "".
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
