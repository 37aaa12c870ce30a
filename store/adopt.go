package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// adoptLooks is how many records [Options.Adopt] opens before it believes the keys.
const adoptLooks = 100

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
