package main

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store/audit"
)

// attackers are the addresses from which the attack page sends: RFC 5737 keeps them for documentation.
var attackers = netip.MustParsePrefix("203.0.113.0/24")

// ofAttack reports whether an event is about a request of the attack page.
func ofAttack(e civicpin.Event) bool {
	address, err := netip.ParseAddr(e.Source.Address)
	return err == nil && attackers.Contains(address)
}

// A tally counts the events that attacks cause, by code and reason.
type tally struct {
	mu    sync.Mutex
	count map[string]int
}

// Record implements civicpin.Recorder.
func (t *tally) Record(_ context.Context, e civicpin.Event) {
	if !ofAttack(e) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count == nil {
		t.count = make(map[string]int)
	}
	t.count[eventName(e)]++
}

func eventName(e civicpin.Event) string { return strings.TrimSuffix(string(e.Code)+" "+e.Reason, " ") }

// reset forgets the counts, and now returns them.
func (t *tally) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.count)
}

func (t *tally) now() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.count)
}

// shown is how many events the page shows.
const shown = 60

// eventsPage goes through the whole audit log, checks its chains, and shows the newest events.
func (p *portal) eventsPage(v *visit) (view, error) {
	var all []civicpin.Event
	counts := make(map[string]int)
	report, err := p.log.Verify(v.ctx(), audit.Check{Each: func(_ int, _ uint64, e civicpin.Event) error {
		all = append(all, e)
		counts[eventName(e)]++
		return nil
	}})
	if err != nil {
		return view{}, err
	}
	w := view{Title: "events.title", Say: v.say("events.say"), How: how{"events.go", "audit.Log.Verify"}}
	sound := v.T("events.sound", report.Events, report.Entries, len(report.Heads))
	if len(report.Faults) > 0 {
		sound = v.T("events.faults", len(report.Faults), fmt.Sprint(report.Faults[0]))
	}
	w.Say = append(w.Say, sound)
	slices.SortStableFunc(all, func(a, b civicpin.Event) int { return b.At.Compare(a.At) })
	newest := table{Caption: v.T("events.newest"), Head: v.say("time", "event", "id", "actor", "address")}
	for _, e := range all[:min(shown, len(all))] {
		newest.Rows = append(newest.Rows, []string{
			e.At.Format("15:04:05"), eventName(e), string(e.Subject), string(e.By), e.Source.Address,
		})
	}
	byName := table{Caption: v.T("events.counts"), Head: []string{v.T("event"), v.T("number")}}
	for _, name := range sortedKeys(counts) {
		byName.Rows = append(byName.Rows, []string{name, fmt.Sprint(counts[name])})
	}
	w.Tables = []table{newest, byName}
	return w, nil
}
