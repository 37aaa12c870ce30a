package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// retrying is a driver that loses the answer to each Put, tries again by itself, and passes on what the second try is told:
// "conflict" about its own success.
type retrying struct{ store.Store }

func (r retrying) Put(ctx context.Context, key string, rec store.Record) (store.Version, error) {
	_, _ = r.Store.Put(ctx, key, rec)
	return r.Store.Put(ctx, key, rec)
}

// TestUpdateReplyLost: whatever happens to the answer, the change is applied once or not at all, and an Update without an
// error has applied it.
func TestUpdateReplyLost(t *testing.T) {
	key := store.Key{Subject: rossi}
	for name, c := range map[string]struct {
		arm     func(f *storetest.Faults)
		wrap    func(store.Store) store.Store
		err     error // what Update gives
		applied int   // what is there afterwards
	}{
		"not done": {
			arm: func(f *storetest.Faults) { f.FailAt(1, storetest.NotDone, storetest.Put) },
			err: storetest.ErrInjected, applied: 0,
		},
		"reply lost": {
			arm:     func(f *storetest.Faults) { f.FailAt(1, storetest.ReplyLost, storetest.Put) },
			applied: 1,
		},
		"reply lost, then the store is away": {
			arm: func(f *storetest.Faults) { f.StopAt(1, storetest.ReplyLost, storetest.Put) },
			err: storetest.ErrInjected, applied: 1,
		},
		"done later": {
			arm: func(f *storetest.Faults) { f.FailAt(1, storetest.DoneLater, storetest.Put) },
			err: storetest.ErrInjected, applied: 1,
		},
		"conflict about its own success": {
			arm:     func(*storetest.Faults) {},
			wrap:    func(s store.Store) store.Store { return retrying{s} },
			applied: 1,
		},
		"conflict about its own success, then the store is away": {
			// Calls are Get, Put, Put again, Get.
			arm:  func(f *storetest.Faults) { f.FailAt(4, storetest.NotDone) },
			wrap: func(s store.Store) store.Store { return retrying{s} },
			err:  storetest.ErrInjected, applied: 1,
		},
	} {
		for _, exists := range []bool{false, true} {
			faults := storetest.NewFaults(store.NewMemory())
			clean := accounts(t, faults.Store())
			start := 0
			if exists {
				put(t, clean, key, account{N: 100})
				start = 100
			}
			s := faults.Store()
			if c.wrap != nil {
				s = c.wrap(s)
			}
			k := accounts(t, s)
			faults.Reset()
			c.arm(faults)
			e, err := k.Update(t.Context(), key, add(1))
			if c.err == nil {
				require.NoError(t, err, name)
				assert.True(t, e.Found(), name)
			} else {
				require.ErrorIs(t, err, c.err, name)
				require.NotErrorIs(t, err, store.ErrConflict, name)
			}
			faults.Deliver(t.Context())
			faults.Reset()
			got, err := clean.Get(t.Context(), key)
			if err != nil {
				require.ErrorIs(t, err, store.ErrNotFound, name)
			}
			assert.Equal(t, start+c.applied, got.Value.N, "%s, exists: %t", name, exists)

			// An entry that recognised its own write can be written again.
			if c.err == nil {
				e.Value.N++
				require.NoError(t, clean.Put(t.Context(), &e), name)
			}
		}
	}
}

// TestPutOvertaken: a conflict about a record that somebody else wrote is a conflict.
func TestPutOvertaken(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	k := accounts(t, faults.Store())
	e, err := k.Get(t.Context(), store.Key{Subject: rossi})
	require.ErrorIs(t, err, store.ErrNotFound)
	put(t, k, e.Key, account{N: 1})
	require.ErrorIs(t, k.Put(t.Context(), &e), store.ErrConflict)

	// Its answer lost, and then replaced: nobody can tell, and so it is neither a success nor a conflict.
	e, err = k.Get(t.Context(), e.Key)
	require.NoError(t, err)
	faults.FailAt(1, storetest.ReplyLost, storetest.Put)
	faults.Hook(func(method, _ string) error {
		if method == storetest.Get {
			faults.Hook(nil)
			put(t, k, e.Key, account{N: 2})
		}
		return nil
	})
	err = k.Put(t.Context(), &e)
	require.ErrorIs(t, err, storetest.ErrInjected)
	require.NotErrorIs(t, err, store.ErrConflict)
}

// plainSealer seals nothing: equal values give equal bytes, as with a deterministic AEAD.
type plainSealer struct{}

func (plainSealer) Seal(_ context.Context, plain, _ []byte) ([]byte, error) {
	return append([]byte{}, plain...), nil
}

func (plainSealer) Open(_ context.Context, sealed, _ []byte) ([]byte, error) {
	return append([]byte{}, sealed...), nil
}

// TestOneWinnerUnderAnySealer: two who write the same value have not both won, whatever the sealer makes of it.
func TestOneWinnerUnderAnySealer(t *testing.T) {
	keys := sealing(t, "k1")
	keys.Sealing[0].Sealer = plainSealer{}
	k := kindOf[account](t, newVault(t, store.NewMemory(), keys, nil), "account")
	one, err := k.Get(t.Context(), store.Key{Subject: rossi})
	require.ErrorIs(t, err, store.ErrNotFound)
	two := one
	require.NoError(t, k.Put(t.Context(), &one))
	require.ErrorIs(t, k.Put(t.Context(), &two), store.ErrConflict)
}

func TestDeleteReplyLost(t *testing.T) {
	key := store.Key{Subject: rossi}
	for _, outcome := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost} {
		faults := storetest.NewFaults(store.NewMemory())
		k := accounts(t, faults.Store())
		put(t, k, key, account{N: 1})
		faults.FailAt(1, outcome, storetest.Delete)
		e, err := k.Get(t.Context(), key)
		require.NoError(t, err)
		err = k.Delete(t.Context(), &e)
		require.ErrorIs(t, err, storetest.ErrInjected)
		require.NotErrorIs(t, err, store.ErrConflict)
		assert.True(t, e.Found(), "as far as the entry knows")
		_, err = k.Get(t.Context(), key)
		assert.Equal(t, outcome == storetest.ReplyLost, errors.Is(err, store.ErrNotFound))
	}
}
