// A record is put into a file through a vault, and found again after the file was closed.
package main

import (
	"context"
	"fmt"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlite"
)

type visits struct{ Count int }

var key = store.Key{Subject: "RSSMRA85T10A562S"}

func run(ctx context.Context) error {
	keys, err := store.CreateKeyFile("pins.keys")
	if err != nil {
		return err
	}
	err = with(ctx, keys, func(kind store.Kind[visits]) error {
		return kind.Put(ctx, &store.Entry[visits]{Key: key, Value: visits{Count: 7}})
	})
	if err != nil {
		return err
	}
	return with(ctx, keys, func(kind store.Kind[visits]) error {
		e, err := kind.Get(ctx, key)
		if err == nil && e.Value.Count != 7 {
			err = fmt.Errorf("found %d", e.Value.Count)
		}
		return err
	})
}

// with opens the file, calls do, and closes the file.
func with(ctx context.Context, keys store.Keys, do func(store.Kind[visits]) error) error {
	records, err := sqlite.Open(ctx, "pins.db")
	if err != nil {
		return err
	}
	defer func() { _ = records.Close() }()
	vault, err := store.OpenVault(ctx, records, keys, nil)
	if err != nil {
		return err
	}
	kind, err := store.NewKind[visits](vault, "visits")
	if err != nil {
		return err
	}
	return do(kind)
}
