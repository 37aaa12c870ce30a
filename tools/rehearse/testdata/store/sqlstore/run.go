// A record is put into a database and found, with a driver that the program chose.
package main

import (
	"context"
	"database/sql"
	"fmt"

	_ "modernc.org/sqlite"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlstore"
)

func run(ctx context.Context) error {
	db, err := sql.Open("sqlite", "pins.db")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	records, err := sqlstore.New(ctx, db, sqlstore.SQLite, nil)
	if err != nil {
		return err
	}
	defer func() { _ = records.Close() }()
	if _, err := records.Put(ctx, "key", store.Record{Value: []byte("value")}); err != nil {
		return err
	}
	r, err := records.Get(ctx, "key")
	if err == nil && string(r.Value) != "value" {
		err = fmt.Errorf("found %q", r.Value)
	}
	return err
}
