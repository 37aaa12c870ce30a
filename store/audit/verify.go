package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// A Head names the last entry of a chain, and with it, by its keyed hash, all before it. It is not secret. Keep it, as JSON or
// printed, out of the reach of those with write access to the store.
type Head struct {
	Chain int    `json:"chain"` // the chain's number, from zero
	Seq   uint64 `json:"seq"`   // the entry's number, from zero
	Sum   []byte `json:"sum"`   // the entry's keyed hash
}

// A What says what is wrong at a place of a chain.
type What string

// The faults that a verification tells apart.
const (
	// Removed: the entry is not there, and a later one is.
	Removed What = "removed"
	// Truncated: neither this entry nor any later one is there, but the head knows of it, or one that was kept does.
	Truncated What = "truncated"
	// Changed: the entry is not what was written there. It does not open, because it was altered or taken from another place;
	// or its hash is wrong, or another than a head that was kept has.
	Changed What = "changed"
	// NoKey: the entry, or with Seq 0 perhaps the head, names a sealing key that the vault does not have. Verify again with all
	// keys: an entry that was written under one of them opens then, and one in which an attacker wrote a name stays.
	NoKey What = "no key"
	// Unlinked: the entry is whole, but the process that wrote it could not open the one before, and so does not vouch for it:
	// the process lacked a sealing key, as when a new key is in front in one process and unknown to another; or the entry
	// before was unreadable then, and is not any more.
	Unlinked What = "unlinked"
	// Displaced: the entry is whole, but does not follow the one before it: somebody with the keys put in, left out or
	// exchanged entries, or filled a gap.
	Displaced What = "displaced"
	// Resumed: the entry is whole, and says that its writer found no head that opened. Entries before it may have been cut off.
	Resumed What = "resumed"
	// BadHead: a head of the chain does not open, is missing, or names another entry than the one that is there. Seq is 0.
	BadHead What = "bad head"
)

// A Fault is one thing that is wrong.
type Fault struct {
	Chain int    // the chain's number, from zero
	Seq   uint64 // the entry's number, from zero
	What  What   // what is wrong there
}

// String says what is wrong where, in words.
func (f Fault) String() string { return fmt.Sprintf("chain %d, entry %d: %s", f.Chain, f.Seq, f.What) }

// A Check says how to verify. The zero Check takes the store's own word for where the chains end.
type Check struct {
	// Since holds heads that were kept elsewhere, in any order: those that an earlier verification returned, and those that were
	// handed to [Config.Keep]. What they name must be there.
	Since []Head
	// Each, if not nil, is called with every event that is in the chain as it was written, in the order of its chain; chains
	// come one after the other. An error from it ends the verification and is returned.
	Each func(chain int, seq uint64, e civicpin.Event) error
}

// A Report is what a verification found.
type Report struct {
	Entries, Events int // how many of each were read
	// Heads names the end of every chain that is not empty, to be kept for the next verification. After a fault, too.
	Heads []Head
	// Faults holds what is wrong, chain by chain; empty if nothing is.
	Faults []Fault
}

// Verify reads every chain from its beginning and checks it. It costs a Get for each entry, and one listing where the store
// lists: without it, entries behind a gap at the end are not seen, and are reported as truncated or not at all. Beside traffic,
// what is added meanwhile may be in the report or not. What is wrong with the log is in the report, and is no error. Errors:
//   - [civicpin.ErrInvalid]: a head is of a chain that the log does not have.
//   - what Each returned.
//   - the store's.
func (l *Log) Verify(ctx context.Context, c Check) (Report, error) {
	var r Report
	since := make(map[int]map[uint64][][]byte)
	for _, h := range c.Since {
		if h.Chain < 0 || h.Chain >= len(l.chains) {
			return r, fmt.Errorf("audit: %w: a head of chain %d", civicpin.ErrInvalid, h.Chain)
		}
		if since[h.Chain] == nil {
			since[h.Chain] = make(map[uint64][][]byte)
		}
		since[h.Chain][h.Seq] = append(since[h.Chain][h.Seq], h.Sum)
	}
	ends, err := l.ends(ctx)
	if err != nil {
		return r, err
	}
	for chain := range l.chains {
		v := verification{log: l, chain: chain, check: c, since: since[chain], end: ends[chain], report: &r}
		if err := v.run(ctx); err != nil {
			return r, err
		}
	}
	return r, nil
}

// ends returns one more than the greatest number in each chain, as far as a listing tells.
func (l *Log) ends(ctx context.Context) (map[int]uint64, error) {
	ends := make(map[int]uint64)
	if !l.vault.CanList() {
		return ends, nil
	}
	for e, err := range l.entries.All(ctx) {
		if errors.Is(err, store.ErrUnreadable) {
			continue // its place is looked at later, if there is one
		}
		if err != nil {
			return nil, fmt.Errorf("audit: %w", err)
		}
		ends[e.Value.Chain] = max(ends[e.Value.Chain], e.Value.Seq+1)
	}
	return ends, nil
}

// verification is that of one chain.
type verification struct {
	log    *Log
	chain  int
	check  Check
	since  map[uint64][][]byte // by number, the sums of the heads that were kept
	end    uint64              // one more than the greatest number that must be there
	report *Report
}

func (v *verification) fault(seq uint64, w What) {
	v.report.Faults = append(v.report.Faults, Fault{Chain: v.chain, Seq: seq, What: w})
}

// head reads the head of the chain.
func (v *verification) head(ctx context.Context) (heads, error) {
	h, err := v.log.head(ctx, v.chain)
	if err != nil {
		return h, err
	}
	for _, what := range h.faults(v.end) {
		v.fault(0, what)
	}
	if h.found {
		v.end = max(v.end, h.head.Seq+1)
	}
	return h, nil
}

func (v *verification) run(ctx context.Context) error {
	h, err := v.head(ctx)
	if err != nil {
		return err
	}
	for seq := range v.since {
		v.end = max(v.end, seq+1)
	}

	prev := make([]byte, 32) // nil: unknown, after a fault
	missing, last := uint64(0), Head{}
	for seq := uint64(0); ; seq++ {
		e, err := v.log.entries.Get(ctx, v.log.key(v.chain, seq))
		if errors.Is(err, store.ErrNotFound) {
			if seq >= v.end {
				break
			}
			missing, prev = missing+1, nil
			continue
		}
		for ; missing > 0; missing-- {
			v.fault(seq-missing, Removed)
		}
		if errors.Is(err, store.ErrUnreadable) {
			v.fault(seq, unreadable(err, Changed))
			prev = nil
			continue
		}
		if err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		ok, err := v.entry(seq, &e.Value, prev)
		if err != nil {
			return err
		}
		if h.found && h.head.Seq == seq && !bytes.Equal(h.head.Sum, e.Value.Sum) {
			v.fault(0, BadHead)
		}
		prev = e.Value.Sum
		if ok {
			last = Head{Chain: v.chain, Seq: seq, Sum: e.Value.Sum}
		}
	}
	if missing > 0 {
		v.fault(v.end-missing, Truncated)
	}
	if last.Sum != nil {
		v.report.Heads = append(v.report.Heads, last)
	}
	return nil
}

// entry checks an entry that is there.
func (v *verification) entry(seq uint64, e *entry, prev []byte) (ok bool, err error) {
	events, ok := v.log.open(v.chain, seq, e)
	for _, sum := range v.since[seq] {
		ok = ok && bytes.Equal(sum, e.Sum)
	}
	if !ok {
		v.fault(seq, Changed)
		return false, nil
	}
	switch {
	case prev == nil, bytes.Equal(e.Prev, prev):
	case len(e.Prev) == 0:
		v.fault(seq, Unlinked)
	default:
		v.fault(seq, Displaced)
	}
	if resumes(events) {
		v.fault(seq, Resumed)
	}
	v.report.Entries++
	v.report.Events += len(events)
	if v.check.Each == nil {
		return true, nil
	}
	for _, one := range events {
		if err := v.check.Each(v.chain, seq, one.event()); err != nil {
			return false, err
		}
	}
	return true, nil
}
