package store

import (
	"bytes"
	"context"
	"errors"
)

// A Decoy is a sealed value that was never stored. Opening it takes as long as opening a record. [Kind.GetOr] opens one where
// it finds no record, so that an attacker who measures time does not learn that.
type Decoy struct {
	key    string
	record Record
}

// Decoy seals a value that looks like the stored ones. It makes no store call. Errors are those of the Sealer.
func (k Kind[T]) Decoy(ctx context.Context, value T) (Decoy, error) {
	e := Entry[T]{Key: Key{Subject: "decoy-0000"}, Value: value}
	sealed, err := k.encode(ctx, &e)
	return Decoy{key: k.vault.storageKey(k.name, e.Key), record: Record{Value: sealed, Version: 1}}, err
}

// Padded returns the kind with padding: from now on its records are padded to a multiple of n bytes before they are sealed, so
// that a decoy and records whose lengths differ a little take the same time. Zero means no padding. Records that were written
// without padding, or with another n, stay readable.
func (k Kind[T]) Padded(n int) Kind[T] {
	k.pad = n
	return k
}

// GetOr is [Kind.Get], but opens the decoy where it finds no record: both cases make the same store call, and unseal, decode
// and correct ([Kind.Corrected]) as much. The entry and the error are those of Get.
func (k Kind[T]) GetOr(ctx context.Context, key Key, d Decoy) (Entry[T], error) {
	e, err := k.Get(ctx, key)
	if errors.Is(err, ErrNotFound) && e.version == 0 { // one that has expired was opened already
		r := d.record
		r.Value = bytes.Clone(r.Value) // as a store does with what it finds
		if decoy, err := k.decode(ctx, d.key, nil, r); err == nil {
			k.correct(&decoy)
		}
	}
	return e, err
}
