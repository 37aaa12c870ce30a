package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/internal/servers"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlstore"
)

// What the database refuses is known not to be done; what it gave no answer to is not known; and both are told apart.
func TestErrors(t *testing.T) { eachVersion(t, testErrors) }

func testErrors(t *testing.T, p *servers.Postgres) {
	s := kit.MustOpenPostgres(t, p.DSN(), 2, nil)
	v, err := s.Put(t.Context(), "k", store.Record{Value: []byte("v")})
	require.NoError(t, err)
	// writes gives the error of each write through a connection.
	writes := func(t *testing.T, s store.Store) []error {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		_, create := s.Put(ctx, "new", store.Record{})
		_, swap := s.Put(ctx, "k", store.Record{Version: v})
		return []error{create, swap, s.Delete(ctx, "k", v)}
	}

	t.Run("a database that is read only", func(t *testing.T) {
		for _, err := range writes(t, kit.MustOpenPostgres(t, p.DSN()+"&default_transaction_read_only=on", 1, nil)) {
			require.ErrorIs(t, err, sqlstore.ErrNotDone)
		}
	})
	t.Run("a table that is locked", func(t *testing.T) {
		impatient := kit.MustOpenPostgres(t, p.DSN()+"&lock_timeout=50", 1, nil)
		patient := kit.MustOpenPostgres(t, p.DSN(), 1, nil)
		tx, err := s.DB.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		defer func() { require.NoError(t, tx.Rollback()) }()
		_, err = tx.ExecContext(t.Context(), "LOCK TABLE civicpin_records IN EXCLUSIVE MODE")
		require.NoError(t, err)
		for _, err := range writes(t, impatient) {
			require.ErrorIs(t, err, sqlstore.ErrNotDone)
		}
		for _, err := range writes(t, patient) {
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.NotErrorIs(t, err, sqlstore.ErrNotDone, "whoever gives up does not know")
		}
	})
	t.Run("a server that is dead", func(t *testing.T) {
		dying := kit.MustOpenPostgres(t, p.DSN(), 2, nil)
		require.NoError(t, p.Kill())
		for _, err := range writes(t, dying) {
			require.Error(t, err)
			require.NotErrorIs(t, err, sqlstore.ErrNotDone)
			require.NotErrorIs(t, err, store.ErrConflict)
		}
		_, err := dying.Get(t.Context(), "k")
		require.Error(t, err)
		require.NotErrorIs(t, err, store.ErrNotFound)
		require.NoError(t, p.Restart())
		r, err := dying.Get(t.Context(), "k")
		require.NoError(t, err, "and the same handle goes on when the server is back")
		require.Equal(t, v, r.Version)
	})
}

// Serialisation failures do happen at that isolation level, and none reaches the caller.
func TestSerializable(t *testing.T) { eachVersion(t, testSerializable) }

func testSerializable(t *testing.T, p *servers.Postgres) {
	s := kit.MustOpenPostgres(t, p.DSN()+"&default_transaction_isolation=serializable", 8, nil)
	var failures atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 40 {
				r, err := s.Get(t.Context(), "k")
				if err != nil && !errors.Is(err, store.ErrNotFound) {
					t.Error(err)
				}
				_, err = s.Put(t.Context(), "k", store.Record{Version: r.Version, Value: fmt.Append(nil, i)})
				if err != nil && !errors.Is(err, store.ErrConflict) {
					t.Error(err)
				}
				// The same statement, by hand.
				_, err = s.DB.ExecContext(t.Context(), "UPDATE civicpin_records SET value = value WHERE key = 'k'")
				if e, ok := errors.AsType[interface {
					error
					SQLState() string
				}](err); ok && e.SQLState() == "40001" {
					failures.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Positive(t, failures.Load(), "this test provoked none, so it shows nothing")
}

// Expired rows go in batches, also by several at once; what is being written is passed by, and what is renewed stays.
func TestPurgeExpired(t *testing.T) { eachVersion(t, testPurgeExpired) }

func testPurgeExpired(t *testing.T, p *servers.Postgres) {
	s := kit.MustOpenPostgres(t, p.DSN(), 4, nil)
	execAll(t, s.DB,
		`INSERT INTO civicpin_records SELECT convert_to('old/' || n, 'UTF8'), 1, n, '' FROM generate_series(1, 5000) n`,
		`INSERT INTO civicpin_records SELECT convert_to('kept/' || n, 'UTF8'), 1, NULL, '' FROM generate_series(1, 50000) n`,
		`ANALYZE civicpin_records`)
	now := time.UnixMilli(5000)
	tx, err := s.DB.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "UPDATE civicpin_records SET expires = 9000 WHERE key = 'old/17'")
	require.NoError(t, err)
	var wg sync.WaitGroup
	var deleted atomic.Int64
	for range 3 {
		wg.Go(func() {
			n, err := s.PurgeExpired(t.Context(), now, math.MaxInt)
			if err != nil {
				t.Error(err)
			}
			deleted.Add(int64(n))
		})
	}
	wg.Wait() // would never end if it waited for that row
	require.NoError(t, tx.Commit())
	n, err := s.PurgeExpired(t.Context(), now, math.MaxInt)
	require.NoError(t, err)
	require.Equal(t, int64(4999), deleted.Load()+int64(n))
	var rows int
	require.NoError(t, s.DB.QueryRowContext(t.Context(), "SELECT count(*) FROM civicpin_records").Scan(&rows))
	require.Equal(t, 50_001, rows)

	// It looks at the expired rows alone, however many others there are.
	var plan strings.Builder
	query := `EXPLAIN DELETE FROM civicpin_records WHERE key = ANY (ARRAY(SELECT key FROM civicpin_records
		WHERE expires <= 1 ORDER BY expires LIMIT 500 FOR UPDATE SKIP LOCKED))`
	lines, err := s.DB.QueryContext(t.Context(), query)
	require.NoError(t, err)
	for lines.Next() {
		var line string
		require.NoError(t, lines.Scan(&line))
		plan.WriteString(line + "\n")
	}
	require.NoError(t, lines.Err())
	require.Contains(t, plan.String(), "civicpin_records_expires")
	require.NotContains(t, plan.String(), "Seq Scan")
}
