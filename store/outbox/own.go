package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// track remembers an entry of this process on a store that cannot list.
func (o *Outbox) track(key store.Key) {
	if o.Durable() {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ownSeq++
	o.own[key] = o.ownSeq
}

// untrack forgets an entry that was found missing, unless it was added again since it was looked for.
func (o *Outbox) untrack(key store.Key, seq uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.own[key] == seq {
		delete(o.own, key)
	}
}

// addition is an entry of this process; what is added again counts as added last.
type addition struct {
	key store.Key
	seq uint64
}

// added returns what this process added after a place, in that order.
func (o *Outbox) added(after uint64) (all []addition) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for key, seq := range o.own {
		if seq > after {
			all = append(all, addition{key, seq})
		}
	}
	slices.SortFunc(all, func(a, b addition) int { return cmp.Compare(a.seq, b.seq) })
	return all
}

// walkOwn is what store.Kind.Walk is, over the entries that this process added. Its places are the numbers of additions.
func (o *Outbox) walkOwn(ctx context.Context, p store.Pass, visit func(store.Entry[entry]) error) (store.Progress, error) {
	at := store.Progress{Last: p.After}
	after, err := strconv.ParseUint(cmp.Or(p.After, "0"), 10, 64)
	if err != nil || p.Max < 0 {
		return at, fmt.Errorf("outbox: %w: a pass with a negative Max, or after a place that is none", civicpin.ErrInvalid)
	}
	for _, a := range o.added(after) {
		if p.Max > 0 && at.Seen == p.Max {
			return at, nil
		}
		e, err := o.entries.Get(ctx, a.key)
		switch {
		case errors.Is(err, store.ErrNotFound):
			o.untrack(a.key, a.seq)
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
		at.Last = strconv.FormatUint(a.seq, 10)
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
