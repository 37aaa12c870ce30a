package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// maxScan bounds how many due entries one listing holds in memory.
const maxScan = 1 << 15

// job is one entry on its way through a dispatch.
type job struct {
	entry store.Entry[entry]
	ref   Ref
	owner Owner

	// The rest belongs to dispatch and its lock.
	message *civicpin.Message // nil where the owner has to be asked anew
	route   route
	started bool
}

// scan is what one listing found.
type scan struct {
	jobs       []*job    // what is due, the longest due first
	next       time.Time // when the next of the others will be due; zero if there is none
	more       bool      // more is due than jobs holds
	unreadable int
	err        error // what ended the listing early
}

// scan lists what is due and not skipped.
func (o *Outbox) scan(ctx context.Context, skip func(store.Key) bool) (s scan) {
	now := o.vault.Now()
	for e, err := range o.all(ctx) {
		if errors.Is(err, store.ErrUnreadable) {
			s.unreadable++
			continue
		}
		if err != nil {
			s.err = fmt.Errorf("outbox: list: %w", err)
			break
		}
		if skip(e.Key) {
			continue
		}
		if due := time.Unix(0, e.Value.Due); !o.isDue(due, now) {
			if s.next.IsZero() || due.Before(s.next) {
				s.next = due
			}
			continue
		}
		if j := o.job(ctx, e); j != nil {
			s.jobs = append(s.jobs, j)
		}
		if len(s.jobs) >= 2*o.listed {
			s.trim(o.listed)
		}
	}
	s.trim(o.listed)
	return s
}

// trim sorts the jobs and leaves the n that are longest due.
func (s *scan) trim(n int) {
	slices.SortStableFunc(s.jobs, func(a, b *job) int { return cmp.Compare(a.entry.Value.Due, b.entry.Value.Due) })
	if len(s.jobs) > n {
		clear(s.jobs[n:])
		s.jobs, s.more = s.jobs[:n], true
	}
}

func (o *Outbox) isDue(due, now time.Time) bool {
	return !due.After(now) || due.After(now.Add(o.opts.farthest()))
}

// job makes a job of an entry, or returns nil if its owner is not of this process.
func (o *Outbox) job(ctx context.Context, e store.Entry[entry]) *job {
	ref := refOf(e.Key)
	owner, first := o.owner(ref.Owner)
	if owner == nil {
		if first {
			o.notice(ctx, EventUnknownOwner, ref.Owner)
		}
		return nil
	}
	return &job{entry: e, ref: ref, owner: owner}
}

// find reads one entry that was just committed, and returns nil if it is not to be sent now.
func (o *Outbox) find(ctx context.Context, key store.Key) *job {
	e, err := o.entries.Get(ctx, key)
	if err != nil || !o.isDue(time.Unix(0, e.Value.Due), o.vault.Now()) {
		return nil // the next listing sees it, if there is something to see
	}
	return o.job(ctx, e)
}

// all yields every entry; on a store that cannot list, those that this process added.
func (o *Outbox) all(ctx context.Context) iter.Seq2[store.Entry[entry], error] {
	if o.Durable() {
		return o.entries.All(ctx)
	}
	return func(yield func(store.Entry[entry], error) bool) {
		o.mu.Lock()
		own := maps.Clone(o.own)
		o.mu.Unlock()
		for key, seq := range own {
			e, err := o.entries.Get(ctx, key)
			if errors.Is(err, store.ErrNotFound) {
				o.untrack(key, seq)
				continue
			}
			if !yield(e, err) || err != nil && !errors.Is(err, store.ErrUnreadable) {
				return
			}
		}
	}
}
