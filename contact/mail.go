package contact

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/contactbook"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

const (
	// ProofMessage, "contact.prove", asks a candidate, or a contact that is to end a dispute, to prove itself with its token
	// (Link) or code (Secret, ASCII letters and digits). It has one or both, and either is enough until ExpiresAt.
	ProofMessage civicpin.MessageKind = contactbook.ProofMessage
	// NoticeChanged, "contact.changed", tells the other contacts of a change, which the parameter "change" names: "added",
	// "changed", "removed", "primary" or "settling". Link undoes it until ExpiresAt. After an undo there is neither. "settling" is
	// that a dispute ends at ExpiresAt as the subject said, and Link objects to it.
	NoticeChanged civicpin.MessageKind = contactbook.NoticeChanged

	eventChanged civicpin.EventCode = "contact.changed"
	eventRefused civicpin.EventCode = "contact.refused"
)

// Events returns the events that this package records, as a new slice. Ref is the id of the change or the candidate.
func Events() []civicpin.EventInfo {
	refused := []string{"wrong", "unknown", "expired", "unused", "locked", "busy", "not checked"}
	return []civicpin.EventInfo{
		{Code: eventChanged, Meaning: "Contacts were changed, or an address was asked to prove itself.", Reasons: []string{
			`"asked", "added", "changed", "removed", "given up", "primary", "adopted" or "seen", and the channel`,
			`"added" or "changed", the channel, and "by a recovery"`, "settling", "undone", "objected",
		}},
		{Code: eventRefused, Meaning: "A code was not accepted.", Reasons: refused},
	}
}

// refs names messages of a book to the outbox. The caller who asks for a proof was authenticated.
func refs(subject civicpin.Subject, notes []contactbook.Note) []outbox.Ref {
	list := make([]outbox.Ref, len(notes))
	for i := range notes {
		list[i] = outbox.Ref{Owner: owner, Subject: subject, ID: notes[i].Name, Class: outbox.Shown}
		switch {
		case notes[i].Kind == contactbook.NoticeLocked:
			list[i].Class = outbox.Typed
		case notes[i].Notice():
			list[i].Class = outbox.Notice
		}
	}
	return list
}

// delivery is the service as the outbox sees it.
type delivery Service

var _ outbox.Owner = (*delivery)(nil)

// Confirm implements [outbox.Owner]: it gives the message only while the book still stands behind it.
func (d *delivery) Confirm(ctx context.Context, ref outbox.Ref) (civicpin.Message, error) {
	e, err := d.books.Get(ctx, store.Key{Subject: ref.Subject})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return civicpin.Message{}, err
	}
	if err := (*Service)(d).judge(ctx, ref.Subject, &e.Value); err != nil {
		return civicpin.Message{}, err
	}
	n := e.Value.Note(ref.ID) // nil if there is no book
	if n == nil || !e.Value.Wants(n, d.vault.Now()) {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	m := n.Message()
	m.Params = maps.Clone(n.Params)
	if n.Code == "" && n.Token == "" {
		m.ExpiresAt = time.Time{} // it opens nothing, so there is no end to be told of
	}
	return m, nil
}

// Settle implements [outbox.Owner].
func (d *delivery) Settle(ctx context.Context, ref outbox.Ref, what outbox.Outcome) error {
	_, err := d.books.Update(ctx, store.Key{Subject: ref.Subject}, func(e *store.Entry[contactbook.Book]) error {
		if !e.Value.Settle(ref.ID, what.Failed, what.At) {
			return store.ErrSkip
		}
		return nil
	})
	return err
}
