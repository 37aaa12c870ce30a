package postgres_test

import (
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/internal/servers"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlstore"
)

// execAll runs statements that must succeed.
func execAll(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		_, err := db.ExecContext(t.Context(), s)
		require.NoError(t, err, s)
	}
}

// relations returns the names of the tables and indexes of this package, with their schemas.
func relations(t *testing.T, db *sql.DB) (names []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT relnamespace::regnamespace::text || '.' || relname FROM pg_class
		WHERE relname LIKE '%pins%' AND relkind IN ('r', 'i') ORDER BY 1`)
	require.NoError(t, err)
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, rows.Err())
	return names
}

func TestSchema(t *testing.T) { eachVersion(t, testSchema) }

func testSchema(t *testing.T, p *servers.Postgres) {
	admin := kit.MustOpenPostgres(t, p.DSN(), 2, nil).DB

	t.Run("made once by many", func(t *testing.T) {
		const many = 12
		opts := &sqlstore.Options{Schema: `Ministry "of" PINs`, Table: "pins"}
		var wg sync.WaitGroup
		for i := range many {
			wg.Go(func() {
				s, err := kit.OpenPostgres(t.Context(), p.DSN(), 1, opts)
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Close()
				if _, err := s.Put(t.Context(), fmt.Sprint(i), store.Record{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		const in = `"Ministry ""of"" PINs".`
		require.Equal(t, []string{in + "pins", in + "pins_expires", in + "pins_pkey", in + "pins_schema", in + "pins_schema_pkey"},
			relations(t, admin))
		var rows int
		require.NoError(t, admin.QueryRowContext(t.Context(), `SELECT count(*) FROM `+in+`pins`).Scan(&rows))
		require.Equal(t, many, rows)
	})

	t.Run("whatever the search path", func(t *testing.T) {
		execAll(t, admin, "CREATE SCHEMA elsewhere")
		one := kit.MustOpenPostgres(t, p.DSN()+"&search_path=elsewhere", 1, &sqlstore.Options{Schema: "here"})
		two := kit.MustOpenPostgres(t, p.DSN()+"&search_path=nowhere", 1, &sqlstore.Options{Schema: "here"})
		_, err := one.Put(t.Context(), "k", store.Record{Value: []byte("v")})
		require.NoError(t, err)
		r, err := two.Get(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, "v", string(r.Value))
		// Without a schema, the search path decides.
		path := kit.MustOpenPostgres(t, p.DSN()+"&search_path=elsewhere", 1, nil)
		_, err = path.Get(t.Context(), "k")
		require.ErrorIs(t, err, store.ErrNotFound)
		execAll(t, admin, "SELECT count(*) FROM elsewhere.civicpin_records")
	})

	t.Run("run by hand", func(t *testing.T) {
		opts := &sqlstore.Options{Schema: "by hand", Table: "pins"}
		text, err := sqlstore.Schema(sqlstore.PostgreSQL, opts)
		require.NoError(t, err)
		execAll(t, admin, text, text) // a second time changes nothing
		execAll(t, admin, `CREATE ROLE program LOGIN`, `GRANT USAGE ON SCHEMA "by hand" TO program`,
			`GRANT SELECT, INSERT, UPDATE, DELETE ON "by hand".pins TO program`, `GRANT SELECT ON "by hand".pins_schema TO program`)
		dsn := strings.Replace(p.DSN(), "civicpin@", "program@", 1)
		s := kit.MustOpenPostgres(t, dsn, 1, opts)
		v, err := s.Put(t.Context(), "k", store.Record{Value: []byte("v")})
		require.NoError(t, err)
		_, err = s.Put(t.Context(), "k", store.Record{Value: []byte("w"), Version: v})
		require.NoError(t, err)
		_, err = kit.OpenPostgres(t.Context(), dsn, 1, &sqlstore.Options{Schema: "another"})
		require.ErrorContains(t, err, "permission denied", "it may not make what nobody made")
		_, err = kit.OpenPostgres(t.Context(), dsn, 1, &sqlstore.Options{Schema: "by hand", Table: "another"})
		require.ErrorContains(t, err, "permission denied")
		// A role that may create tables in a schema, but no schemas.
		execAll(t, admin, `GRANT CREATE ON SCHEMA "by hand" TO program`)
		kit.MustOpenPostgres(t, dsn, 1, &sqlstore.Options{Schema: "by hand", Table: "another"})
	})

	t.Run("newer", func(t *testing.T) {
		opts := &sqlstore.Options{Schema: "newer", Table: "pins"}
		kit.MustOpenPostgres(t, p.DSN(), 1, opts)
		execAll(t, admin, "UPDATE newer.pins_schema SET version = 2")
		_, err := kit.OpenPostgres(t.Context(), p.DSN(), 1, opts)
		require.ErrorIs(t, err, sqlstore.ErrNewerSchema)
	})
}
