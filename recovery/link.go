package recovery

import (
	"context"
	"crypto/subtle"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
)

// A Look is what a link is for.
type Look struct {
	// What is "prove" (it proves that a message was read: Use or Finish), "disown" ("it was not me": Disown), "contact" (it
	// proves a new contact: ProveContact) or "undo" (it undoes a change of contacts: Disown).
	What string
	// Plan names the plan of a run; empty for contacts.
	Plan string
	// Last says that Finish completes the plan; otherwise Use leads to its next step.
	Last bool
	// Sent is where it was sent, masked.
	Sent    string
	Expires time.Time
}

// Look tells what a token is for, and changes nothing: any number of mail scanners may open a link, and whoever shows a page
// with a button calls it. Errors: [ErrGone]; [ErrExpired]; the store's.
func (s *Service) Look(ctx context.Context, tok civicpin.Secret) (Look, error) {
	t, err := parseToken(tok)
	if err != nil {
		return Look{}, err
	}
	switch t.kind {
	case linkToken:
		e, w, l, err := s.follow(ctx, t)
		if err != nil {
			return Look{}, err
		}
		// Another recovery, or the citizen's own change, may have ended this one.
		mark, err := s.config.Pins.Mark(ctx, e.Value.Subject)
		if err != nil {
			return Look{}, err
		}
		if mark.Epoch != e.Value.Epoch {
			return Look{}, ErrGone
		}
		return Look{
			What: "prove", Plan: w.Name, Last: w.last(e.Value.Step), Sent: l.To.contact().Masked(), Expires: l.Expires,
		}, nil
	case disownToken:
		e, d, err := s.disowned(ctx, t)
		if err != nil {
			return Look{}, err
		}
		return Look{What: "disown", Plan: e.Value.Plan, Expires: d.Expires}, nil
	case contactToken, undoToken:
		return s.lookContact(ctx, t)
	}
	return Look{}, ErrGone
}

// last reports whether the step is the plan's last one.
func (w *way) last(step int) bool {
	_, behind := w.resting(step + 1)
	return behind >= len(w.Steps) && behind == step+1
}

// follow reads the run that a link leads to, and the link. Only who has the whole link is told that it is late.
func (s *Service) follow(ctx context.Context, t token) (store.Entry[run], *way, link, error) {
	e, w, err := s.load(ctx, t.selector)
	if err != nil {
		return e, nil, link{}, err
	}
	i := e.Value.link(t)
	if i < 0 || !e.Value.Known || !w.links(e.Value.Step) {
		return e, nil, link{}, ErrGone
	}
	now := s.vault.Now()
	if err := e.Value.open(now); err != nil {
		return e, nil, link{}, err
	}
	l := e.Value.Links[i]
	if !now.Before(l.Expires) {
		return e, nil, link{}, ErrExpired
	}
	return e, w, l, nil
}

// links reports whether a step sends a link. At any other step a run has none outstanding.
func (w *way) links(step int) bool {
	if step >= len(w.Steps) {
		return false
	}
	_, ok := w.Steps[step].(plan.Link)
	return ok
}

// link returns which outstanding link a token is, -1 if none.
func (r *run) link(t token) int {
	found := -1
	for i := range r.Links {
		if r.Links[i].N == t.n && len(r.Links[i].Hash) > 0 && t.fits(r.Links[i].Hash) {
			found = i
		}
	}
	return found
}

// Use proves, with a link that was sent, that its message was read; it ends all links and codes of the step. From then on the
// run is in the hands of whoever used the link: Run.Ticket is a new one, and the old one leads nowhere, since whoever began
// the run may have been a stranger. For a link at the plan's last step, Finish does this and the rest.
//
// Call it for a POST behind a button, never for a GET. Errors: [ErrExpired] for a right link that is too late: begin again;
// [ErrGone]; otherwise as [Service.Answer].
func (s *Service) Use(ctx context.Context, tok civicpin.Secret, source civicpin.Source) (Run, error) {
	t, err := parseToken(tok)
	if err != nil || t.kind != linkToken {
		return Run{}, ErrGone
	}
	e, w, _, err := s.follow(ctx, t)
	if err != nil {
		return Run{}, err
	}
	ticket := newToken(ticketToken, t.selector, (e.Value.Tickets+1)&0xff)
	step := e.Value.Step
	e, err = s.advance(ctx, e, w, t.selector, step+1, func(r *run, now time.Time) error {
		i := r.link(t)
		if i < 0 {
			return ErrGone
		}
		if !now.Before(r.Links[i].Expires) {
			return ErrExpired
		}
		r.proved(r.Links[i].To)
		r.Tickets++
		r.Ticket = ticket.hash()
		return nil
	})
	if err != nil {
		return Run{}, gone(err)
	}
	s.record(ctx, eventStep, t.selector, &e.Value, civicpin.Citizen, source, w.named(step))
	e, err = s.arrive(ctx, e, w, source)
	v := s.view(t.selector, &e.Value)
	v.Ticket = ticket.text()
	return v, err
}

// proved notes that a message to an address was read: an address that the visitor gave is theirs, then.
func (r *run) proved(to contact) {
	if r.Correct != nil && r.Correct.Channel == to.Channel && r.Correct.Address == to.Address {
		r.Adopt = true
	}
}

// typed checks a code that was typed, with a count of its own.
func (s *Service) typed(ctx context.Context, e store.Entry[run], w *way, id string, a Answers) (store.Entry[run], error) {
	r := &e.Value
	why := ""
	key := lockout.Key{Subject: r.Subject, Lane: codeLane, Source: a.Source}
	err := w.gate.Do(ctx, key, func(ctx context.Context) (bool, error) {
		text, _ := code.Unambiguous.Normalise(a.Code.Reveal())
		i := s.code(r, id, text)
		switch {
		case !r.Known:
			why = "unknown"
			return false, lockout.ErrNoSubject
		case i < 0:
			why = "wrong"
			return false, nil
		case !s.vault.Now().Before(r.Links[i].Expires): // right, so no failure; but no success, which would reset the count
			return false, ErrExpired
		}
		used := r.Links[i]
		var err error
		e, err = s.advance(ctx, e, w, id, r.Step+1, func(r *run, _ time.Time) error {
			if !slices.ContainsFunc(r.Links, func(l link) bool { return l.N == used.N }) {
				return ErrGone
			}
			r.proved(used.To)
			return nil
		})
		return err == nil, err
	})
	if err != nil {
		s.record(ctx, eventRefused, id, r, civicpin.Citizen, a.Source, refusal(err, why))
	}
	return e, err
}

// code returns which outstanding message a typed code is of, -1 if of none. All are compared.
func (s *Service) code(r *run, id, text string) int {
	found := -1
	for i := range r.Links {
		l := &r.Links[i]
		tag := s.tag(r, id, l, text)
		if subtle.ConstantTimeCompare(tag, l.Tag) == 1 && text != "" {
			found = i
		}
	}
	return found
}
