package main

import (
	"maps"
	"sync"
	"time"
)

// An attack is what happens in one. It goes on behind the page, which shows how far it is.
type attack struct {
	Kind     string
	Requests int
	Answers  int // to the requests; one that is told to come again gets several
	Busy     int // of them, with 503
	Took     time.Duration
	Statuses map[int]int    // of the last answers
	Events   map[string]int // by code and reason, as the recorder saw them
	Sent     int            // messages of any kind that it caused
	Owners   int            // of a mass lock-out
	Ways     map[string]int // in which they come in after it
	Owner    string         // the key of a word
	Done     bool
}

// attacks are the attacks on this portal: one at a time.
type attacks struct {
	mu   sync.Mutex
	last *attack
}

// start begins an attack, unless one is under way.
func (a *attacks) start(next *attack) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last != nil && !a.last.Done {
		return false
	}
	a.last = next
	return true
}

// edit changes the attack, which the page may be showing.
func (a *attacks) edit(change func(*attack)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(a.last)
}

// shown returns a copy of the last attack, and whether there was one.
func (a *attacks) shown() (attack, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last == nil {
		return attack{}, false
	}
	now := *a.last
	now.Statuses = maps.Clone(now.Statuses)
	return now, true
}

// sum adds up the refused guesses of some reasons.
func (a *attack) sum(reasons ...string) (n int) {
	for _, reason := range reasons {
		n += a.Events["pin.refused "+reason]
	}
	return n
}

// bars are the figures. Each counts for itself, and says out of how many.
func (a *attack) bars(v *visit) []bar {
	bars := []bar{
		{v.T("attack.compared"), a.sum(compared...), a.Requests},
		{v.T("attack.locked"), a.sum("locked"), a.Requests},
		{v.T("attack.busy"), a.Busy, a.Answers},
		{v.T("attack.sent"), a.Sent, a.Requests},
	}
	if a.Owners == 0 || !a.Done {
		return bars
	}
	for _, way := range []string{"lanes", "device", "login", "link", "out"} {
		bars = append(bars, bar{v.T("attack.way." + way), a.Ways[way], a.Owners})
	}
	return bars
}
