package recoveryrun

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/pin"
)

// An Approval is an operator's, of a step.
type Approval struct {
	By   civicpin.Actor `json:"by" export:"yes"`
	At   time.Time      `json:"at" export:"yes"`
	Step int            `json:"step" export:"yes"`
}

// Approve notes an operator's approval of the step at which the run is.
func (r *Record) Approve(by civicpin.Actor, now time.Time) {
	r.Approved = slices.Concat(r.Approved, []Approval{{By: by, At: now, Step: r.Step}})
}

// ApprovedBy reports whether an operator, however spelled, approved any step of the run. Two approvals are two persons, also
// where two steps name two roles: one operator may have both.
func (r *Record) ApprovedBy(by civicpin.Actor) bool {
	return slices.ContainsFunc(r.Approved, func(a Approval) bool { return a.By.Canonical() == by.Canonical() })
}

// ApprovalsOf returns how many approvals of a step there are.
func (r *Record) ApprovalsOf(step int) (n int) {
	for _, a := range r.Approved {
		if a.Step == step {
			n++
		}
	}
	return n
}

// Staffs reports whether the run is in the hands of staff: they began it, and no link has given it to the citizen.
func (r *Record) Staffs() bool { return r.By.IsOperator() && len(r.Ticket) == 0 }

// Thing says what the run is among the things that wait, and so which acts end it.
func (r *Record) Thing() waits.Thing {
	switch {
	case r.Seen():
		return waits.Approved
	case len(r.Read) > 0:
		return waits.Proved
	}
	return waits.Run
}

// Marked notes the state of the subject in which the run begins.
func (r *Record) Marked(known *Subject) { r.Epoch, r.Book = epoch(&known.Mark), book(known.Contacts) }

func epoch(m *pin.Mark) waits.Epochs {
	return waits.Epochs{Run: m.Epoch, Proved: m.Proved, Approved: m.Approved, Denial: m.Denial}
}

func book(contacts *contact.Snapshot) (e waits.Epochs) {
	e.Run, e.Proved, e.Approved = contacts.Epochs()
	return e
}

// Lives reports whether no act has ended the run since it began.
func (r *Record) Lives(now *pin.Mark, contacts *contact.Snapshot) bool {
	as, epochs := r.Thing(), epoch(now)
	return epochs.Of(as) == r.Epoch.Of(as) && r.Stands(as, contacts)
}

// Stands reports whether no act upon the contacts ended the run, as one of the things that it was, and those by which it was
// proved, or that were named for it, are the subject's still, unless the run brings them.
func (r *Record) Stands(as waits.Thing, contacts *contact.Snapshot) bool {
	established := contacts.Established()
	shown := slices.Concat(r.Read, r.Named)
	return book(contacts).Of(as) == r.Book.Of(as) && !slices.ContainsFunc(shown, func(to letter.Contact) bool {
		return !r.Correct.Is(to) && !slices.ContainsFunc(established, to.Contact().SameAddress)
	})
}

// Seen reports whether operators approved the run.
func (r *Record) Seen() bool { return len(r.Approved) > 0 }

// Remedy says for an event what a repudiation of the finished run ends. The holder of a link has shown to read one contact, at
// some time: that is less than what operators saw, and a lock that was lifted gave nothing to take back.
func (r *Record) Remedy() string {
	switch {
	case r.Unlocked:
		return RemedyDevices
	case r.Seen():
		return RemedyStaff
	}
	return RemedySecret
}

// What the repudiation of a finished run ends.
const (
	RemedySecret  = "secret"      // the one that it set
	RemedyStaff   = "staff"       // nothing for good: operators approved it, and decide
	RemedyDevices = "new devices" // it lifted a lock
)

// Evidence returns what an event says of evidence; "" for the zero Evidence.
func Evidence(e civicpin.Evidence) string {
	if e == (civicpin.Evidence{}) {
		return ""
	}
	return strings.TrimSuffix(fmt.Sprintf("%s by %s: %s", e.Method, e.By, e.Document), ": ")
}
