package sqlstore

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrNotDone says of an error of Put or Delete that nothing was written and nothing will be: PostgreSQL itself said that
// it refused the statement or gave it up. Any other error that is no answer leaves it open.
var ErrNotDone = errors.New("sqlstore: not done")

// Codes of the SQL standard and of PostgreSQL, see https://www.postgresql.org/docs/current/errcodes-appendix.html. The
// first two characters are the class.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
)

// notDone are the codes of errors after which a statement outside a transaction has certainly done nothing, and the
// classes of which that is true as a whole. Not among them: 57P01 and 57P02, the server is being shut down, which it also
// says when the write was committed and waits for the standby; 40003, which says that it does not know; broken
// connections (class 08), and whatever says that the server is not well.
var notDone = []string{
	serializationFailure, deadlockDetected, "40000", "40002",
	"22",    // data exception
	"23",    // integrity constraint
	"25006", // read-only: this is a standby
	"28",    // the role may not log in
	"42",    // no such table, no permission
	"53300", // too many connections: there was none to ask by
	"55P03", // lock_timeout
	"57P03", // the server is starting up: likewise
}

// sqlState returns the code that the database gave an error, or "". The drivers for PostgreSQL have a method for it.
func sqlState(err error) string {
	if e, ok := errors.AsType[interface {
		error
		SQLState() string
	}](err); ok {
		return e.SQLState()
	}
	return ""
}

// mayRetry reports whether a statement that failed so may be run again as if it had not been run. It is another session's
// write that was in the way, so there will not be one each time.
func mayRetry(err error) bool {
	code := sqlState(err)
	return code == serializationFailure || code == deadlockDetected
}

// wrap says where an error of a write came from, and whether it is known to have done nothing.
func wrap(what string, err error) error {
	if code := sqlState(err); slices.ContainsFunc(notDone, func(c string) bool { return code != "" && strings.HasPrefix(code, c) }) {
		return fmt.Errorf("sqlstore: %s: %w: %w", what, ErrNotDone, err)
	}
	return fmt.Errorf("sqlstore: %s: %w", what, err)
}
