package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/guess"
	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/internal/servers"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlstore"
)

// openAt opens the store of a DSN with the name of a schema in front.
func openAt(ctx context.Context, where string) (store.Store, error) {
	schema, dsn, _ := strings.Cut(where, " ")
	return kit.OpenPostgres(ctx, dsn, 16, &sqlstore.Options{Schema: schema})
}

// TestGuesser is not a test: it is what a process of the tests below does.
func TestGuesser(t *testing.T) { guess.Child(t, openAt) }

func TestGuessers(t *testing.T) { eachVersion(t, testGuessers) }

func testGuessers(t *testing.T, p *servers.Postgres) {
	schemas := 0
	newWhere := func(*testing.T) string {
		schemas++
		return fmt.Sprintf("s%d %s", schemas, p.DSN())
	}
	// From the first reservation to after the lock: most of it is over in a tenth of a second.
	guess.All(t, newWhere, openAt, 120*time.Millisecond, func() {
		require.NoError(t, p.Kill())
		require.NoError(t, p.Restart())
	})
}
