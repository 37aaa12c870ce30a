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
	Away     int // of them, before anything was looked at
	Took     time.Duration
	Statuses map[int]int    // of the last answers
	Events   map[string]int // by code and reason, as the recorder saw them
	Sent     int            // messages of any kind that it caused
	Owners   int            // of a mass lock-out
	Ways     map[string]int // in which its owners come in
	Owner    string         // the key of a word
	Done     bool
}

// ways are how owners come in, and out those who do not.
var ways = []string{"device", "login", "link", "out"}

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
		{v.T("attack.busy"), a.sum("busy", "not checked") + a.Away, a.Answers},
		{v.T("attack.sent"), a.Sent, a.Requests},
	}
	if a.Owners == 0 || !a.Done {
		return bars
	}
	bars = append(bars, bar{v.T("attack.way.lanes"), a.Ways["lanes"], a.Owners})
	played := 0
	for _, way := range ways {
		played += a.Ways[way]
	}
	for _, way := range ways {
		bars = append(bars, bar{v.T("attack.way." + way), a.Ways[way], played})
	}
	return bars
}
