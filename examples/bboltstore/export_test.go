package bboltstore

// NoSync leaves out the wait for the disk.
func (s *Store) NoSync() { s.db.NoSync = true }
