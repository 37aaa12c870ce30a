package outbox

import (
	"context"
	"time"

	"github.com/civicpin/civicpin/internal/guard"
	"github.com/civicpin/civicpin/internal/load"
	"github.com/civicpin/civicpin/internal/pace"
	"github.com/civicpin/civicpin/store"
)

// Seams for the tests of this package.

const (
	MaxStuck    = guard.MaxStuck
	MaxFresh    = maxFresh
	LeaseMargin = pace.Margin
)

// WithDefaults is what New makes of options.
func WithDefaults(o *Options) (Options, error) { return o.withDefaults() }

// Delay is the wait after n failed tries.
func (o Options) Delay(n int) time.Duration { return o.pace().Delay(n) }

// Lease is how long a claim lasts.
func (o Options) Lease() time.Duration { return o.pace().Claim() }

// MaxOwn is how many entries are kept in memory on a store that cannot list.
const MaxOwn = maxOwn

// Own is how many are.
func (o *Outbox) Own() int {
	return o.own.Len()
}

// Remembered is how many messages were sent and could not be marked so.
func (o *Outbox) Remembered() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.sent)
}

// Shrink makes an outbox keep less in memory, and look at less in one listing, than it does by default.
func (o *Outbox) Shrink(parked, listed int) { o.parked, o.listed = parked, listed }

// Fresh is what was just committed.
func (o *Outbox) Fresh() <-chan store.Key { return o.fresh }

// MaxScan is how many entries one listing looks at.
const MaxScan = maxScan

// Scan makes one listing behind a place. It returns what was found, and where the next one goes on: empty at the end.
func (o *Outbox) Scan(ctx context.Context, after string) (found any, next string, err error) {
	s := o.scan(ctx, after, func(store.Key, *entry) bool { return false })
	if s.at.End {
		return s.jobs, "", s.err
	}
	return s.jobs, s.at.Last, s.err
}

// Add, AddDecoy and Commit are the steps of Announce, for tests that stop between them.
func (o *Outbox) Add(ctx context.Context, refs ...Ref) error { return o.step(ctx, refs, o.add, false) }

// AddUnchecked is Add for a ref that Announce refuses.
func (o *Outbox) AddUnchecked(ctx context.Context, ref Ref) error {
	return o.add(ctx, false, []Ref{ref})
}

// AddDecoy is Add for decoys.
func (o *Outbox) AddDecoy(ctx context.Context, refs ...Ref) error {
	return o.step(ctx, refs, o.add, true)
}

// Commit is the step after the owner's record.
func (o *Outbox) Commit(ctx context.Context, refs ...Ref) error {
	return o.step(ctx, refs, o.commit, false)
}

func (o *Outbox) step(ctx context.Context, refs []Ref, do func(context.Context, bool, []Ref) error, decoy bool) error {
	for _, ref := range refs {
		if err := ref.Validate(); err != nil {
			return err
		}
	}
	for _, ref := range refs {
		err := o.check(ctx, &Request{Refs: []Ref{ref}, Subject: ref.Subject})
		if err == nil {
			err = do(ctx, decoy, []Ref{ref})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// SetMaxTyped makes an outbox refuse sooner.
func (o *Outbox) SetMaxTyped(n int) { o.load, _ = load.NewCap(o.vault, n) }
