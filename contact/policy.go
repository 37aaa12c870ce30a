package contact

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/lockout"
)

const (
	minute = time.Minute
	day    = 24 * time.Hour

	defaultUndo = 7 * day
	// phoneLives is for how long a code that went to anything but a mailbox is good (NIST SP 800-63B-4 4.2.1.2: 10 minutes).
	phoneLives = 10 * minute
	// codeLength is 38 bits: with a hundred tries, 1 in 4 billion.
	codeLength = 8
)

// ErrInvalidPolicy matches every error about an invalid policy.
var ErrInvalidPolicy = errors.New("contact: invalid policy")

// A Policy says how the contacts of subjects are kept. The zero Policy is valid.
//
// An undo opens a dispute between the addresses that the change brought and those that it took away, since a thief may have
// made the change, or may have undone it. A disputed address proves nothing, however late, gets no links, and undoes nothing;
// an address undoes once. The mark on an address goes when an operator brings that very address to [Service.Adopt]. The
// dispute, with what it bars, ends when an operator brings any contact, or removes the last disputed one, or as the subject
// says ([Service.EndDispute]), after Undo without an objection, if each disputed address could be told. Meanwhile the subject
// adds contacts and removes none, operators remove some, and both sides are told of all that happens. A login, contacts that
// staff saw since the change, and those that it did not touch work on. Disputed contacts count for AtLeast: bring another one
// before you remove the last that is not disputed.
type Policy struct {
	// AtLeast is how many proved contacts a subject keeps: none is removed that would leave fewer. Zero means 1; at most 4.
	AtLeast int
	// Undo is how long the previous contacts, which are notified, can undo a change. Zero means 7 days; 1 to 60 days.
	Undo time.Duration
	// CoolDown is how long a contact that was added to others, or replaced one, proves nothing: no link, code or part of a secret
	// goes there. Zero means Undo, which is the least; at most 90 days. First contacts, and those staff have seen, are exempt.
	CoolDown time.Duration
	// LowerTo caps the assurance level while a contact cools down ([Credentials].LowerLevel), as new(civicpin.Low) does; nil
	// does not. It needs credentials.
	LowerTo *civicpin.Level
	// SuspendOnUndo makes an undo also stop the credential ([Credentials].Stop) until an operator has looked at it: the contacts
	// were changed after a login. It is off by default: misdirected mail could keep the subject out. It needs credentials.
	SuspendOnUndo bool
	// Decoys are at most 16 examples, {SMS, "+593990000000"}, of which the masked contacts of unknown subjects are made. Channels
	// without a decoy show no contact at all; showing one would reveal who is registered.
	Decoys []civicpin.Contact
	// Sends limits the proofs for a subject; the outbox has the limits by address, country and source. Zero means 10 in 24 hours.
	Sends civicpin.Rate
}

// withDefaults returns a copy with its zero fields filled in, sharing nothing that the caller may change.
func (p Policy) withDefaults() Policy {
	p.Decoys = slices.Clone(p.Decoys)
	if p.LowerTo != nil {
		p.LowerTo = new(*p.LowerTo)
	}
	p.AtLeast = cmp.Or(p.AtLeast, 1)
	p.Undo = cmp.Or(p.Undo, defaultUndo)
	p.CoolDown = cmp.Or(p.CoolDown, p.Undo)
	p.Sends = cmp.Or(p.Sends, civicpin.Rate{Limit: 10, Window: day})
	return p
}

// Validate returns nil, or an error that matches [ErrInvalidPolicy] and says what is wrong. Zero fields mean defaults.
func (p Policy) Validate() error {
	p = p.withDefaults()
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrInvalidPolicy, what) }
	switch {
	case p.AtLeast < 1 || p.AtLeast > contactbook.MaxContacts/2:
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
			return fmt.Errorf("%w: Decoys: %w", ErrInvalidPolicy, err)
		}
		if d.Channel.Printed() {
			return bad("Decoys lists a contact that is printed for")
		}
	}
	if err := p.Sends.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidPolicy, err)
	}
	return nil
}

// book returns the numbers by which a book decides.
func (p Policy) book() contactbook.Policy {
	return contactbook.Policy{AtLeast: p.AtLeast, Undo: p.Undo, CoolDown: p.CoolDown}
}

// proofLimit limits guesses at the codes that prove contacts: 38 bits against a hundred tries.
func proofLimit() lockout.Policy {
	return lockout.Policy{Limit: 5, Lock: lockout.Timed, For: 15 * minute, Max: day, ShowLeft: true} // to the owner, in a session
}
