package sqlite_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlite"
)

// A purge takes its turn among the writes, batch by batch.
func TestPurgeExpired(t *testing.T) {
	s := open(t, newPath(t))
	tx, err := sqlite.Writer(s).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	const n = 1300
	for i := range n {
		_, err := tx.Exec("INSERT INTO civicpin_records VALUES (?1, 1, ?2, x'')", fmt.Appendf(nil, "old/%04d", i), i)
		require.NoError(t, err)
	}
	require.NoError(t, tx.Commit())
	put(t, s, "kept", "v", 0)
	_, err = s.Put(t.Context(), "new", store.Record{ExpiresAt: time.Now().Add(time.Hour)})
	require.NoError(t, err)

	deleted, err := s.PurgeExpired(t.Context(), time.Now(), 700)
	require.NoError(t, err)
	require.Equal(t, 700, deleted)
	for item, err := range s.List(t.Context(), "old/", "") {
		require.NoError(t, err)
		require.Equal(t, "old/0700", item.Key, "what expired first goes first")
		break
	}
	deleted, err = s.PurgeExpired(t.Context(), time.Now(), n)
	require.NoError(t, err)
	require.Equal(t, n-700, deleted)
	deleted, err = s.PurgeExpired(t.Context(), time.Now(), n)
	require.NoError(t, err)
	require.Zero(t, deleted)
	for _, key := range []string{"kept", "new"} {
		_, err := s.Get(t.Context(), key)
		require.NoError(t, err)
	}

	tx, err = sqlite.Writer(s).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = s.PurgeExpired(ctx, time.Now(), 1)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, tx.Rollback())
}
