package pin

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/quota"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// opened returns the credential that a grant opens, read from the store, or ErrNoGrant. A grant that opens nothing is recorded
// and counted against its source, alike for all subjects. One that chose the current secret just now opens nothing, and is not
// counted.
func (s *Service) opened(ctx context.Context, g Grant, parts bool, source civicpin.Source) (store.Entry[credential], error) {
	var none store.Entry[credential]
	if g.IsZero() {
		return none, ErrNoGrant
	}
	refund := func() {}
	if source.Address != "" {
		charge, err := s.forged.Take(ctx, quota.SourceKey(source.Address), 1)
		if full, ok := errors.AsType[*quota.FullError](err); ok {
			return none, &lockout.LockedError{Scope: lockout.ScopeSource, Until: full.Until}
		}
		if err != nil {
			return none, err
		}
		refund = func() { s.forged.Refund(ctx, charge) }
	}
	e, err := s.creds.GetOr(ctx, store.Key{Subject: g.subject}, s.sealed)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		refund()
		return e, err
	}
	now := s.vault.Now()
	switch {
	case e.Value.opens(ctx, g, parts, now):
		refund()
		rests, err := e.Value.Grant.rests(ctx, s, g.subject)
		if err == nil && !rests {
			err = ErrNoGrant
		}
		return e, err
	case e.Value.setBy(ctx, g, now):
		refund()
		return e, ErrNoGrant
	}
	s.vault.Record(ctx, civicpin.Event{Code: eventGrantRefused, Subject: g.subject, By: civicpin.Visitor, Source: source})
	return e, ErrNoGrant
}

// Set makes chosen the subject's own secret, under a grant of a plan that lets the subject choose, and returns what
// [Service.Verify] returns. The level is what the plan leaves of the lost one, Low where it created the credential; evidence
// stays as history. Set resets the failure count and lifts a disablement, since it binds a new secret after a recovery (NIST
// SP 800-63B-4 3.2.2, 4.2). It forgets known devices. personal is as Attempt.Personal, looked at only under a good grant.
//
// The same Set may come again: for 10 minutes, the used grant and the choice that it set succeed too, and change nothing.
//
// Errors:
//   - [ErrNoGrant]: the grant is not good, or was used for another choice.
//   - [civicpin.ErrInvalid]: the source is invalid.
//   - a [*ChoiceError], or [ErrUnchecked]: the choice breaks a rule, or Chosen.Breached failed. The grant is still good.
//   - a [*lockout.LockedError]: too many choices were former secrets, or, under a used grant, not the current one; or 60 grants
//     from the source's address were not good within an hour.
//   - [ErrBusy]: nothing was compared or written.
//   - [lockout.ErrTimeout]: the comparison took too long. Nothing was written.
//   - the store's: the secret may have been set. Call it again with the same choice.
func (s *Service) Set(ctx context.Context, g Grant, chosen civicpin.Secret, source civicpin.Source, personal ...string) (
	Verified, error,
) {
	if err := source.Validate(); err != nil {
		return Verified{}, err
	}
	w, err := s.wished(g.subject, chosen, personal)
	if err != nil {
		return Verified{}, err
	}
	ctx, at, err := s.reuse.Enter(ctx)
	if err != nil {
		return Verified{}, err
	}
	defer at.Leave()
	e, err := s.set(ctx, at, g, w, source)
	if errors.Is(err, ErrNoGrant) && e.Value.setBy(ctx, g, s.vault.Now()) {
		return s.setAgain(ctx, at, g, &e.Value, w)
	}
	if err != nil {
		return Verified{}, err
	}
	if err := s.recovered(ctx, g, &e.Value, source); err != nil {
		return Verified{}, err
	}
	return s.verified(Attempt{Subject: g.subject}, match{}, &e.Value, e.Value.Changed), nil
}

// set makes a choice the citizen's own secret under a grant. Also with an error it returns what it found.
func (s *Service) set(ctx context.Context, at attempt.Place, g Grant, w wish, source civicpin.Source) (
	store.Entry[credential], error,
) {
	e, err := s.opened(ctx, g, false, source)
	if err != nil {
		return e, err
	}
	if err := s.unbreached(ctx, w.text); err != nil { // under a good grant only
		return e, err
	}
	if err := s.fresher(ctx, at, g, &e.Value, w); err != nil {
		return e, err
	}
	// The grant is used from here on. A caller who could hang up now would learn that the choice is fresh, and keep the grant.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rebindTime)
	defer cancel()
	hash, err := s.hash(ctx, w.text)
	if err != nil {
		return e, err
	}
	return s.creds.UpdateFrom(ctx, e, func(e *store.Entry[credential]) error {
		now := s.vault.Now()
		if !e.Found() || !e.Value.opens(ctx, g, false, now) {
			return ErrNoGrant
		}
		if e.Value.empty() {
			e.Value.Level, e.Value.Evidence, e.Value.Issued = civicpin.Low, nil, now
		}
		e.Value.lose()
		e.Value.Run, e.Value.Kept = e.Value.Grant.Run, e.Value.Grant.Kept
		e.Value.choose(&s.policy, hash, now, again{Grant: g.hash()})
		e.ExpiresAt = e.Value.keep()
		return nil
	})
}

// fresher refuses a secret that the subject has or had, and one that is a piece of their data, as at a change. The holder of a
// grant must not find out a former secret by trying, so the trying goes through a gate. A piece of data is refused before
// anything is compared, and its try is given back: otherwise each would count as a fresh secret, and reset the gate.
func (s *Service) fresher(ctx context.Context, at attempt.Place, g Grant, c *credential, w wish) error {
	guess := attempt.Guess{Target: Attempt{Subject: g.subject}.key()}
	err := at.Do(ctx, &guess, func(ctx context.Context) (attempt.Finding, error) {
		if err := s.apart(c, w); err != nil {
			return attempt.Finding{}, err
		}
		fresh := func(ok bool) attempt.Finding { return attempt.Found(attempt.Told(ctx, ok), true, attempt.Wrong) }
		gone := c.gone()
		switch c.State {
		case state.Provisional:
			var issued strings.Builder
			for i := range c.Parts {
				issued.WriteString(c.Parts[i].Text)
			}
			if fromIssued(c, w, issued.String()) {
				return fresh(false), nil
			}
		case state.Active:
			gone = append(gone, former{c.Hash, c.Norm})
		}
		reused, err := s.among(ctx, gone, w)
		return fresh(err == nil && !reused.Right()), err
	})
	if errors.Is(err, ErrRefused) {
		return &ChoiceError{Rule: rule.History}
	}
	return err
}

// Reissue makes a new secret at random, under a grant of a plan that ends in one, and sends its parts to the contacts that the
// plan proved. It is as provisional as any issue. The level is settled at the exchange, as with Set. The current secret
// ends. Like [Service.Set], Reissue resets the failure count, lifts a disablement and forgets known devices.
//
// Errors:
//   - [ErrNoGrant]: the grant is not good.
//   - [civicpin.ErrInvalid]: the source is invalid.
//   - [ErrBusy]: too many hashes wait.
//   - a [*lockout.LockedError]: the send limits are reached, or 60 grants from the source's address were not good within an
//     hour.
//   - the store's: the secret may have been issued. Look for the messages, and recover again if there are none.
func (s *Service) Reissue(ctx context.Context, g Grant, source civicpin.Source) (Issue, error) {
	if err := source.Validate(); err != nil {
		return Issue{}, err
	}
	ctx, leave, err := attempt.Enter(ctx, s.hashing)
	if err != nil {
		return Issue{}, err
	}
	defer leave()
	e, err := s.opened(ctx, g, true, source)
	if err != nil {
		return Issue{}, err
	}
	o := IssueOptions{Level: max(e.Value.Level, civicpin.Low), By: civicpin.Citizen, Source: source}
	for i := range e.Value.Grant.Parts {
		o.Parts = append(o.Parts, e.Value.Grant.Parts[i].contact())
	}
	o.Source.Shown = shown.New(s.vault, g.subject, shown.Value{Kind: shown.Run})
	fresh, whole := s.fresh(o, outbox.Shown) // the plan proved the addresses
	err = s.out.Announce(ctx, s.request(g.subject, &fresh, o), func(ctx context.Context) error {
		if fresh.Hash, err = s.hash(ctx, whole); err != nil {
			return err
		}
		_, err := s.creds.UpdateFrom(ctx, e, func(e *store.Entry[credential]) error {
			if !e.Found() || !e.Value.opens(ctx, g, true, s.vault.Now()) {
				return ErrNoGrant
			}
			c := &e.Value
			if !c.empty() {
				fresh.Level, fresh.Graded, fresh.Evidence, fresh.Lowered = c.Level, c.Graded, c.Evidence, c.Lowered
				fresh.Changed, fresh.Used = c.Changed, c.Used // that they had a secret of their own: see replaceable and keep
			}
			c.lose()
			fresh.inherit(c, &s.policy, c.Acts.Did(waits.Change, s.vault.Now()))
			fresh.Run, fresh.Kept = c.Grant.Run, c.Grant.Kept
			e.Value, e.ExpiresAt = fresh, fresh.keep()
			return nil
		})
		return err
	})
	if err != nil {
		return Issue{}, err
	}
	return fresh.issue(), s.recovered(ctx, g, &fresh, source)
}

// recovered does what follows a use of a grant: the new secret starts with clean counts, and nothing that opened a way for the
// lost one does.
func (s *Service) recovered(ctx context.Context, g Grant, c *credential, source civicpin.Source) error {
	s.vault.Record(ctx, civicpin.Event{
		Code: eventRecovered, Subject: g.subject, By: civicpin.Citizen, Source: source, Ref: c.Issue, Level: c.left(),
	})
	return s.rebind(ctx, g)
}

// rebind has the secret that a grant set start with clean counts, and without known devices.
func (s *Service) rebind(ctx context.Context, g Grant) error {
	// Also for a caller who has hung up: or what opened a way for the lost secret would go on to.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rebindTime)
	defer cancel()
	return s.gate.Rebind(ctx, Attempt{Subject: g.subject}.key(), civicpin.Citizen)
}

// rebindTime bounds the use of a grant by a caller who has hung up, and what follows it.
const rebindTime = 15 * time.Second
