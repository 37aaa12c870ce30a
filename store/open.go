package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// ErrNoCanary says that a store has no canary and is not known to be empty, so that nothing tells whether keys fit it. See
// [Options.Adopt].
var ErrNoCanary = errors.New("store: no canary in a store that holds records, or that cannot list: see Options.Adopt")

// adoptLooks is how many records [Options.Adopt] opens before it believes the keys.
const adoptLooks = 100

// admitted returns why settle would fail, without a write: a canary of keys that do not fit would lock the right ones out.
func (v *Vault) admitted(ctx context.Context, s Store) error {
	for again := false; ; again = true {
		_, _, err := v.canary(ctx, s)
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		if _, err = v.create(ctx, s); again || !errors.Is(err, ErrNoCanary) {
			return err
		}
		// Perhaps another process created the canary, and wrote a record, since it was looked for.
	}
}

// settle has the store accept the vault's keys: it looks at the canary, creates it where it may, and enters the key in front
// before anything is sealed under it. Of several processes that create at once, one does, and the others see what it wrote.
func (v *Vault) settle(ctx context.Context, s Store) error {
	full := false  // the store was seen with records and without a canary
	var last error // of the last Put
	for try := range maxTries {
		c, version, err := v.canary(ctx, s)
		switch {
		case err == nil && c.has(v.current.ID):
			return nil
		case err == nil:
			err = c.add(ctx, v.current)
		case errors.Is(err, ErrNotFound):
			if c, err = v.create(ctx, s); errors.Is(err, ErrNoCanary) && !full {
				full = true // perhaps by a process that created the canary since it was looked for
				continue
			}
		}
		if err != nil {
			return err
		}
		if last != nil && !errors.Is(last, ErrConflict) {
			return last // the answer was not lost: the write did not happen
		}
		value, err := v.encodeCanary(c)
		if err != nil {
			return err
		}
		if _, last = s.Put(ctx, canaryKey, Record{Value: value, Version: version}); last == nil {
			return nil
		}
		last = fmt.Errorf("store: put canary: %w", last)
		if err := backoff(ctx, try); err != nil {
			return err
		}
	}
	return ErrContended
}

// canary reads the canary of a store and checks it. It gives ErrNotFound where there is none, and the errors of fits.
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
	// Records may be sealed under each of the keys.
	return v.newCanary(ctx, v.sealing)
}

// openSome opens the first records of a store that is to be adopted. It gives a [*KeysError] if one names a sealing key that is
// not there, or if none opens under its own storage key.
func (v *Vault) openSome(ctx context.Context, l Lister) error {
	var a adoption
	looked := 0
	for item, err := range l.List(ctx, "", "") {
		if err != nil {
			return fmt.Errorf("store: list: %w", err)
		}
		if item.Key == canaryKey {
			return nil // another process was quicker; creating will tell
		}
		if looked++; looked > adoptLooks {
			break
		}
		if err := a.look(ctx, v, item); err != nil {
			return err
		}
	}
	switch {
	case a.fit && len(a.wrong.Missing) == 0:
		return nil // some record or other may have been spoilt
	case a.fit:
		return &KeysError{Missing: a.wrong.Missing}
	case a.wrong.orNil() != nil:
		return &a.wrong
	}
	return fmt.Errorf("%w: none of the first %d records is one of a vault", ErrUnreadable, adoptLooks)
}

// adoption is what the records of a store say about keys.
type adoption struct {
	wrong KeysError
	fit   bool // one of them opened
}

// look opens a record. Its error is that of a Sealer that could not work.
func (a *adoption) look(ctx context.Context, v *Vault, item Item) error {
	kind := kindOf(item.Key)
	plain, id, err := v.open(ctx, kind, item.Key, item.Value)
	var env envelope
	switch {
	case errors.Is(err, ErrUnknownKey):
		a.wrong.Missing = addOnce(a.wrong.Missing, id)
	case errors.Is(err, ErrUnreadable) && id != "":
		a.wrong.Other = addOnce(a.wrong.Other, id)
	case errors.Is(err, ErrUnreadable):
		// no record of a vault
	case err != nil:
		return err
	case strictJSON(plain, &env) != nil:
	case v.storageKey(kind, Key{Subject: env.Subject, ID: env.ID}) != item.Key:
		a.wrong.Index = true
	default:
		a.fit = true
	}
	return nil
}

func addOnce(ids []string, id string) []string {
	if slices.Contains(ids, id) {
		return ids
	}
	return append(ids, id)
}

// sealedUnder returns, for each member, the ids of the sealing keys that its canary names; nil if the canary is gone.
func (v *Vault) sealedUnder(ctx context.Context) ([][]string, error) {
	used := make([][]string, len(v.members))
	for i, m := range v.members {
		c, _, err := v.canary(ctx, m)
		if errors.Is(err, ErrNotFound) {
			continue // lost, by a store that may: OpenVault makes it anew
		}
		if err != nil {
			return nil, err
		}
		for _, k := range c.Sealing {
			used[i] = append(used[i], k.Key)
		}
	}
	return used, nil
}

// retireAll is retire for all members, of what sealedUnder returned.
func (v *Vault) retireAll(ctx context.Context, used [][]string) error {
	for i, m := range v.members {
		if used[i] == nil {
			continue
		}
		if err := v.retire(ctx, m, used[i]); err != nil {
			return fmt.Errorf("store: reseal: %w", err)
		}
	}
	return nil
}

// retire has the canary of a store forget sealing keys under which no record is sealed any more. The one in front stays, and so
// does one that came to the canary since the ids were read.
func (v *Vault) retire(ctx context.Context, s Store, ids []string) error {
	for try := range maxTries {
		c, version, err := v.canary(ctx, s)
		if err != nil {
			return err
		}
		before := len(c.Sealing)
		c.Sealing = slices.DeleteFunc(c.Sealing, func(k canarySeal) bool {
			return k.Key != v.current.ID && slices.Contains(ids, k.Key)
		})
		if len(c.Sealing) == before {
			return nil
		}
		value, err := v.encodeCanary(c)
		if err != nil {
			return err
		}
		if _, err = s.Put(ctx, canaryKey, Record{Value: value, Version: version}); !errors.Is(err, ErrConflict) {
			return err
		}
		if err := backoff(ctx, try); err != nil {
			return err
		}
	}
	return ErrContended
}
