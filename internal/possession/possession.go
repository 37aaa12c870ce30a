// Package possession says what kinds of things a subject can hold that prove something.
package possession

import (
	"slices"

	"github.com/civicpin/civicpin"
)

// A Kind is a kind of possession. Two possessions of one kind are lost together: in one pocket, or behind one login.
type Kind string

// The kinds.
const (
	None          Kind = "" // it proves nothing that counts
	Telephone     Kind = "telephone"
	Mailbox       Kind = "mailbox"
	Certified     Kind = "certified mailbox" // where a plan takes it for a kind of its own
	Letters       Kind = "letters"
	Authenticator Kind = "authenticator"
)

// Of returns the kind of the contacts on a channel. certified says that certified e-mail is a kind of its own; mail are the
// mailboxes among the channels of the caller's.
func Of(channel civicpin.Channel, certified bool, mail []civicpin.Channel) Kind {
	switch {
	case channel.Phone():
		return Telephone
	case channel == civicpin.CertifiedEmail && certified:
		return Certified
	case channel.Mail() || slices.Contains(mail, channel):
		return Mailbox
	case channel == civicpin.Letter:
		return Letters
	}
	return None
}

// Differ reports whether two of several proofs can be of different kinds. Each proof is of one of the kinds listed for it.
func Differ(proofs [][]Kind) bool {
	for i, one := range proofs {
		for _, other := range proofs[i+1:] {
			for _, k := range one {
				if k != None && slices.ContainsFunc(other, func(o Kind) bool { return o != None && o != k }) {
					return true
				}
			}
		}
	}
	return false
}
