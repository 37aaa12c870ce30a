package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
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
	Digest  []byte           `json:"digest"` // of the plan, see Plan.digest
	State   string           `json:"state" export:"yes"`
	Ticket  []byte           `json:"ticket,omitempty"` // hash; nobody has one of a run that staff began
	Tickets int              `json:"tickets"`          // how many there were: a link that is used gives a new one
	// Known says that there is somebody whom this run can help. All other runs go through the same steps, and to nothing.
	Known   bool           `json:"known"`
	Epoch   uint64         `json:"epoch"`
	Book    uint64         `json:"book"` // epoch of the contacts
	By      civicpin.Actor `json:"by" export:"yes"`
	Source  string         `json:"source,omitempty" export:"yes"`
	Started time.Time      `json:"started" export:"yes"`
	Expires time.Time      `json:"expires" export:"yes"`

	Step int `json:"step"` // the next one; len(Plan.Steps) when all are done
	// Rests is until when the run waits, if it does: its next step is then not asked for.
	Rests time.Time `json:"rests,omitzero"`

	Asked   []string        `json:"asked,omitempty"` // the questions: each step asks the first so many
	Images  []string        `json:"images,omitempty"`
	Shown   string          `json:"shown,omitempty"` // the contact that is to be confirmed, masked
	Named   []contact       `json:"named,omitempty"` // contacts that the visitor named, all proved
	Correct *pendingContact `json:"correct,omitempty"`
	// Adopt says that a message to Correct was read, which makes it the subject's contact once the run is completed.
	Adopt bool `json:"adopt,omitempty"`
	// Links are the outstanding tokens of the step, oldest first.
	Links     []link     `json:"links,omitempty"`
	Sends     int        `json:"sends,omitempty"`
	Documents []document `json:"documents,omitempty" export:"yes"`
	Approved  []approval `json:"approved,omitempty"` // of the step
	Enrolled  *knowledge `json:"enrolled,omitempty"`
	Terms     string     `json:"terms,omitempty"`

	Disown []disown `json:"disown,omitempty"` // tokens that say "it was not me"
	Change string   `json:"change,omitempty"` // the change of contacts that the run brought about
	Mail   []mail   `json:"mail,omitempty"`

	// Fill says nothing; see fill.
	Fill string `json:"fill"`
}

// contact is a civicpin.Contact as it is stored.
type contact struct {
	Channel civicpin.Channel `json:"channel" export:"yes"`
	Address string           `json:"address" export:"yes"`
	Locale  string           `json:"locale,omitempty" export:"yes"`
}

func stored(c civicpin.Contact) contact {
	return contact{Channel: c.Channel, Address: c.Address, Locale: c.Locale}
}

func (c contact) contact() civicpin.Contact {
	return civicpin.Contact{Channel: c.Channel, Address: c.Address, Locale: c.Locale}
}

// A pendingContact is an address that a visitor gave and nobody has proved. It is no contact: nothing takes one where a
// contact is wanted, and only [Service.adopt], after a token that was sent there came back, makes one of it.
type pendingContact struct {
	Channel civicpin.Channel `json:"channel" export:"yes"`
	Address string           `json:"address" export:"yes"`
	Locale  string           `json:"locale,omitempty" export:"yes"`
}

// link is an outstanding token, with the typed code that is its other face.
type link struct {
	N    int    `json:"n"`
	Hash []byte `json:"hash,omitempty"` // of the token; empty for a code without a link
	Tag  []byte `json:"tag,omitempty"`  // keyed hash of the code; empty for a link without a code
	// To is where it was sent, so that it proves that address and no other.
	To      contact   `json:"to"`
	Expires time.Time `json:"expires"`
}

type disown struct {
	N       int       `json:"n"`
	Hash    []byte    `json:"hash"`
	To      string    `json:"to"` // id of the contact that it was sent to
	Expires time.Time `json:"expires"`
}

type document struct {
	Kind string `json:"kind" export:"yes"`
	Ref  string `json:"ref" export:"yes"`
	Type string `json:"type" export:"yes"`
	Size int64  `json:"size" export:"yes"`
}

type approval struct {
	By civicpin.Actor `json:"by"`
	At time.Time      `json:"at"`
}

// asked returns the questions of a step that asks n.
func (r *run) asked(n int) []string { return r.Asked[:min(n, len(r.Asked))] }

// group returns the index behind the steps that are asked together with step i.
func (w *way) group(i int) int {
	end := i + 1
	if guessed(w.Steps[i]) {
		for end < len(w.Steps) && guessed(w.Steps[end]) {
			end++
		}
	}
	return end
}

// load reads a run by its id. What is not there, has ended, or was begun under a plan that is another now is ErrGone.
func (s *Service) load(ctx context.Context, id string) (store.Entry[run], *way, error) {
	if !validID(id) {
		return store.Entry[run]{}, nil, ErrGone
	}
	e, err := s.runs.Get(ctx, store.Key{ID: id})
	if errors.Is(err, store.ErrNotFound) {
		return e, nil, ErrGone
	}
	if err != nil {
		return e, nil, err
	}
	w := s.plans[e.Value.Plan]
	if w == nil || !slices.Equal(w.digest, e.Value.Digest) {
		return e, nil, ErrGone
	}
	if e.Value.Step < 0 || e.Value.Step > len(w.Steps) { // whoever wrote this, it says nothing about what was proved
		return e, nil, fmt.Errorf("recovery: %w: a run at step %d of %d", store.ErrUnreadable, e.Value.Step, len(w.Steps))
	}
	return e, w, nil
}

// open returns why nobody can go on with a run, nil if somebody can.
func (r *run) open(now time.Time) error {
	switch {
	case r.State != runOpen:
		return ErrGone
	case !now.Before(r.Expires):
		return ErrExpired
	}
	return nil
}

// enter reads the run that a ticket opens.
func (s *Service) enter(ctx context.Context, ticket civicpin.Secret) (store.Entry[run], *way, token, error) {
	t, err := parseToken(ticket)
	if err != nil || t.kind != ticketToken {
		return store.Entry[run]{}, nil, t, ErrGone
	}
	e, w, err := s.load(ctx, t.selector)
	if err != nil {
		return e, nil, t, err
	}
	if !e.Value.holds(t) {
		return e, nil, t, ErrGone
	}
	return e, w, t, e.Value.open(s.vault.Now())
}

// holds reports whether a ticket is the run's.
func (r *run) holds(t token) bool {
	return len(r.Ticket) > 0 && t.n == r.Tickets&0xff && t.fits(r.Ticket)
}

// change lets act change an open run, if it is still at a step, and has the run kept for as long as it says something.
func (s *Service) change(ctx context.Context, e store.Entry[run], step int, act func(*run, time.Time) error) (store.Entry[run], error) {
	return s.runs.UpdateFrom(ctx, e, func(e *store.Entry[run]) error {
		now := s.vault.Now()
		if !e.Found() {
			return ErrGone
		}
		if err := e.Value.open(now); err != nil {
			return err
		}
		if e.Value.Step != step {
			return ErrStep
		}
		if err := act(&e.Value, now); err != nil {
			return err
		}
		e.Value.fill()
		e.Expires = e.Value.keep()
		return nil
	})
}

// late is how long after its end a run is still recognised, so that who holds its link can be told that it is late.
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
