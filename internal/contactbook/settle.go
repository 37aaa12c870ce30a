package contactbook

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/waits"
)

// A Claim is what a candidate stands for that is a contact already, and proves itself once more: that of the disputed addresses
// some are the subject's, and no others.
type Claim struct {
	By   string           `json:"by"` // id of the contact
	Mine []letter.Contact `json:"mine,omitempty"`
}

// A Settlement is how a dispute ends as the subject said, unless an address objects until then.
type Settlement struct {
	Change string           `json:"change"` // of the notices, whose links object
	Mine   []letter.Contact `json:"mine,omitempty" export:"yes"`
	Until  time.Time        `json:"until" export:"yes"`
	Stamp  waits.Stamp      `json:"stamp,omitempty"` // of the acts upon the credential before
}

// Disputed returns the addresses between which there is a dispute, but for those that an operator took away.
func (b *Book) Disputed() (list []*Address) {
	for i := range b.Contacts {
		if a := &b.Contacts[i]; b.Dispute != nil && a.Disputed && a.Barred == "" {
			list = append(list, a)
		}
	}
	return list
}

// settlement returns how the dispute ends as the subject said, nil if it does not.
func (b *Book) settlement() *Settlement {
	if b.Dispute == nil {
		return nil
	}
	return b.Dispute.Settlement
}

// settles returns why a contact cannot prove how the dispute is to end, nil if it can.
func (b *Book) settles(by string, now time.Time) error {
	a := b.Contact(by)
	switch {
	case b.Dispute == nil:
		return fmt.Errorf("%w: none is disputed", ErrUnsuitable)
	case b.Dispute.Objected:
		return fmt.Errorf("%w: an address objected, and an operator ends the dispute", ErrUnsuitable)
	case b.Dispute.Settlement != nil:
		return fmt.Errorf("%w: the dispute ends already", ErrUnsuitable)
	case a == nil || !a.Established(now):
		return fmt.Errorf("%w: no contact that proves something", ErrUnsuitable)
	}
	return nil
}

// Claim returns the candidate, one that waits or a new one under id, by which the subject ends the dispute. by is the contact
// that is to prove itself. mine are the ids of the disputed addresses that are the subject's.
func (b *Book) Claim(id, by string, mine []string, now time.Time, p Policy) (*Candidate, error) {
	if err := b.settles(by, now); err != nil {
		return nil, err
	}
	claim := &Claim{By: by}
	for _, a := range b.Disputed() {
		if slices.Contains(mine, a.ID) {
			claim.Mine = append(claim.Mine, a.To)
		}
	}
	if len(claim.Mine) != len(mine) {
		return nil, fmt.Errorf("%w: not a disputed one, or one twice", ErrUnsuitable)
	}
	if err := b.leaves(claim, p); err != nil {
		return nil, err
	}
	same := func(c *Candidate) bool {
		return c.Claim != nil && c.Claim.By == by && slices.Equal(c.Claim.Mine, claim.Mine)
	}
	c := Candidate{To: letter.Unproved(b.Contact(by).To), By: civicpin.Citizen, Claim: claim}
	return b.await(id, c, same, MaxContacts, now)
}

// leaves returns why so many contacts as a claim would leave cannot be, nil if they can.
func (b *Book) leaves(c *Claim, p Policy) error {
	left := len(c.Mine) + len(b.Sound())
	if left < p.AtLeast || left > MaxContacts {
		return fmt.Errorf("%w: %d would be left, and not %d to %d", ErrUnsuitable, left, p.AtLeast, MaxContacts)
	}
	return nil
}

// coming returns how many addresses come back at the end of the dispute, beside one. Until then nothing else takes their room.
func (b *Book) coming(beside civicpin.Contact) (n int) {
	s := b.settlement()
	if s == nil {
		return 0
	}
	for _, m := range s.Mine {
		if to := m.Contact(); b.Same(to) == nil && !to.SameAddress(beside) {
			n++
		}
	}
	return n
}

// settle has the dispute end as a candidate claims, whose proof came back, unless an address objects until the change can no
// longer be undone. Each address of the dispute is told, and can object, as each contact that proves something.
func (b *Book) settle(c *Candidate, id string, now time.Time, p Policy) (fx Effects, err error) {
	if err := b.settles(c.Claim.By, now); err != nil {
		return fx, err
	}
	if err := b.leaves(c.Claim, p); err != nil { // others were proved since
		return fx, err
	}
	told := b.Told(now)
	change, err := b.open(Act{ID: id, By: c.By, Now: now}, Settling, now.Add(p.Undo), 0)
	if err != nil {
		return fx, err
	}
	b.Dispute.Settlement = &Settlement{Change: id, Mine: c.Claim.Mine, Until: change.Until, Stamp: b.past.Stamp()}
	return b.announce(change, told, now), nil
}

// unheard reports whether a message tells a disputed address how the dispute ends, while that can still be objected to.
func (b *Book) unheard(name string, at time.Time) bool {
	s := b.settlement()
	if s == nil || !at.Before(s.Until) || b.Find(s.Change) < 0 {
		return false
	}
	return slices.ContainsFunc(b.Changes[b.Find(s.Change)].Tokens, func(t UndoToken) bool {
		return name == s.Change+"."+strconv.Itoa(t.N) &&
			slices.ContainsFunc(b.Disputed(), func(a *Address) bool { return t.To == a.ID })
	})
}

// unsettle has the dispute end as the subject said no longer.
func (b *Book) unsettle() {
	s := b.settlement()
	if s == nil {
		return
	}
	b.Dispute.Settlement = nil
	if k := b.Find(s.Change); k >= 0 {
		b.Changes[k].Undone, b.Changes[k].Tokens = true, nil
	}
	b.Mail = slices.DeleteFunc(b.Mail, func(n Note) bool { return n.Of == s.Change })
}

// objected has the dispute be left to staff, if it was to end as the subject said.
func (b *Book) objected() {
	if b.settlement() != nil {
		b.unsettle()
		b.Dispute.Objected = true
	}
}

// due ends the dispute as the subject said, once the time to object is over. A recovery, and what ends a contact that cools
// down, ends the settlement if it came before. No write falls on that moment, so every reader comes to the same: what comes
// later does not matter, and each other act since does, whatever the clock of its process said.
func (b *Book) due(now time.Time) {
	s := b.settlement()
	switch {
	case s == nil:
	case b.past.EndedBefore(s.Until, waits.Settling, s.Stamp):
		b.unsettle()
	case !now.Before(s.Until):
		b.settled(s)
	}
}

// settled has the disputed addresses be contacts that prove something which the subject said to be theirs, and others go.
func (b *Book) settled(s *Settlement) {
	var gone []string
	for _, a := range b.Disputed() {
		a.Told = time.Time{}
		switch {
		case slices.ContainsFunc(s.Mine, func(m letter.Contact) bool { return m.Contact().SameAddress(a.To.Contact()) }):
			a.Gone, a.Disputed = time.Time{}, false
		case a.Live():
			a.Gone, gone = s.Until, append(gone, a.ID)
		}
	}
	b.Dispute = nil
	b.once(s.Until)
	for _, id := range gone {
		b.ends(waits.Take, id)
	}
	b.lead("")
}
