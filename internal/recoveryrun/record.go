// Package recoveryrun decides what becomes of a recovery under way: a record and its transitions, without I/O. Package
// recovery stores it, sends what it asks for, and compares tokens and answers.
package recoveryrun

import (
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/knowledge"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/recovery/plan"
)

// The states of a run.
const (
	Open       = "open"
	Finished   = "finished"
	Cancelled  = "cancelled"  // by its owner, an old contact or staff
	Repudiated = "repudiated" // "it was not me", after it was finished
)

// A Record is a recovery under way: one sealed record under an id that nobody can guess. All that its steps decide is decided
// by one conditional write of it; what it comes to, by one of the credential.
type Record struct {
	Subject civicpin.Subject `json:"subject" export:"subject"`
	Plan    string           `json:"plan" export:"yes"`
	Digest  []byte           `json:"digest"` // of the plan, see plan.Plan.Digest
	State   string           `json:"state" export:"yes"`
	Ticket  []byte           `json:"ticket,omitempty"` // hash; nobody has one of a run that staff began
	Tickets int              `json:"tickets"`          // how many there were: a link that is used gives a new one
	// Known says that there was a subject whom this run could help when it began: see [Record.Leads]. All other runs go through
	// the same steps, and to nothing.
	Known   bool           `json:"known"`
	Epoch   waits.Epochs   `json:"epoch"`
	Book    waits.Epochs   `json:"book"` // epochs of the contacts
	By      civicpin.Actor `json:"by" export:"yes"`
	Source  string         `json:"source,omitempty" export:"yes"`
	Started time.Time      `json:"started" export:"yes"`
	Expires time.Time      `json:"expires" export:"yes"`

	For  time.Duration `json:"for"`  // how long it was to last when it began
	Step int           `json:"step"` // the next one; len(Plan.Steps) when all are done
	// Rests is until when the run waits, if it does: its next step is then not asked for.
	Rests time.Time `json:"rests,omitzero"`
	// Waits are its rests so far, and Read the contacts whose messages the visitor has shown to have read.
	Waits []Rest           `json:"waits,omitempty"`
	Read  []letter.Contact `json:"read,omitempty"`

	Asked   []string         `json:"asked,omitempty"` // the questions: each step asks the first so many
	Images  []string         `json:"images,omitempty"`
	Shown   string           `json:"shown,omitempty"` // the contact that is to be confirmed, masked
	Named   []letter.Contact `json:"named,omitempty"` // contacts that the visitor named, all proved
	Correct *letter.Unproved `json:"correct,omitempty"`
	// Adopt says that a message to Correct was read, which makes it the subject's contact once the run is completed.
	Adopt bool `json:"adopt,omitempty"`
	// Links are the outstanding tokens of the step, oldest first.
	Links     []token.Link         `json:"links,omitempty"`
	Sends     int                  `json:"sends,omitempty"`
	Tries     int                  `json:"tries,omitempty"` // codes that were typed at the step
	Documents []Document           `json:"documents,omitempty" export:"yes"`
	Approved  []Approval           `json:"approved,omitempty" export:"yes"` // of all steps
	Enrolled  *knowledge.Knowledge `json:"enrolled,omitempty"`
	Terms     string               `json:"terms,omitempty"`
	// Finished is when the run was completed, if it was, and Unlocked whether that lifted a lock, with no grant.
	Finished time.Time `json:"finished,omitzero" export:"yes"`
	Unlocked bool      `json:"unlocked,omitempty" export:"yes"`
	// Unsettled says that the run was completed, and that its contact is not the subject's yet: nothing is told of that.
	Unsettled bool `json:"unsettled,omitempty"`

	Repudiations []Repudiation `json:"repudiate,omitempty"` // tokens that say "it was not me"
	Change       string        `json:"change,omitempty"`    // the change of contacts that the run brought about
	Mail         []letter.Mail `json:"mail,omitempty"`

	// Fill says nothing; see [Record.Pad].
	Fill string `json:"fill"`
}

// AskedFirst returns the questions of a step that asks n.
func (r *Record) AskedFirst(n int) []string { return r.Asked[:min(n, len(r.Asked))] }

// Check returns why a run does not go on, nil if it does.
func (r *Record) Check(now time.Time) error {
	switch {
	case r.State != Open:
		return token.ErrGone
	case !now.Before(r.Expires):
		return token.ErrExpired
	}
	return nil
}

// Act lets act change a run that goes on and is still at a step.
func (r *Record) Act(step int, now time.Time, act func(*Record, time.Time) error) error {
	if err := r.Check(now); err != nil {
		return err
	}
	if r.Step != step {
		return ErrWrongStep
	}
	return act(r, now)
}

// Until returns a time, or the end of the run if that comes first: a message that promised more would be wrong.
func (r *Record) Until(t time.Time) time.Time {
	if t.After(r.Expires) {
		return r.Expires
	}
	return t
}

// Holds reports whether a ticket is the run's.
func (r *Record) Holds(t token.Token) bool {
	return len(r.Ticket) > 0 && t.N == r.Tickets&0xff && t.Fits(r.Ticket)
}

// Link returns which outstanding link a token is, -1 if none.
func (r *Record) Link(t token.Token) int {
	return slices.IndexFunc(r.Links, func(l token.Link) bool { return l.Is(t) })
}

// Proved notes that a message to an address was read: an address that the visitor gave is theirs, then.
func (r *Record) Proved(to letter.Contact) {
	r.Read = append(slices.Clip(r.Read), to)
	if r.Correct.Is(to) {
		r.Adopt = true
	}
}

// Close drops all that could still be used or sent. The tokens that repudiate the run stay.
func (r *Record) Close(state string) {
	r.State = state
	r.Links, r.Ticket, r.Enrolled, r.Correct, r.Rests = nil, nil, nil, nil, time.Time{}
	for i := range r.Mail {
		if !r.Mail[i].Notice() {
			r.Mail[i].Erase()
		}
	}
}

// Finish marks the run as completed at a time, and tells of that. change names the change of contacts that it brings, if any.
// What was enrolled and corrected stays in it, so that it can be kept after a crash.
func (r *Record) Finish(p *plan.Plan, change string, told Notices, now time.Time) {
	enrolled, correct := r.Enrolled, r.Correct
	r.Close(Finished)
	r.Enrolled, r.Correct = enrolled, correct
	if r.Adopt {
		r.Change = change
	}
	r.Step, r.Finished, r.Unlocked = len(p.Steps), now, p.Outcome == plan.Unlocked
	r.Unsettled = r.Adopt && !r.Unlocked // an unlock has happened by now, whatever becomes of the contact
	r.Tell(told)
}

// Settled notes whether the contact that a completed run brought was kept. If not, the run came to nothing, and none is told.
// It reports whether anything changed.
func (r *Record) Settled(kept bool) bool {
	was := r.Unsettled
	if was && !kept && r.State == Finished { // what was repudiated stays so
		r.Close(Cancelled)
	}
	r.Unsettled = false
	r.Pad()
	return was
}

// late is how long after its end a run is still recognised, so that the holder of its link can be told that it is late.
const late = 24 * time.Hour

// Keep returns until when a run's record is kept.
func (r *Record) Keep() time.Time {
	until := r.Expires.Add(late)
	for _, d := range r.Repudiations {
		if d.Expires.After(until) {
			until = d.Expires
		}
	}
	return until
}

// Mailed returns the mail of a name, nil if there is none.
func (r *Record) Mailed(name string) *letter.Mail {
	for i := range r.Mail {
		if r.Mail[i].Name == name {
			return &r.Mail[i]
		}
	}
	return nil
}

// Wants reports whether a mail is still to be sent.
func (r *Record) Wants(m *letter.Mail, now time.Time) bool {
	switch {
	case !m.Open(now):
		return false
	case m.Notice():
		return r.State == Open || r.State == Finished
	case m.Token == "" && m.Code == "" || r.Check(now) != nil:
		return false
	}
	return token.Outstanding(r.Links, m.Link)
}

// Settle notes what became of a mail at a time, and erases what a provider took over. It reports whether anything changed. What
// was taken over stays so; but no rest relies on a notice that failed later: it bounced.
func (r *Record) Settle(name string, failed bool, at time.Time) bool {
	m := r.Mailed(name)
	switch {
	case m == nil || m.State == letter.None || failed && m.State == letter.Failed:
		return false
	case m.State == letter.Sent:
		return failed && r.unhear(name)
	case failed:
		m.State = letter.Failed
		return true
	}
	m.State, m.Token, m.Code = letter.Sent, "", ""
	r.hear(name, at)
	return true
}
