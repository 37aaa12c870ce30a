package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	// canaryKind is a kind that [NewKind] refuses, so that no record of a caller lies beside the canary.
	canaryKind = "vault"
	// canaryKey does not depend on the index key: a vault with any keys finds the canary.
	canaryKey    = canaryKind + "/canary"
	canaryFormat = 1
	// canaryMac begins what is hashed for a canary. Neither a storage key's hash nor a [Vault.Hash] begins so.
	canaryMac = "\x00canary"
)

// A canary is the record by which [OpenVault] tells whether keys fit a database. Nothing in it is secret. It tells the index
// key from the sealing keys, so that an operator learns which of them is wrong.
type canary struct {
	Format int    `json:"format"`
	ID     string `json:"id"` // random, so that no two databases have the same canary
	// Index is a keyed hash of ID under the index key.
	Index []byte `json:"index"`
	// Sealing has an entry for each sealing key under which a record may be sealed, and for each that was retired.
	Sealing []canarySeal `json:"sealing"`
	// Sum is a keyed hash of everything above under the index key: without that key, an attacker who can write to the store
	// cannot have the canary forget a sealing key, nor mix two canaries.
	Sum []byte `json:"sum"`
}

// canarySeal is the canary's ID, sealed.
type canarySeal struct {
	Key    string `json:"key"`
	Sealed []byte `json:"sealed"`
	// Rank is above that of each key that was in use earlier. Keys of one rank came in an order that is not known.
	Rank int `json:"rank,omitempty"`
	// Retired says that no record is sealed under the key any more. The entry stays: a process that still has the key in front
	// is told by it from one with a new key.
	Retired bool `json:"retired,omitempty"`
}

// A KeysError says which keys do not fit a database. Its text names ids of keys, and quotes no key.
type KeysError struct {
	// Index reports that the index key is not the database's.
	Index bool
	// Other holds the ids of sealing keys that differ from the database's keys of the same ids.
	Other []string
	// Missing holds the ids of sealing keys that the database needs and the vault does not have.
	Missing []string
}

// Error implements error.
func (e *KeysError) Error() string {
	var wrong []string
	if e.Index {
		wrong = append(wrong, "the index key is another one")
	}
	for _, id := range e.Other {
		wrong = append(wrong, "sealing key "+id+" is another one")
	}
	for _, id := range e.Missing {
		wrong = append(wrong, "sealing key "+id+" is missing")
	}
	return "store: the keys do not fit the database: " + strings.Join(wrong, "; ")
}

// orNil returns nil if nothing is wrong.
func (e *KeysError) orNil() error {
	if !e.Index && len(e.Other) == 0 && len(e.Missing) == 0 {
		return nil
	}
	return e
}

// newCanary returns a canary of the vault's index key, with an entry for each of the keys, all of one rank.
func (v *Vault) newCanary(ctx context.Context, keys []SealingKey) (*canary, error) {
	c := &canary{Format: canaryFormat, ID: rand.Text()}
	c.Index = v.mac(canaryMac, "index", c.ID)
	for _, k := range keys {
		if err := c.add(ctx, k, 0); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// entry returns the canary's entry for the sealing key of that id, or nil.
func (c *canary) entry(id string) *canarySeal {
	i := slices.IndexFunc(c.Sealing, func(s canarySeal) bool { return s.Key == id })
	if i < 0 {
		return nil
	}
	return &c.Sealing[i]
}

// top returns the highest rank of the entries.
func (c *canary) top() int {
	top := 0
	for _, s := range c.Sealing {
		top = max(top, s.Rank)
	}
	return top
}

func (c *canary) add(ctx context.Context, k SealingKey, rank int) error {
	sealed, err := k.Sealer.Seal(ctx, []byte(c.ID), c.associated(k.ID))
	if err != nil {
		return fmt.Errorf("store: seal canary: %w", err)
	}
	c.Sealing = append(c.Sealing, canarySeal{Key: k.ID, Sealed: sealed, Rank: rank})
	return nil
}

// associated binds an entry to its key's id and its canary. No record has the same associated data, since none has the kind.
func (c *canary) associated(id string) []byte {
	head := append([]byte{canaryFormat, byte(len(id))}, id...)
	return associated(head, canaryKind, canaryKey+"/"+c.ID)
}

// fits returns nil if the vault's keys are those of the canary. Errors:
//   - [*KeysError]: they are others;
//   - [ErrUnreadable]: they are the same, and the canary was changed;
//   - any other error: a Sealer could not work.
func (v *Vault) fits(ctx context.Context, c *canary) error {
	wrong := &KeysError{Index: !hmac.Equal(c.Index, v.mac(canaryMac, "index", c.ID))}
	for _, s := range c.Sealing {
		sealer, ok := v.openers[s.Key]
		if !ok {
			if !s.Retired {
				wrong.Missing = append(wrong.Missing, s.Key)
			}
			continue
		}
		plain, err := sealer.Open(ctx, s.Sealed, c.associated(s.Key))
		switch {
		case err != nil && ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, ErrUnreadable), err == nil && string(plain) != c.ID:
			wrong.Other = append(wrong.Other, s.Key)
		case err != nil && !s.Retired: // a retired key may be destroyed
			return fmt.Errorf("store: open canary: %w", err)
		}
	}
	if err := wrong.orNil(); err != nil {
		return err
	}
	if !hmac.Equal(c.Sum, v.canarySum(c)) {
		return fmt.Errorf("%w: the canary was changed", ErrUnreadable)
	}
	return nil
}

func (v *Vault) canarySum(c *canary) []byte {
	parts := []string{canaryMac, "sum", strconv.Itoa(c.Format), c.ID, string(c.Index)}
	for _, s := range c.Sealing {
		parts = append(parts, s.Key, string(s.Sealed), strconv.Itoa(s.Rank), strconv.FormatBool(s.Retired))
	}
	return v.mac(parts...)
}

// encodeCanary returns the canary's record, with its sum.
func (v *Vault) encodeCanary(c *canary) ([]byte, error) {
	c.Sum = v.canarySum(c)
	value, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("store: encode canary: %w", err)
	}
	if len(value) > maxValue {
		return nil, fmt.Errorf("store: a canary of %d bytes is over the limit of %d", len(value), maxValue)
	}
	return value, nil
}

func decodeCanary(value []byte) (*canary, error) {
	var c canary
	if len(value) > maxValue || strictJSON(value, &c) != nil || c.Format != canaryFormat || len(c.Sealing) == 0 {
		return nil, fmt.Errorf("%w: canary", ErrUnreadable)
	}
	return &c, nil
}
