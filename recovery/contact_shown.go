package recovery

import (
	"crypto/subtle"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/decoy"
)

// decoy returns what is shown of a contact that nobody has, "" if nothing is shown on that channel.
func (s *Service) decoy(subject civicpin.Subject, channel civicpin.Channel) string {
	return decoy.Masked(s.vault.Hash("recovery.contact.decoy", string(subject), string(channel)), s.examples(channel))
}

// examples returns the policy's decoys of a channel.
func (s *Service) examples(channel civicpin.Channel) []civicpin.Contact {
	return slices.DeleteFunc(slices.Clone(s.config.Contacts.Decoys), func(d civicpin.Contact) bool { return d.Channel != channel })
}

// masked returns what is shown of the subject's contact on a channel: of the true one, or of one made up.
func (s *Service) masked(subject civicpin.Subject, b *book, channel civicpin.Channel) string {
	shown := s.decoy(subject, channel)
	mine := len(b.Contacts) > 0
	if !mine { // the same work, on a contact that is nobody's
		b = &s.alike.contacts
	}
	c, ok := b.on([]civicpin.Channel{channel}, s.vault.Now())
	if own := c.Masked(); ok && mine && shown != "" {
		shown = own
	}
	return shown
}

// maskedFor returns what is shown of where a message of a run went. An address that the visitor gave is shown whatever the
// policy: they know it.
func (s *Service) maskedFor(r *run, to civicpin.Contact) string {
	shown, own := s.decoy(r.Subject, to.Channel), to.Masked()
	switch {
	case r.Correct != nil && r.Correct.Channel == to.Channel && r.Correct.Address == to.Address:
		return own
	case shown == "" || to == s.nobody(r.Subject, to.Channel):
		return shown
	}
	return own
}

// nobody returns an address made up, as stable as a true one, for the limits of messages to be counted against.
func (s *Service) nobody(subject civicpin.Subject, channel civicpin.Channel) civicpin.Contact {
	h := s.vault.Hash("recovery.contact.nobody", string(subject), string(channel))
	return civicpin.Contact{Channel: channel, Address: decoy.Address(h, channel, s.examples(channel))}
}

// sameContacts compares contacts that a visitor named with the usable ones of the subject: same channel and address. It returns
// these, in the order given, if there is one for each. What is compared are keyed hashes, as many whatever the book
// holds: neither how many contacts there are nor how much of one was right can be told from the time that it takes.
func (s *Service) sameContacts(b *book, given []civicpin.Contact) ([]contact, bool) {
	usable := b.usable(s.vault.Now())
	real := len(usable) > 0
	if !real { // the same work, on contacts that are nobody's
		usable = s.alike.contacts.usable(s.vault.Now())
	}
	mark := func(c civicpin.Contact) [32]byte {
		return s.vault.Hash("recovery.contact", string(c.Channel), c.Canonical())
	}
	// An undo may bring back contacts beyond the limit.
	marks := make([][32]byte, max(maxContacts, len(usable)))
	for i := range marks {
		c := civicpin.Contact{Channel: civicpin.Email, Address: "nobody"} // no address: it equals none that is given
		if i < len(usable) {
			c = usable[i].Contact
		}
		marks[i] = mark(c)
	}
	named := make([]contact, len(given))
	used := make([]bool, len(marks))
	all := len(given) > 0
	for i, g := range given {
		want, found := mark(g), -1
		for j := range marks {
			if subtle.ConstantTimeCompare(want[:], marks[j][:]) == 1 && j < len(usable) && !used[j] && real {
				found = j
			}
		}
		if found < 0 {
			all = false
			continue
		}
		used[found] = true
		named[i] = stored(usable[found].Contact)
	}
	if !all {
		return nil, false
	}
	return named, true
}

// plainText reports whether s is UTF-8 without control characters.
func plainText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
