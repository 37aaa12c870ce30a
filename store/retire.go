package store

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"slices"
)

// begin enters the key in front in every canary, and returns for each member the ids of the keys that its canary names. If the
// key in front is not known to be the newest, begin gives [ErrOldKey] and writes nothing. A process with an old order of keys
// would otherwise undo the work of the others, and make the newer key look unused.
func (v *Vault) begin(ctx context.Context) ([][]string, error) {
	all, err := v.proposals(ctx)
	if err != nil {
		return nil, err
	}
	lasting := slices.ContainsFunc(v.members, func(m Store) bool { return !forgets(m) })
	used := make([][]string, len(all))
	for i, p := range all {
		front := p.canary.entry(v.current.ID)
		for _, e := range p.canary.Sealing {
			if e.Retired {
				continue
			}
			used[i] = append(used[i], e.Key)
			// A store that may lose its canary does not know the order, if another does.
			ordered := !lasting || !forgets(v.members[i])
			if ordered && e.Key != front.Key && e.Rank >= front.Rank {
				return nil, fmt.Errorf("%w: %s is in front, and %s may be newer: copy the present key file to this machine",
					ErrOldKey, front.Key, e.Key)
			}
		}
	}
	return used, v.settle(ctx, all)
}

// retireAll has each member's canary retire the keys that begin returned for the member: no record is sealed under them. A key
// stays that is not older than the key in front, and so does a key that came to the canary since.
func (v *Vault) retireAll(ctx context.Context, used [][]string) error {
	for i, m := range v.members {
		retire := func(ctx context.Context, s Store) (proposal, error) {
			c, version, err := v.canary(ctx, s)
			if err != nil {
				return proposal{}, err
			}
			p := proposal{canary: c, version: version}
			front := c.entry(v.current.ID)
			if front == nil {
				return p, nil // the store went back to a canary of before; the next Reseal does it
			}
			p.changed = c.retire(func(e canarySeal) bool { return e.Rank < front.Rank && slices.Contains(used[i], e.Key) })
			return p, nil
		}
		p, err := retire(ctx, m)
		if err == nil {
			err = v.write(ctx, m, p, retire)
		}
		if err != nil {
			return fmt.Errorf("store: reseal: %w", err)
		}
	}
	return nil
}

// retire marks the entries that are in use, and of which old reports true, as retired. It reports whether there were any.
func (c *canary) retire(old func(canarySeal) bool) bool {
	changed := false
	for i, e := range c.Sealing {
		if !e.Retired && old(e) {
			c.Sealing[i].Retired, changed = true, true
		}
	}
	return changed
}

// mend retires the missing keys in the canary of a store that may lose writes, or returns wrong. Such a store may come back
// with an old canary, which would keep every process from starting. The canary is mended if
//   - the vault's keys made it, and nothing is wrong but that some are missing;
//   - the canary of a store that does not forget says that each of these was retired, so that none of them is newer;
//   - none of the store's records is sealed under them: a process without the key could not read the record.
func (v *Vault) mend(ctx context.Context, s Store, c *canary, wrong *KeysError) error {
	l, lists := s.(Lister)
	if wrong.Index || len(wrong.Other) > 0 || !lists || !hmac.Equal(c.Sum, v.canarySum(c)) {
		return wrong
	}
	retired, err := v.retired(ctx)
	if err != nil {
		return err
	}
	for _, id := range wrong.Missing {
		if !slices.Contains(retired, id) {
			return wrong
		}
	}
	for item, err := range l.List(ctx, "", "") {
		if err != nil {
			return fmt.Errorf("store: list: %w", err)
		}
		if item.Key != canaryKey && slices.Contains(wrong.Missing, sealedUnder(item.Value)) {
			return wrong
		}
	}
	c.retire(func(e canarySeal) bool { return slices.Contains(wrong.Missing, e.Key) })
	return nil
}

// retired returns the ids of the keys that were retired, as the stores know that do not forget. An error is one of canary.
func (v *Vault) retired(ctx context.Context) (ids []string, err error) {
	for _, m := range v.members {
		if forgets(m) {
			continue
		}
		c, _, err := v.canary(ctx, m)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, e := range c.Sealing {
			if e.Retired {
				ids = append(ids, e.Key)
			}
		}
	}
	return ids, nil
}
