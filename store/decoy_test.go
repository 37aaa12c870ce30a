package store_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// opens is a sealer that counts.
type opens struct {
	store.Sealer
	n int
}

func (o *opens) Open(ctx context.Context, sealed, associated []byte) ([]byte, error) {
	o.n++
	return o.Sealer.Open(ctx, sealed, associated)
}

func TestGetOrOpensAlike(t *testing.T) {
	sealer, err := store.XChaCha20Poly1305(civicpin.NewSecret("0123456789abcdef0123456789abcdef"))
	require.NoError(t, err)
	count := &opens{Sealer: sealer}
	keys := store.Keys{
		Index: civicpin.NewSecret("0123456789abcdef0123456789abcdef"), Sealing: []store.SealingKey{{ID: "k", Sealer: count}},
	}
	v, err := store.NewVault(store.NewMemory(), keys, nil)
	require.NoError(t, err)
	kind, err := store.NewKind[map[string]string](v, "things")
	require.NoError(t, err)
	decoy, err := kind.Decoy(t.Context(), map[string]string{"a": "b"})
	require.NoError(t, err)
	e := store.Entry[map[string]string]{Key: store.Key{Subject: "there"}, Value: map[string]string{"c": "d"}}
	require.NoError(t, kind.Put(t.Context(), &e))

	for _, subject := range []civicpin.Subject{"there", "not there"} {
		count.n = 0
		e, err := kind.GetOr(t.Context(), store.Key{Subject: subject}, decoy)
		require.Equal(t, 1, count.n, subject)
		if subject == "there" {
			require.NoError(t, err)
			require.Equal(t, "d", e.Value["c"])
			continue
		}
		require.ErrorIs(t, err, store.ErrNotFound)
		require.False(t, e.Found())
		require.Empty(t, e.Value, "nothing of the decoy comes out")
	}
	_, err = kind.Get(t.Context(), store.Key{ID: "decoy"})
	require.ErrorIs(t, err, store.ErrNotFound, "it was never stored")
}
