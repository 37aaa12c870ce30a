package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/faults/proxy"
	"github.com/civicpin/civicpin/internal/servers"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlstore"
	"github.com/civicpin/civicpin/store/storetest"
)

// eachVersion runs a test on a server of every version that is here.
func eachVersion(t *testing.T, test func(t *testing.T, p *servers.Postgres)) {
	t.Helper()
	for _, bin := range servers.PostgreSQLBins(t) {
		said, err := exec.CommandContext(t.Context(), filepath.Join(bin, "postgres"), "--version").Output()
		require.NoError(t, err)
		version := strings.Fields(string(said))[2] // postgres (PostgreSQL) 18.4
		t.Run(version, func(t *testing.T) { test(t, servers.PostgreSQLIn(t, bin)) })
	}
}

// The conformance suite, in the full form also where the database's default isolation level is the strictest, which refuses
// with serialisation failures what the usual one waits for.
func TestStore(t *testing.T) {
	eachVersion(t, func(t *testing.T, p *servers.Postgres) {
		for _, isolation := range kit.Pick([]string{"read committed"}, []string{"read committed", "serializable"}) {
			t.Run(isolation, func(t *testing.T) {
				dsn := p.DSN() + "&default_transaction_isolation=" + url.PathEscape(isolation)
				storetest.RunDurable(t, func(t *testing.T, _ string) store.Store {
					return kit.MustOpenPostgres(t, dsn, 16, &sqlstore.Options{Schema: "civic pins"})
				})
			})
		}
	})
}

func vault(t *testing.T, s store.Store) *store.Vault {
	t.Helper()
	v, err := store.OpenVault(t.Context(), s, testkit.Keys(), nil)
	require.NoError(t, err)
	return v
}

// A write whose answer was lost is looked for, and found, while the standby does not have it yet: the driver cancelled
// the wait for that, and PostgreSQL then shows what it committed. If that were taken for done, it would be lost with the
// primary.
func TestLostAnswerIsNoProof(t *testing.T) {
	p := newPair(t)
	v := vault(t, kit.MustOpenPostgres(t, p.dsn(), 4, nil))
	kind, err := store.NewKind[string](v, "fact")
	require.NoError(t, err)
	entry := func(id string) *store.Entry[string] { return &store.Entry[string]{Key: store.Key{ID: id}, Value: id} }
	require.NoError(t, kind.Put(t.Context(), entry("before")))

	require.NoError(t, p.standby.Stop())
	acknowledged := make(map[string]bool)
	for i := range 4 {
		id := fmt.Sprint(i)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		time.AfterFunc(100*time.Millisecond, func() {
			if err := errors.Join(p.front.Break(proxy.Cut), p.front.Heal()); err != nil {
				t.Error(err)
			}
		})
		acknowledged[id] = kind.Put(ctx, entry(id)) == nil
		cancel()
	}
	t.Logf("taken for done: %v", acknowledged)
	// Killed rather than let go on: what it has not read from its connection yet would be read then.
	require.NoError(t, p.standby.Kill())
	require.NoError(t, p.primary.Kill())
	require.NoError(t, p.standby.Restart())
	require.NoError(t, p.failOver(t.Context()))
	for id, done := range acknowledged {
		_, err := kind.Get(t.Context(), store.Key{ID: id})
		if done {
			require.NoError(t, err, "%s was acknowledged, and is gone", id)
		}
	}
	_, err = kind.Get(t.Context(), store.Key{ID: "before"})
	require.NoError(t, err)
	require.NoError(t, kind.Put(t.Context(), entry("after")), "and writes go on")
}
