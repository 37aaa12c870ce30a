package postgres_test

import (
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/internal/servers"
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
