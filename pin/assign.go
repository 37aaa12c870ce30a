package pin

import (
	"slices"

	"github.com/civicpin/civicpin"
)

// Assign returns the first contacts that parts of a secret may go to: of different channels and addresses, on channels that the
// policy allows and for which the caller does not print. It returns as many as the policy has parts, or fewer if there are not
// as many.
func (p Policy) Assign(contacts []civicpin.Contact) []civicpin.Contact {
	p = p.withDefaults()
	var parts []civicpin.Contact
	for _, c := range contacts {
		taken := slices.ContainsFunc(parts, func(other civicpin.Contact) bool {
			return other.Channel == c.Channel || other.SameAddress(c)
		})
		if len(parts) < p.Parts && !taken && p.Valid[c.Channel] > 0 && !c.Channel.Printed() {
			parts = append(parts, c)
		}
	}
	return parts
}
