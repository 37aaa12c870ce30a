package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlite"
	"github.com/civicpin/civicpin/store/storetest"
)

// openVault opens the vault that all processes of a test have in common, over a file. The caller closes the store.
func openVault(
	ctx context.Context, path string, now func() time.Time, r civicpin.Recorder,
) (*store.Vault, *sqlite.Store, error) {
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	v, err := store.OpenVault(ctx, s, testkit.Keys(), &store.Options{Now: now, Recorder: r})
	return v, s, err
}

// outcome says in a word what came of a guess. Any other error is one.
func outcome(err error) (string, error) {
	switch {
	case err == nil:
		return "let in", nil
	case errors.As(err, new(*lockout.LockedError)):
		return "locked", nil
	case errors.Is(err, lockout.ErrRefused):
		return "refused", nil
	case errors.Is(err, lockout.ErrBusy):
		return "busy", nil
	case errors.Is(err, recovery.ErrGone):
		return "gone", nil
	}
	return "", err
}

// patient guesses again as long as it is told to try later.
func patient(guess func() error) (string, error) {
	for {
		err := guess()
		if !errors.Is(err, lockout.ErrBusy) {
			return outcome(err)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestStore(t *testing.T) {
	storetest.RunDurable(t, func(t *testing.T, dir string) store.Store {
		s, err := sqlite.Open(t.Context(), filepath.Join(dir, "pins.db"))
		require.NoError(t, err)
		return s
	})
}

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
