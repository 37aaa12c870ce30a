package contact

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/store/outbox"
)

// Add takes an address that an authenticated subject or operator gives, and sends a proof there: a code, and by e-mail also a
// link. [Service.Prove] or [Service.ProveCode] makes it a contact. Adding a waiting address again sends another proof; the
// earlier ones stay good, at most three. The address is given up after 24 hours. A code that goes to any other channel than a
// mailbox is good for ten minutes (NIST SP 800-63B-4 4.2.1.2). Errors:
//   - [civicpin.ErrInvalid]: the subject, actor or contact is invalid, or of a channel that the caller prints for. If it is an
//     [*outbox.UnsendableError], the notifier would refuse the proof, or the notice of a change, over the channel.
//   - [ErrUnsuitable]: the address is the subject's already, on any channel, or there are eight with the candidates.
//   - a *[lockout.LockedError]: the limits of messages are reached.
//   - [outbox.ErrBusy]: too many messages wait. It matches [ErrBusy]: answer 503.
func (s *Service) Add(ctx context.Context, subject civicpin.Subject, to civicpin.Contact, by civicpin.Actor,
	source civicpin.Source,
) (Candidate, error) {
	return s.ask(ctx, subject, "", to, by, source)
}

// Change adds an address that replaces the contact with this ID once it is proved. Errors are those of [Service.Add];
// [ErrUnsuitable] also if the contact is not found, or contacts are disputed ([Policy]) and no operator acts.
func (s *Service) Change(ctx context.Context, subject civicpin.Subject, id string, to civicpin.Contact, by civicpin.Actor,
	source civicpin.Source,
) (Candidate, error) {
	if id == "" {
		return Candidate{}, fmt.Errorf("%w: no contact to be changed", civicpin.ErrInvalid)
	}
	return s.ask(ctx, subject, id, to, by, source)
}

// checkContact checks what can be checked of a contact without the store; proof says whether a proof is to be sent there.
func (s *Service) checkContact(subject civicpin.Subject, to civicpin.Contact, by civicpin.Actor, source civicpin.Source,
	proof bool,
) error {
	if err := errors.Join(subject.Validate(), by.Validate(), to.Validate(), source.Validate()); err != nil {
		return err
	}
	if to.Channel.Printed() {
		return fmt.Errorf("%w: a contact by %q, which the caller prints for", civicpin.ErrInvalid, to.Channel)
	}
	return s.sendable(proof, to.Locale, to.Channel)
}

// ask puts a candidate into the book, and sends its proof.
func (s *Service) ask(ctx context.Context, subject civicpin.Subject, replaces string, to civicpin.Contact, by civicpin.Actor,
	source civicpin.Source,
) (Candidate, error) {
	if err := s.checkContact(subject, to, by, source, true); err != nil {
		return Candidate{}, err
	}
	id := token.NewID()
	return s.send(ctx, subject, by, source, id, func(b *book, now time.Time) (*contactbook.Candidate, error) {
		return b.Ask(id, to, replaces, by, now)
	})
}

// send puts the candidate into the book that find returns, a new one if it has the id, and sends its proof.
func (s *Service) send(ctx context.Context, subject civicpin.Subject, by civicpin.Actor, source civicpin.Source, id string,
	find func(*book, time.Time) (*contactbook.Candidate, error),
) (Candidate, error) {
	var asked Candidate
	r := outbox.Request{Subject: subject, Limit: s.sends, By: by, Source: source}
	err := s.alter(ctx, r, func(b *book, now time.Time) (effects, error) {
		c, err := find(b, now)
		if err != nil {
			return effects{}, err
		}
		fx := effects{Notes: []contactbook.Note{s.proof(subject, c, now)}, Until: c.Expires}
		if c.ID == id {
			fx.Pointer = id
		}
		asked = candidate(c)
		return fx, nil
	})
	if err != nil {
		return Candidate{}, err
	}
	s.vault.Record(ctx, civicpin.Event{
		Code: eventChanged, Subject: subject, By: by, Source: source, Ref: asked.ID, Reason: "asked " + string(asked.Channel),
	})
	return asked, nil
}

// proof makes a token, or a code, or both, and the message that carries them.
func (s *Service) proof(subject civicpin.Subject, c *contactbook.Candidate, now time.Time) contactbook.Note {
	c.Sends++
	until := c.Expires
	if soon := now.Add(phoneLives); !c.To.Channel.Mail() && soon.Before(until) {
		until = soon
	}
	l := token.Link{N: c.Sends, To: letter.Contact(c.To), Expires: until}
	n := contactbook.Note{Of: c.ID, Mail: letter.Mail{
		Name: c.ID + "." + strconv.Itoa(l.N), Kind: contactbook.ProofMessage, To: l.To, Link: l.N, Expires: until,
		State: letter.Pending, Code: code.Unambiguous.New(codeLength),
	}}
	l.Tag = s.tag(subject, c, &l, n.Code)
	if c.To.Channel.Mail() && c.Claim == nil { // a claim is proved within the subject's session, and not by a link elsewhere
		t := token.New(token.Contact, c.ID, l.N)
		l.Hash, n.Token = t.Hash(), t.Text().Reveal()
	}
	c.Links = token.Push(c.Links, l)
	return n
}

// tag returns the [token.Link.Sum] of a typed code.
func (s *Service) tag(subject civicpin.Subject, c *contactbook.Candidate, l *token.Link, text string) []byte {
	return l.Sum(s.vault.Hash, "contact.code", text, string(subject), c.ID)
}
