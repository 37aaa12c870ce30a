package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlstore"
)

// A Store is a [store.Store] and [store.Lister] in an SQLite file. Make one with [Open]; the zero Store is not usable.
type Store struct {
	records         *sqlstore.Store
	writer, readers *sql.DB
	// queue holds the token of the caller that may write. database/sql has a queue of its own for the one connection, but picks
	// from it at random, so that under load some writes would wait many times longer than others.
	queue chan struct{}
}

var _ store.Lister = (*Store)(nil)

// Get implements [store.Store], and returns its errors.
func (s *Store) Get(ctx context.Context, key string) (store.Record, error) {
	return s.records.Get(ctx, key)
}

// Put implements [store.Store], and returns its errors.
func (s *Store) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	if err := s.enter(ctx, key); err != nil {
		return 0, err
	}
	defer s.leave()
	return s.records.Put(ctx, key, r)
}

// Delete implements [store.Store], and returns its errors.
func (s *Store) Delete(ctx context.Context, key string, v store.Version) error {
	if err := s.enter(ctx, key); err != nil {
		return err
	}
	defer s.leave()
	return s.records.Delete(ctx, key, v)
}

// List implements [store.Lister]. While the loop's body runs it holds neither a connection nor a snapshot.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	return s.records.List(ctx, prefix, after)
}

// purgeBatch is how many records PurgeExpired deletes at a time: other writes come in between.
const purgeBatch = 500

// PurgeExpired deletes records whose ExpiresAt is at or before a time, at most max of them, and returns how many it deleted,
// also if it then met an error. It begins with those that expired first, and lets other writes in after each 500.
func (s *Store) PurgeExpired(ctx context.Context, before time.Time, max int) (int, error) {
	n := 0
	for n < max {
		batch := min(purgeBatch, max-n)
		deleted, err := s.purge(ctx, before, batch)
		n += deleted
		if err != nil || deleted < batch {
			return n, err
		}
	}
	return n, nil
}

func (s *Store) purge(ctx context.Context, before time.Time, max int) (int, error) {
	if err := s.queued(ctx); err != nil {
		return 0, err
	}
	defer s.leave()
	return s.records.PurgeExpired(ctx, before, max)
}

// Close waits for writes under way and closes the file. Later calls of any method but Close give errors.
func (s *Store) Close() error {
	s.queue <- struct{}{}
	defer s.leave()
	// The writer goes last: the last to close a file moves its log into it, and readers may not write.
	return errors.Join(s.records.Close(), s.readers.Close(), s.writer.Close())
}

// enter waits for its turn to write. A key that no write could use does not wait.
func (s *Store) enter(ctx context.Context, key string) error {
	if err := store.CheckKey(key); err != nil {
		return err
	}
	return s.queued(ctx)
}

// queued waits for its turn.
func (s *Store) queued(ctx context.Context) error {
	select {
	case s.queue <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("sqlite: waiting to write: %w", ctx.Err())
	}
}

func (s *Store) leave() { <-s.queue }
