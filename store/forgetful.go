package store

import (
	"errors"
	"strings"
)

// ErrForgetful says that a store that may lose acknowledged writes was to hold records that must not be lost.
var ErrForgetful = errors.New("store: this store may lose writes that it acknowledged, and must not hold such records")

// A Forgetful store may lose some of the writes that it acknowledged, and go on with the others, as an asynchronous replica
// does at a failover. If Forgets returns true, [OpenVault] and [NewRouter] let the store hold only what may be lost. A wrapper
// around a store has to pass the answer on. A store without the method does not forget.
type Forgetful interface {
	Store
	// Forgets reports whether acknowledged writes may be lost. Its answer never changes.
	Forgets() bool
}

// forgets reports whether a store says that it may lose writes.
func forgets(s Store) bool {
	f, ok := s.(Forgetful)
	return ok && f.Forgets()
}

// losable holds the kinds of this library whose loss costs little: a throttle lets some more requests through, a delivered
// code has to be asked for again or, if its use is what was lost, can be used twice in its few minutes. Everything else is a
// record that people's accounts rest on; so is every kind that is not known here. A lost one brings back an old PIN, a
// lifted lock, or guesses that were counted.
var losable = []string{"code.*", "code-pending.*", "quota.*"}

// mayLose reports whether all kinds that a pattern stands for may be lost.
func mayLose(pattern string) bool {
	for _, l := range losable {
		if prefix, ok := strings.CutSuffix(l, "*"); pattern == l || ok && strings.HasPrefix(pattern, prefix) {
			return true
		}
	}
	return false
}
