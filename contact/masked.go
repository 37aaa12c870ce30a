package contact

import (
	"encoding/binary"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/decoy"
)

// Masked returns what a visitor is shown of the subject's contact on a channel, or of a decoy. Without decoys there it is "".
func (v *Snapshot) Masked(channel civicpin.Channel) string {
	masked := v.service.MaskedDecoy(v.subject, channel)
	b, mine := v.looked()
	if a := b.On([]civicpin.Channel{channel}, v.now); a != nil { // masked for a decoy, too: it takes time
		if own := a.To.Contact().Masked(); mine && masked != "" {
			masked = own
		}
	}
	return masked
}

// MaskedDecoy returns a masked decoy, which a visitor is shown where the subject has no contact on a channel. It is always the
// same. It is empty if the policy has no decoy on that channel: then show no subject's contact.
func (s *Service) MaskedDecoy(subject civicpin.Subject, channel civicpin.Channel) string {
	return decoy.Of(s.vault.Hash, subject, channel, s.policy.Decoys)
}

// Decoy returns an address on one of the channels in place of the contact of a subject who has none. It is always the same.
// Send nothing there. Pass all channels of the plan: a decoy that always used the first would differ from real contacts.
// Without channels Decoy returns the zero Contact.
func (s *Service) Decoy(subject civicpin.Subject, channels ...civicpin.Channel) civicpin.Contact {
	if len(channels) == 0 {
		return civicpin.Contact{}
	}
	h := s.vault.Hash("contact.channel", string(subject))
	channel := channels[binary.BigEndian.Uint64(h[:])%uint64(len(channels))]
	h = s.vault.Hash("contact.decoy-address", string(subject), string(channel))
	return civicpin.Contact{Channel: channel, Address: fmt.Sprintf("%x", h[:16])}
}

// IsDecoy reports whether an address is the subject's decoy on its channel.
func (s *Service) IsDecoy(subject civicpin.Subject, to civicpin.Contact) bool {
	return to == s.Decoy(subject, to.Channel)
}
