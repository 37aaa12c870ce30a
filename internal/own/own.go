// Package own remembers the records that this process added, for stores that cannot list.
package own

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// A List is the keys of what this process added. It is safe for concurrent use. A nil List is empty and stays so: it is for
// stores that can list.
type List struct {
	mu   sync.Mutex
	keys map[store.Key]uint64 // by key, the number of its last addition
	last uint64
}

// NewList returns an empty list, or nil for a vault that can list.
func NewList(v *store.Vault) *List {
	if v.CanList() {
		return nil
	}
	return &List{keys: make(map[store.Key]uint64)}
}

// Add adds a key. A key that is added again counts as added last.
func (l *List) Add(key store.Key) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	l.keys[key] = l.last
}

// Len returns how many keys are in the list.
func (l *List) Len() int {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.keys)
}

// Fits reports whether the list holds at most so many keys with these added.
func (l *List) Fits(keys []store.Key, most int) bool {
	if l == nil {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.keys)
	for _, key := range keys {
		if _, ok := l.keys[key]; !ok {
			n++
		}
	}
	return n <= most
}

// remove removes a key whose record was found missing, unless it was added again since it was looked for.
func (l *List) remove(a addition) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.keys[a.key] == a.number {
		delete(l.keys, a.key)
	}
}

// addition is a key, and the number of its last addition.
type addition struct {
	key    store.Key
	number uint64
}

// after returns what was added after an addition, in that order.
func (l *List) after(number uint64) (all []addition) {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, n := range l.keys {
		if n > number {
			all = append(all, addition{key, n})
		}
	}
	slices.SortFunc(all, func(a, b addition) int { return cmp.Compare(a.number, b.number) })
	return all
}

// Walk is [store.Kind.Walk] over the records of a list. Its places are the numbers of additions. A record that is gone leaves
// the list.
func Walk[T any](
	ctx context.Context, l *List, of store.Kind[T], p store.Pass, visit func(store.Entry[T]) error,
) (store.Progress, error) {
	at := store.Progress{Last: p.After}
	after, err := strconv.ParseUint(cmp.Or(p.After, "0"), 10, 64)
	if err != nil || p.Max < 0 {
		return at, fmt.Errorf("outbox: %w: a pass with a negative Max, or after a place that is none", civicpin.ErrInvalid)
	}
	for _, a := range l.after(after) {
		if p.Max > 0 && at.Seen == p.Max {
			return at, nil
		}
		e, err := of.Get(ctx, a.key)
		switch {
		case errors.Is(err, store.ErrNotFound):
			l.remove(a)
			continue
		case errors.Is(err, store.ErrUnreadable):
			at.Unreadable++
		case err == nil:
			err = visit(e)
			fallthrough
		default:
			if err != nil {
				return at, err
			}
		}
		at.Seen++
		at.Last = strconv.FormatUint(a.number, 10)
		if p.Progress != nil {
			p.Progress(at)
		}
	}
	at.End = true
	if at.Unreadable > 0 {
		return at, fmt.Errorf("%w: %d left as they were", store.ErrUnreadable, at.Unreadable)
	}
	return at, nil
}
