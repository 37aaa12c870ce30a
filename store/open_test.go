package store_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
)

// forgetfulMemory is a store that may lose writes.
type forgetfulMemory struct{ *store.Memory }

func (forgetfulMemory) Forgets() bool { return true }

// A start with keys that do not fit one store of a router leaves no canary in another: it would lock the right keys out.
func TestARefusedStartLeavesNothing(t *testing.T) {
	for name, first := range map[string]func() store.Store{
		"empty":     func() store.Store { return newLasting() },
		"forgetful": func() store.Store { return forgetfulMemory{store.NewMemory()} },
	} {
		for _, adopt := range []bool{false, true} {
			right, err := store.CreateKeyFile(filepath.Join(t.TempDir(), "right"))
			require.NoError(t, err)
			wrong, err := store.CreateKeyFile(filepath.Join(t.TempDir(), "wrong"))
			require.NoError(t, err)
			full := newLasting()
			put(t, kindOf[account](t, newVault(t, full, right, nil), "account"), store.Key{Subject: rossi}, account{N: 1})
			r, err := full.Get(t.Context(), canaryKey)
			require.NoError(t, err)
			require.NoError(t, full.Delete(t.Context(), canaryKey, r.Version)) // as it was before there were canaries

			s, err := store.NewRouter(
				store.Route{Store: first(), Kinds: []string{"quota.*"}},
				store.Route{Store: full, Kinds: []string{"*"}},
			)
			require.NoError(t, err)
			_, err = store.OpenVault(t.Context(), s, wrong, &store.Options{Adopt: adopt})
			require.Error(t, err, name)
			_, err = store.OpenVault(t.Context(), s, right, &store.Options{Adopt: true})
			require.NoError(t, err, name)
		}
	}
}
