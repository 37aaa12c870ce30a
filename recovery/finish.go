package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/proof"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
)

// gone turns what an act upon the credential, or another run, has ended into ErrGone, and leaves all other errors.
func gone(err error) error {
	if errors.Is(err, pin.ErrChanged) || errors.Is(err, pin.ErrState) || errors.Is(err, ErrStep) {
		return ErrGone
	}
	return err
}

// Finish completes a plan: with the token of a link, if that is the plan's last step, or else with the ticket of a run that is
// Done. Of any number of concurrent calls, over all runs of the subject, one completes, and ends every other recovery of the
// subject under way. The subject's contacts are told, with a link that says "it was not me".
//
// The grant is for [pin.Service.Set] or [pin.Service.Reissue]. It is zero for a plan that ends in an unlock, which is done then; whether
// there was a lock is not told. A credential that too many guesses have disabled is not unlocked: that takes a new secret.
//
// Five store calls for a grant, six for an unlock, and two more for each contact that is told.
//
// Errors: [ErrExpired] for a right link that is too late: begin again; [ErrGone]; [ErrStep] if something is still asked;
// [ErrWaiting]; [contact.ErrUnsuitable] or a *[lockout.LockedError] if there are too few contacts for the parts of a new secret, or too many
// contacts or changes of them for the corrected one to be kept; the latter also for an unlock if the credential is disabled; the
// store's. After one of the store's the run may have ended: begin again if trying once more says ErrGone.
func (s *Service) Finish(ctx context.Context, tok civicpin.Secret, source civicpin.Source) (pin.Grant, error) {
	t, err := token.Parse(tok)
	if err != nil {
		return pin.Grant{}, err
	}
	switch t.Kind {
	case token.Redeem:
		e, w, l, err := s.follow(ctx, t)
		if err != nil {
			return pin.Grant{}, err
		}
		if !w.last(e.Value.Step) {
			return pin.Grant{}, ErrStep
		}
		e.Value.proved(l.To)
		return s.complete(ctx, e, w, t.Selector, civicpin.Citizen, source)
	case token.Ticket:
		e, w, _, err := s.enter(ctx, tok)
		if err != nil {
			return pin.Grant{}, err
		}
		switch {
		case !e.Value.Rests.IsZero() && s.vault.Now().Before(e.Value.Rests):
			return pin.Grant{}, ErrWaiting
		case e.Value.Step < len(w.Steps):
			return pin.Grant{}, ErrStep
		}
		return s.complete(ctx, e, w, t.Selector, civicpin.Citizen, source)
	}
	return pin.Grant{}, ErrGone
}

// complete turns a run whose steps are all proved into what its plan comes to. What decides is one conditional write of the
// credential, which names the state that it was in when the run began. Before it, messages are announced; after it, what was
// enrolled and corrected is kept. Whoever loses the race, or dies in the middle, has got nothing: the grant is handed out when
// all is durable, and nobody else knows it.
func (s *Service) complete(ctx context.Context, e store.Entry[run], w *way, id string, by civicpin.Actor, source civicpin.Source) (pin.Grant, error) {
	r := e.Value
	if !r.Known {
		return pin.Grant{}, ErrGone
	}
	b, err := s.config.Contacts.Snapshot(ctx, r.Subject)
	if err != nil {
		return pin.Grant{}, err
	}
	if b.Epoch() != r.Book { // a contact went, and a link may have been on its way there
		return pin.Grant{}, ErrGone
	}
	p := r.completed(id, by, source)
	p.Begin, p.Valid, p.Unlock = w.Begin, w.Grant, w.Outcome == plan.Unlocked
	if w.Outcome == plan.ReissueInParts {
		if p.Parts, err = s.parts(&r, b, w); err != nil {
			return pin.Grant{}, err
		}
	}
	kind := doneMail
	if w.Outcome == plan.Unlocked {
		kind = unlockedMail
	}
	told := s.notices(&r, b, id, kind, s.vault.Now().Add(w.Repudiate))
	if r.Adopt && r.Correct != nil {
		if err := b.CanCorrect(letter.Contact(*r.Correct).Contact()); err != nil { // before the grant, which would be lost
			return pin.Grant{}, err
		}
	}
	refs := s.refs(r.Subject, id, told.mails)
	if err := s.out.Add(ctx, refs...); err != nil {
		return pin.Grant{}, err
	}

	grant, err := s.config.Pins.Complete(ctx, p)
	if err != nil {
		return pin.Grant{}, gone(err)
	}

	change := "" // of the contacts
	if r.Adopt {
		change = token.NewID()
	}
	e, err = s.change(ctx, e, r.Step, func(r *run, _ time.Time) error {
		enrolled, correct := r.Enrolled, r.Correct
		r.close(runFinished)
		r.Enrolled, r.Correct, r.Change = enrolled, correct, change
		r.Step = len(w.Steps)
		r.tell(told)
		return nil
	})
	if err != nil {
		return pin.Grant{}, gone(err)
	}
	if err := s.out.Commit(ctx, refs...); err != nil {
		return pin.Grant{}, err
	}
	if err := s.keepEnrolled(ctx, r.Subject, e.Value.Enrolled, source); err != nil {
		return pin.Grant{}, err
	}
	if correct := e.Value.Correct; change != "" && correct != nil {
		p.Change, p.Corrected, p.Undo = change, letter.Contact(*correct).Contact(), s.vault.Now().Add(w.Repudiate)
		if err := s.config.Contacts.Recovered(ctx, p); err != nil {
			return pin.Grant{}, err
		}
	}
	s.record(ctx, eventFinished, id, &e.Value, by, source, string(w.Outcome))
	return grant, nil
}

// completed says that a run was completed. It is the only place that makes such a proof.
func (r *run) completed(id string, by civicpin.Actor, source civicpin.Source) proof.Completed {
	return proof.New(proof.Completed{Subject: r.Subject, Plan: r.Plan, Run: id, Epoch: r.Epoch, By: by, Source: source})
}

// parts are the contacts that the parts of a new secret go to: those that were named, in the order of the plan's channels, and
// then others that the subject has proved.
func (s *Service) parts(r *run, b *contact.Snapshot, w *way) ([]civicpin.Contact, error) {
	policy := s.config.Pins.Policy()
	var order []civicpin.Channel
	for _, step := range w.Steps {
		if c, ok := step.(plan.Contacts); ok {
			order = append(order, c.Of...)
		}
	}
	var from []civicpin.Contact
	for _, c := range r.Named {
		from = append(from, c.Contact())
	}
	slices.SortStableFunc(from, func(a, b civicpin.Contact) int {
		return rank(order, a.Channel) - rank(order, b.Channel)
	})
	from = append(from, b.Usable()...)
	var parts []civicpin.Contact
	for _, c := range from {
		taken := slices.ContainsFunc(parts, func(p civicpin.Contact) bool { return p.Channel == c.Channel || p.SameAddress(c) })
		if len(parts) < policy.Parts && !taken && policy.Valid[c.Channel] > 0 && !c.Channel.Printed() {
			parts = append(parts, c)
		}
	}
	if len(parts) < policy.Parts {
		return nil, fmt.Errorf("%w: %d of %d parts have a contact", contact.ErrUnsuitable, len(parts), policy.Parts)
	}
	return parts, nil
}

// rank is where a channel stands in a list, at its end if it does not.
func rank(order []civicpin.Channel, c civicpin.Channel) int {
	if i := slices.Index(order, c); i >= 0 {
		return i
	}
	return len(order)
}
