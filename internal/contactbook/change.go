package recovery

import (
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
)

// The changes of contacts, as the parameter "change" of the message that tells of one.
const (
	changeAdded   = "added"
	changeChanged = "changed"
	changeRemoved = "removed"
	changePrimary = "primary"
)

// bookChange is a change of contacts that can be undone: it says what the contacts were before.
type bookChange struct {
	ID      string         `json:"id"`
	What    string         `json:"what"`
	By      civicpin.Actor `json:"by"`
	Until   time.Time      `json:"until"`            // can be undone
	Before  []string       `json:"before,omitempty"` // ids
	Primary string         `json:"primary,omitempty"`
	New     []string       `json:"new,omitempty"` // ids that it brought
	Tokens  []repudiation  `json:"tokens,omitempty"`
	Undone  bool           `json:"undone,omitempty"`
	// Stands says of one that was undone with an earlier one that what it did stays: it was by staff.
	Stands bool `json:"stands,omitempty"`
}

// counts reports whether what the change did still holds, as far as it is up to undoing.
func (c *bookChange) counts() bool { return !c.Undone || c.Stands }

// repudiation is a token that undoes a change.
type repudiation struct {
	N    int    `json:"n"`
	Hash []byte `json:"hash"`
	To   string `json:"to"` // id of the contact that it was sent to
}

// open begins a change: call it before the contacts are touched. extra is how many changes may be beyond maxChanges.
func (b *book) open(id, what string, by civicpin.Actor, now, until time.Time, extra int) (*bookChange, error) {
	open, first := 0, time.Time{}
	for _, c := range b.Changes {
		if now.Before(c.Until) {
			open++
			if first.IsZero() || c.Until.Before(first) {
				first = c.Until
			}
		}
	}
	if by.IsOperator() {
		extra = maxChanges
	}
	if open >= maxChanges+extra {
		return nil, &lockout.LockedError{Scope: lockout.ScopeSubject, Until: first}
	}
	c := bookChange{ID: id, What: what, By: by, Until: until, Primary: b.Primary}
	for _, h := range b.live() {
		c.Before = append(c.Before, h.ID)
	}
	b.Changes = append(b.Changes, c)
	return &b.Changes[len(b.Changes)-1], nil
}

// take has a contact be the subject's no longer, within a change.
func (b *book) take(id string, c *bookChange, now time.Time, told time.Duration) {
	h := b.contact(id)
	h.Gone, h.Told = now, now.Add(told)
	if c.By.IsOperator() {
		// Whoever has a stolen telephone must not be able to undo what staff did about it, or the citizen would never be rid
		// of it: every removal would give them another right to undo.
		h.Told, h.Barred = time.Time{}, c.ID
		for i := range b.Changes {
			b.Changes[i].Tokens = slices.DeleteFunc(b.Changes[i].Tokens, func(r repudiation) bool { return r.To == id })
		}
		for i := range b.Mail {
			if b.Mail[i].For == id {
				b.Mail[i].Token = ""
			}
		}
	}
	b.Pending = slices.DeleteFunc(b.Pending, func(p unproved) bool { return p.Replaces == id })
	b.Epoch++
	b.lead("")
}

// lead sees to it that one of the contacts is the primary one: id, if it is given, or else the one that is, or the oldest.
func (b *book) lead(id string) {
	if id != "" && b.contact(id) != nil {
		b.Primary = id
	}
	if b.contact(b.Primary) != nil {
		return
	}
	b.Primary = ""
	if live := b.live(); len(live) > 0 {
		b.Primary = live[0].ID
	}
}

// find returns which change has an id, -1 if none.
func (b *book) find(id string) int {
	return slices.IndexFunc(b.Changes, func(c bookChange) bool { return c.ID == id })
}

// rollback undoes a change and all that came after it: whoever did it may have done those, too, and one that stood on it could
// not stand alone. What staff brought since stays, and what they took away stays away. Everything that waits for its proof
// goes. Nobody can undo an undo. It may leave fewer contacts than the policy wants kept, where staff took away what it would
// bring back: rather none than one that was repudiated.
func (b *book) rollback(k int, now time.Time) {
	c := &b.Changes[k]
	back, came := slices.Clone(c.Before), slices.Clone(c.New)
	for _, after := range b.Changes[k+1:] {
		came = append(came, after.New...)
		if after.counts() && after.By.IsOperator() {
			back = append(back, after.New...)
		}
	}
	for i := range b.Contacts {
		h := &b.Contacts[i]
		switch {
		case !slices.Contains(back, h.ID) && slices.Contains(came, h.ID):
			if h.live() {
				h.Gone = now
			}
			h.Told = time.Time{}
		case !slices.Contains(back, h.ID): // went before
		case h.Barred == "" || h.Barred == c.ID:
			h.Gone, h.Told, h.Barred = time.Time{}, time.Time{}, ""
		}
	}
	b.once(now)
	dead := make(map[string]bool)
	for i := k; i < len(b.Changes); i++ {
		after := &b.Changes[i]
		after.Stands = i > k && after.counts() && after.By.IsOperator()
		after.Undone, after.Tokens = true, nil
		dead[after.ID] = true
	}
	b.Mail = slices.DeleteFunc(b.Mail, func(m note) bool { return m.Link > 0 || dead[m.Of] })
	b.Pending = nil
	b.Epoch++
	b.Primary = c.Primary
	b.lead("")
}

// once drops all but the oldest of contacts with one address: staff may have brought back what an undo brings back, too.
func (b *book) once(now time.Time) {
	var kept []civicpin.Contact
	for i := range b.Contacts {
		h := &b.Contacts[i]
		if !h.live() {
			continue
		}
		if slices.ContainsFunc(kept, h.To.contact().SameAddress) {
			h.Gone = now
			continue
		}
		kept = append(kept, h.To.contact())
	}
}
