package main

import (
	"context"
	"maps"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/civicpin/civicpin"
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

	request func(ctx context.Context, i int) *http.Request
	end     func(ctx context.Context) string // what the owner is left with
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
	now.Statuses, now.Events = maps.Clone(now.Statuses), maps.Clone(now.Events)
	return now, true
}

// attackers are the addresses from which the attack page sends: RFC 5737 keeps them for documentation.
var attackers = netip.MustParsePrefix("203.0.113.0/24")

// ofAttack reports whether an event is about a request of the attack page.
func ofAttack(e civicpin.Event) bool {
	address, err := netip.ParseAddr(e.Source.Address)
	return err == nil && attackers.Contains(address)
}

// Record implements civicpin.Recorder: it counts the events that the attack causes.
func (a *attacks) Record(_ context.Context, e civicpin.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if ofAttack(e) && a.last != nil && !a.last.Done {
		a.last.Events[eventName(e)]++
	}
}

func eventName(e civicpin.Event) string { return strings.TrimSuffix(string(e.Code)+" "+e.Reason, " ") }

// compared are the reasons with which a guess was looked at.
var compared = []string{"wrong", "unknown", "suspended", "revoked", "vacant", "expired", "unused"}

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
