package audit

// Waiting returns how many events wait for the entry that is being written.
func (l *Log) Waiting(chain int) int {
	c := l.chains[chain]
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open.events)
}
