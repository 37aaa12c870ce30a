package contact

import (
	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/token"
)

// sendable refuses channels over which the notifier would refuse to tell of a change of contacts, for a contact that cannot be
// told protects nobody; and, if there is to be a proof, those over which it would refuse that. An empty locale stands for every
// language.
func (s *Service) sendable(proof bool, locale string, channels ...civicpin.Channel) error {
	now := s.vault.Now()
	for _, channel := range channels {
		var samples []civicpin.Message
		if proof {
			samples = append(samples, token.Sample(contactbook.ProveMail, codeLength, mailbox(channel), now.Add(phoneLives)))
		}
		for _, change := range []string{contactbook.Added, contactbook.Changed, contactbook.Removed, contactbook.Primary} {
			m := token.Sample(contactbook.ChangedMail, 0, true, now.Add(s.policy.Undo))
			m.Params = map[string]string{"change": change}
			samples = append(samples, m)
		}
		for _, m := range samples {
			m.To.Locale = locale
			if err := s.out.Check(m, channel); err != nil {
				return err
			}
		}
	}
	return nil
}

// expected returns the channels on which contacts are expected: those of the policy's decoys.
func (s *Service) expected() []civicpin.Channel {
	var channels []civicpin.Channel
	for _, d := range s.policy.Decoys {
		channels = append(channels, d.Channel)
	}
	return channels
}
