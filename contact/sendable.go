package contact

import (
	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/token"
)

// sendable refuses channels over which the notifier would refuse the notice of a change, since a contact that is not told
// protects nobody, or, with proof set, the proof of a new contact. An empty locale stands for every language.
func (s *Service) sendable(proof bool, locale string, channels ...civicpin.Channel) error {
	now := s.vault.Now()
	for _, channel := range channels {
		var samples []civicpin.Message
		if proof {
			samples = append(samples, token.Sample(contactbook.ProofMessage, codeLength, channel.Mail(), now.Add(phoneLives)))
		}
		samples = append(samples, civicpin.Message{Kind: contactbook.NoticeChanged}) // after an undo
		for _, change := range contactbook.Whats() {
			m := token.Sample(contactbook.NoticeChanged, 0, true, now.Add(s.policy.Undo))
			m.Params = map[string]string{"change": change}
			samples = append(samples, m, civicpin.Message{Kind: m.Kind, Params: m.Params}) // with a link to undo it, and without
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

// expected returns the channels on which the policy expects contacts: those of its decoys.
func (s *Service) expected() (channels []civicpin.Channel) {
	for _, d := range s.policy.Decoys {
		channels = append(channels, d.Channel)
	}
	return channels
}
