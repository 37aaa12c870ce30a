package sqlite

import "database/sql"

// Writer returns the pool that writes.
func Writer(s *Store) *sql.DB { return s.writer }

// Readers returns the pool that reads.
func Readers(s *Store) *sql.DB { return s.readers }

// Waiting reports whether a write holds the queue.
func Waiting(s *Store) bool { return len(s.queue) > 0 }
