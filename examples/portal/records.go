package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/store"
)

// openRecords opens the database and reads its keys, which it makes for an empty one. In production the keys come from
// elsewhere: whoever has file and keys has everything.
func openRecords(ctx context.Context, c config) (*play.Records, store.Keys, error) {
	c, err := places(c)
	if err != nil {
		return nil, store.Keys{}, err
	}
	records, err := play.OpenRecords(ctx, "portal", c.db)
	if err != nil {
		return nil, store.Keys{}, err
	}
	keys, err := store.ReadKeyFile(c.keys)
	if errors.Is(err, fs.ErrNotExist) {
		for _, err = range records.List(ctx, "", "") {
			if err == nil { // new keys would open nothing
				err = fmt.Errorf("portal: %s has records, and their keys are not in %s", records.Where, c.keys)
			}
			return nil, store.Keys{}, errors.Join(err, records.Close())
		}
		keys, err = store.CreateKeyFile(c.keys)
	}
	if err != nil {
		return nil, store.Keys{}, errors.Join(err, records.Close())
	}
	return records, keys, nil
}
