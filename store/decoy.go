package store

import (
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
	e := Entry[T]{Key: Key{ID: "decoy"}, Value: value}
	sealed, err := k.encode(ctx, &e)
	return Decoy{key: k.vault.storageKey(k.name, e.Key), record: Record{Value: sealed, Version: 1}}, err
}

// GetOr is [Kind.Get] that opens the decoy where it finds nothing: the same store call, unsealing and decoding for everybody.
// The entry and the error are those of Get.
func (k Kind[T]) GetOr(ctx context.Context, key Key, d Decoy) (Entry[T], error) {
	e, err := k.Get(ctx, key)
	if errors.Is(err, ErrNotFound) {
		_, _ = k.decode(ctx, d.key, nil, d.record)
	}
	return e, err
}
