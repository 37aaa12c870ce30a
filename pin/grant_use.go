package pin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// opened returns the credential that a grant opens, read from the store, or ErrNoGrant.
func (s *Service) opened(ctx context.Context, g Grant, parts bool) (store.Entry[credential], error) {
	if g.IsZero() {
		return store.Entry[credential]{}, ErrNoGrant
	}
	e, err := s.creds.GetOr(ctx, store.Key{Subject: g.subject}, s.sealed)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return e, err
	}
	if !e.Value.opens(g, parts, s.vault.Now()) {
		return e, ErrNoGrant
	}
	return e, nil
}

// opens reports whether the grant is this credential's, for parts or for a secret of the citizen's choice.
func (c *credential) opens(g Grant, parts bool, now time.Time) bool {
	return c.Grant != nil && attempt.Bytes(c.Grant.Hash, g.hash()).Right() && now.Before(c.Grant.Expires) &&
		len(c.Grant.Parts) > 0 == parts && !c.Suspended
}

// Set makes chosen the subject's own secret, under a grant of a plan that lets the subject choose, and returns what
// [Service.Verify] returns. The assurance level does not change; a credential that is created here has level Low. Set resets
// the failure count and lifts a disablement, since it binds a new secret after a recovery (NIST SP 800-63B-4 3.2.2, 4.2). It
// forgets known devices. personal is as Attempt.Personal.
//
// The same Set may come again: for 10 minutes, the used grant and the choice that it set succeed too, and change nothing.
//
// Errors:
//   - [ErrNoGrant]: the grant is not good, or was used for another choice.
//   - a [*ChoiceError]: the choice breaks a rule. The grant is still good: ask for another secret.
//   - a [*lockout.LockedError]: too many choices were former secrets, or, under a used grant, not the current one.
//   - [ErrBusy]: nothing was compared or written.
//   - [lockout.ErrTimeout]: the comparison took too long. Nothing was written.
//   - the store's: the secret may have been set. Call it again with the same choice.
func (s *Service) Set(ctx context.Context, g Grant, chosen civicpin.Secret, personal ...string) (
	Verified, error,
) {
	known := append([]string{string(g.subject)}, personal[:min(len(personal), maxPersonal)]...)
	text, err := s.allowed(chosen, known)
	if err != nil {
		return Verified{}, err
	}
	at, err := s.reuse.Enter(ctx)
	if err != nil {
		return Verified{}, err
	}
	defer at.Leave()
	e, err := s.set(ctx, at, g, text)
	if errors.Is(err, ErrNoGrant) && e.Value.setBy(g, s.vault.Now()) {
		return s.setAgain(ctx, at, g, &e.Value, text)
	}
	if err != nil {
		return Verified{}, err
	}
	if err := s.recovered(ctx, g, &e.Value, civicpin.Source{}); err != nil {
		return Verified{}, err
	}
	return s.verified(Attempt{Subject: g.subject}, match{}, &e.Value, e.Value.Changed), nil
}

// set makes text the citizen's own secret under a grant. Also with an error it returns what it found.
func (s *Service) set(ctx context.Context, at attempt.Place, g Grant, text string) (store.Entry[credential], error) {
	e, err := s.opened(ctx, g, false)
	if err != nil {
		return e, err
	}
	if err := s.fresher(ctx, at, g, &e.Value, text); err != nil {
		return e, err
	}
	// The grant is used from here on. A caller who could hang up now would learn that text is fresh, and keep the grant.
	ctx = context.WithoutCancel(ctx)
	hash, err := s.hash(ctx, text)
	if err != nil {
		return e, err
	}
	return s.creds.UpdateFrom(ctx, e, func(e *store.Entry[credential]) error {
		now := s.vault.Now()
		if !e.Found() || !e.Value.opens(g, false, now) {
			return ErrNoGrant
		}
		if e.Value.empty() {
			e.Value.Level, e.Value.Evidence, e.Value.Issued = civicpin.Low, nil, now
		}
		e.Value.Run = e.Value.Grant.Run
		e.Value.choose(&s.policy, hash, now, again{Grant: g.hash()})
		e.ExpiresAt = e.Value.keep()
		return nil
	})
}

// fresher refuses a secret that the subject has or had, and one that is a piece of their data, as at a change. The holder of a
// grant must not find out a former secret by trying, so the trying goes through a gate. A piece of data is refused before
// anything is compared, and its try is given back: otherwise each would count as a fresh secret, and reset the gate.
func (s *Service) fresher(ctx context.Context, at attempt.Place, g Grant, c *credential, text string) error {
	guess := attempt.Guess{Target: Attempt{Subject: g.subject}.key()}
	err := at.Do(ctx, &guess, func(ctx context.Context) (attempt.Finding, error) {
		if err := s.apart(c, text); err != nil {
			return attempt.Finding{}, err
		}
		fresh := func(ok bool) attempt.Finding { return attempt.Found(attempt.Told(ok), true, attempt.Wrong) }
		if c.State == state.Provisional {
			var issued strings.Builder
			for i := range c.Parts {
				issued.WriteString(c.Parts[i].Text)
			}
			return fresh(!strings.Contains(strings.ToUpper(issued.String()), strings.ToUpper(text))), nil
		}
		former := slices.Clone(c.History)
		if c.State == state.Active {
			former = append(former, c.Hash)
		}
		reused, err := s.among(ctx, former, text)
		return fresh(err == nil && !reused.Right()), err
	})
	if errors.Is(err, ErrRefused) {
		return &ChoiceError{Rule: rule.History}
	}
	return err
}

// Reissue makes a new secret at random, under a grant of a plan that ends in one, and sends its parts to the contacts that the
// plan proved. It is as provisional as any issue; the level and its evidence do not change. The current secret ends. Like
// [Service.Set], Reissue resets the failure count, lifts a disablement and forgets known devices.
//
// Errors:
//   - [ErrNoGrant]: the grant is not good.
//   - [civicpin.ErrInvalid]: the source is invalid.
//   - [ErrBusy]: too many hashes wait.
//   - a [*lockout.LockedError]: the send limits are reached.
//   - the store's: the secret may have been issued. Look for the messages, and recover again if there are none.
func (s *Service) Reissue(ctx context.Context, g Grant, source civicpin.Source) (Issue, error) {
	if err := source.Validate(); err != nil {
		return Issue{}, err
	}
	leave, err := attempt.Enter(ctx, s.hashing)
	if err != nil {
		return Issue{}, err
	}
	defer leave()
	e, err := s.opened(ctx, g, true)
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
			if !e.Found() || !e.Value.opens(g, true, s.vault.Now()) {
				return ErrNoGrant
			}
			c := &e.Value
			if !c.empty() {
				fresh.Level, fresh.Evidence, fresh.Lowered = c.Level, c.Evidence, c.Lowered
				fresh.Changed, fresh.Used = c.Changed, c.Used // that they had a secret of their own: see replaceable and keep
			}
			fresh.History, fresh.Epoch = c.former(&s.policy), c.Epoch+1
			if c.State == state.Active && len(fresh.History) == 0 {
				fresh.History = []string{c.Hash} // a lost secret is not chosen again, whatever the policy keeps
			}
			fresh.Run = c.Grant.Run
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
		Code: eventRecovered, Subject: g.subject, By: civicpin.Citizen, Source: source, Ref: c.Issue, Level: c.Level,
	})
	return s.rebind(ctx, g)
}

// rebind has the secret that a grant set start with clean counts, and without known devices.
func (s *Service) rebind(ctx context.Context, g Grant) error {
	// Also for somebody who has hung up: or what opened a way for the lost secret would go on to.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rebindTime)
	defer cancel()
	return s.gate.Rebind(ctx, Attempt{Subject: g.subject}.key(), civicpin.Citizen)
}

// rebindTime bounds what follows a use of a grant.
const rebindTime = 15 * time.Second
