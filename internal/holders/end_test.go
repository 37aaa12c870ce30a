package holders_test

import (
	"slices"
	"strings"
	"time"
)

// end closes a schedule: promises were kept, the owner gets back in at the desk, and nothing of before opens anything then.
func (w *world) end() {
	clear(w.broken)
	w.dispatch()
	w.clock.Add(2 * time.Hour)
	w.dispatch()
	if w.kept(); w.violation != "" {
		return
	}
	if w.secret.known&owner != 0 && !w.stopped {
		w.must(w.pins.Unlock(w.t.Context(), rosa, clerk.ID))
		w.reached["the owner was never out"]++
	}
	w.desk()
	if w.violation != "" {
		return
	}
	w.step++
	trusted := slices.DeleteFunc(slices.Clone(w.book), func(e *entry) bool { return !e.gone.IsZero() })
	alone := true
	for _, e := range trusted {
		alone = alone && w.reads[e.to.Address] == owner
	}
	for range 2 {
		for _, p := range others {
			w.spite(p, alone)
		}
		w.dispatch()
		w.clock.Add(cooling + day)
	}
	if alone && w.stopped && w.violation == "" {
		w.reached["a second visit"]++ // an undo link of before the first one was good still, and suspended: once
		w.desk()
	}
	if alone && w.violation == "" {
		w.logsIn("after the desk")
		w.online()
	}
}

// spite has a person use all that they ever got. If the contacts are the owner's alone, the secret stays the owner's.
func (w *world) spite(p person, alone bool) {
	for _, i := range w.links(p) {
		w.follow(p, i)
	}
	for _, r := range w.trips {
		if r.holder == p {
			w.goOn(r, 1, 9)
		}
	}
	for _, g := range w.grants {
		if g.by == p {
			_ = w.use(g)
		}
	}
	_ = w.exchange(p)
	w.typesProof(p, 0)
	if alone && w.secret.known != owner {
		w.fail("the %v has what staff gave back to the owner", p)
	}
}

// online has the owner, whose contacts nobody else reads, recover on line by each plan for which they are enough.
func (w *world) online() {
	w.clock.Add(31 * day)
	w.learn()
	w.unlock()
	for _, p := range w.system.plans {
		if !slices.ContainsFunc(w.system.needs[p.Name], func(set least) bool {
			return set != "kw" && w.holds(owner, least(strings.ReplaceAll(string(set), "w", "")), w.now().Add(-day), nil)
		}) || p.Name == "counter" {
			continue
		}
		w.clock.Add(8 * day)
		w.dispatch()
		w.learn()
		objectors := 0
		for _, e := range w.book {
			if e.valid(w.now()) {
				objectors++
			}
		}
		if p.Rests() > 0 && objectors < 2 || p.Name == "two" && objectors < 3 {
			continue
		}
		w.reached["on line"]++
		r := w.start(owner, p.Name)
		if r == nil {
			w.fail("the owner cannot begin %s", p.Name)
			return
		}
		w.goOn(r, 3, 9)
		if !r.rested.IsZero() && r.finished.IsZero() {
			w.clock.Set(r.until.Add(minute))
			w.goOn(r, 3, 9)
		}
		if r.finished.IsZero() {
			w.fail("the owner, who holds all that it takes, cannot recover by %s", p.Name)
			return
		}
		if err := w.use(w.grants[len(w.grants)-1]); err != nil {
			w.fail("the owner cannot use the grant of %s: %v", p.Name, err)
			return
		}
		if w.dispatch(); w.secret.text == "" {
			w.slip = ""
			if err := w.exchange(owner); err != nil {
				w.fail("the owner cannot exchange after %s: %v", p.Name, err)
				return
			}
		}
		w.logsIn("after " + p.Name)
	}
}
