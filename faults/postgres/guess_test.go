package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
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
	t.Run("share a limit", func(t *testing.T) { guess.ShareALimit(t, newWhere(t)) })
	t.Run("killed", func(t *testing.T) { guess.Killed(t, newWhere, openAt) })
	t.Run("share a limit while the server restarts", func(t *testing.T) {
		failed := 0
		for round := range kit.Pick(2, 20) {
			failed += guess.ShareALimitThrough(t, newWhere(t), round, func() {
				// From the first reservation to after the lock: most of it is over in a tenth of a second.
				time.Sleep(rand.N(120 * time.Millisecond))
				require.NoError(t, p.Kill())
				require.NoError(t, p.Restart())
			})
		}
		require.Positive(t, failed, "no guess met a server that was down")
	})
}
