package contactbook

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/waits"
)

// ErrUnsuitable says that a contact cannot be what an act would make of it.
var ErrUnsuitable = errors.New("civicpin: the contacts do not allow this")

// A LimitError says that there are too many changes that can be undone, or messages to one candidate, and until when.
type LimitError struct {
	Sends bool // messages
	Until time.Time
}

// Error says so.
func (e *LimitError) Error() string {
	return "civicpin: too many changes of contacts, or messages to one"
}

// What a change did, as the parameter "change" of the message that tells of it.
const (
	Added   = "added"
	Changed = "changed"
	Removed = "removed"
	Primary = "primary"
	// Settling says that a dispute ends as the subject said.
	Settling = "settling"
)

// Whats returns all that a change can have done.
func Whats() []string { return []string{Added, Changed, Removed, Primary, Settling} }

// A Change is one of contacts that can be undone: it says what the contacts were before.
type Change struct {
	ID      string         `json:"id"`
	What    string         `json:"what"`
	By      civicpin.Actor `json:"by"`
	At      time.Time      `json:"at,omitzero"`
	Until   time.Time      `json:"until"`            // can be undone
	Before  []string       `json:"before,omitempty"` // ids
	Primary string         `json:"primary,omitempty"`
	New     []string       `json:"new,omitempty"` // ids that it brought
	Tokens  []UndoToken    `json:"tokens,omitempty"`
	Undone  bool           `json:"undone,omitempty"`
	Stands  bool           `json:"stands,omitempty"` // undone with an earlier one, but what it did stays: an operator did it
}

// counts reports whether what the change did still holds, as far as it is up to undoing.
func (c *Change) counts() bool { return !c.Undone || c.Stands }

// An UndoToken undoes a change.
type UndoToken struct {
	N    int    `json:"n"`
	Hash []byte `json:"hash"`
	To   string `json:"to"` // id of the contact that it was sent to
}

// An Act is what a change has in common with others: its id, who does it, and when.
type Act struct {
	ID  string // of the change
	By  civicpin.Actor
	Now time.Time
}

// open begins a change, to be undone until a time, before the contacts are touched. extra changes may go beyond MaxChanges.
func (b *Book) open(a Act, what string, until time.Time, extra int) (*Change, error) {
	open, first := 0, time.Time{}
	for _, c := range b.Changes {
		if a.Now.Before(c.Until) {
			open++
			if first.IsZero() || c.Until.Before(first) {
				first = c.Until
			}
		}
	}
	if a.By.IsOperator() {
		extra = MaxChanges
	}
	if open >= MaxChanges+extra {
		return nil, &LimitError{Until: first}
	}
	c := Change{ID: a.ID, What: what, By: a.By, At: a.Now, Until: until, Primary: b.Primary}
	for _, h := range b.Live() {
		c.Before = append(c.Before, h.ID)
	}
	b.Changes = append(b.Changes, c)
	return &b.Changes[len(b.Changes)-1], nil
}

// take has a contact be the subject's no longer, within a change.
func (b *Book) take(id string, c *Change, now time.Time, told time.Duration) {
	h := b.Contact(id)
	h.Gone, h.Told = now, now.Add(told)
	if c.By.IsOperator() {
		// The thief of a telephone must not undo what staff did about it: each removal would give another right to undo.
		h.Told, h.Barred = time.Time{}, c.ID
		for i := range b.Changes {
			b.Changes[i].Tokens = slices.DeleteFunc(b.Changes[i].Tokens, func(t UndoToken) bool { return t.To == id })
		}
		for i := range b.Mail {
			if b.Mail[i].For == id {
				b.Mail[i].Token = ""
			}
		}
	}
	act := waits.Take
	if c.By.IsOperator() {
		act = waits.StaffTake
	}
	b.ends(act, id)
	b.decided(c.By)
	b.lead("")
}

// lead sees to it that one of the contacts is the primary one: id, if it is given, or else the one that is, or the oldest, of
// those that are not disputed if there is one.
func (b *Book) lead(id string) {
	if id != "" && b.Contact(id) != nil {
		b.Primary = id
	}
	if b.Contact(b.Primary) != nil {
		return
	}
	b.Primary = ""
	live := b.Live()
	if sound := slices.DeleteFunc(slices.Clone(live), func(a *Address) bool { return a.Disputed }); len(sound) > 0 {
		live = sound
	}
	if len(live) > 0 {
		b.Primary = live[0].ID
	}
}

// Find returns which change has an id, -1 if none.
func (b *Book) Find(id string) int {
	return slices.IndexFunc(b.Changes, func(c Change) bool { return c.ID == id })
}

// cools returns until when a contact cools down that the act brings. One that an operator brings does not.
func (p Policy) cools(a Act, undo time.Time) time.Time {
	if a.By.IsOperator() {
		return time.Time{}
	}
	return Later(a.Now.Add(p.CoolDown), undo)
}

// bring puts an address into the book, within a change, in the place of others.
func (b *Book) bring(c *Change, h Address, gone []string, told []Address, now time.Time, p Policy) Effects {
	h.Since, h.Stamp, h.Confirmed = now, b.past.Stamp(), b.past[waits.Repudiate].N
	lead := ""
	for _, id := range gone {
		if id == b.Primary {
			lead = h.ID
		}
		b.take(id, c, now, p.Undo)
	}
	b.inherit(&h, c.By) // also what one of those was: it may be the same telephone on another channel
	b.Contacts = append(b.Contacts, h)
	c.New = append(c.New, h.ID)
	b.lead(lead)
	fx := b.announce(c, told, now)
	if h.CoolsDown(now) {
		fx.Lowered = h.Cooling
	}
	return fx
}

// Remove ends a contact. It returns what was done, for the log; empty if the contact went before.
func (b *Book) Remove(id string, a Act, p Policy) (fx Effects, reason string, err error) {
	h := b.Contact(id)
	switch {
	case h == nil && slices.ContainsFunc(b.Contacts, func(h Address) bool { return h.ID == id }):
		return fx, "", nil
	case h == nil:
		return fx, "", fmt.Errorf("%w: no such contact", ErrUnsuitable)
	case b.barsRemoval(a.By) != nil:
		return fx, "", b.barsRemoval(a.By)
	case len(b.Live()) <= p.AtLeast:
		return fx, "", fmt.Errorf("%w: at least %d are kept", ErrUnsuitable, p.AtLeast)
	}
	reason = Removed + " " + string(h.To.Channel)
	told := b.Told(a.Now)
	c, err := b.open(a, Removed, a.Now.Add(p.Undo), 0)
	if err != nil {
		return fx, "", err
	}
	b.take(id, c, a.Now, p.Undo)
	return b.announce(c, told, a.Now), reason, nil
}

// MakePrimary has a contact be preferred to the others. It returns what was done, for the log; empty if it is already.
func (b *Book) MakePrimary(id string, a Act, p Policy) (fx Effects, reason string, err error) {
	h := b.Contact(id)
	switch {
	case h == nil:
		return fx, "", fmt.Errorf("%w: no such contact", ErrUnsuitable)
	case h.Disputed:
		return fx, "", fmt.Errorf("%w: it is disputed", ErrUnsuitable)
	case h.CoolsDown(a.Now):
		return fx, "", fmt.Errorf("%w: it cools down", ErrUnsuitable)
	case h.ID == b.Primary:
		return fx, "", nil
	}
	told := b.Told(a.Now)
	c, err := b.open(a, Primary, a.Now.Add(p.Undo), 0)
	if err != nil {
		return fx, "", err
	}
	b.lead(id)
	return b.announce(c, told, a.Now), Primary, nil
}
