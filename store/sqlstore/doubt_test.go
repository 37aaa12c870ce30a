package sqlstore_test

import (
	"database/sql/driver"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlstore"
)

// After a write of unknown outcome, a read is followed by a write that proves it durable; once, and only then.
func TestDoubt(t *testing.T) {
	broken := errors.New("connection lost")
	for _, verb := range []string{"INSERT", "UPDATE", "DELETE"} {
		for name, c := range map[string]struct {
			dialect sqlstore.Dialect
			reply   reply
			doubt   bool
		}{
			"a broken connection":  {sqlstore.PostgreSQL, reply{err: broken}, true},
			"a shutdown":           {sqlstore.PostgreSQL, reply{err: stateError("57P01")}, true},
			"a count that is lost": {sqlstore.PostgreSQL, reply{noCount: broken}, true},
			"a refusal":            {sqlstore.PostgreSQL, reply{err: stateError("42501")}, false},
			"a conflict":           {sqlstore.PostgreSQL, reply{}, false},
			"success":              {sqlstore.PostgreSQL, reply{affected: 1}, false},
			"SQLite":               {sqlstore.SQLite, reply{err: broken}, false},
		} {
			t.Run(verb+" "+name, func(t *testing.T) {
				f := &fake{answer: standard}
				s := newStore(t, f.open(t), c.dialect, nil)
				get := func() (asked []string, err error) {
					f.since()
					_, err = s.Get(t.Context(), "k")
					for _, q := range f.since() {
						first, _, _ := strings.Cut(q, "(")
						asked = append(asked, strings.Fields(first)[1])
					}
					return asked, err
				}
				f.answer = func(string, []driver.Value) reply { return c.reply }
				_ = callOf(t.Context(), s, verb)
				f.answer = standard
				if !c.doubt {
					asked, err := get()
					require.ErrorIs(t, err, store.ErrNotFound)
					require.Equal(t, []string{"version,"}, asked)
					return
				}
				// As long as it cannot be proved, there is no answer.
				f.answer = func(query string, args []driver.Value) reply {
					if strings.Contains(query, "emit_message") {
						return reply{err: broken}
					}
					return standard(query, args)
				}
				for range 2 {
					asked, err := get()
					require.ErrorIs(t, err, broken)
					require.NotErrorIs(t, err, store.ErrNotFound)
					require.Equal(t, []string{"version,", "pg_logical_emit_message"}, asked)
				}
				f.answer = standard
				asked, err := get()
				require.ErrorIs(t, err, store.ErrNotFound)
				require.Equal(t, []string{"version,", "pg_logical_emit_message"}, asked)
				asked, err = get()
				require.ErrorIs(t, err, store.ErrNotFound)
				require.Equal(t, []string{"version,"}, asked, "it was proved")

				// A conflict says that another write was done, and must be proved like one that is read.
				f.answer = func(string, []driver.Value) reply { return c.reply }
				_ = callOf(t.Context(), s, verb)
				f.answer = func(query string, _ []driver.Value) reply {
					if strings.Contains(query, "emit_message") {
						return reply{err: broken}
					}
					return reply{}
				}
				err = callOf(t.Context(), s, verb)
				require.ErrorIs(t, err, broken)
				require.ErrorIs(t, err, sqlstore.ErrNotDone)
				require.NotErrorIs(t, err, store.ErrConflict)
				f.answer = func(string, []driver.Value) reply { return reply{} }
				require.ErrorIs(t, callOf(t.Context(), s, verb), store.ErrConflict)
			})
		}
	}
}
