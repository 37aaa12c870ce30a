package contactbook

import (
	"slices"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/internal/waits"
)

// Adopt puts contacts into the book that the act's actor vouches for. It returns what was done, for the log; empty if nothing.
func (b *Book) Adopt(contacts []civicpin.Contact, a Act, p Policy) (fx Effects, reason string, err error) {
	var c *Change
	var done []string
	first := b.fresh()
	if a.By.IsOperator() {
		b.adopted(contacts)
	}
	told := b.Told(a.Now)
	for _, to := range contacts {
		if h := b.Same(to); h != nil {
			if a.By.IsOperator() {
				b.shown(h, a)
				done = append(done, "seen "+string(to.Channel))
			}
			continue
		}
		if err := b.Fits(to, ""); err != nil {
			return fx, "", err
		}
		if c == nil {
			if c, err = b.open(a, Added, a.Now.Add(p.Undo), 0); err != nil {
				return fx, "", err
			}
		}
		h := Address{ID: token.NewID(), To: letter.Stored(to), Since: a.Now, Stamp: b.past.Stamp(), Seen: a.By.IsOperator()}
		h.Confirmed = b.past[waits.Repudiate].N
		h.settle(a.By.IsOperator())
		b.inherit(&h, a.By)
		if !first {
			h.Cooling = p.cools(a, c.Until)
			fx.Lowered = h.Cooling
		}
		b.Pending = slices.DeleteFunc(b.Pending, func(p Candidate) bool {
			return p.Replaces == "" && letter.Contact(p.To).Contact().SameAddress(to)
		})
		b.Contacts = append(b.Contacts, h)
		c.New = append(c.New, h.ID)
		b.lead("")
		done = append(done, "adopted "+string(to.Channel))
	}
	if c != nil {
		lowered := fx.Lowered
		fx = b.announce(c, told, a.Now)
		fx.Lowered = lowered
	}
	return fx, strings.Join(done, " "), nil
}

// shown has a contact be one that an operator was shown.
func (b *Book) shown(h *Address, a Act) {
	if h.CoolsDown(a.Now) {
		h.Cooling = a.Now
	}
	h.settle(true)
	h.Seen, h.SeenSince, h.Confirmed = true, true, b.past[waits.Repudiate].N
	b.inherit(h, a.By)
}

// Correct puts an address that a completed recovery brings in the place of those of its channel. It can be undone until undo at
// the least. It returns what was done, for the log; empty if the change was made before, or the address is a contact. A first
// contact does not cool down if it begins an account; that of an account in use could be a thief's.
func (b *Book) Correct(id string, given letter.Contact, begins bool, undo, now time.Time, p Policy) (
	fx Effects, reason string, err error,
) {
	if b.Find(id) >= 0 || b.Same(given.Contact()) != nil {
		return fx, "", nil
	}
	gone, err := b.Displaced(given.Contact())
	if err != nil {
		return fx, "", err
	}
	what := Added
	if len(gone) > 0 {
		what = Changed
	}
	first, told := begins && b.fresh(), b.Told(now)
	// The recovery counts as the citizen's whoever of staff took part: they saw the citizen, not the address.
	act := Act{ID: id, By: civicpin.Citizen, Now: now}
	c, err := b.open(act, what, Later(now.Add(p.Undo), undo), MaxChanges)
	if err != nil {
		return fx, "", err
	}
	h := Address{ID: token.NewID(), To: given}
	if !first {
		h.Cooling = p.cools(act, c.Until)
	}
	return b.bring(c, h, gone, told, now, p), what + " " + string(given.Channel) + " by a recovery", nil
}

// Displaced returns the ids of the contacts whose place an address takes that a recovery brings: those of its channel, and of
// its address. It gives ErrUnsuitable if there are none and the book is full. None goes while contacts are disputed.
func (b *Book) Displaced(given civicpin.Contact) ([]string, error) {
	if b.Dispute != nil {
		return nil, b.Fits(given, "")
	}
	var gone []string
	for _, h := range b.Live() {
		if h.To.Channel == given.Channel || h.To.Contact().SameAddress(given) {
			gone = append(gone, h.ID)
		}
	}
	if len(gone) > 0 {
		return gone, nil
	}
	return nil, b.Fits(given, "")
}
