package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
)

// TestOtherKeyFile: with another valid key file a full database would look empty: everybody is unknown, and may register anew.
func TestOtherKeyFile(t *testing.T) {
	memory := store.NewMemory()
	right, err := store.CreateKeyFile(t.TempDir() + "/right.keys")
	require.NoError(t, err)
	other, err := store.CreateKeyFile(t.TempDir() + "/other.keys")
	require.NoError(t, err)
	put(t, kindOf[account](t, newVault(t, memory, right, nil), "account"), store.Key{Subject: rossi}, account{N: 1})

	v, err := store.OpenVault(t.Context(), memory, other, nil)
	if err == nil {
		k := kindOf[account](t, v, "account")
		_, err := k.Get(t.Context(), store.Key{Subject: rossi})
		require.NotErrorIs(t, err, store.ErrNotFound, "a citizen is unknown under another key file")
	}
	require.Error(t, err)
}
