package sqlite_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlite"
	"github.com/civicpin/civicpin/store/sqlstore"
)

// The vault finds these by assertion: without them it would purge by a listing, and nobody would notice.
var (
	_ store.Purger = (*sqlite.Store)(nil)
	_ store.Purger = (*sqlstore.Store)(nil)
)

// visit is a record that its owner may be told of.
type visit struct {
	Name string `json:"name" export:"yes"`
}

// TestUpkeep purges, re-seals, exports and erases in a file: a few records at a time, each walk begun anew in the middle.
func TestUpkeep(t *testing.T) {
	now := time.Now()
	seal := func(id string) store.SealingKey {
		s, err := store.XChaCha20Poly1305(civicpin.NewSecret((id + strings.Repeat("s", 32))[:32]))
		require.NoError(t, err)
		return store.SealingKey{ID: id, Sealer: s}
	}
	file := open(t, newPath(t))
	vault := func(keys ...store.SealingKey) *store.Vault {
		v, err := store.OpenVault(t.Context(), file, store.Keys{Index: civicpin.NewSecret(strings.Repeat("i", 32)), Sealing: keys}, &store.Options{
			Now: func() time.Time { return now },
		})
		require.NoError(t, err)
		return v
	}
	old, both := vault(seal("k1")), vault(seal("k2"), seal("k1"))
	for _, v := range []*store.Vault{old, both} {
		kind, err := store.NewKind[visit](v, "visit")
		require.NoError(t, err)
		if v == both {
			break // made, so that the export knows it
		}
		for i := range 300 {
			e := store.Entry[visit]{
				Key:   store.Key{Subject: civicpin.Subject(fmt.Sprint("S", i%3)), ID: fmt.Sprint(i)},
				Value: visit{Name: fmt.Sprint(i)},
			}
			if i < 150 {
				e.ExpiresAt = now.Add(time.Minute)
			}
			require.NoError(t, kind.Put(t.Context(), &e))
		}
	}
	walk := func(most int, step func(store.Pass) (store.Progress, error)) (changed int) {
		p := store.Pass{Max: most}
		for {
			at, err := step(p)
			require.NoError(t, err)
			require.Zero(t, at.Missed)
			changed += at.Changed
			if at.End {
				return changed
			}
			p.After = at.Last
		}
	}
	require.Equal(t, 300, walk(70, func(p store.Pass) (store.Progress, error) { return both.Reseal(t.Context(), p) }))
	require.Zero(t, walk(0, func(p store.Pass) (store.Progress, error) { return both.Reseal(t.Context(), p) }))
	now = now.Add(2 * time.Hour)
	require.Equal(t, 150, walk(40, func(p store.Pass) (store.Progress, error) { return both.Purge(t.Context(), p) }))
	var out bytes.Buffer
	export := func(p store.Pass) (store.Progress, error) { return both.Export(t.Context(), &out, "S1", p) }
	require.Equal(t, 50, walk(33, export))
	require.Equal(t, 50, strings.Count(out.String(), `{"kind":"visit","value":{"name":"`))
	require.Equal(t, 50, walk(33, func(p store.Pass) (store.Progress, error) { return both.Erase(t.Context(), "S1", p) }))
	require.Zero(t, walk(0, export))
}
