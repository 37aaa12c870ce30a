package postgres_test

import (
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/internal/servers"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlstore"
	"github.com/civicpin/civicpin/store/storetest"
)

// The conformance suite, on every version that is here; in the full form also where the database's default isolation
// level is the strictest, which refuses with serialisation failures what the usual one waits for.
func TestStore(t *testing.T) {
	for _, bin := range servers.PostgreSQLBins(t) {
		p := servers.PostgreSQLIn(t, bin)
		version, err := serverVersion(t, p)
		require.NoError(t, err)
		for _, isolation := range kit.Pick([]string{"read committed"}, []string{"read committed", "serializable"}) {
			t.Run(filepath.Join(version, isolation), func(t *testing.T) {
				dsn := p.DSN() + "&default_transaction_isolation=" + url.PathEscape(isolation)
				storetest.RunDurable(t, func(t *testing.T, _ string) store.Store {
					return kit.MustOpenPostgres(t, dsn, 16, &sqlstore.Options{Schema: "civic pins"})
				})
			})
		}
	}
}

func serverVersion(t *testing.T, p *servers.Postgres) (version string, err error) {
	t.Helper()
	db := kit.MustOpenPostgres(t, p.DSN(), 1, nil).DB
	err = db.QueryRowContext(t.Context(), "SHOW server_version").Scan(&version)
	return version, err
}
