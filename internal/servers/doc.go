// Package servers starts real servers for tests, and ends them: PostgreSQL, also with a synchronous standby, and Redis,
// also as a cluster. Each listens on 127.0.0.1 alone, on a port of its own, and keeps its data in a temporary directory.
//
//	db := servers.PostgreSQL(t)
//	pool, err := sql.Open("pgx", db.DSN())
//
// A server can be killed, frozen, let go on and started again, as its machine might be. What a test starts ends with it:
// by process id when the test is over, and by the kernel if the test's process dies first.
//
// # Where the programs come from
//
// PostgreSQL's are looked for in the path and where Debian puts them, /usr/lib/postgresql/*/bin, the newest first;
// Redis's in the path. The variable CIVICPIN_POSTGRES_BIN may name further directories of PostgreSQL programs, for other
// versions; see [PostgreSQLBins]. A test whose server is not there is skipped with the reason, or fails where
// CIVICPIN_REQUIRE_SERVERS is 1. With -short no server starts: such a test is skipped with the reason "-short".
//
// PostgreSQL refuses to run as root, so there it runs as the user postgres or, if there is none, nobody.
//
// It needs Linux: elsewhere tests are skipped in the same way.
package servers
