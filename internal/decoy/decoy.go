// Package decoy makes decoys of masked contacts: a visitor is shown one where the subject has no contact, and cannot tell the
// two apart.
package decoy

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/civicpin/civicpin"
)

// Of returns the masked decoy of a subject on a channel, made of the examples on that channel, and "" if there is none.
// hash is the vault's. The services of one vault show the same decoy, as they show the same contact: two pages that show
// different ones would reveal that the subject is unknown.
func Of(hash func(purpose string, parts ...string) [32]byte, s civicpin.Subject, on civicpin.Channel,
	examples []civicpin.Contact,
) string {
	examples = slices.DeleteFunc(slices.Clone(examples), func(d civicpin.Contact) bool { return d.Channel != on })
	return Masked(hash("contact.decoy", string(s), string(on)), examples)
}

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
	case d.Channel.Mail():
		d.Address = string('a'+rune(h[8]%26)) + d.Address[max(0, strings.LastIndexByte(d.Address, '@')):]
	}
	return d.Masked()
}
