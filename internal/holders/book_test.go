package holders_test

import (
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
)

// An entry is a contact as the model sees it.
type entry struct {
	to      civicpin.Contact
	since   time.Time // proved
	matures time.Time // proves something from then on
	gone    time.Time
	seen    bool // by staff
	barred  bool // taken away by staff
	// disputed says that an undo brought the entry back.
	disputed bool
}

func (e *entry) valid(now time.Time) bool {
	return e.gone.IsZero() && !now.Before(e.matures) && !e.disputed
}

// was reports whether the entry proved something once.
func (e *entry) was() bool { return e.gone.IsZero() || !e.gone.Before(e.matures) }

// A candidate is an address that waits for its proof.
type candidate struct {
	id       string // of the contact that it may become
	to       civicpin.Contact
	replaces civicpin.Contact
	by       person // 0: staff
	first    bool
	dead     string // which act ended it
}

// live returns the contact of an address, nil if there is none.
func (w *world) live(to civicpin.Contact) *entry {
	for _, e := range w.book {
		if e.gone.IsZero() && e.to.SameAddress(to) {
			return e
		}
	}
	return nil
}

// anyLive reports whether there is a contact at all.
func (w *world) anyLive() bool {
	return slices.ContainsFunc(w.book, func(e *entry) bool { return e.gone.IsZero() })
}

// takeYoung ends what cools down, but for the named.
func (w *world) takeYoung(named ...civicpin.Contact) {
	for _, e := range w.book {
		if e.gone.IsZero() && !e.valid(w.now()) && !slices.ContainsFunc(named, e.to.SameAddress) {
			e.gone = w.now()
		}
	}
}

// takeSince ends what came since a time, and staff have not seen.
func (w *world) takeSince(at time.Time) {
	for _, e := range w.book {
		if e.gone.IsZero() && !e.seen && !e.since.Before(at) {
			e.gone = w.now()
		}
	}
}

// endAsked ends the candidates of visitors, and those of staff if it is an act that does.
func (w *world) endAsked(act string, staffs bool) {
	for _, c := range w.asked {
		if c.dead == "" && (c.by != 0 || staffs) {
			c.dead = act
		}
	}
}

// coolAnew has what cools down begin once more: after a recovery.
func (w *world) coolAnew() {
	for _, e := range w.book {
		if e.gone.IsZero() && !e.valid(w.now()) {
			e.matures = w.now().Add(cooling)
		}
	}
}

// reconcile takes over what an undo or a repudiation brought back or took: only what was a contact that proved something may
// come back, and what staff took away only by an undo of a removal, which may be theirs.
func (w *world) reconcile(removal bool) {
	list, _, err := w.contacts.List(w.t.Context(), rosa)
	w.must(err)
	has := func(e *entry) bool {
		return slices.ContainsFunc(list, func(c contact.Contact) bool { return c.SameAddress(e.to) })
	}
	for _, e := range w.book {
		switch {
		case e.gone.IsZero() && !has(e):
			e.gone = w.now()
		case !e.gone.IsZero() && has(e) && e.was() && (removal || !e.barred) && w.live(e.to) == nil:
			e.gone, e.disputed = time.Time{}, true
		}
	}
}

// proved takes over that a candidate became a contact.
func (w *world) proved(c *candidate, by person) {
	w.reached["proved"]++
	if c.dead != "" {
		w.fail("%v proved %s, which %s had ended", by, c.to.Address, c.dead)
		return
	}
	matures := w.now().Add(cooling)
	later := slices.ContainsFunc(w.book, func(e *entry) bool { return !e.gone.IsZero() || e.matures.After(e.since) || e.seen })
	if c.by == 0 || c.first && !later {
		matures = w.now() // staff asked for it, or it is one of the first contacts, all of which the citizen added
	}
	w.promised("contact.changed", "a contact was added", nil)
	if old := w.live(c.replaces); old != nil {
		old.gone = w.now()
	}
	c.dead = "its proof"
	w.book = append(w.book, &entry{to: c.to, since: w.now(), matures: matures, seen: c.by == 0})
	w.ending = w.step
}

// holds reports whether a person held, since a time, a least set of a plan. What is a contact is so now; what was read was
// read since.
func (w *world) holds(p person, set least, since time.Time, r *trip) bool {
	for _, what := range set {
		if !w.has(p, what, since, r) {
			return false
		}
	}
	return true
}

func (w *world) has(p person, what rune, since time.Time, r *trip) bool {
	channel := map[rune]civicpin.Channel{'s': civicpin.SMS, 'm': civicpin.Email, 'p': civicpin.CertifiedEmail}[what]
	switch what {
	case 'k':
		return w.answers&p != 0 || r != nil && r.knew // its link, too, is the mailbox's: see 'o'
	case 'w':
		return r != nil && !r.rested.IsZero()
	case 'o':
		return p == owner || r != nil && r.staff // its link is the mailbox's: who reads that takes over what staff approved
	}
	for _, e := range w.book {
		if e.to.Channel == channel && e.valid(w.now()) && !w.read[e.to.Address][p].Before(since) {
			return true
		}
	}
	return false
}
