package outbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/sends"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// ErrBusy says that too many messages wait. It does not depend on the subject.
var ErrBusy = errors.New("outbox: too many messages wait")

// A Ref names a message.
type Ref struct {
	// Owner is the name under which the owner of the message is registered.
	Owner string
	// Subject is whom the message is about.
	Subject civicpin.Subject
	// ID is the owner's own name of the message, 1 to 256 bytes of printable UTF-8, and unique with the subject. It is
	// not secret: events show it. One ID names one message for good.
	ID string
	// Class says which limit of its address the message counts against. It is no part of the name.
	Class Class
	// Replaces is the ID of a message of the same owner and subject that this one is sent in place of, if any: it takes over the
	// place of that one where it waits. It is no part of the name.
	Replaces string
}

// Validate returns nil, or an error that matches [civicpin.ErrInvalid].
func (r Ref) Validate() error {
	if err := r.Subject.Validate(); err != nil {
		return err
	}
	if !names.Valid(r.Owner, maxOwner) {
		return fmt.Errorf(
			"outbox: %w: the owner's name is not 1 to 64 letters, digits, dots, hyphens and underscores", civicpin.ErrInvalid,
		)
	}
	if len(r.Replaces) > 256 || r.ID == "" || len(r.ID) > 256 ||
		!utf8.ValidString(r.ID) || strings.ContainsFunc(r.ID, unicode.IsControl) {
		return fmt.Errorf("outbox: %w: a message id is 1 to 256 bytes of printable UTF-8", civicpin.ErrInvalid)
	}
	return nil
}

// A Request names the messages of one act, and who asked for them.
type Request struct {
	// Refs name the messages. They have the Subject of the request.
	Refs    []Ref
	Subject civicpin.Subject
	// Decoy says that the subject has no such messages. Announce does the same work, and nothing is sent.
	Decoy bool
	// Limit counts the messages, and Others that are no entries, such as parts that the caller prints. A nil Limit counts
	// nothing: use it for notices of acts that were counted otherwise.
	Limit  *Limit
	Others int
	// By and Source say who asks; see [Outbox.Limit]. An operator, and a caller with a valid Source.Shown, ask for messages of
	// at least class Shown.
	By     civicpin.Actor
	Source civicpin.Source
}

// Announce queues messages. It counts them, writes an entry for each, calls write, which writes the record that holds them,
// makes sure that the entries are still there, and wakes the dispatcher. When Announce returns nil, the messages will be sent,
// unless their owner withdraws them. Errors:
//   - [civicpin.ErrInvalid]: a ref is invalid, or of another subject.
//   - [ErrNoNotifier]: the outbox sends nothing.
//   - [ErrBusy]: too many messages wait. The three above come before anything is counted.
//   - a *[lockout.LockedError]: a limit refused. Nothing is written.
//   - what write returned. Entries that no record confirms are dropped; what was counted stays counted.
//   - the store's: the messages may be sent or not, and asking again is safe.
func (o *Outbox) Announce(ctx context.Context, r Request, write func(context.Context) error) error {
	if err := o.check(ctx, &r); err != nil {
		return err
	}
	if r.Limit != nil {
		if err := r.take(ctx, r.Limit); err != nil {
			return err
		}
	}
	if err := o.add(ctx, r.Decoy, r.Refs); err != nil {
		return err
	}
	if err := write(ctx); err != nil {
		return err
	}
	return o.commit(ctx, r.Decoy, r.Refs)
}

// check refuses a request before anything is counted or written, and raises the class of what a known caller asks for.
func (o *Outbox) check(ctx context.Context, r *Request) error {
	refs, typed := make([]Ref, len(r.Refs)), 0
	known := r.By.IsOperator() || shown.Open(o.vault, r.Subject, r.Source.Shown).Kind > shown.Facts
	for i, ref := range r.Refs {
		if err := ref.Validate(); err != nil {
			return err
		}
		if ref.Subject != r.Subject {
			return fmt.Errorf("outbox: %w: a message of another subject than the request's", civicpin.ErrInvalid)
		}
		if known {
			ref.Class = max(ref.Class, Shown)
		}
		if ref.Class == Typed {
			typed++
		}
		refs[i] = ref
	}
	r.Refs = refs
	if r.Limit != nil && !known {
		// Not by the refs: the class of a known subject's message may differ from that of a decoy.
		if typed = 0; r.Limit.typed {
			typed = len(refs)
		}
	}
	if o.notifier == nil && len(refs) > 0 {
		return ErrNoNotifier
	}
	return o.room(ctx, refs, typed)
}

// room refuses messages for which there is no room, alike for all subjects.
func (o *Outbox) room(ctx context.Context, refs []Ref, typed int) error {
	if !o.vault.CanList() {
		most := maxOwn
		if typed > 0 {
			most /= 2 // so that a flood of requests leaves room for notices
		}
		keys := make([]store.Key, len(refs))
		for i, ref := range refs {
			keys[i] = ref.key()
		}
		if !o.own.Fits(keys, most) {
			return fmt.Errorf("%w: %d, on a store that cannot list", ErrBusy, o.own.Len())
		}
		return nil
	}
	if typed == 0 {
		return nil
	}
	ok, err := o.load.Admit(ctx, typed)
	if err != nil {
		return fmt.Errorf("outbox: announce: %w", err)
	}
	if !ok {
		return fmt.Errorf("%w: %d that any visitor may cause", ErrBusy, o.load.Most())
	}
	return nil
}

// take counts the messages of a request.
func (r *Request) take(ctx context.Context, l *Limit) error {
	by := sends.Request{Subject: r.Subject, By: r.By, Source: r.Source}
	err := l.messages.Take(ctx, by, len(r.Refs)+r.Others)
	if full, ok := errors.AsType[*sends.FullError](err); ok {
		scope := lockout.ScopeSends
		if full.Source {
			scope = lockout.ScopeSource
		}
		return &lockout.LockedError{Scope: scope, Until: full.Until}
	}
	return err
}

// add writes an entry for each ref, before the record that holds the messages. An entry that is already there stays, with its
// tries. A decoy never takes the place of a true entry.
func (o *Outbox) add(ctx context.Context, decoy bool, refs []Ref) error {
	for _, ref := range refs {
		e := store.Entry[entry]{Key: ref.key(), Value: o.newEntry(ref, decoy), Expires: o.expiry()}
		err := o.entries.Put(ctx, &e)
		if errors.Is(err, store.ErrConflict) {
			// There is one. It is written anew even if nothing changes: a dispatcher that is about to drop the entry
			// that it read then finds another.
			_, err = o.entries.Update(ctx, ref.key(), func(e *store.Entry[entry]) error {
				e.Expires = o.expiry()
				switch {
				case !e.Found() || e.Value.Decoy == 1:
					e.Value = o.newEntry(ref, decoy)
				case e.Value.Doubt == 1 && !decoy:
					e.Value.Doubt, e.Value.Due = 0, o.vault.Now().UnixNano()
				}
				return nil
			})
		}
		if err != nil {
			return fmt.Errorf("outbox: announce: %w", err)
		}
		o.own.Add(ref.key())
	}
	return nil
}

// commit makes sure that the entries are there, and wakes the dispatcher.
//
// It is needed because a process can be held up for any time between add and the record, in which a dispatcher drops the
// entry that no record confirms. An entry that is missing because its message was sent already is put back as well; its
// record then says that it was, and it is dropped.
func (o *Outbox) commit(ctx context.Context, decoy bool, refs []Ref) error {
	for _, ref := range refs {
		// An entry without doubt needs no write. Should a dispatcher have asked the owner before the record was there, and
		// not have written its doubt yet, then it asks once more after that, and gets the message: see Outbox.confirm.
		_, err := o.entries.Update(ctx, ref.key(), func(e *store.Entry[entry]) error {
			switch {
			case !e.Found():
				e.Value, e.Expires = o.newEntry(ref, decoy), o.expiry()
			case e.Value.Doubt == 1:
				e.Value.Doubt, e.Value.Due = 0, o.vault.Now().UnixNano()
			default:
				return store.ErrSkip
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("outbox: announce: %w", err)
		}
		o.own.Add(ref.key())
	}
	for _, ref := range refs {
		o.announce(ref.key())
	}
	return nil
}

// announce tells a Run of this process about an entry.
func (o *Outbox) announce(key store.Key) {
	select {
	case o.fresh <- key:
	default:
		o.rescan()
	}
}

// rescan makes a Run of this process list.
func (o *Outbox) rescan() {
	select {
	case o.wake <- struct{}{}:
	default: // it will anyway
	}
}
