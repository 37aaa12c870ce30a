package recovery

import (
	"context"
	"crypto/subtle"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
)

// An Inspection says what a link is for.
type Inspection struct {
	// What is "prove" (it proves that a message was read: Redeem or Finish), "disown" ("it was not me": Repudiate), "contact" (it
	// proves a new contact: contact.Service.Prove) or "undo" (it undoes a change of contacts: Disown).
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
func (s *Service) Inspect(ctx context.Context, tok civicpin.Secret) (Inspection, error) {
	t, err := token.Parse(tok)
	if err != nil {
		return Inspection{}, err
	}
	switch t.Kind {
	case token.Redeem:
		e, w, l, err := s.follow(ctx, t)
		if err != nil {
			return Inspection{}, err
		}
		// Another recovery, or the citizen's own change, may have ended this one.
		mark, err := s.config.Pins.Mark(ctx, e.Value.Subject)
		if err != nil {
			return Inspection{}, err
		}
		if mark.Epoch != e.Value.Epoch {
			return Inspection{}, ErrGone
		}
		return Inspection{
			What: "prove", Plan: w.Name, Last: w.last(e.Value.Step), Sent: l.To.Contact().Masked(), Expires: l.Expires,
		}, nil
	case token.Disown:
		e, d, err := s.disowned(ctx, t)
		if err != nil {
			return Inspection{}, err
		}
		return Inspection{What: "disown", Plan: e.Value.Plan, Expires: d.Expires}, nil
	case token.Contact, token.Undo:
		look, err := s.config.Contacts.Inspect(ctx, tok)
		return Inspection{What: look.What, Sent: look.Sent, Expires: look.Expires}, err
	}
	return Inspection{}, ErrGone
}

// last reports whether the step is the plan's last one.
func (w *way) last(step int) bool {
	_, behind := w.resting(step + 1)
	return behind >= len(w.Steps) && behind == step+1
}

// follow reads the run that a link leads to, and the link. Only who has the whole link is told that it is late.
func (s *Service) follow(ctx context.Context, t token.Token) (store.Entry[run], *way, token.Link, error) {
	e, w, err := s.load(ctx, t.Selector)
	if err != nil {
		return e, nil, token.Link{}, err
	}
	i := e.Value.link(t)
	if i < 0 || !e.Value.Known || !w.links(e.Value.Step) {
		return e, nil, token.Link{}, ErrGone
	}
	now := s.vault.Now()
	if err := e.Value.open(now); err != nil {
		return e, nil, token.Link{}, err
	}
	l := e.Value.Links[i]
	if !now.Before(l.Expires) {
		return e, nil, token.Link{}, ErrExpired
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
func (r *run) link(t token.Token) int {
	found := -1
	for i := range r.Links {
		if r.Links[i].Is(t) {
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
func (s *Service) Redeem(ctx context.Context, tok civicpin.Secret, source civicpin.Source) (Run, error) {
	t, err := token.Parse(tok)
	if err != nil || t.Kind != token.Redeem {
		return Run{}, ErrGone
	}
	e, w, _, err := s.follow(ctx, t)
	if err != nil {
		return Run{}, err
	}
	ticket := token.New(token.Ticket, t.Selector, e.Value.Tickets+1)
	step := e.Value.Step
	e, err = s.advance(ctx, e, w, t.Selector, step+1, func(r *run, now time.Time) error {
		i := r.link(t)
		if i < 0 {
			return ErrGone
		}
		if !now.Before(r.Links[i].Expires) {
			return ErrExpired
		}
		r.proved(r.Links[i].To)
		r.Tickets++
		r.Ticket = ticket.Hash()
		return nil
	})
	if err != nil {
		return Run{}, gone(err)
	}
	s.record(ctx, eventStep, t.Selector, &e.Value, civicpin.Citizen, source, w.named(step))
	e, err = s.arrive(ctx, e, w, source)
	v := s.view(t.Selector, &e.Value)
	v.Ticket = ticket.Text()
	return v, err
}

// proved notes that a message to an address was read: an address that the visitor gave is theirs, then.
func (r *run) proved(to letter.Contact) {
	if r.Correct.Is(to) {
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
			if !token.Outstanding(r.Links, used.N) {
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
