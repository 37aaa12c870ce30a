package contact

import (
	"maps"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/token"
)

// expected returns the channels on which contacts are expected: those of the policy's decoys.
func (s *Service) expected() []civicpin.Channel {
	var channels []civicpin.Channel
	for _, d := range s.policy.Decoys {
		channels = append(channels, d.Channel)
	}
	return channels
}

// provable refuses channels over which the notifier would refuse the message that proves a contact. An empty locale stands for
// every language.
func (s *Service) provable(locale string, channels ...civicpin.Channel) error {
	for _, channel := range channels {
		m := civicpin.Message{
			Kind: contactbook.ProveMail, To: civicpin.Contact{Locale: locale}, Expires: s.vault.Now().Add(phoneLives),
			Secret: civicpin.NewSecret(code.Unambiguous.Samples(codeLength)[0]),
		}
		if mailbox(channel) {
			m.Link = token.New(token.Contact, token.NewID(), 1).Text()
		}
		if err := s.out.Check(m, channel); err != nil {
			return err
		}
	}
	return nil
}

// tellable refuses channels over which the notifier would refuse to tell of a change of contacts. A contact that could not be
// told would protect nobody.
func (s *Service) tellable(locale string, channels ...civicpin.Channel) error {
	for _, change := range []string{contactbook.Added, contactbook.Changed, contactbook.Removed, contactbook.Primary} {
		err := s.out.Check(civicpin.Message{
			Kind: contactbook.ChangedMail, To: civicpin.Contact{Locale: locale}, Expires: s.vault.Now().Add(s.policy.Undo),
			Link: token.New(token.Undo, token.NewID(), 1).Text(), Params: map[string]string{"change": change},
		}, channels...)
		if err != nil {
			return err
		}
	}
	return nil
}

// notifiable refuses a message of [Service.Notify] that the notifier would refuse over one of the expected channels.
func (s *Service) notifiable(kind civicpin.MessageKind, params map[string]string) error {
	return s.out.Check(civicpin.Message{Kind: kind, Params: maps.Clone(params)}, s.expected()...)
}
