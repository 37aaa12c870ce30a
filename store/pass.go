package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/civicpin/civicpin"
)

// A Pass bounds a walk over all records, or over those of a kind ([Kind.Walk]), says where it goes on, and watches it: of
// [Vault.Purge], [Vault.Reseal], [Vault.Export] and [Vault.Erase]. Such a walk runs beside traffic, holds nothing in the
// engine, and may be broken off at any time. The zero Pass goes from the first record to the last.
type Pass struct {
	// After is where to go on: Progress.Last of the pass before. Empty means from the beginning.
	After string
	// Max is how many records to look at; zero means all. A negative one is an error.
	Max int
	// Progress, if not nil, is told after each record how far the pass is. It is called inline: it may sleep, to spare the
	// engine, and keep Last somewhere, so that another process can go on.
	Progress func(Progress)
}

// Progress is how far a [Pass] came. It is set beside an error, too.
type Progress struct {
	// Last is the storage key of the last record that is done with: the next pass's After.
	Last string
	// End says that there are no more records.
	End bool
	// Seen is how many records were looked at, and Changed how many of them were deleted, sealed anew, or exported.
	Seen, Changed int
	// Missed is how many should have changed, but another writer was quicker: for the next walk.
	Missed int
	// Unreadable is how many did not open. They were left as they are.
	Unreadable int
}

// lister returns the store as one that lists, if it does, and if the pass is valid.
func (v *Vault) lister(p Pass) (Lister, error) {
	l, ok := v.store.(Lister)
	if !ok {
		return nil, ErrNoListing
	}
	if p.Max < 0 {
		return nil, fmt.Errorf("store: %w: a pass with a negative Max", civicpin.ErrInvalid)
	}
	return l, nil
}

// walk shows each record of a pass whose key begins with prefix to visit, which changes the counts. An error from visit that
// matches ErrUnreadable is counted, one that matches ErrConflict is a miss, and any other ends the pass before that record.
func (v *Vault) walk(ctx context.Context, prefix string, p Pass, visit func(Item) (changed bool, err error)) (Progress, error) {
	at := Progress{Last: p.After}
	l, err := v.lister(p)
	if err != nil {
		return at, err
	}
	at.End = true // unless something comes between
	for item, err := range l.List(ctx, prefix, p.After) {
		if err != nil {
			at.End = false
			return at, err
		}
		if item.Key == canaryKey {
			continue // no record of a kind; OpenVault and Reseal write it
		}
		if p.Max > 0 && at.Seen == p.Max {
			at.End = false
			break
		}
		changed, err := visit(item)
		switch {
		case errors.Is(err, ErrUnreadable):
			at.Unreadable++
		case errors.Is(err, ErrConflict):
			at.Missed++
		case err != nil:
			at.End = false
			return at, err
		case changed:
			at.Changed++
		}
		at.Seen++
		at.Last = item.Key
		if p.Progress != nil {
			p.Progress(at)
		}
	}
	if at.Unreadable > 0 {
		return at, fmt.Errorf("%w: %d left as they were", ErrUnreadable, at.Unreadable)
	}
	return at, nil
}

// Reseal seals every record anew that is not sealed under the first sealing key. Run it after every process has been given the
// new key in front, until a walk from the first record to the last changes and misses none. A single call that does so (no
// After, no Max) has the canary retire the older keys: from then on [OpenVault] takes keys without them, and refuses keys that
// have one of them in front. Keep them for a day more, for writes that were under way. An unreadable record is left as it is.
//
// Which key is newer, the canary tells: the one that OpenVault first saw in front later. Reseal costs a Get of each store more
// than a walk, and a Put if the canary lacks the key in front. Errors, besides those of OpenVault:
//   - [ErrNoListing]: the store is no [Lister].
//   - [ErrOldKey]: the canary names a key that came into use later than the one in front, or a key that [Options.Adopt] found
//     beside it. Nothing was sealed. Give the process the present order of keys, or put a key in front that is newer than both.
//   - [ErrUnreadable]: some records are unreadable. It is reported at the end.
func (v *Vault) Reseal(ctx context.Context, p Pass) (Progress, error) {
	if _, err := v.lister(p); err != nil {
		return Progress{Last: p.After}, err
	}
	used, err := v.begin(ctx)
	if err != nil {
		return Progress{Last: p.After}, err
	}
	at, err := v.walk(ctx, "", p, func(item Item) (bool, error) {
		kind := kindOf(item.Key)
		plain, keyID, err := v.open(ctx, kind, item.Key, item.Value)
		if err != nil || keyID == v.current.ID {
			return false, err
		}
		if item.Value, err = v.seal(ctx, kind, item.Key, plain); err != nil {
			return false, err
		}
		_, err = v.store.Put(ctx, item.Key, item.Record)
		return err == nil, err
	})
	if err != nil || p.After != "" || p.Max != 0 || at.Changed+at.Missed > 0 {
		return at, err
	}
	return at, v.retireAll(ctx, used)
}

// purgeBatch is how many records an engine is asked to remove at once.
const purgeBatch = 1000

// Purge deletes records whose expiry and grace have passed. Run it now and then from one place, where the clock is right: a
// clock that is ahead by more than the grace drops records that others still use.
//
// If the store is a [Purger], the engine deletes, in batches: After does not count then, Max bounds the records deleted, and
// Last does not change. Either way, the next pass does what a pass that did not reach the End left. Errors match [ErrNoListing]
// if the store is no [Lister], or are the store's.
func (v *Vault) Purge(ctx context.Context, p Pass) (Progress, error) {
	now := v.Now()
	if e, ok := v.store.(Purger); ok && p.Max >= 0 {
		return purgeByEngine(ctx, e, now, p)
	}
	return v.walk(ctx, "", p, func(item Item) (bool, error) {
		if item.ExpiresAt.IsZero() || item.ExpiresAt.After(now) {
			return false, nil
		}
		err := v.store.Delete(ctx, item.Key, item.Version)
		if errors.Is(err, ErrConflict) {
			return false, nil // renewed since
		}
		return err == nil, err
	})
}

func purgeByEngine(ctx context.Context, e Purger, before time.Time, p Pass) (Progress, error) {
	at := Progress{Last: p.After}
	for !at.End && (p.Max == 0 || at.Changed < p.Max) {
		batch := purgeBatch
		if p.Max > 0 {
			batch = min(batch, p.Max-at.Changed)
		}
		n, err := e.PurgeExpired(ctx, before, batch)
		at.Seen, at.Changed = at.Seen+n, at.Changed+n
		if err != nil {
			return at, err
		}
		at.End = n < batch
		if p.Progress != nil {
			p.Progress(at)
		}
	}
	return at, nil
}

// All yields every record of the kind that has not expired, in no particular order. Errors:
//   - [ErrNoListing]: the store is no [Lister].
//   - [ErrUnreadable]: a record does not open. The loop may go on.
//   - the store's: the sequence ends.
func (k Kind[T]) All(ctx context.Context) iter.Seq2[Entry[T], error] {
	return func(yield func(Entry[T], error) bool) {
		for item, err := range k.vault.list(ctx, k.name+"/") {
			if err != nil {
				yield(Entry[T]{}, err)
				return
			}
			e, err := k.decode(ctx, item.Key, nil, item.Record)
			if err == nil && !e.found {
				continue
			}
			k.correct(&e)
			if !yield(e, err) || err != nil && !errors.Is(err, ErrUnreadable) {
				return
			}
		}
	}
}

// Walk is [Kind.All] in steps: it shows visit the records of the kind that have not expired, as many and from where on as p
// says. An error from visit ends the pass before that record, except one that matches [ErrConflict], which counts as Missed, or
// [ErrUnreadable]. Nothing counts as Changed. The next walk sees records that come behind this one. Errors:
//   - [ErrNoListing]: the store is no [Lister].
//   - what visit returned.
//   - [ErrUnreadable]: some records do not open. They were counted and passed over; it is reported at the end.
//   - the store's.
func (k Kind[T]) Walk(ctx context.Context, p Pass, visit func(Entry[T]) error) (Progress, error) {
	return k.vault.walk(ctx, k.name+"/", p, func(item Item) (bool, error) {
		e, err := k.decode(ctx, item.Key, nil, item.Record)
		if err != nil || !e.found {
			return false, err
		}
		k.correct(&e)
		return false, visit(e)
	})
}
