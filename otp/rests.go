package otp

import (
	"context"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/waits"
)

// Credentials know what was done to the secrets of subjects, as *pin.Service does. Acts upon a secret end codes that were
// requested before, and authenticators and backup codes that were bound before: see docs/waits.md. What a service without
// Credentials made is dead to one with them, since no act could end it: give all processes the same.
type Credentials interface {
	// Acts returns a text that says what was done to the subject's credential so far, after the same work for every subject. That
	// of pin.Service ends things by acts. If another text changes, that ends all of the subject's. Errors are the store's.
	Acts(ctx context.Context, subject civicpin.Subject) (string, error)
}

// Contacts know the contacts of subjects, as *contact.Service does. They do the same work for every subject.
type Contacts interface {
	// Epoch changes with each act that takes a contact from the subject. Errors are the store's.
	Epoch(ctx context.Context, subject civicpin.Subject) (uint64, error)
	// Proved reports whether all of the contacts are usable ones of the subject. Errors are the store's.
	Proved(ctx context.Context, subject civicpin.Subject, contacts []civicpin.Contact) (bool, error)
	// Lost reports whether an act took an address from the subject lately, or put it in dispute: no code is sent there. It is
	// false for an address that the contacts never had. Errors are the store's.
	Lost(ctx context.Context, subject civicpin.Subject, to civicpin.Contact) (bool, error)
}

// Rests say what delivered codes rest on, besides their policy. Give all processes the same: a code of a process without them
// is dead to one with them.
type Rests struct {
	// Credentials end a code that was requested before the subject's secret was changed, recovered, issued by staff, revoked,
	// suspended or repudiated. Without Credentials such a code stays good for as long as it is valid.
	Credentials Credentials
	// Contacts end a code whose address a later act took from the subject, or put in dispute. If an earlier act did, no code is
	// sent there: the caller's page may have read the contacts before. If an address is none of the Contacts' own, any later act
	// upon them ends the code. Without Contacts no act does.
	Contacts Contacts
}

// atMostOne returns what the caller gave to a New that takes one or none.
func atMostOne[T any](given []T) (one T, err error) {
	switch len(given) {
	case 0:
		return one, nil
	case 1:
		return given[0], nil
	}
	return one, fmt.Errorf("otp: %w: New takes one at most of what codes rest on", civicpin.ErrInvalid)
}

// undoes has an undo of contacts end what was bound since, if the credentials hear of it, as pin.Service does from package
// contact.
func undoes(c Credentials, unbind func(context.Context, civicpin.Subject, time.Time) error) {
	type hears interface {
		UnbindWith(unbind func(ctx context.Context, subject civicpin.Subject, since time.Time) error)
	}
	if on, ok := c.(hears); ok {
		on.UnbindWith(unbind)
	}
}

// epochs are those of a subject's credential.
type epochs struct {
	known bool // there are credentials to ask
	acts  waits.Acts
}

// epochsOf reads them. c may be nil.
func epochsOf(ctx context.Context, c Credentials, subject civicpin.Subject) (epochs, error) {
	if c == nil {
		return epochs{}, nil
	}
	text, err := c.Acts(ctx, subject)
	if err != nil {
		return epochs{}, fmt.Errorf("otp: the credential: %w", err)
	}
	return epochs{known: true, acts: waits.Parse(text)}, nil
}

// of returns the epoch of a thing, for its record; nil if there is none.
func (e epochs) of(thing waits.Thing) *uint64 {
	if !e.known {
		return nil
	}
	return new(e.acts.Mark(thing))
}

// ended reports whether an act has ended a thing since its record named an epoch. A record without one was written by a service
// without credentials: it is dead, since no act would ever end it.
func (e epochs) ended(thing waits.Thing, then *uint64) bool {
	return e.known && (then == nil || *then != e.acts.Mark(thing))
}

// codeEpochs are those of all that a code rests on.
type codeEpochs struct {
	credential epochs
	book       *uint64 // of the contacts; nil if there are none to ask
}

// of reads the epochs of a subject.
func (r *Rests) of(ctx context.Context, subject civicpin.Subject) (on codeEpochs, err error) {
	if on.credential, err = epochsOf(ctx, r.Credentials, subject); err != nil || r.Contacts == nil {
		return on, err
	}
	book, err := r.Contacts.Epoch(ctx, subject)
	if err != nil {
		return on, fmt.Errorf("otp: the contacts: %w", err)
	}
	on.book = &book
	return on, nil
}

// goes returns where a code goes, and what it rests on. A contact that the subject has lost is as good as none: the caller may
// have read the contacts before the act that took it. The epochs are read before, so that an act in between is no way around.
func (c *Codes) goes(ctx context.Context, subject civicpin.Subject, given []civicpin.Contact) (
	to civicpin.Contact, known bool, on codeEpochs, err error,
) {
	to, known = c.choose(subject, given)
	if on, err = c.rests.of(ctx, subject); err != nil || on.book == nil {
		return to, known, on, err
	}
	lost, err := c.rests.Contacts.Lost(ctx, subject, to)
	if err != nil {
		return to, false, on, fmt.Errorf("otp: the contacts: %w", err)
	}
	if none, _ := c.choose(subject, nil); lost {
		to, known = none, false
	}
	return to, known, on, nil
}

// ended reports whether an act has ended a code since it was requested. It does the same work for any record, the zero one too.
func (c *Codes) ended(ctx context.Context, subject civicpin.Subject, r *codeRecord) (bool, error) {
	on, err := c.rests.of(ctx, subject)
	if err != nil || on.book == nil {
		return on.credential.ended(waits.Code, r.Epoch), err
	}
	to := r.contact()
	if to.Channel == "" {
		to, _ = c.choose(subject, nil)
	}
	proved, err := c.rests.Contacts.Proved(ctx, subject, []civicpin.Contact{to})
	if err != nil {
		return false, fmt.Errorf("otp: the contacts: %w", err)
	}
	moved := r.Book == nil || *r.Book != *on.book && !proved
	return on.credential.ended(waits.Code, r.Epoch) || moved, nil
}
