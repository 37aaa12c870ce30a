package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

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
	v, err := store.OpenVault(t.Context(), store.NewMemory(), keys, nil)
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
	_, err = kind.Get(t.Context(), store.Key{Subject: "decoy-0000"})
	require.ErrorIs(t, err, store.ErrNotFound, "it was never stored")
}

// A record that expires is as long as one that does not, and padded records are of one length, which is how GetOr's decoy can
// be as long as they.
func TestRecordsOfOneLength(t *testing.T) {
	m := store.NewMemory()
	v := newVault(t, m, sealing(t, "k1"), nil)
	plain := kindOf[string](t, v, "things")
	length := func(k store.Kind[string], value string, expires time.Time) int {
		t.Helper()
		e := store.Entry[string]{Key: store.Key{ID: "x"}, Value: value, ExpiresAt: expires}
		require.NoError(t, k.Put(t.Context(), &e))
		got, err := plain.Get(t.Context(), e.Key)
		require.NoError(t, err)
		require.Equal(t, value, got.Value)
		require.True(t, expires.Equal(got.ExpiresAt))
		n := 0
		for item, err := range m.List(t.Context(), "", "") {
			require.NoError(t, err)
			n += len(item.Value)
		}
		require.NoError(t, k.Delete(t.Context(), &e))
		return n
	}
	soon := v.Now().Add(time.Hour)
	require.Equal(t, length(plain, "x", time.Time{}), length(plain, "x", soon))
	require.NotEqual(t, length(plain, "x", soon), length(plain, "longer", soon))
	padded := plain.Padded(256)
	short, all := length(padded, "x", soon), make(map[int]bool)
	require.Equal(t, short, length(padded, "longer", time.Time{}))
	for i := range 600 { // at whatever length it begins
		all[length(padded, strings.Repeat("x", i), soon)-short] = true
	}
	require.Equal(t, map[int]bool{0: true, 256: true, 512: true}, all)
}
