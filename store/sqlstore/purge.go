package sqlstore

import (
	"context"
	"fmt"
	"time"
)

// purgeBatch is how many rows one statement deletes at most: as long as it runs, their locks are held, on SQLite
// everybody's.
const purgeBatch = 500

// PurgeExpired deletes records whose ExpiresAt is at or before a time, at most max of them, and returns how many it
// deleted, also if it then met an error. It begins with those that expired first, in batches of 500, each one statement.
// A record that is renewed meanwhile stays, and on PostgreSQL one that somebody is writing is not waited for. Several
// processes may do so at once.
func (s *Store) PurgeExpired(ctx context.Context, before time.Time, max int) (int, error) {
	limit := floorMillis(before)
	n := 0
	for n < max {
		batch := min(purgeBatch, max-n)
		var deleted int64
		err := s.retry(func() error {
			result, err := s.purge.ExecContext(ctx, limit, batch)
			if err != nil {
				return err
			}
			deleted, err = result.RowsAffected()
			return err
		})
		if err != nil {
			return n, fmt.Errorf("sqlstore: purge: %w", err)
		}
		n += int(deleted)
		if deleted < int64(batch) {
			break
		}
	}
	return n, nil
}

// purgeStatement returns the statement that deletes a batch.
func purgeStatement(d Dialect, records string) string {
	choose := "SELECT key FROM " + records + " WHERE expires <= $1 ORDER BY expires LIMIT $2"
	if d == SQLite {
		return "DELETE FROM " + records + " WHERE key IN (" + choose + ")"
	}
	// An array is made once. The rows of an IN may be looked for again for each row that is deleted, and locked each time.
	return "DELETE FROM " + records + " WHERE key = ANY (ARRAY(" + choose + " FOR UPDATE SKIP LOCKED))"
}
