package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/sends"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

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
	if r.Class < Typed || r.Class > Notice {
		return fmt.Errorf("outbox: %w: no such class", civicpin.ErrInvalid)
	}
	if r.ID == "" || !names.Printable(r.ID, 256) || !names.Printable(r.Replaces, 256) {
		return fmt.Errorf("outbox: %w: a message id is 1 to 256 bytes of printable UTF-8", civicpin.ErrInvalid)
	}
	return nil
}

// Announce queues messages. It counts them, writes an entry for each, calls write, which writes the record that holds them,
// makes sure that the entries are still there, and wakes the dispatcher. When Announce returns nil, each message is sent, or
// becomes a dead letter, or is withdrawn by its owner, or expires while it is held. A message waits while no process has
// registered its owner. Errors:
//   - [civicpin.ErrInvalid]: write is nil, the subject, By, Source or a ref is invalid, a ref is of another subject, or the
//     Limit is of another outbox.
//   - [ErrNoNotifier]: the outbox sends nothing.
//   - [ErrBusy]: too many messages wait. The three above come before anything is counted.
//   - a *[lockout.LockedError]: a limit refused. Nothing is written.
//   - what write returned. Entries that no record confirms are dropped; what was counted stays counted.
//   - the store's: the messages may be sent or not, and asking again is safe.
func (o *Outbox) Announce(ctx context.Context, r Request, write func(context.Context) error) error {
	if write == nil {
		return fmt.Errorf("outbox: %w: Announce needs a function that writes", civicpin.ErrInvalid)
	}
	if err := o.check(ctx, &r); err != nil {
		return err
	}
	known := r.Limit == nil && o.knows(&r)
	if r.Limit != nil {
		var err error
		if known, err = r.take(ctx, r.Limit); err != nil {
			return err
		}
	}
	if known {
		for i := range r.Refs {
			r.Refs[i].Class = max(r.Refs[i].Class, Shown)
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

// valid checks the subject of a request, its actor and its source.
func (r *Request) valid() error {
	err := errors.Join(r.Subject.Validate(), r.Source.Validate())
	if r.By == "" || r.By == civicpin.Visitor {
		return err
	}
	return errors.Join(err, r.By.Validate())
}

// knows reports whether the caller has shown something.
func (o *Outbox) knows(r *Request) bool {
	return r.By.IsOperator() || shown.Open(o.vault, r.Subject, r.Source.Shown).Kind > shown.Facts
}

// check refuses a request before anything is counted or written.
func (o *Outbox) check(ctx context.Context, r *Request) error {
	if r.Limit != nil && r.Limit.of != o {
		return fmt.Errorf("outbox: %w: a Limit of another outbox", civicpin.ErrInvalid)
	}
	if err := r.valid(); err != nil {
		return err
	}
	typed := 0
	r.Refs = slices.Clone(r.Refs)
	for _, ref := range r.Refs {
		if err := ref.Validate(); err != nil {
			return err
		}
		if ref.Subject != r.Subject {
			return fmt.Errorf("outbox: %w: a message of another subject than the request's", civicpin.ErrInvalid)
		}
		if ref.Class == Typed {
			typed++
		}
	}
	if o.notifier == nil && len(r.Refs) > 0 {
		return ErrNoNotifier
	}
	switch {
	case o.knows(r):
		typed = 0
	case r.Limit != nil && r.Limit.typed:
		typed = len(r.Refs)
	case r.Limit != nil: // not by the refs: the class of a known subject's message may differ from that of a decoy
		typed = 0
	}
	return o.room(ctx, r.Refs, typed)
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

// take counts the messages of a request. It reports whether the caller has shown something.
func (r *Request) take(ctx context.Context, l *Limit) (known bool, err error) {
	by := sends.Request{Subject: r.Subject, By: r.By, Source: r.Source}
	known, err = l.messages.Take(ctx, by, len(r.Refs)+r.Others)
	if full, ok := errors.AsType[*sends.FullError](err); ok {
		scope := lockout.ScopeSends
		if full.Source {
			scope = lockout.ScopeSource
		}
		return false, &lockout.LockedError{Scope: scope, Until: full.Until}
	}
	return known, err
}

// add writes an entry for each ref, before the record that holds the messages. An entry that is already there stays, with its
// tries. A decoy never takes the place of a true entry.
func (o *Outbox) add(ctx context.Context, decoy bool, refs []Ref) error {
	for _, ref := range refs {
		e := store.Entry[entry]{Key: ref.key(), Value: o.newEntry(ref, decoy), ExpiresAt: o.expiry()}
		err := o.entries.Put(ctx, &e)
		if errors.Is(err, store.ErrConflict) {
			// There is one. It is written anew even if nothing changes: a dispatcher that is about to drop the entry
			// that it read then finds another.
			_, err = o.entries.Update(ctx, ref.key(), func(e *store.Entry[entry]) error {
				e.ExpiresAt = o.expiry()
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
				e.Value, e.ExpiresAt = o.newEntry(ref, decoy), o.expiry()
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
