package recovery

import (
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/knowledge"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
)

// The states of a run.
const (
	runOpen      = "open"
	runFinished  = "finished"
	runCancelled = "cancelled" // by its owner, an old contact or staff
	runDisowned  = "disowned"  // "it was not me", after it was finished
)

// run is a recovery under way: one sealed record under an id that nobody can guess. All that its steps decide is decided by one
// conditional write of it; what it comes to, by one of the credential.
type run struct {
	Subject civicpin.Subject `json:"subject" export:"subject"`
	Plan    string           `json:"plan" export:"yes"`
	Digest  []byte           `json:"digest"` // of the plan, see [plan.Plan.Digest]
	State   string           `json:"state" export:"yes"`
	Ticket  []byte           `json:"ticket,omitempty"` // hash; nobody has one of a run that staff began
	Tickets int              `json:"tickets"`          // how many there were: a link that is used gives a new one
	// Known says that there is somebody whom this run can help. All other runs go through the same steps, and to nothing.
	Known   bool           `json:"known"`
	Epoch   uint64         `json:"epoch,omitempty"`
	Book    uint64         `json:"book,omitempty"` // epoch of the contacts
	By      civicpin.Actor `json:"by" export:"yes"`
	Source  string         `json:"source,omitempty" export:"yes"`
	Started time.Time      `json:"started" export:"yes"`
	Expires time.Time      `json:"expires" export:"yes"`

	Step int `json:"step"` // the next one; len(Plan.Steps) when all are done
	// Rests is until when the run waits, if it does: its next step is then not asked for.
	Rests time.Time `json:"rests,omitzero"`

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
	Documents []document           `json:"documents,omitempty" export:"yes"`
	Approved  []approval           `json:"approved,omitempty"` // of the step
	Enrolled  *knowledge.Knowledge `json:"enrolled,omitempty"`
	Terms     string               `json:"terms,omitempty"`

	Disown []disown      `json:"disown,omitempty"` // tokens that say "it was not me"
	Change string        `json:"change,omitempty"` // the change of contacts that the run brought about
	Mail   []letter.Mail `json:"mail,omitempty"`
}

// disown is a token that repudiates the run.
type disown struct {
	N       int       `json:"n"`
	Hash    []byte    `json:"hash"`
	To      string    `json:"to"` // id of the contact that it was sent to
	Expires time.Time `json:"expires"`
}

// document is an upload, as its store described it.
type document struct {
	Kind string `json:"kind" export:"yes"`
	Ref  string `json:"ref" export:"yes"`
	Type string `json:"type" export:"yes"`
	Size int64  `json:"size" export:"yes"`
}

// approval is an operator's, of the step.
type approval struct {
	By civicpin.Actor `json:"by"`
	At time.Time      `json:"at"`
}

// asked returns the questions of a step that asks n.
func (r *run) asked(n int) []string { return r.Asked[:min(n, len(r.Asked))] }

// open returns why a run does not go on, nil if it does.
func (r *run) open(now time.Time) error {
	switch {
	case r.State != runOpen:
		return ErrGone
	case !now.Before(r.Expires):
		return ErrExpired
	}
	return nil
}

// holds reports whether a ticket is the run's.
func (r *run) holds(t token.Token) bool {
	return len(r.Ticket) > 0 && t.N == r.Tickets&0xff && t.Fits(r.Ticket)
}

// link returns which outstanding link a token is, -1 if none.
func (r *run) link(t token.Token) int {
	return slices.IndexFunc(r.Links, func(l token.Link) bool { return l.Is(t) })
}

// proved notes that a message to an address was read: an address that the visitor gave is theirs, then.
func (r *run) proved(to letter.Contact) {
	if r.Correct.Is(to) {
		r.Adopt = true
	}
}

// close drops all that could still be used or sent. The tokens that repudiate the run stay.
func (r *run) close(state string) {
	r.State = state
	r.Links, r.Ticket, r.Enrolled, r.Correct, r.Rests = nil, nil, nil, nil, time.Time{}
	for i := range r.Mail {
		if !r.Mail[i].Notice() {
			r.Mail[i].Erase()
		}
	}
}

// late is how long after its end a run is still recognised, so that the holder of its link can be told that it is late.
const late = day

// keep returns until when a run's record is kept.
func (r *run) keep() time.Time {
	until := r.Expires.Add(late)
	for _, d := range r.Disown {
		if d.Expires.After(until) {
			until = d.Expires
		}
	}
	return until
}

// notices are mails that tell of something, with the tokens that they carry.
type notices struct {
	mails  []letter.Mail
	tokens []disown
}

// notices returns what all contacts of the subject are told about a run, with tokens of their own that repudiate it, which are good
// until a time (NIST SP 800-63B-4 4.6: to all addresses, with how to repudiate).
//
// Their names, and the numbers of their tokens, depend on the step alone, and a run comes to each step once.
func (r *run) notices(to []contact.Recipient, id string, kind civicpin.MessageKind, until time.Time) notices {
	var n notices
	good := until
	if kind == waitingMail && r.Expires.After(until) { // it can be ended as long as it can be completed
		good = r.Expires
	}
	for _, c := range to {
		if c.Channel.Printed() {
			continue
		}
		m := letter.Mail{
			Name: fmt.Sprintf("n%d-%d", r.Step, len(n.mails)), Kind: kind, To: letter.Stored(c.Contact), Expires: until, State: letter.Pending,
		}
		// One that cools down may be a thief's: it is told, but cannot take the recovery from its owner.
		if c.Established {
			t := token.New(token.Disown, id, len(r.Disown)+len(n.tokens)+1)
			n.tokens = append(n.tokens, disown{N: t.N, Hash: t.Hash(), To: c.ID, Expires: good})
			m.Token = t.Text().Reveal()
		}
		n.mails = append(n.mails, m)
	}
	return n
}

// tell puts notices into a run, with the tokens that they carry.
func (r *run) tell(n notices) {
	r.Mail = slices.Concat(r.Mail, n.mails)
	r.Disown = slices.Concat(r.Disown, n.tokens)
}
