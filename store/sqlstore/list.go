package sqlstore

import (
	"context"
	"fmt"
	"iter"

	"github.com/civicpin/civicpin/store"
)

// page is how many rows a listing holds in memory: at the vault's greatest value, 32 MiB.
const page = 128

// List implements [store.Lister]. It reads a page of rows at a time and yields them after the query has ended: so it holds
// neither a connection nor a snapshot while the loop's body runs, which may write, or take as long as it likes.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		for {
			items, err := s.page(ctx, prefix, after)
			if err != nil {
				yield(store.Item{}, fmt.Errorf("sqlstore: list: %w", err))
				return
			}
			for _, item := range items {
				if err := ctx.Err(); err != nil {
					yield(store.Item{}, fmt.Errorf("sqlstore: list: %w", err))
					return
				}
				if !yield(item, nil) {
					return
				}
				after = item.Key
			}
			if len(items) < page {
				return
			}
		}
	}
}

// page returns the first items of a listing.
func (s *Store) page(ctx context.Context, prefix, after string) (items []store.Item, err error) {
	err = s.retry(func() error {
		items, err = s.query(ctx, prefix, after)
		return err
	})
	return items, err
}

func (s *Store) query(ctx context.Context, prefix, after string) ([]store.Item, error) {
	from, to := keyRange(prefix, after)
	rows, err := s.list.QueryContext(ctx, from, to, page)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells
	var items []store.Item
	for rows.Next() {
		var b []byte
		var r row
		if err := rows.Scan(&b, &r.version, &r.expires, &r.value); err != nil {
			return nil, err
		}
		key, err := decodeKey(b)
		if err != nil {
			return nil, err
		}
		record, err := r.record()
		if err != nil {
			return nil, err
		}
		items = append(items, store.Item{Key: key, Record: record})
	}
	return items, rows.Err()
}
