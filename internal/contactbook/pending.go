package contactbook

import (
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/internal/waits"
)

// A Candidate is an address that waits for its proof. Only [Book.Accept] makes a contact of one.
type Candidate struct {
	ID       string          `json:"id"` // also of the contact that it may become
	To       letter.Unproved `json:"to" export:"yes"`
	Replaces string          `json:"replaces,omitempty"` // a contact's id
	First    bool            `json:"first,omitempty"`    // the subject had no contact when this one was asked for
	By       civicpin.Actor  `json:"by" export:"yes"`
	Expires  time.Time       `json:"expires" export:"yes"`
	Stamp    waits.Stamp     `json:"stamp,omitempty"` // of the acts upon the credential before
	Links    []token.Link    `json:"links,omitempty"` // oldest first
	Sends    int             `json:"sends"`
	Claim    *Claim          `json:"claim,omitempty"` // of a contact that proves itself once more
}

// Fits returns why an address cannot become a contact, nil if it can. replaces is the id of the one whose place it takes.
func (b *Book) Fits(to civicpin.Contact, replaces string) error {
	if replaces != "" && b.Contact(replaces) == nil {
		return fmt.Errorf("%w: no such contact", ErrUnsuitable)
	}
	others := b.coming(to)
	for _, h := range b.Live() {
		if h.ID == replaces && (h.To.Channel != to.Channel || !h.To.Contact().SameAddress(to)) {
			continue
		}
		// Two channels to one telephone are no two contacts: whoever holds it holds both.
		if h.To.Contact().SameAddress(to) {
			return fmt.Errorf("%w: it is one already", ErrUnsuitable)
		}
		others++
	}
	if others >= MaxContacts {
		return fmt.Errorf("%w: there are %d", ErrUnsuitable, others)
	}
	return nil
}

// fresh reports whether the subject has no contact, and nothing that can be undone brought that about.
func (b *Book) fresh() bool { return len(b.Live()) == 0 && len(b.Changes) == 0 && b.Dispute == nil }

// beginning reports whether there is nothing yet but first contacts, which the citizen added one after the other.
func (b *Book) beginning() bool {
	return b.Dispute == nil &&
		!slices.ContainsFunc(b.Contacts, func(a Address) bool { return !a.Live() || !a.Cooling.IsZero() }) &&
		!slices.ContainsFunc(b.Changes, func(c Change) bool { return c.What != Added || c.By.IsOperator() || c.Undone })
}

// Ask returns the candidate of an address: one that waits already, or a new one under id.
func (b *Book) Ask(id string, to civicpin.Contact, replaces string, by civicpin.Actor, now time.Time) (*Candidate, error) {
	if err := b.Fits(to, replaces); err != nil {
		return nil, err
	}
	if replaces != "" && b.barsRemoval(by) != nil {
		return nil, b.barsRemoval(by)
	}
	most := MaxContacts
	if replaces == "" {
		most -= len(b.Live()) + b.coming(to)
	}
	return b.await(id, Candidate{To: letter.Given(to), Replaces: replaces, First: b.fresh(), By: by}, func(p *Candidate) bool {
		return p.Claim == nil && p.Replaces == replaces && p.To.Channel == to.Channel && p.To.Address == to.Address
	}, most, now)
}

// await returns the candidate that waits already and is the same, or the given one under id if fewer than most wait.
func (b *Book) await(id string, c Candidate, same func(*Candidate) bool, most int, now time.Time) (*Candidate, error) {
	waiting := 0
	for i := range b.Pending {
		p := &b.Pending[i]
		if !now.Before(p.Expires) {
			continue
		}
		if same(p) {
			if p.Sends >= MaxSends {
				return nil, &LimitError{Sends: true, Until: p.Expires}
			}
			if c.By.IsOperator() {
				p.By, p.Stamp = c.By, b.past.Stamp()
			}
			return p, nil
		}
		waiting++
	}
	if waiting >= most {
		return nil, fmt.Errorf("%w: there are %d, and %d that wait for their proof", ErrUnsuitable, len(b.Live()), waiting)
	}
	c.ID, c.Expires, c.Stamp = id, now.Add(candidateLives), b.past.Stamp()
	b.Pending = append(b.Pending, c)
	return &b.Pending[len(b.Pending)-1], nil
}

// Waits returns which candidate has an id, -1 if none that still waits.
func (b *Book) Waits(id string, now time.Time) int {
	return slices.IndexFunc(b.Pending, func(p Candidate) bool { return p.ID == id && now.Before(p.Expires) })
}

// GiveUp drops a candidate by its id, and returns its channel; empty if none waits.
func (b *Book) GiveUp(id string, now time.Time) civicpin.Channel {
	i := b.Waits(id, now)
	if i < 0 {
		return ""
	}
	channel := b.Pending[i].To.Channel
	b.Pending = slices.Delete(b.Pending, i, i+1)
	return channel
}

// ByToken returns which candidate a token proves, and its link. Only the holder of the whole token is told that it is late.
func (b *Book) ByToken(t token.Token, now time.Time) (int, *token.Link, error) {
	for i := range b.Pending {
		p := &b.Pending[i]
		if p.ID != t.Selector {
			continue
		}
		for j := range p.Links {
			l := &p.Links[j]
			if !l.Is(t) {
				continue
			}
			if !now.Before(l.Expires) {
				return i, l, token.ErrExpired
			}
			return i, l, nil
		}
	}
	return len(b.Pending), nil, token.ErrGone
}

// Accept makes a contact of the i-th candidate, whose proof came back; nothing else does. What was done is the first result. If
// the candidate is a contact already, a dispute is to end as it claims.
func (b *Book) Accept(i int, id string, now time.Time, policy Policy) (what string, by civicpin.Actor, fx Effects, err error) {
	p := b.Pending[i]
	b.Pending = slices.Delete(b.Pending, i, i+1)
	to := letter.Contact(p.To)
	if p.Claim != nil {
		fx, err = b.settle(&p, id, now, policy)
		return Settling, p.By, fx, err
	}
	if err := b.Fits(to.Contact(), p.Replaces); err != nil {
		return "", p.By, fx, err
	}
	what = Added
	var gone []string
	if p.Replaces != "" {
		if err := b.barsRemoval(p.By); err != nil {
			return "", p.By, fx, err
		}
		what, gone = Changed, []string{p.Replaces}
	}
	act := Act{ID: id, By: p.By, Now: now}
	first, told := p.First && b.beginning(), b.Told(now)
	c, err := b.open(act, what, now.Add(policy.Undo), 0)
	if err != nil {
		return "", p.By, fx, err
	}
	h := Address{ID: p.ID, To: to, Seen: p.By.IsOperator()}
	if !first {
		h.Cooling = policy.cools(act, c.Until)
	}
	return what + " " + string(to.Channel), p.By, b.bring(c, h, gone, told, now, policy), nil
}
