package pin

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
)

// Exchange replaces the issued secret, which the attempt shows, by the subject's own, and logs the subject in: it returns what
// [Service.Verify] returns. From then on only the chosen secret is right, and the texts of the parts are gone.
//
// The same exchange may come again, from a double click or after an error: for 10 minutes, an attempt with the issued secret
// and the choice that replaced it succeeds too. It changes nothing, and the sessions of both go on. Of two exchanges at one
// moment with different choices, one wins.
//
// Errors are those of [Service.Verify], and:
//   - a [*ChoiceError]: the choice breaks the rule that the error names. If it breaks the rule for every subject, or is a piece
//     of the subject's id, no try was spent. All other data of the subject is looked at after the proof.
//   - [ErrUnchecked]: Chosen.Breached failed, and no try was spent.
//   - [ErrWrongState]: the attempt shows a secret that was chosen already. The text says so.
//   - [ErrChanged]: another request replaced the secret at the same moment, by another choice. This counts as a wrong guess,
//     since the choice was compared with that other one.
//   - the store's: the exchange may have happened. Call it again with the same choice.
func (s *Service) Exchange(ctx context.Context, a Attempt, chosen civicpin.Secret) (Verified, error) {
	return s.choose(ctx, a, chosen, state.Provisional, eventExchanged)
}

// Change replaces the subject's own secret, which the attempt shows, by another one, and returns what [Service.Verify] returns.
// It also works when the current secret has expired for its age, but not for disuse. The same change may come again, as with
// [Service.Exchange]. Errors are those of Exchange, with [ErrWrongState] if the attempt shows an issued secret.
func (s *Service) Change(ctx context.Context, a Attempt, chosen civicpin.Secret) (Verified, error) {
	return s.choose(ctx, a, chosen, state.Active, eventChanged)
}

// choose is Exchange and Change: prove the current secret, which has to be in the given state, and set another.
func (s *Service) choose(ctx context.Context, a Attempt, chosen civicpin.Secret, in state.Credential, code civicpin.EventCode) (
	Verified, error,
) {
	w, err := s.wished(a.Subject, chosen, a.Personal) // before a try is spent
	if err != nil {
		return Verified{}, err
	}
	ctx, at, err := s.guard.Enter(ctx)
	if err != nil {
		return Verified{}, err
	}
	defer at.Leave()
	if err := s.unbreached(ctx, w.text); err != nil { // before a try is spent, but of no more visitors than there are places
		return Verified{}, err
	}
	m, err := s.prove(ctx, at, a, s.repeats(a, in, w.text))
	if err != nil {
		return Verified{}, err
	}
	if m.again {
		return s.chosenAgain(ctx, a, m), nil
	}
	c := &m.entry.Value
	if c.State != in {
		return Verified{}, c.wrongState()
	}
	ok, err := s.replace(ctx, a, m, w, code)
	if errors.Is(err, ErrChanged) {
		return s.overtaken(ctx, at, a, in, w.text)
	}
	if late, is := errors.AsType[*ExpiredError](err); is {
		s.record(ctx, a, eventExpired, c, string(late.Since))
	}
	return ok, err
}

// replace makes a choice the citizen's own secret in place of the one that was proved.
func (s *Service) replace(ctx context.Context, a Attempt, m match, w wish, code civicpin.EventCode) (Verified, error) {
	c := &m.entry.Value
	if err := c.late(&s.policy, s.vault.Now()); err != nil {
		return Verified{}, err
	}
	still, err := s.provedStill(ctx, a.Subject, c)
	if err == nil && !still {
		err = &ExpiredError{Since: state.SinceIssue}
	}
	if err != nil {
		return Verified{}, err
	}
	if err := s.fits(ctx, c, w, a.Secret.Reveal()); err != nil {
		return Verified{}, err
	}
	proven, in := c.Hash, c.State
	hash, err := s.hash(ctx, w.text)
	if err != nil {
		return Verified{}, err
	}
	both, err := s.hash(ctx, s.pair(in, a.Secret.Reveal(), w.text))
	if err != nil {
		return Verified{}, err
	}
	var now time.Time
	e, err := s.creds.UpdateFrom(ctx, m.entry, func(e *store.Entry[credential]) error {
		// The record may have changed since the proof, as when a part's delivery is noted; the secret may not.
		if !e.Found() || e.Value.Hash != proven || e.Value.Suspended {
			return ErrChanged
		}
		// The hashes took their time. What was issued may have been withdrawn since, as by a recovery, whose grant must stay.
		now = s.vault.Now()
		if err := e.Value.late(&s.policy, now); err != nil {
			return err
		}
		e.Value.choose(&s.policy, hash, now, again{Hash: both})
		e.ExpiresAt = e.Value.keep()
		return nil
	})
	if err != nil {
		return Verified{}, err
	}
	s.record(ctx, a, code, &e.Value, "")
	return s.verified(a, m, &e.Value, now), nil
}

// choose makes hash the citizen's own secret.
func (c *credential) choose(p *Policy, hash string, now time.Time, with again) {
	act := waits.Change
	if c.State == state.Provisional && with.Grant == nil {
		act = waits.Exchange
	}
	c.Acts = c.Acts.Did(act, now)
	c.History = c.former(p)
	c.erase()
	// Settled here, and not before: a re-issue that never arrives takes nothing from the subject.
	c.grade(c.left(), now)
	c.Kept = civicpin.NoLevel
	c.State, c.Hash, c.Norm = state.Active, hash, p.Chosen.normaliser()
	c.Expires, c.For = time.Time{}, 0
	c.Withdrawn, c.Grant, c.Again, c.Fraud = false, nil, &with, false
	c.Changed, c.Used = now, now
	c.endSessions()
}
