// Package sqlstore keeps records in a table of an SQL database that the caller opened, through database/sql and whichever
// driver the caller chose.
//
// Two calls make a store:
//
//	db, err := sql.Open("pgx", "postgres://…")
//	records, err := sqlstore.New(ctx, db, sqlstore.PostgreSQL, nil)
//
// For SQLite use package store/sqlite instead, which opens the file with the settings that it needs and calls this one.
// With another driver, let one connection write (db.SetMaxOpenConns(1)) and set a busy timeout, a write-ahead log and
// synchronous=FULL, as it does.
//
// # How it works
//
// One row is one record. Every write is one conditional statement, and the number of rows that it touched decides: INSERT
// … ON CONFLICT DO NOTHING creates, UPDATE … WHERE key = … AND version = … replaces, DELETE … WHERE … deletes. There is
// no transaction around it, so nothing is held while the program thinks, and no default isolation level changes what it
// means. Times are computed by the program; no statement asks the database for the time. All statements are prepared
// once.
//
// # What an error means
//
// [store.ErrNotFound], [store.ErrConflict] and [store.ErrInvalidKey] are answers. Any other error is the driver's,
// wrapped. Of those from Put and Delete, the ones that match [ErrNotDone] say that nothing was written: PostgreSQL
// refused the statement (no permission, a lock_timeout, a standby). After all others the write may have happened: a
// broken connection, a server that is being shut down, a context that is done. Serialisation failures and deadlocks,
// after which nothing happened either, are tried again here, for no longer than 10 seconds, as is what [Options.Busy]
// allows; everything else is left to package store.
//
// # What survives what
//
// That is the database's doing. A write is acknowledged when the database says that it is committed, so it survives the
// program's death in every setting. It survives a power cut only if the database waits for its disk: on PostgreSQL, fsync
// and synchronous_commit on, which is its default; on SQLite, PRAGMA synchronous=FULL, which is not the default of every
// driver in WAL mode. It survives the loss of a PostgreSQL machine only with a synchronous standby. Never connect to a
// standby or to a pool that may read from one: a read that is a moment old would bring back a state that was left.
//
// PostgreSQL shows others a write that still waits for the standby, if that wait is broken off: by a client that cancels,
// as drivers do when a context is done or a connection breaks, or by a crash of the server. A Store that lost sight of a
// write of its own therefore has each Get, and each conflict, followed by an empty transaction (pg_logical_emit_message,
// which every role may call unless it was revoked) until one is acknowledged, so that finding a write proves that it will
// stay. A Get in another process may still see a write that a failover then takes back; the library lets nobody in and
// consumes nothing by a Get alone, but by a write that follows it, and whose acknowledgement covers what was read.
//
// # Schema
//
// New creates what is missing, in the PostgreSQL schema that [Options.Schema] names, also when many processes start at
// once, and runs no statement that changes the schema when nothing is missing: whoever keeps migrations apart runs the
// text that [Schema] returns, and lets the program's role only SELECT, INSERT, UPDATE and DELETE. Beside the table of
// records there is one of one row with the schema version. A database whose schema version is newer than this package
// knows is refused with [ErrNewerSchema].
//
// # Stored-format compatibility
//
// This is schema version 1. A later release will read what this one wrote, or bring it up to date in New or by a text to
// run. The columns of a record are:
//
//	key      the key's bytes, as a binary type: compared byte for byte whatever the database's encoding and collation
//	version  1 to 2^63-1, random, never zero
//	expires  milliseconds since 1970 UTC, rounded up; NULL for never; has an index, for PurgeExpired
//	value    the value's bytes, not NULL, perhaps empty
//
// Rows may be copied to another database as they are.
package sqlstore
