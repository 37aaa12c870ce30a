package recovery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/lockout"
)

const (
	defaultUndo = 7 * day
	// pendingLives is how long a contact may wait for its proof (NIST SP 800-63B-4 4.2.1.2: 24 hours by e-mail), and phoneLives
	// for how long a code that went to anything but a mailbox is good (ibid.: 10 minutes).
	pendingLives = day
	phoneLives   = 10 * minute
)

// A ContactPolicy says how the contacts of subjects are kept. Its zero value is a policy.
type ContactPolicy struct {
	// AtLeast is how many proved contacts a subject keeps: none is removed that would leave fewer. Zero means 1; at most 4.
	AtLeast int
	// Undo is for how long a change of contacts can be undone by the contacts that there were, who are told of it. Zero means 7
	// days; 1 to 60 days.
	Undo time.Duration
	// CoolDown is for how long a contact that was added to others, or took the place of one, proves nothing: no link, code or
	// part of a new secret goes there. Zero means as long as Undo, which is the least; at most 90 days. A subject's first
	// contacts do not cool down, and neither do those that staff have seen.
	CoolDown time.Duration
	// LowerTo has the level of assurance count as at most this while a contact cools down ([pin.Service.LowerLevel]). Nil
	// leaves the level alone. Point it with new(civicpin.Low).
	LowerTo *civicpin.Level
	// SuspendOnUndo has an undo also suspend the credential, until staff have looked at it: whoever changed the contacts was
	// logged in. The default is not to: an undo by whoever was sent the wrong mail would keep the citizen out.
	SuspendOnUndo bool
	// Decoys are made-up contacts in the likeness of the subjects', {SMS, "+593990000000"}, at most 16. They are what a contact
	// that is shown, masked, is made of where a subject has none. On a channel of which there is none here no contact is shown
	// to anybody, or it would tell who is registered.
	Decoys []civicpin.Contact
}

// withDefaults returns a copy with its zero fields filled in, sharing nothing that the caller may change.
func (p ContactPolicy) withDefaults() ContactPolicy {
	p.Decoys = slices.Clone(p.Decoys)
	if p.LowerTo != nil {
		p.LowerTo = new(*p.LowerTo)
	}
	if p.AtLeast == 0 {
		p.AtLeast = 1
	}
	if p.Undo == 0 {
		p.Undo = defaultUndo
	}
	if p.CoolDown == 0 {
		p.CoolDown = p.Undo
	}
	return p
}

// validate checks a policy that has its defaults.
func (p ContactPolicy) validate() error {
	bad := func(what string) error { return fmt.Errorf("%w: Contacts: %s", ErrPlan, what) }
	switch {
	case p.AtLeast < 1 || p.AtLeast > maxContacts/2:
		return bad("AtLeast is not 1 to 4")
	case p.Undo < day || p.Undo > 60*day:
		return bad("Undo is not 1 to 60 days")
	case p.CoolDown < p.Undo || p.CoolDown > 90*day:
		return bad("CoolDown is not between Undo and 90 days")
	case len(p.Decoys) > 16:
		return bad("Decoys lists more than 16 contacts")
	}
	if p.LowerTo != nil {
		if _, err := p.LowerTo.MarshalText(); err != nil {
			return bad("LowerTo is no level")
		}
	}
	for _, d := range p.Decoys {
		if err := d.Validate(); err != nil {
			return fmt.Errorf("%w: Contacts: Decoys: %w", ErrPlan, err)
		}
		if d.Channel.Printed() {
			return bad("Decoys lists a contact that is printed for")
		}
	}
	return nil
}

// proofLimit limits guesses at the codes that prove contacts: 38 bits against a hundred tries.
func proofLimit() lockout.Policy {
	return lockout.Policy{Name: "contact.proof", Limit: 5, Lock: lockout.Timed, For: 15 * minute, Max: day}
}

// A ProvedContact is a contact of a subject: a message to it was read, or somebody vouched for it.
type ProvedContact struct {
	civicpin.Contact
	ID string // names it, for the calls that change it; no secret
	// Primary says that it is preferred to others of its channel. One contact is, of all.
	Primary bool
	Since   time.Time
	// Cooling is until when it cools down, see ContactPolicy.CoolDown; zero if it never did.
	Cooling time.Time
}

// A PendingContact is an address that was given for a subject and still waits for its proof. It is no civicpin.Contact, so that
// nobody sends it what a contact gets.
type PendingContact struct {
	ID       string // also of the ProvedContact that it may become
	Channel  civicpin.Channel
	Address  string
	Locale   string
	Replaces string    // the ID of the contact that it takes the place of; empty if it is added
	Expires  time.Time // when it is given up
}

func (p *unproved) pending() PendingContact {
	return PendingContact{
		ID: p.ID, Channel: p.To.Channel, Address: p.To.Address, Locale: p.To.Locale, Replaces: p.Replaces, Expires: p.Expires,
	}
}

// Contacts returns the contacts of a subject, the primary one first, and those that wait for their proof. It is for the
// authenticated citizen and for staff: addresses are not masked. Errors: [civicpin.ErrInvalid]; the store's.
func (s *Service) Contacts(ctx context.Context, subject civicpin.Subject) ([]ProvedContact, []PendingContact, error) {
	if err := subject.Validate(); err != nil {
		return nil, nil, err
	}
	b, err := s.book(ctx, subject)
	if err != nil {
		return nil, nil, err
	}
	var proved []ProvedContact
	for _, h := range b.live() {
		proved = append(proved, b.proved(h))
	}
	var pending []PendingContact
	for i := range b.Pending {
		if b.waits(b.Pending[i].ID, s.vault.Now()) == i {
			pending = append(pending, b.Pending[i].pending())
		}
	}
	return proved, pending, nil
}

// wrote writes an event about a contact.
func (s *Service) wrote(ctx context.Context, subject civicpin.Subject, by civicpin.Actor, source civicpin.Source, ref, reason string) {
	s.vault.Record(ctx, civicpin.Event{Code: eventContact, Subject: subject, By: by, Source: source, Ref: ref, Reason: reason})
}

// validNotice checks what Notify is given.
func validNotice(kind civicpin.MessageKind, params map[string]string) error {
	if !names.Valid(string(kind), 64) {
		return fmt.Errorf("%w: the kind of a message is 1 to 64 letters, digits, dots, hyphens and underscores", civicpin.ErrInvalid)
	}
	if len(params) > 8 {
		return fmt.Errorf("%w: more than 8 parameters", civicpin.ErrInvalid)
	}
	for k, v := range params {
		if !names.Valid(k, 32) || len(v) > 256 || !plainText(v) {
			return fmt.Errorf("%w: a parameter is empty, too long or not printable", civicpin.ErrInvalid)
		}
	}
	return nil
}
