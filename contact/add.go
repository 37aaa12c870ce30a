package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// AddContact takes an address that an authenticated citizen, or staff on their behalf, gives, and sends a proof there: a code, and
// by e-mail also a link. It is a contact only once [Service.ProveContact] or [Service.ProveCode] brought one of these back. Adding an
// address that waits already sends another proof; the earlier ones stay good, at most three. The address is given up after 24
// hours; a code that goes elsewhere than to a mailbox is good for ten minutes (NIST SP 800-63B-4 4.2.1.2).
//
// The caller has authenticated the citizen or the member of staff: that is what keeps strangers from having mail sent. Errors:
// [civicpin.ErrInvalid], also for a channel that the caller prints for; [ErrContacts] if it is one of the subject's contacts, on
// whatever channel, or there are eight with those that wait; a *[lockout.LockedError] if the limits of messages are reached; the
// store's: call again.
func (s *Service) AddContact(ctx context.Context, subject civicpin.Subject, to civicpin.Contact, by civicpin.Actor, source civicpin.Source) (PendingContact, error) {
	return s.ask(ctx, subject, "", to, by, source)
}

// ChangeContact is AddContact for an address that is to take the place of a contact, by its ID. The old one stays what it is until
// the new one is proved. Errors are those of AddContact, and [ErrContacts] if there is no such contact.
func (s *Service) ChangeContact(ctx context.Context, subject civicpin.Subject, id string, to civicpin.Contact, by civicpin.Actor,
	source civicpin.Source,
) (PendingContact, error) {
	if id == "" {
		return PendingContact{}, fmt.Errorf("%w: no contact to be changed", civicpin.ErrInvalid)
	}
	return s.ask(ctx, subject, id, to, by, source)
}

// checkContact checks what can be checked of a contact without the store.
func checkContact(subject civicpin.Subject, to civicpin.Contact, by civicpin.Actor) error {
	if err := errors.Join(subject.Validate(), by.Validate(), to.Validate()); err != nil {
		return err
	}
	if to.Channel.Printed() {
		return fmt.Errorf("%w: a contact by %q, which the caller prints for", civicpin.ErrInvalid, to.Channel)
	}
	return nil
}

// fits says why an address cannot become a contact, nil if it can. replaces is the id of the one whose place it takes.
func (b *book) fits(to civicpin.Contact, replaces string) error {
	if replaces != "" && b.contact(replaces) == nil {
		return fmt.Errorf("%w: no such contact", ErrContacts)
	}
	others := 0
	for _, h := range b.live() {
		if h.ID == replaces && (h.To.Channel != to.Channel || !h.To.contact().SameAddress(to)) {
			continue
		}
		// Two channels to one telephone are no two contacts: whoever holds it holds both.
		if h.To.contact().SameAddress(to) {
			return fmt.Errorf("%w: it is one already", ErrContacts)
		}
		others++
	}
	if others >= maxContacts {
		return fmt.Errorf("%w: there are %d", ErrContacts, others)
	}
	return nil
}

// ask puts an address into the book, to be proved, and sends the proof.
func (s *Service) ask(ctx context.Context, subject civicpin.Subject, replaces string, to civicpin.Contact, by civicpin.Actor,
	source civicpin.Source,
) (PendingContact, error) {
	if err := checkContact(subject, to, by); err != nil {
		return PendingContact{}, err
	}
	b, err := s.book(ctx, subject)
	if err != nil {
		return PendingContact{}, err
	}
	if _, err := b.wait(newID(), to, replaces, by, s.vault.Now()); err != nil { // before a message is counted
		return PendingContact{}, err
	}
	if err := s.sends.Take(ctx, subject, source, to); err != nil {
		return PendingContact{}, err
	}
	id := newID()
	var shown PendingContact
	err = s.alter(ctx, subject, by, func(b *book, now time.Time) (effects, error) {
		p, err := b.wait(id, to, replaces, by, now)
		if err != nil {
			return effects{}, err
		}
		fx := effects{notes: []note{s.prove(subject, p, now)}, until: p.Expires}
		if p.ID == id {
			fx.pointer = id
		}
		shown = p.pending()
		return fx, nil
	})
	if err != nil {
		return PendingContact{}, err
	}
	s.wrote(ctx, subject, by, source, shown.ID, "asked "+string(to.Channel))
	return shown, nil
}

// wait returns what waits for the proof of an address: what did already, or something new under id.
func (b *book) wait(id string, to civicpin.Contact, replaces string, by civicpin.Actor, now time.Time) (*unproved, error) {
	if err := b.fits(to, replaces); err != nil {
		return nil, err
	}
	waiting := 0
	for i := range b.Pending {
		p := &b.Pending[i]
		if !now.Before(p.Expires) {
			continue
		}
		if p.Replaces == replaces && p.To.Channel == to.Channel && p.To.Address == to.Address {
			if p.Sends >= maxSends {
				return nil, &lockout.LockedError{Scope: lockout.ScopeSends, Until: p.Expires}
			}
			if by.IsOperator() {
				p.By = by
			}
			return p, nil
		}
		waiting++
	}
	if live := len(b.live()); waiting >= maxContacts || replaces == "" && live+waiting >= maxContacts {
		return nil, fmt.Errorf("%w: there are %d, and %d that wait for their proof", ErrContacts, live, waiting)
	}
	b.Pending = append(b.Pending, unproved{
		ID: id, To: pendingContact{Channel: to.Channel, Address: to.Address, Locale: to.Locale}, Replaces: replaces,
		First: b.fresh(), By: by, Expires: now.Add(pendingLives),
	})
	return &b.Pending[len(b.Pending)-1], nil
}

// fresh reports whether the subject has no contact, and nothing that could be undone lately brought that about.
func (b *book) fresh() bool { return len(b.live()) == 0 && len(b.Changes) == 0 }

// prove makes a token, or a code, or both, and the message that carries them.
func (s *Service) prove(subject civicpin.Subject, p *unproved, now time.Time) note {
	p.Sends++
	until := p.Expires
	mailbox := p.To.Channel == civicpin.Email || p.To.Channel == civicpin.CertifiedEmail
	if soon := now.Add(phoneLives); !mailbox && soon.Before(until) {
		until = soon
	}
	l := link{N: p.Sends, To: contact(p.To), Expires: until}
	m := note{Of: p.ID, For: p.ID}
	m.mail = mail{
		Name: p.ID + "." + strconv.Itoa(l.N), Kind: proveMail, To: l.To, Link: l.N, Expires: until, State: mailPending,
		Code: code.Unambiguous.New(defaultCodeLength),
	}
	l.Tag = s.proofTag(subject, p, &l, m.Code)
	if mailbox {
		t := newToken(contactToken, p.ID, l.N)
		l.Hash, m.Token = t.hash(), t.text().Reveal()
	}
	p.Links = append(p.Links, l)
	p.Links = slices.Clone(p.Links[max(0, len(p.Links)-maxLinks):])
	return m
}

// proofTag is a keyed hash of all that has to be right about a code that proves a contact; see [Service.tag].
func (s *Service) proofTag(subject civicpin.Subject, p *unproved, l *link, text string) []byte {
	h := s.vault.Hash("recovery.contact.code", string(subject), p.ID, strconv.Itoa(l.N), string(l.To.Channel), l.To.Address, text)
	return h[:]
}

// RemoveContact ends a contact, or gives one up that waits for its proof, by its ID. The others and the one that goes are told, and
// can undo it for the policy's Undo; one that a member of staff removes cannot: telephones are stolen. Recoveries under way end.
// Removing twice is no error. The caller has authenticated the citizen or the member of staff.
//
// Errors: [civicpin.ErrInvalid]; [ErrContacts] if there is no such contact, or if it would leave fewer than the policy's AtLeast; a
// *[lockout.LockedError] if too many changes can still be undone; the store's: call again.
func (s *Service) RemoveContact(ctx context.Context, subject civicpin.Subject, id string, by civicpin.Actor, source civicpin.Source) error {
	if err := errors.Join(subject.Validate(), by.Validate()); err != nil {
		return err
	}
	change, reason := newID(), ""
	err := s.alter(ctx, subject, by, func(b *book, now time.Time) (effects, error) {
		reason = ""
		if i := b.waits(id, now); i >= 0 {
			reason = "given up " + string(b.Pending[i].To.Channel)
			b.Pending = slices.Delete(b.Pending, i, i+1)
			return effects{}, nil
		}
		h := b.contact(id)
		switch {
		case h == nil && slices.ContainsFunc(b.Contacts, func(h held) bool { return h.ID == id }):
			return effects{}, store.ErrSkip
		case h == nil:
			return effects{}, fmt.Errorf("%w: no such contact", ErrContacts)
		case len(b.live()) <= s.config.Contacts.AtLeast:
			return effects{}, fmt.Errorf("%w: at least %d are kept", ErrContacts, s.config.Contacts.AtLeast)
		}
		reason = changeRemoved + " " + string(h.To.Channel)
		told := b.told(now)
		c, err := b.open(change, changeRemoved, by, now, now.Add(s.config.Contacts.Undo), 0)
		if err != nil {
			return effects{}, err
		}
		b.take(id, c, now, s.config.Contacts.Undo)
		return b.announce(c, told, now), nil
	})
	if err == nil && reason != "" {
		s.wrote(ctx, subject, by, source, change, reason)
	}
	return err
}

// MakePrimary has a contact be preferred to the others, by its ID. All are told, and can undo it. It is no error if it is the
// primary one. Errors are those of [Service.RemoveContact], and [ErrContacts] for a contact that cools down.
func (s *Service) MakePrimary(ctx context.Context, subject civicpin.Subject, id string, by civicpin.Actor, source civicpin.Source) error {
	if err := errors.Join(subject.Validate(), by.Validate()); err != nil {
		return err
	}
	change, done := newID(), false
	err := s.alter(ctx, subject, by, func(b *book, now time.Time) (effects, error) {
		done = false
		h := b.contact(id)
		switch {
		case h == nil:
			return effects{}, fmt.Errorf("%w: no such contact", ErrContacts)
		case h.cooling(now):
			return effects{}, fmt.Errorf("%w: it cools down", ErrContacts)
		case h.ID == b.Primary:
			return effects{}, store.ErrSkip
		}
		told := b.told(now)
		c, err := b.open(change, changePrimary, by, now, now.Add(s.config.Contacts.Undo), 0)
		if err != nil {
			return effects{}, err
		}
		b.lead(id)
		done = true
		return b.announce(c, told, now), nil
	})
	if err == nil && done {
		s.wrote(ctx, subject, by, source, change, changePrimary)
	}
	return err
}
