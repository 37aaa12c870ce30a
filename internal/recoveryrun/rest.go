package recoveryrun

import (
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/recovery/plan"
)

// A Rest is a time in which a run waits for an objection. A rest of which no contact of the subject's heard protects nothing:
// the run leads nowhere at its end. The end is the same, or it would tell.
type Rest struct {
	// Notices names the mails of the run that count: each goes to a contact that can object.
	Notices []string `json:"notices,omitempty"`
	// By is until when a provider has to take one of them over.
	By time.Time `json:"by"`
	// Heard names those that a provider took over by then, and that did not bounce.
	Heard []string `json:"heard,omitempty"`
}

// canObject reports whether a contact is one whose objection a run that began at a time can rest on. It proved something before
// the run began: an attacker could have brought it since. reach reports whether a notice over a channel lets its reader object:
// by a link, or by staff.
func canObject(c *contact.Recipient, began time.Time, reach func(civicpin.Channel) bool) bool {
	return !c.Since.IsZero() && !c.Since.After(began) && !c.Channel.Printed() && reach(c.Channel)
}

// objects reports whether a contact is one whose objection the run can rest on: not one that the visitor proved or gave, since
// the attacker may be its reader.
func (r *Record) objects(c *contact.Recipient, reach func(civicpin.Channel) bool) bool {
	return canObject(c, r.Started, reach) && !r.visitors(c.Contact)
}

// visitors reports whether the visitor proved an address in this run, or gave it.
func (r *Record) visitors(to civicpin.Contact) bool {
	return r.Correct != nil && to.SameAddress(letter.Contact(*r.Correct).Contact()) ||
		slices.ContainsFunc(r.Read, func(c letter.Contact) bool { return to.SameAddress(c.Contact()) })
}

// objector reports whether the subject has a contact that can object to a run which begins now, and is proved by others.
func (s *Subject) objector(proves []civicpin.Contact) bool {
	return slices.ContainsFunc(s.Contacts.Recipients(), func(c contact.Recipient) bool {
		return canObject(&c, s.Now, s.Reach) && !slices.ContainsFunc(proves, c.SameAddress)
	})
}

// RestUntil returns until when the run rests, with one rest more, if it does: with the time for its notices.
func (r *Record) RestUntil(more time.Duration, now time.Time) time.Time {
	until := r.Rests
	if more > 0 {
		until = slices.MaxFunc([]time.Time{until, now}, time.Time.Compare).Add(more)
	}
	if until.IsZero() {
		return until
	}
	return until.Add(plan.NoticeTime)
}

// Begin has the run rest until a time, and tells of that.
func (r *Record) Begin(n Notices, until, now time.Time) {
	r.Rests = until
	r.Waits = append(slices.Clip(r.Waits), Rest{Notices: n.Counts, By: now.Add(plan.NoticeTime)})
	r.Tell(n)
}

// hear notes that a provider took a notice over at a time, in time for the rest that it announces.
func (r *Record) hear(name string, at time.Time) {
	for i := range r.Waits {
		if w := &r.Waits[i]; slices.Contains(w.Notices, name) && !at.After(w.By) {
			w.Heard = append(slices.Clip(w.Heard), name)
		}
	}
}

// unhear notes that a notice which a provider took over bounced. It reports whether a rest relied on it.
func (r *Record) unhear(name string) (relied bool) {
	for i := range r.Waits {
		w := &r.Waits[i]
		if at := slices.Index(w.Heard, name); at >= 0 {
			w.Heard, relied = slices.Delete(slices.Clone(w.Heard), at, at+1), true
		}
	}
	return relied
}

// Leads reports whether the run can come to something: there is a subject whom it can help, and a contact heard of each rest
// that the visitor has not proved since.
func (r *Record) Leads() bool {
	return r.Known && !slices.ContainsFunc(r.Waits, func(w Rest) bool {
		return !slices.ContainsFunc(w.Heard, func(name string) bool {
			m := r.Mailed(name)
			return m != nil && !r.visitors(m.To.Contact())
		})
	})
}

// ObjectionTime is for how long an objection keeps recoveries that rest from a subject, but for those at a desk: an attacker
// who began another one each day would sooner or later find the contacts away.
const ObjectionTime = 7 * 24 * time.Hour

// A Watch names the one run of a subject that may rest, or come to something after it rested, and says when a contact objected.
// There is one for each subject. A run that rested, and that the watch does not name, is dead: whatever two runs did at one
// moment, one objection ends all of them.
type Watch struct {
	Run      string    `json:"run,omitempty"`
	Until    time.Time `json:"until,omitzero"` // when Run ends
	Objected time.Time `json:"objected,omitzero"`
}

// Names reports whether the watch lets a run go on: it has not rested, or is the one that may.
func (w *Watch) Names(id string, r *Record) bool { return len(r.Waits) == 0 || w.Run == id }

// Take has a run rest until a time, and returns zero; or it returns until when the run may not. other is the run that the watch
// names. Staff, who have seen the subject, are not kept from it, and end the other one so.
func (w *Watch) Take(id string, r, other *Record, until, now time.Time) time.Time {
	if !r.By.IsOperator() {
		if end := w.Objected.Add(ObjectionTime); now.Before(end) {
			return end
		}
		if w.Run != id && other.Blocks(r, now) {
			return other.Expires
		}
	}
	w.Run, w.Until = id, until
	if r.Expires.After(until) {
		w.Until = r.Expires
	}
	return time.Time{}
}

// Object notes an objection. It ends each run of the subject that rests, or that rested and could still be completed.
func (w *Watch) Object(now time.Time) { w.Run, w.Until, w.Objected = "", time.Time{}, now }

// Keep returns until when the watch is kept.
func (w *Watch) Keep() time.Time {
	return slices.MaxFunc([]time.Time{w.Until, w.Objected.Add(ObjectionTime)}, time.Time.Compare)
}

// Blocks reports whether a run that the watch names keeps a later one of its subject from resting: it may still be completed,
// and no other act has ended it. Each such act changes an epoch, of which the later run knows. A rest that is over blocks, too:
// the contacts would have two runs to object to. So does one that the run is about to write.
func (r *Record) Blocks(later *Record, now time.Time) bool {
	thing := r.Thing()
	return r.Check(now) == nil && r.Epoch.Of(thing) >= later.Epoch.Of(thing) && r.Book.Of(thing) >= later.Book.Of(thing)
}
