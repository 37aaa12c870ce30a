// Package sqlite keeps records in an SQLite file, by a driver written in Go alone (modernc.org/sqlite). It is the store for
// one machine: nothing to install, and any number of processes there may share the file.
//
// Two calls make everything that the rest of the library takes:
//
//	records, err := sqlite.Open(ctx, "pins.db")
//	vault, err := store.OpenVault(ctx, records, keys, nil)
//
// Close the store when the program ends.
//
// # What survives what
//
// A write that was acknowledged survives the death of the program (kill -9 included) and, as the file is opened with a
// write-ahead log and synchronous=FULL, the loss of power, if the disk keeps what it said was written. A write that was not
// acknowledged is there wholly or not at all. It does not survive the loss of the disk: back up with the SQLite command
// line's .backup, or VACUUM INTO, which are safe beside a running program. Copying the file is not, unless it is copied
// together with its -wal file while no program has it open. A backup that is put back also puts back the counts of failed
// attempts, and what was used up since then.
//
// The path must be on a disk of the machine. On a network file system, locks and the shared memory of the log do not work,
// which SQLite cannot always notice.
//
// # Many processes, many goroutines
//
// A Get sees every write that was acknowledged before it began, by whichever process. Within a store, writes wait in a queue
// for the one connection that writes, first come, first served, and reads have a few connections of their own, which writes
// do not hold up. Between processes, SQLite's lock decides. A write waits for it until its context is done, and for no
// longer than 10 seconds; so give requests a deadline.
//
// While the program runs, nothing else in it may open the file and close it again, not even to read it: on POSIX systems
// that takes away SQLite's locks. Opening it by this package several times does no harm.
//
// # Files
//
// Open creates the file readable and writable by its owner only; the files "-wal" and "-shm" beside it take over its
// permissions. An existing file keeps what it has. The tables are those of package
// [github.com/civicpin/civicpin/store/sqlstore], which also keeps the promise about the stored format, and whose Schema
// function gives the text that creates them. The file may hold other tables.
package sqlite
