package sqlite_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlite"
)

// While another process holds the write lock, a write waits no longer than its context, and reads do not wait.
func TestContextWhileLocked(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	v := put(t, s, "k", "v", 0)
	holder := child(t, "TestHolder", fileJob{Path: path})
	require.Equal(t, "held", holder.Line(t))

	for name, do := range map[string]func(ctx context.Context) error{
		"Put":    func(ctx context.Context) error { _, err := s.Put(ctx, "k", store.Record{Version: v}); return err },
		"Create": func(ctx context.Context) error { _, err := s.Put(ctx, "l", store.Record{}); return err },
		"Delete": func(ctx context.Context) error { return s.Delete(ctx, "k", v) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			start := time.Now()
			err := do(ctx)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.NotErrorIs(t, err, store.ErrConflict)
			require.Less(t, time.Since(start), time.Second)
		})
	}
	t.Run("reads", func(t *testing.T) {
		r, err := s.Get(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, "v", string(r.Value))
		for item, err := range s.List(t.Context(), "", "") {
			require.NoError(t, err)
			require.Equal(t, "k", item.Key)
		}
	})
	t.Run("a write that waits is done when the lock is free", func(t *testing.T) {
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() {
			if _, err := s.Put(t.Context(), "k", store.Record{Value: []byte("w"), Version: v}); err != nil {
				t.Error(err)
			}
		})
		require.Eventually(t, func() bool { return sqlite.Waiting(s) }, 5*time.Second, time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := s.Put(ctx, "l", store.Record{})
		require.ErrorIs(t, err, context.DeadlineExceeded, "a write that waits behind it in the queue heeds its context")
		require.Less(t, time.Since(start), time.Second)
		r, err := s.Get(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, v, r.Version)
		holder.Go(t)
		require.Empty(t, holder.Finish(t))
		wg.Wait()
		r, err = s.Get(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, "w", string(r.Value))
	})
}

// Writes of one store are done in the order in which they came.
func TestQueueIsFair(t *testing.T) {
	s := open(t, newPath(t))
	tx, err := sqlite.Writer(s).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	var wg sync.WaitGroup
	const n = 30
	for i := range n {
		wg.Go(func() {
			if _, err := s.Put(t.Context(), fmt.Sprintf("%02d", i), store.Record{}); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(3 * time.Millisecond)
	}
	require.NoError(t, tx.Rollback())
	wg.Wait()
	rows, err := sqlite.Readers(s).Query("SELECT key FROM civicpin_records ORDER BY rowid")
	require.NoError(t, err)
	var got []string
	for rows.Next() {
		var key []byte
		require.NoError(t, rows.Scan(&key))
		got = append(got, string(key))
	}
	require.NoError(t, rows.Err())
	require.IsIncreasing(t, got)
	require.Len(t, got, n)
}

// The body of a listing may do anything, also many listings at once and inside each other: none holds a connection.
func TestListHoldsNothing(t *testing.T) {
	s := open(t, newPath(t))
	const n = 300 // more than two pages
	tx, err := sqlite.Writer(s).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	for i := range n {
		_, err := tx.Exec("INSERT INTO civicpin_records VALUES (?1, 1, NULL, x'')", fmt.Appendf(nil, "list/%03d", i))
		require.NoError(t, err)
	}
	require.NoError(t, tx.Commit())

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	readers := sqlite.Readers(s).Stats().MaxOpenConnections
	var nest func(depth int)
	nest = func(depth int) {
		if depth == 0 {
			require.Zero(t, sqlite.Readers(s).Stats().InUse)
			_, err := s.Get(ctx, "list/000")
			require.NoError(t, err)
			return
		}
		for _, err := range s.List(ctx, "", "") {
			require.NoError(t, err)
			nest(depth - 1)
			break
		}
	}
	nest(2 * readers)

	seen := 0
	for item, err := range s.List(ctx, "list/", "") {
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("list/%03d", seen), item.Key)
		switch seen % 10 {
		case 0:
			require.NoError(t, s.Delete(ctx, item.Key, item.Version))
		case 1:
			_, err = s.Put(ctx, item.Key, item.Record)
			require.NoError(t, err)
		}
		seen++
	}
	require.Equal(t, n, seen)
}

// Readers use a connection each, so that a slow one holds up neither the others nor the writer.
func TestReadersRunBesideEachOther(t *testing.T) {
	s := open(t, newPath(t))
	v := put(t, s, "k", "v", 0)
	rows, err := sqlite.Readers(s).Query("SELECT key FROM civicpin_records") // holds a connection and a snapshot
	require.NoError(t, err)
	require.True(t, rows.Next())
	v = put(t, s, "k", "w", v)
	r, err := s.Get(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, v, r.Version, "another connection reads, and reads the newest")
	require.NoError(t, rows.Close())
}
