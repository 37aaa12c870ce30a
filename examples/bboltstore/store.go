// Package bboltstore keeps records in a bbolt file. It is the worked example of docs/stores.md: a store of your own in an
// hour, complete, and passing the contract's tests. It is not meant to be imported; take it as a pattern.
//
// bbolt is a B+ tree in one file that one process opens at a time. It serialises all writes, and waits for the disk at the end
// of each, so a record survives a power cut; for more than some hundred writes a second take another engine.
package bboltstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/civicpin/civicpin/store"
)

// records is the one bucket.
var records = []byte("records")

// A Store is a [store.Store] and [store.Lister] in a file. Make one with [Open].
type Store struct{ db *bbolt.DB }

var _ store.Lister = (*Store)(nil)

// Open opens a file, which it creates if it is not there. It gives an error if another process has it open.
func Open(path string) (*Store, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		return nil, fmt.Errorf("bboltstore: %w", err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(records)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("bboltstore: %w", errors.Join(err, db.Close()))
	}
	return &Store{db}, nil
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

// begin is what every method does first: refuse keys that cannot be, and callers who have gone.
func begin(ctx context.Context, key string) error {
	if err := store.CheckKey(key); err != nil {
		return err
	}
	return ctx.Err()
}

// Get implements [store.Store].
func (s *Store) Get(ctx context.Context, key string) (r store.Record, err error) {
	if err := begin(ctx, key); err != nil {
		return store.Record{}, err
	}
	err = s.db.View(func(tx *bbolt.Tx) error {
		r, err = get(tx, key)
		return err
	})
	if err != nil {
		return store.Record{}, err
	}
	return r, nil
}

// get reads a record within a transaction.
func get(tx *bbolt.Tx, key string) (store.Record, error) {
	stored := tx.Bucket(records).Get([]byte(key))
	if stored == nil {
		return store.Record{}, store.ErrNotFound
	}
	return decode(stored)
}

// Put implements [store.Store].
func (s *Store) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	err := s.write(ctx, key, r.Version, func(b *bbolt.Bucket) error {
		n, err := b.NextSequence() // of the bucket: it goes on when a record is deleted
		if err != nil {
			return err
		}
		r.Version = store.Version(n)
		return b.Put([]byte(key), encode(r))
	})
	if err != nil {
		return 0, err
	}
	return r.Version, nil
}

// Delete implements [store.Store].
func (s *Store) Delete(ctx context.Context, key string, v store.Version) error {
	if v == 0 {
		return store.ErrConflict // no record has that version
	}
	return s.write(ctx, key, v, func(b *bbolt.Bucket) error { return b.Delete([]byte(key)) })
}

// write runs do if the record of a key is at version v, in one transaction, so that nothing comes in between.
func (s *Store) write(ctx context.Context, key string, v store.Version, do func(*bbolt.Bucket) error) error {
	if err := begin(ctx, key); err != nil {
		return err
	}
	return s.db.Update(func(tx *bbolt.Tx) error {
		if err := ctx.Err(); err != nil {
			return err // gone while others were writing
		}
		now, err := get(tx, key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if now.Version != v { // zero where there is none
			return store.ErrConflict
		}
		return do(tx.Bucket(records))
	})
}

// page is how many records List reads in one transaction.
const page = 100

// List implements [store.Lister]. It yields between transactions, not within: the loop may write, and in bbolt a transaction
// that reads must not wait for one that writes.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		for more := true; more; {
			var items []store.Item
			err := s.db.View(func(tx *bbolt.Tx) (err error) {
				items, err = next(tx.Bucket(records).Cursor(), prefix, after)
				return err
			})
			if err != nil {
				yield(store.Item{}, err)
				return
			}
			if len(items) == 0 && ctx.Err() != nil {
				yield(store.Item{}, ctx.Err())
				return
			}
			for _, item := range items {
				if err := ctx.Err(); err != nil {
					yield(store.Item{}, err)
					return
				}
				if !yield(item, nil) {
					return
				}
				after = item.Key
			}
			more = len(items) == page
		}
	}
}

// next returns the first records of a listing.
func next(c *bbolt.Cursor, prefix, after string) (items []store.Item, err error) {
	for k, v := c.Seek([]byte(max(prefix, after))); k != nil && len(items) < page; k, v = c.Next() {
		key := string(k)
		if key <= after {
			continue
		}
		if !strings.HasPrefix(key, prefix) {
			break
		}
		r, err := decode(v)
		if err != nil {
			return nil, err
		}
		items = append(items, store.Item{Key: key, Record: r})
	}
	return items, nil
}

// A record is stored as its version (8 bytes), its expiry (15 bytes, as time.Time encodes itself), and its value.
const (
	versionLen = 8
	timeLen    = 15
)

func encode(r store.Record) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(r.Version))
	b, _ = r.ExpiresAt.UTC().AppendBinary(b) // cannot fail in UTC
	return append(b, r.Value...)
}

// decode undoes encode. It copies the value: what bbolt hands out is good only as long as the transaction.
func decode(b []byte) (r store.Record, err error) {
	if len(b) < versionLen+timeLen {
		return store.Record{}, errors.New("bboltstore: a stored record is too short")
	}
	if err := r.ExpiresAt.UnmarshalBinary(b[versionLen : versionLen+timeLen]); err != nil {
		return store.Record{}, fmt.Errorf("bboltstore: %w", err)
	}
	r.Version = store.Version(binary.BigEndian.Uint64(b))
	r.Value = append([]byte{}, b[versionLen+timeLen:]...)
	return r, nil
}
