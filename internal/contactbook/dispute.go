package contactbook

import (
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/internal/waits"
)

// A Dispute is between the addresses that a change brought and those that it took away, after the change was undone: a thief
// may have made the change, or may have undone it. While there is one, citizens remove and replace no contact.
type Dispute struct {
	Since time.Time `json:"since" export:"yes"`
	// Settlement waits for objections; nil if the subject did not say how the dispute ends, and prove a contact.
	Settlement *Settlement `json:"settlement,omitempty" export:"yes"`
	Objected   bool        `json:"objected,omitempty" export:"yes"` // to a settlement: from then on only staff end the dispute
}

// DisputedAt returns since when an address is disputed that proved something before, zero for any other.
func (b *Book) DisputedAt(a *Address) time.Time {
	was := *a
	was.Disputed = false
	if !a.Disputed || b.Dispute == nil || !was.Established(a.DisputedAt) {
		return time.Time{}
	}
	return a.DisputedAt
}

// dispute has addresses be disputed, and opens a dispute if none is open. Without addresses there is nothing to dispute.
func (b *Book) dispute(ids []string, now time.Time) {
	for i := range b.Contacts {
		a := &b.Contacts[i]
		if !slices.Contains(ids, a.ID) {
			continue
		}
		if !a.Disputed {
			a.Disputed, a.DisputedAt = true, now
		}
		if b.Dispute == nil {
			b.Dispute = &Dispute{Since: now}
		}
	}
}

// barsRemoval returns why an actor cannot take a contact away, nil if nothing bars it. Staff can end a dispute by it.
func (b *Book) barsRemoval(by civicpin.Actor) error {
	if b.Dispute == nil || by.IsOperator() {
		return nil
	}
	return fmt.Errorf("%w: contacts are disputed", ErrUnsuitable)
}

// inherit has an address that comes back be what it was before: adding it anew ends no dispute. What an operator brings was
// seen.
func (b *Book) inherit(h *Address, by civicpin.Actor) {
	for i := range b.Contacts {
		old := &b.Contacts[i]
		if old.Live() || !old.Disputed && !old.Undid || !old.To.Contact().SameAddress(h.To.Contact()) {
			continue
		}
		h.Disputed, h.Undid = h.Disputed || old.Disputed, h.Undid || old.Undid
		if old.Disputed {
			h.DisputedAt = old.DisputedAt
			old.Told = time.Time{} // or the address would be told twice
		}
		old.Disputed, old.Undid = false, false
	}
	if by.IsOperator() {
		h.Disputed, h.Undid = false, false
	}
}

// seen ends the dispute, as when an operator has seen the subject. A disputed address that is not the subject's then is told of
// nothing more.
func (b *Book) seen() {
	b.unsettle()
	b.Dispute = nil
	for i := range b.Contacts {
		a := &b.Contacts[i]
		if a.Live() {
			continue
		}
		if a.Disputed {
			a.Told = time.Time{}
		}
		a.Disputed, a.Undid = false, false
	}
}

// merge has an address that went say nothing if the same address is a contact: what staff saw, or no change touched, stays as
// it is.
func (b *Book) merge() {
	for i := range b.Contacts {
		a := &b.Contacts[i]
		if !a.Live() && a.Disputed && slices.ContainsFunc(b.Live(), func(h *Address) bool {
			return h.To.Contact().SameAddress(a.To.Contact())
		}) {
			a.Disputed, a.Told = false, time.Time{}
		}
	}
}

// decided ends the dispute if an operator took the last disputed contact away.
func (b *Book) decided(by civicpin.Actor) {
	if by.IsOperator() && !slices.ContainsFunc(b.Contacts, func(a Address) bool { return a.Live() && a.Disputed }) {
		b.Dispute = nil
	}
}

// Undoes reports whether a token undoes a change, or only tells of the click.
func (b *Book) Undoes(t token.Token, now time.Time) bool {
	k, a, err := b.redeemed(t, now)
	return err == nil && b.Changes[k].undone(a)
}

// undone reports whether the links of an address undo the change: once until staff have seen it, and never while it is
// disputed. Those of a settlement object to it.
func (c *Change) undone(a *Address) bool {
	return c.What != Settling && a != nil && !a.Disputed && !a.Undid
}

// Undo redeems a token, under an id of its own: see [Book.UndoChange]. Where the token undoes nothing, all are told of the
// click, which objects to a settlement. What the change brought is disputed then, unless the token's address is itself.
func (b *Book) Undo(t token.Token, undo string, now time.Time, p Policy) (fx Effects, reason string, err error) {
	k, a, err := b.redeemed(t, now)
	if err != nil {
		return fx, "", err
	}
	c := &b.Changes[k]
	if c.undone(a) {
		a.Undid = b.touches(k)
		return b.UndoChange(t.Selector, undo, now, p)
	}
	c.Tokens = slices.DeleteFunc(c.Tokens, func(r UndoToken) bool { return r.N == t.N })
	if a != nil && !a.Disputed && c.What != Settling {
		came, _ := b.moved(k)
		b.dispute(came, now)
		b.ends(waits.Undo, "")
	}
	b.objected()
	fx.tell(b.Told(now), undo, now.Add(p.Undo))
	return fx, "objected", nil
}

// touches reports whether to undo a change takes a contact away, or brings one back.
func (b *Book) touches(k int) bool {
	came, back := b.moved(k)
	return len(came) > 0 || slices.ContainsFunc(b.Contacts, func(a Address) bool {
		return !a.Live() && slices.Contains(back, a.ID)
	})
}
