package store

import (
	"context"
	"errors"
	"fmt"
)

// ErrNoCanary says that a store has no canary and is not known to be empty, so that nothing tells whether keys fit it. See
// [Options.Adopt].
var ErrNoCanary = errors.New("store: no canary in a store that holds records, or that cannot list: see Options.Adopt")

// A proposal is the canary that a store is to hold.
type proposal struct {
	canary  *canary
	version Version // of the canary that the store holds; zero if it holds none
	changed bool    // the proposal is not what the store holds
}

// A proposer looks at a store and makes a proposal. It writes nothing.
type proposer func(context.Context, Store) (proposal, error)

// proposals returns what propose returns for each member, or the first error.
func (v *Vault) proposals(ctx context.Context) ([]proposal, error) {
	all := make([]proposal, len(v.members))
	for i, m := range v.members {
		var err error
		if all[i], err = v.propose(ctx, m); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// settle has each member hold its proposal. A key is in the canaries before anything is sealed under the key.
func (v *Vault) settle(ctx context.Context, all []proposal) error {
	for i, m := range v.members {
		if err := v.write(ctx, m, all[i], v.propose); err != nil {
			return err
		}
	}
	return nil
}

// propose returns the canary that a store has or may get, with the key in front. Errors:
//   - those of canary, but for ErrNotFound: the keys do not fit;
//   - [ErrOldKey]: the key in front was retired;
//   - [ErrNoCanary], [*KeysError]: the store may get no canary, and see openSome.
func (v *Vault) propose(ctx context.Context, s Store) (proposal, error) {
	for again := false; ; again = true {
		c, version, err := v.canary(ctx, s)
		p := proposal{canary: c, version: version}
		if wrong, ok := errors.AsType[*KeysError](err); ok && forgets(s) {
			p.changed = true
			err = v.mend(ctx, s, c, wrong)
		}
		if err == nil {
			return v.withFront(ctx, p)
		}
		if !errors.Is(err, ErrNotFound) {
			return proposal{}, err
		}
		c, err = v.create(ctx, s)
		if again || !errors.Is(err, ErrNoCanary) {
			return proposal{canary: c, changed: true}, err
		}
		// Perhaps another process created the canary, and wrote a record, since it was looked for.
	}
}

// withFront enters the key in front in a canary that does not name the key.
func (v *Vault) withFront(ctx context.Context, p proposal) (proposal, error) {
	switch e := p.canary.entry(v.current.ID); {
	case e == nil:
		p.changed = true
		return p, p.canary.add(ctx, v.current, p.canary.top()+1)
	case e.Retired:
		return proposal{}, fmt.Errorf("%w: %s was retired: copy the present key file to this machine",
			ErrOldKey, v.current.ID)
	}
	return p, nil
}

// write has a store hold a proposal. Of several processes that write at once, one does, and the others propose again.
func (v *Vault) write(ctx context.Context, s Store, p proposal, again proposer) error {
	for try := range maxTries {
		if !p.changed {
			return nil
		}
		value, err := v.encodeCanary(p.canary)
		if err != nil {
			return err
		}
		_, putErr := s.Put(ctx, canaryKey, Record{Value: value, Version: p.version})
		if putErr == nil {
			return nil
		}
		if err := backoff(ctx, try); err != nil {
			return err
		}
		if p, err = again(ctx, s); err != nil {
			return err
		}
		if p.changed && !errors.Is(putErr, ErrConflict) {
			return fmt.Errorf("store: put canary: %w", putErr) // the answer was not lost: the write did not happen
		}
	}
	return ErrContended
}

// canary reads the canary of a store and checks it. It gives ErrNotFound where there is none, and the errors of fits beside the
// canary.
func (v *Vault) canary(ctx context.Context, s Store) (*canary, Version, error) {
	r, err := s.Get(ctx, canaryKey)
	if errors.Is(err, ErrNotFound) {
		return nil, 0, ErrNotFound
	}
	if err != nil {
		return nil, 0, fmt.Errorf("store: get canary: %w", err)
	}
	c, err := decodeCanary(r.Value)
	if err != nil {
		return nil, 0, err
	}
	return c, r.Version, v.fits(ctx, c)
}

// create returns the canary that a store without one may get, or ErrNoCanary.
func (v *Vault) create(ctx context.Context, s Store) (*canary, error) {
	l, lists := s.(Lister)
	switch {
	case forgets(s):
		// A failover may have taken the canary and left records. What a store like this holds may be lost anyway.
		return v.newCanary(ctx, []SealingKey{v.current})
	case lists:
		empty := true
		for _, err := range l.List(ctx, "", "") {
			if err != nil {
				return nil, fmt.Errorf("store: list: %w", err)
			}
			empty = false
			break
		}
		if empty {
			return v.newCanary(ctx, []SealingKey{v.current})
		}
	}
	if !v.opts.Adopt {
		return nil, ErrNoCanary
	}
	if lists {
		if err := v.openSome(ctx, l); err != nil {
			return nil, err
		}
	}
	// Records may be sealed under each of the keys, and nothing tells in which order the keys came.
	return v.newCanary(ctx, v.sealing)
}
