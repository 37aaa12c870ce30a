package sqlstore_test

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlstore"
)

// stateError is an error as drivers for PostgreSQL return it.
type stateError string

func (e stateError) Error() string    { return "the database says " + string(e) }
func (e stateError) SQLState() string { return string(e) }

// An error says that nothing was written where that is certain, and nowhere else.
func TestNotDone(t *testing.T) {
	for code, certain := range map[string]bool{
		"40000": true, "40001": true, "40002": true, "40P01": true,
		"22001": true, "23502": true, "25006": true, "28P01": true, "42501": true, "42P01": true, "53300": true, "55P03": true,
		"57P03": true,
		"40003": false, // it does not know itself
		"57P01": false, // shut down, perhaps while it waited for its standby after the commit
		"57P02": false, "57014": false, "08006": false, "08003": false, "53100": false, "58030": false, "XX000": false, "": false,
		"25P01": false, "99999": false, "4": false,
	} {
		for _, verb := range []string{"INSERT", "UPDATE", "DELETE"} {
			t.Run(verb+" "+code, func(t *testing.T) {
				f := &fake{answer: standard}
				s := newStore(t, f.open(t), sqlstore.PostgreSQL, nil)
				said := fmt.Errorf("wrapped: %w", stateError(code))
				tries := 0
				f.answer = func(string, []driver.Value) reply {
					if tries++; tries > 1 && (code == "40001" || code == "40P01") {
						return reply{err: stateError("42P01")} // so as not to wait
					}
					return reply{err: said}
				}
				err := callOf(t.Context(), s, verb)
				require.Equal(t, certain, errors.Is(err, sqlstore.ErrNotDone), "%v", err)
				require.NotErrorIs(t, err, store.ErrConflict)
				require.ErrorAs(t, err, new(stateError))
			})
		}
	}
}

// Serialisation failures and deadlocks did nothing and are run again; nothing else is.
func TestRunAgain(t *testing.T) {
	for code, again := range map[string]bool{
		"40001": true, "40P01": true, "40003": false, "08006": false, "57P01": false, "55P03": false,
	} {
		for _, verb := range []string{"SELECT", "SELECT key", "INSERT", "UPDATE", "DELETE"} {
			f := &fake{answer: standard}
			s := newStore(t, f.open(t), sqlstore.PostgreSQL, nil)
			f.since()
			left := 2
			f.answer = func(query string, args []driver.Value) reply {
				if left > 0 {
					left--
					return reply{err: stateError(code)}
				}
				return standard(query, args)
			}
			err := callOf(t.Context(), s, verb)
			if again {
				require.True(t, err == nil || errors.Is(err, store.ErrNotFound), "%v", err)
				require.Len(t, f.since(), 3)
			} else {
				require.ErrorAs(t, err, new(stateError))
				require.Len(t, f.since(), 1)
			}
		}
	}
}

// After a serialisation failure the row is another one, and the answer is a conflict.
func TestRunAgainFindsAConflict(t *testing.T) {
	f := &fake{answer: standard}
	s := newStore(t, f.open(t), sqlstore.PostgreSQL, nil)
	tries := 0
	f.answer = func(string, []driver.Value) reply {
		if tries++; tries == 1 {
			return reply{err: stateError("40001")}
		}
		return reply{}
	}
	require.ErrorIs(t, callOf(t.Context(), s, "UPDATE"), store.ErrConflict)
	require.Equal(t, 2, tries)
}
