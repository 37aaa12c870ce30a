package recovery

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// The kinds of the messages about contacts, listed in the package's documentation.
const (
	proveMail   civicpin.MessageKind = "contact.prove"
	changedMail civicpin.MessageKind = "contact.changed"
)

const (
	// maxNotes bounds the messages of [Service.Notify] that wait in one book.
	maxNotes = 64
	// maxFailed bounds the messages of one book that no provider would take and that may be tried again.
	maxFailed = 64
	// noteLives is for how long a message of Notify is worth sending: longer than any outage that ought to be.
	noteLives = 7 * day
)

// note is a message about contacts, or to all of them. It is dropped when a provider has taken it over.
type note struct {
	mail
	// Of is the id of the pending contact or the change that it is about; empty for a message of Notify.
	Of     string            `json:"of,omitempty"`
	For    string            `json:"for,omitempty"` // id of the contact that it goes to
	Params map[string]string `json:"params,omitempty"`
}

// bookRef marks the outbox's names of messages that stand in books; those of runs begin with an id, in upper case.
const bookRef = "b."

// isBookRef reports whether a message stands in a book, and not in a run.
func isBookRef(id string) bool { return strings.HasPrefix(id, bookRef) }

func noteRef(subject civicpin.Subject, name string) outbox.Ref {
	return outbox.Ref{Owner: owner, Subject: subject, ID: bookRef + name}
}

// announce tells contacts of a change, each established one with a token of its own to undo it. One that cools down gets
// none: it could keep what an owner does to get rid of it from lasting.
func (b *book) announce(c *bookChange, told []held, now time.Time) effects {
	fx := effects{until: c.Until}
	for i := range told {
		h := &told[i]
		if slices.Contains(c.New, h.ID) {
			continue
		}
		m := note{Of: c.ID, For: h.ID, Params: map[string]string{"change": c.What}}
		m.mail = mail{
			Name: c.ID + "." + strconv.Itoa(i+1), Kind: changedMail, To: h.To, Expires: c.Until, State: mailPending,
		}
		barred := slices.ContainsFunc(b.Contacts, func(now held) bool { return now.ID == h.ID && now.Barred == c.ID })
		if h.established(now) && !barred {
			t := newToken(undoToken, c.ID, (i+1)&0xff)
			c.Tokens = append(c.Tokens, repudiation{N: t.n, Hash: t.hash(), To: h.ID})
			m.Token, fx.pointer = t.text().Reveal(), c.ID
		}
		fx.notes = append(fx.notes, m)
	}
	return fx
}

// wants reports whether a message is still to be sent.
func (b *book) wants(m *note, now time.Time) bool {
	if m.State != mailPending && m.State != mailFailed || !now.Before(m.Expires) {
		return false
	}
	if m.Link == 0 {
		return true
	}
	i := b.waits(m.Of, now)
	return i >= 0 && slices.ContainsFunc(b.Pending[i].Links, func(l link) bool { return l.N == m.Link })
}

// note returns the message of a name in the outbox, nil if there is none.
func (b *book) note(ref outbox.Ref) *note {
	name := strings.TrimPrefix(ref.ID, bookRef)
	for i := range b.Mail {
		if b.Mail[i].Name == name {
			return &b.Mail[i]
		}
	}
	return nil
}

// confirmBook is [outbox.Owner]'s Confirm for what stands in a book.
func (d *delivery) confirmBook(ctx context.Context, ref outbox.Ref) (civicpin.Message, error) {
	e, err := d.books.Get(ctx, store.Key{Subject: ref.Subject})
	if errors.Is(err, store.ErrNotFound) {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	if err != nil {
		return civicpin.Message{}, err
	}
	m := e.Value.note(ref)
	if m == nil || !e.Value.wants(m, d.vault.Now()) {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	msg := civicpin.Message{
		Kind: m.Kind, To: m.To.contact(), Secret: civicpin.NewSecret(m.Code), Link: civicpin.NewSecret(m.Token),
		Params: maps.Clone(m.Params),
	}
	if m.Code != "" || m.Token != "" {
		msg.Expires = m.Expires
	}
	return msg, nil
}

// settleBook is [outbox.Owner]'s Settle for what stands in a book. What was taken over is dropped, with its token and code: the
// provider has it, and nobody else needs it.
func (d *delivery) settleBook(ctx context.Context, ref outbox.Ref, what outbox.Outcome) error {
	_, err := d.books.Update(ctx, store.Key{Subject: ref.Subject}, func(e *store.Entry[book]) error {
		b := &e.Value
		m := b.note(ref)
		if m == nil || what.Failed && m.State == mailFailed {
			return store.ErrSkip
		}
		if what.Failed {
			m.State = mailFailed
			return nil
		}
		name := m.Name
		b.Mail = slices.DeleteFunc(b.Mail, func(m note) bool { return m.Name == name })
		return nil
	})
	return err
}

// Notify tells all contacts of a subject of something, through the outbox: that their PIN was changed, revoked or locked
// ("pin.changed", "pin.revoked", "pin.locked", see package texts; NIST SP 800-63B-4 4.6). Contacts that cool down, and those that
// were the subject's until lately, are told, too: whoever takes an account over changes the contacts first. A subject without
// contacts is told nothing. params are as civicpin.Message.Params: at most 8, of at most 32 and 256 bytes, and no secret.
//
// It is for what an authenticated citizen or a member of staff did, or for a lock, once. Never call it for each request of a
// stranger: nothing limits how often it is called, only that 64 messages wait. Errors: [civicpin.ErrInvalid]; [ErrBusy] if as many
// wait and none of them has failed; the store's: then some may be told twice if it is called again.
func (s *Service) Notify(ctx context.Context, subject civicpin.Subject, kind civicpin.MessageKind, params map[string]string) error {
	if err := errors.Join(subject.Validate(), validNotice(kind, params)); err != nil {
		return err
	}
	id := newID()
	return s.alter(ctx, subject, civicpin.Citizen, func(b *book, now time.Time) (effects, error) {
		var fx effects
		for i, h := range b.told(now) {
			m := note{For: h.ID, Params: maps.Clone(params)}
			m.mail = mail{
				Name: id + "." + strconv.Itoa(i+1), Kind: kind, To: h.To, Expires: now.Add(noteLives), State: mailPending,
			}
			fx.notes = append(fx.notes, m)
		}
		if len(fx.notes) == 0 {
			return fx, store.ErrSkip
		}
		if !b.room(len(fx.notes)) {
			return fx, ErrBusy
		}
		return fx, nil
	})
}

// shed drops the oldest messages that failed beyond so many: addresses at which nothing arrives, changed over and over, must not make
// a record that is too large to be written, or nobody could undo what a thief did.
func (b *book) shed() {
	failed := 0
	for i := range b.Mail {
		if b.Mail[i].State == mailFailed {
			failed++
		}
	}
	b.Mail = slices.DeleteFunc(b.Mail, func(m note) bool {
		drop := m.State == mailFailed && failed > maxFailed
		if drop {
			failed--
		}
		return drop
	})
}

// room makes room for so many messages of Notify, at the cost of older ones that failed.
func (b *book) room(n int) bool {
	waiting := 0
	for i := range b.Mail {
		if b.Mail[i].Of == "" {
			waiting++
		}
	}
	b.Mail = slices.DeleteFunc(b.Mail, func(m note) bool {
		drop := m.Of == "" && m.State == mailFailed && waiting+n > maxNotes
		if drop {
			waiting--
		}
		return drop
	})
	return waiting+n <= maxNotes
}
