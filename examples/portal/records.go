package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/store"
)

// openRecords opens the database, in a temporary folder if the flags name none, and reads its keys, which it makes for an empty
// one. In production the keys come from elsewhere: whoever has file and keys has everything.
func (p *portal) openRecords(ctx context.Context, c config) (store.Keys, error) {
	if c.db == "" {
		folder, err := os.MkdirTemp("", "civicpin-portal-")
		if err != nil {
			return store.Keys{}, fmt.Errorf("portal: %w", err)
		}
		c.db = filepath.Join(folder, "portal.db")
	}
	if c.keys == "" && strings.Contains(c.db, "://") {
		c.keys = "portal.keys"
	}
	records, err := play.OpenRecords(ctx, "portal", c.db)
	if err != nil {
		return store.Keys{}, err
	}
	p.records = records
	keys, err := readKeys(ctx, records, cmp.Or(c.keys, c.db+".keys"))
	if err != nil {
		return store.Keys{}, errors.Join(err, p.records.Close())
	}
	if c.wrap != nil {
		records.Lister = c.wrap(records.Lister)
	}
	return keys, nil
}

func readKeys(ctx context.Context, records *play.Records, file string) (store.Keys, error) {
	keys, err := store.ReadKeyFile(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	for _, err = range records.List(ctx, "", "") {
		if err == nil { // new keys would open nothing
			err = fmt.Errorf("portal: %s has records, and their keys are not in %s", records.Where, file)
		}
		return keys, err
	}
	return store.CreateKeyFile(file)
}

// A shelf is the part of one database that belongs to one system: its keys begin with the system's name. Each system thereby
// has a vault of its own, as if it had a database of its own, and no two take each other's records for theirs.
type shelf struct {
	store.Lister
	prefix string
}

func (s shelf) Get(ctx context.Context, key string) (store.Record, error) {
	return s.Lister.Get(ctx, s.prefix+key)
}

func (s shelf) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	return s.Lister.Put(ctx, s.prefix+key, r)
}

func (s shelf) Delete(ctx context.Context, key string, v store.Version) error {
	return s.Lister.Delete(ctx, s.prefix+key, v)
}

func (s shelf) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	if after != "" {
		after = s.prefix + after
	}
	return func(yield func(store.Item, error) bool) {
		for item, err := range s.Lister.List(ctx, s.prefix+prefix, after) {
			item.Key = strings.TrimPrefix(item.Key, s.prefix)
			if !yield(item, err) {
				return
			}
		}
	}
}
