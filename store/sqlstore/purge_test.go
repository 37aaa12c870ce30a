package sqlstore_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlstore"
)

// left returns the keys that a store holds.
func left(t *testing.T, s *sqlstore.Store) (keys []string) {
	t.Helper()
	for item, err := range s.List(t.Context(), "", "") {
		require.NoError(t, err)
		keys = append(keys, item.Key)
	}
	return keys
}

func TestPurgeExpired(t *testing.T) {
	s := newStore(t, openMemory(t), sqlstore.SQLite, nil)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	put := func(key string, expires time.Time) {
		_, err := s.Put(t.Context(), key, store.Record{ExpiresAt: expires})
		require.NoError(t, err)
	}
	for i := range 5 {
		put(fmt.Sprint("old", i), at.Add(time.Duration(-i)*time.Hour))
	}
	put("new", at.Add(time.Millisecond))
	put("never", time.Time{})
	put("ancient", time.Unix(-1<<33, 0))

	purge := func(before time.Time, max int) int {
		n, err := s.PurgeExpired(t.Context(), before, max)
		require.NoError(t, err)
		return n
	}
	require.Zero(t, purge(at, 0))
	require.Zero(t, purge(at, -1))
	require.Equal(t, 2, purge(at, 2))
	require.Equal(t, []string{"never", "new", "old0", "old1", "old2", "old3"}, left(t, s), "the oldest are gone")
	require.Zero(t, purge(at.Add(-4*time.Hour), 100))
	require.Equal(t, 3, purge(at.Add(-time.Nanosecond), 100), "old0 has not expired by then")
	require.Equal(t, 1, purge(at, 1))
	require.Equal(t, []string{"never", "new"}, left(t, s))
	require.Equal(t, 1, purge(time.Unix(math.MaxInt64, 0), 100))
	require.Zero(t, purge(time.Unix(math.MinInt64, 0), 100))
	require.Equal(t, []string{"never"}, left(t, s), "what never expires stays")
}

// Many rows go in many statements, none longer than it may be.
func TestPurgeExpiredInBatches(t *testing.T) {
	db := openMemory(t)
	s := newStore(t, db, sqlstore.SQLite, nil)
	for i := range 1234 {
		_, err := db.Exec("INSERT INTO civicpin_records VALUES (?1, 1, ?2, x'')", fmt.Appendf(nil, "k%d", i+1), i+1)
		require.NoError(t, err)
	}
	n, err := s.PurgeExpired(t.Context(), time.UnixMilli(1200), math.MaxInt)
	require.NoError(t, err)
	require.Equal(t, 1200, n)
	require.Len(t, left(t, s), 34)

	f := &fake{answer: standard}
	s = newStore(t, f.open(t), sqlstore.PostgreSQL, &sqlstore.Options{Schema: "x"})
	f.since()
	rows := int64(1100)
	f.answer = func(query string, args []driver.Value) reply {
		require.Equal(t, driver.Value(int64(7)), args[0])
		n := min(args[1].(int64), rows)
		require.LessOrEqual(t, args[1].(int64), int64(sqlstore.PurgeBatch))
		rows -= n
		return reply{affected: n}
	}
	n, err = s.PurgeExpired(t.Context(), time.UnixMilli(7), 1050)
	require.NoError(t, err)
	require.Equal(t, 1050, n)
	n, err = s.PurgeExpired(t.Context(), time.UnixMilli(7), 1050)
	require.NoError(t, err)
	require.Equal(t, 50, n)
	log := f.since()
	require.Len(t, log, 4)
	for _, q := range log {
		require.Equal(t, `DELETE FROM "x"."civicpin_records" WHERE key = ANY (ARRAY(SELECT key FROM "x"."civicpin_records"`+
			` WHERE expires <= $1 ORDER BY expires LIMIT $2 FOR UPDATE SKIP LOCKED))`, q)
	}
}

// The index of expiries is what finds them, among however many records that do not expire.
func TestPurgeExpiredUsesTheIndex(t *testing.T) {
	db := openMemory(t)
	newStore(t, db, sqlstore.SQLite, nil)
	rows, err := db.Query(`EXPLAIN QUERY PLAN SELECT key FROM civicpin_records WHERE expires <= ?1 ORDER BY expires LIMIT ?2`, 1, 1)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
		plan = append(plan, detail)
	}
	require.NoError(t, rows.Err())
	require.Len(t, plan, 1, "and nothing is sorted: %q", plan)
	require.Contains(t, plan[0], "civicpin_records_expires")
	require.True(t, strings.HasPrefix(plan[0], "SEARCH"), plan[0])
}

// What was deleted before an error is counted.
func TestPurgeExpiredErrors(t *testing.T) {
	broken := errors.New("connection lost")
	f := &fake{answer: standard}
	s := newStore(t, f.open(t), sqlstore.PostgreSQL, nil)
	calls := 0
	f.answer = func(string, []driver.Value) reply {
		if calls++; calls == 3 {
			return reply{err: broken}
		}
		return reply{affected: sqlstore.PurgeBatch}
	}
	n, err := s.PurgeExpired(t.Context(), time.Now(), math.MaxInt)
	require.ErrorIs(t, err, broken)
	require.NotErrorIs(t, err, sqlstore.ErrNotDone)
	require.Equal(t, 2*sqlstore.PurgeBatch, n)

	f.answer = func(string, []driver.Value) reply { return reply{noCount: broken} }
	_, err = s.PurgeExpired(t.Context(), time.Now(), 1)
	require.ErrorIs(t, err, broken)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.PurgeExpired(ctx, time.Now(), 1)
	require.ErrorIs(t, err, context.Canceled)
}
