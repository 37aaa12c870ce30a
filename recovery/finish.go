package recovery

import (
	"cmp"
	"context"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/proof"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
)

// Finish completes a plan: by the token of the last step's link, or by the ticket of a run that is Done. Of concurrent calls
// for a subject, one gets a grant, and ends the subject's other recoveries; an unlock ends none. The contacts are told, with a
// link that repudiates it.
//
// The grant is for [pin.Service.Set] or [pin.Service.Reissue]. It is zero for a plan that ends in an unlock, which is done
// then; whether there was a lock is not told. A disabled credential stays so: that takes a new secret. Errors:
//   - [ErrExpired]: the link is right, and too late. Begin again.
//   - [ErrGone]: the link is unknown or was used, or the recovery has ended: by an objection, or by a later one that rests.
//   - [ErrWrongStep]: something is still asked. [ErrWaiting]: the run rests.
//   - [contact.ErrUnsuitable], a *[lockout.LockedError]: there are too few contacts for the parts of a new secret, or too
//     many contacts or changes for the corrected one to be kept. The latter also for an unlock of a disabled credential.
//   - the store's: the run may have ended. Begin again if trying once more says ErrGone.
func (s *Service) Finish(ctx context.Context, tok civicpin.Secret, source civicpin.Source) (pin.Grant, error) {
	t, _ := token.Parse(tok) // of no kind if that is no token
	switch t.Kind {
	case token.Redeem:
		v, l, err := s.follow(ctx, t, source)
		if err != nil {
			return pin.Grant{}, err
		}
		if !v.way.Last(v.run().Step) {
			return pin.Grant{}, ErrWrongStep
		}
		as := v.run().Thing() // until now
		v.run().Proved(l.To)
		return v.complete(ctx, as)
	case token.Ticket:
		v, err := s.enter(ctx, tok, source)
		if err != nil {
			return pin.Grant{}, err
		}
		switch {
		case !v.run().Rests.IsZero() && s.vault.Now().Before(v.run().Rests):
			return pin.Grant{}, ErrWaiting
		case v.run().Step < len(v.way.Steps):
			return pin.Grant{}, ErrWrongStep
		}
		return v.complete(ctx, v.run().Thing())
	}
	return pin.Grant{}, ErrGone
}

// complete turns a run whose steps are all proved into what its plan comes to, unless an act ended the thing that it was. A
// call that loses the race, or dies in the middle, has got nothing: it hands the grant out when all is durable.
func (v *visit) complete(ctx context.Context, as waits.Thing) (pin.Grant, error) {
	p, told, err := v.prepared(ctx, as)
	if err != nil {
		return pin.Grant{}, err
	}
	// Also for a visitor who hangs up: or the contact would be theirs, and its former owner would not be told.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	var grant pin.Grant
	err = v.out.Announce(ctx, v.notices(told), func(ctx context.Context) (err error) {
		// What decides: one conditional write of the credential, which names the state that it was in when the run was started.
		if grant, err = v.config.Pins.Complete(ctx, p); err == nil {
			err = v.finished(ctx, told)
		}
		if err == nil {
			err = v.keepAll(ctx, p)
		}
		return recoveryrun.Gone(err)
	})
	if err != nil {
		return pin.Grant{}, err
	}
	v.record(ctx, recoveryrun.EventFinished, string(v.way.Outcome))
	return grant, nil
}

// prepared checks that all is there for the run to be completed, and says so, and whom that is told to.
func (v *visit) prepared(ctx context.Context, as waits.Thing) (p proof.Completed, told recoveryrun.Notices, err error) {
	r, w := v.run(), v.way
	if !r.Leads() {
		return p, told, ErrGone
	}
	if err = v.unopposed(ctx); err != nil {
		return p, told, err
	}
	contacts, err := v.config.Contacts.Snapshot(ctx, r.Subject)
	if err != nil {
		return p, told, err
	}
	if !r.Stands(as, contacts) {
		return p, told, ErrGone
	}
	p = v.completed()
	p.Creates, p.Valid, p.Unlock = w.Creates, w.Grant, w.Outcome == plan.Unlocked
	p.Thing, p.Epoch, p.Book, p.Since = as, r.Epoch.Of(as), new(contacts.Epoch()), new(contacts.Epoch())
	if p.Parts, err = r.Parts(&w.Plan, contacts, v.config.Pins.Policy()); err != nil {
		return p, told, err
	}
	p.Kept = r.Keeps(&w.Plan, contacts.Recipients(), p.Parts, v.config.Mail)
	if r.Adopt && r.Correct != nil {
		// Before the grant, which would be lost.
		if p.Book, err = contacts.Corrected(letter.Contact(*r.Correct).Contact()); err != nil {
			return p, told, err
		}
	}
	until := v.vault.Now().Add(w.Repudiate)
	return p, r.Notices(contacts.Recipients(), v.id(), w.end(), until, until, v.reach), nil
}

// finishTime bounds the completion of a run by a visitor who has hung up.
const finishTime = 15 * time.Second

// completed says that the run was completed. It is the only place that makes such a proof.
func (v *visit) completed() proof.Completed {
	return proof.New(proof.Completed{
		Subject: v.run().Subject, Plan: v.run().Plan, Run: v.id(), By: cmp.Or(v.by, civicpin.Citizen), Source: v.source,
	})
}

// finished marks the run as finished.
func (v *visit) finished(ctx context.Context, told recoveryrun.Notices) error {
	change := token.NewID() // if it changes the contacts
	return v.change(ctx, func(r *run, now time.Time) error {
		r.Finish(&v.way.Plan, change, told, now)
		return nil
	})
}

// keepAll keeps what the run corrected, of which nothing is told before, and enrolled.
func (v *visit) keepAll(ctx context.Context, p proof.Completed) (err error) {
	r := v.run()
	if r.Change != "" && r.Correct != nil {
		p.Change, p.Corrected, p.Undo = r.Change, letter.Contact(*r.Correct).Contact(), v.vault.Now().Add(v.way.Repudiate)
		if err = v.settle(ctx, v.entry, v.config.Contacts.Recovered(ctx, p)); err != nil {
			return err
		}
	}
	return v.keepEnrolled(ctx, r.Subject, r.Enrolled, v.source)
}

// settle notes in a completed run whether its contact was kept, by the error of keeping it. Where that does not say, the
// contacts do: the former owner of one that was kept must be told. Else it may still be, and [delivery.Confirm] asks again.
func (s *Service) settle(ctx context.Context, e store.Entry[run], kept error) error {
	if kept != nil {
		contacts, err := s.config.Contacts.Snapshot(ctx, e.Value.Subject)
		switch {
		case err != nil:
			return err
		case contacts.Keeps(e.Value.Change, letter.Contact(*e.Value.Correct).Contact()):
			kept = nil
		case !recoveryrun.Refused(kept):
			return kept
		}
	}
	_, err := s.runs.UpdateFrom(ctx, e, func(e *store.Entry[run]) error {
		if !e.Found() || !e.Value.Settled(kept == nil) {
			return store.ErrSkip
		}
		return nil
	})
	return cmp.Or(kept, err)
}
