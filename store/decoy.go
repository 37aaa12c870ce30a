package store

import (
	"bytes"
	"context"
	"errors"
)

// A Decoy is a sealed value that was never stored. Opening it takes as long as opening a record does: where a stranger could
// tell with a stopwatch that nothing was found, [Kind.GetOr] opens one instead.
type Decoy struct {
	key    string
	record Record
}

// Decoy seals a value in the likeness of those that are stored. It makes no store call. Errors are those of sealing.
func (k Kind[T]) Decoy(ctx context.Context, value T) (Decoy, error) {
	e := Entry[T]{Key: Key{Subject: "decoy-0000"}, Value: value}
	sealed, err := k.encode(ctx, &e)
	return Decoy{key: k.vault.storageKey(k.name, e.Key), record: Record{Value: sealed, Version: 1}}, err
}

// Padded returns the kind, whose records from now on are padded to a multiple of n bytes before they are sealed: one that
// opens a decoy in place of records whose lengths differ a little takes as long for both. Zero means no padding. Records that
// were written without it, or with another n, are read as ever.
func (k Kind[T]) Padded(n int) Kind[T] {
	k.pad = n
	return k
}

// GetOr is [Kind.Get] that opens the decoy where it finds nothing: the same store call, unsealing and decoding for everybody.
// The entry and the error are those of Get.
func (k Kind[T]) GetOr(ctx context.Context, key Key, d Decoy) (Entry[T], error) {
	e, err := k.Get(ctx, key)
	if errors.Is(err, ErrNotFound) {
		r := d.record
		r.Value = bytes.Clone(r.Value) // as a store does with what it finds
		_, _ = k.decode(ctx, d.key, nil, r)
	}
	return e, err
}
