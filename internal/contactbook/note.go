package contactbook

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
)

// The kinds of messages; see packages contact and pin. NoticeLocked tells of what strangers can cause, by wrong guesses.
const (
	ProofMessage  civicpin.MessageKind = "contact.prove"
	NoticeChanged civicpin.MessageKind = "contact.changed"
	NoticeLocked  civicpin.MessageKind = "pin.locked"
)

const (
	// maxNotices bounds the messages of [Book.Notify] that wait in one book.
	maxNotices = 64
	// maxFailed bounds the messages of one book that no provider would take and that may be tried again.
	maxFailed = 64
	// noticeLives is for how long a message of Notify is worth sending: longer than any outage that ought to be.
	noticeLives = 7 * day
)

// Effects are what has to be there before a change of a book is written.
type Effects struct {
	Notes   []Note             // to be sent
	Pointer string             // selector of new tokens; empty if there are none
	Until   time.Time          // when the new tokens end
	Lowered time.Time          // until when the level of assurance counts as lower; zero if it does not
	Undone  time.Time          // when the change was made that is undone; zero if none is
	Went    []civicpin.Contact // see [Book.Went]
}

// A Note is a message about contacts, or to all of them. It is dropped when a provider has taken it over.
type Note struct {
	letter.Mail
	// Of is the id of the candidate or the change that the note is about; empty for a message of Notify.
	Of     string            `json:"of,omitempty"`
	For    string            `json:"for,omitempty"` // id of the contact that it goes to
	Params map[string]string `json:"params,omitempty"`
}

// notice returns the i-th message of an act, without a token.
func notice(id string, i int, kind civicpin.MessageKind, to letter.Contact, until time.Time) letter.Mail {
	return letter.Mail{Name: id + "." + strconv.Itoa(i+1), Kind: kind, To: to, Expires: until, State: letter.Pending}
}

// announce tells contacts of a change, each established one with a token to undo it: one that cools down may be a thief's. To
// a settlement each disputed one can object.
func (b *Book) announce(c *Change, told []Address, now time.Time) Effects {
	fx := Effects{Until: c.Until}
	for i := range told {
		h := &told[i]
		n := Note{Of: c.ID, For: h.ID, Params: map[string]string{"change": c.What}}
		n.Mail = notice(c.ID, i, NoticeChanged, h.To, c.Until)
		barred := slices.ContainsFunc(b.Contacts, func(now Address) bool { return now.ID == h.ID && now.Barred == c.ID })
		if (h.Established(now) || h.Disputed && c.What == Settling) && !barred && !b.Unconfirmed(h) {
			t := token.New(token.Undo, c.ID, i+1)
			c.Tokens = append(c.Tokens, UndoToken{N: t.N, Hash: t.Hash(), To: h.ID})
			n.Token, fx.Pointer = t.Text().Reveal(), c.ID
		}
		fx.Notes = append(fx.Notes, n)
	}
	return fx
}

// Notify tells all contacts of something, and returns how many. ok is false if too many such messages wait. One NoticeLocked
// waits for a contact at most, and a later one only changes what it says: strangers must not use up the room of notices.
func (b *Book) Notify(id string, kind civicpin.MessageKind, params map[string]string, now time.Time) (
	fx Effects, told int, ok bool,
) {
	for i, h := range b.Told(now) {
		told++
		waits := slices.IndexFunc(b.Mail, func(n Note) bool { return n.For == h.ID && n.Kind == kind && b.Wants(&n, now) })
		if kind == NoticeLocked && waits >= 0 {
			b.Mail[waits].Params = maps.Clone(params)
			continue
		}
		n := Note{For: h.ID, Params: maps.Clone(params), Mail: notice(id, i, kind, h.To, now.Add(noticeLives))}
		fx.Notes = append(fx.Notes, n)
	}
	return fx, told, b.room(len(fx.Notes))
}

// Wants reports whether a message is still to be sent.
func (b *Book) Wants(n *Note, now time.Time) bool {
	if !n.Open(now) || n.Notice() {
		return n.Open(now)
	}
	i := b.Waits(n.Of, now)
	return i >= 0 && token.Outstanding(b.Pending[i].Links, n.Link)
}

// Note returns the message of a name, nil if there is none.
func (b *Book) Note(name string) *Note {
	for i := range b.Mail {
		if b.Mail[i].Name == name {
			return &b.Mail[i]
		}
	}
	return nil
}

// Settle notes what became of a message at a time, and reports whether anything changed. What a provider took over is dropped.
// If an address of a dispute could not be told of its end, and so not object, it does not end so: also if the message bounced.
func (b *Book) Settle(name string, failed bool, at time.Time) bool {
	unheard := failed && b.unheard(name, at)
	n := b.Note(name)
	changed := n != nil && !(failed && n.State == letter.Failed)
	if changed && failed {
		n.State = letter.Failed
	} else if changed {
		b.Mail = slices.DeleteFunc(b.Mail, func(n Note) bool { return n.Name == name })
	}
	if unheard {
		b.unsettle()
	}
	return changed || unheard
}

// Enqueue adds messages, and drops the oldest failed ones beyond a number: with a record that grew too large to be written, the
// owner could not undo what a thief did.
func (b *Book) Enqueue(notes []Note) {
	b.Mail = append(b.Mail, notes...)
	b.shed(maxFailed, func(n *Note) bool { return n.State == letter.Failed })
}

// room makes room for so many messages of Notify, at the cost of older ones that failed.
func (b *Book) room(n int) bool {
	return b.shed(maxNotices-n, func(n *Note) bool { return n.Of == "" }) <= maxNotices-n
}

// shed drops the oldest failed messages of a sort while there are more than most of the sort, and returns how many are left.
func (b *Book) shed(most int, sort func(*Note) bool) int {
	left := 0
	for i := range b.Mail {
		if sort(&b.Mail[i]) {
			left++
		}
	}
	b.Mail = slices.DeleteFunc(b.Mail, func(n Note) bool {
		drop := n.State == letter.Failed && left > most && sort(&n)
		if drop {
			left--
		}
		return drop
	})
	return left
}
