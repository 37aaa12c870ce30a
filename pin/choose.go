package pin

import (
	"context"
	"errors"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/choice"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
)

// maxPersonal bounds the pieces of Attempt.Personal that count.
const maxPersonal = 32

// Exchange replaces the issued secret, which the attempt shows, by the subject's own, and logs the subject in: it returns what
// [Service.Verify] returns. From then on only the chosen secret is right, and the texts of the parts are gone.
//
// The same exchange may come again, from a double click or after an error: for 10 minutes, an attempt with the issued secret
// and the choice that replaced it succeeds too. It changes nothing, and the sessions of both go on. Of two exchanges at one
// moment with different choices, one wins.
//
// Errors are those of [Service.Verify], and:
//   - a [*ChoiceError]: the choice breaks the rule that the error names. If it breaks the rule for every subject, no try was
//     spent.
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
	// What is wrong with the choice whoever made it is said before a try is spent. What has to do with the subject's own
	// data is looked at only after the proof, or strangers could find out pieces of it.
	personal := append([]string{string(a.Subject)}, a.Personal[:min(len(a.Personal), maxPersonal)]...)
	text, err := s.allowed(chosen, personal)
	if err != nil {
		return Verified{}, err
	}
	ctx, at, err := s.guard.Enter(ctx)
	if err != nil {
		return Verified{}, err
	}
	defer at.Leave()
	m, err := s.prove(ctx, at, a, s.repeats(a, in, text))
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
	if since := c.expired(&s.policy, s.vault.Now()); since == state.SinceIssue || since == state.SinceUse {
		s.record(ctx, a, eventExpired, c, string(since))
		return Verified{}, &ExpiredError{Since: since}
	}
	if err := s.fits(ctx, c, text, a); err != nil {
		return Verified{}, err
	}
	ok, err := s.replace(ctx, a, m, text, code)
	if errors.Is(err, ErrChanged) {
		return s.overtaken(ctx, at, a, in, text)
	}
	return ok, err
}

// replace makes text the citizen's own secret in place of the one that was proved.
func (s *Service) replace(ctx context.Context, a Attempt, m match, text string, code civicpin.EventCode) (Verified, error) {
	proven, in := m.entry.Value.Hash, m.entry.Value.State
	hash, err := s.hash(ctx, text)
	if err != nil {
		return Verified{}, err
	}
	both, err := s.hash(ctx, s.pair(in, a.Secret.Reveal(), text))
	if err != nil {
		return Verified{}, err
	}
	now := s.vault.Now()
	e, err := s.creds.UpdateFrom(ctx, m.entry, func(e *store.Entry[credential]) error {
		// The record may have changed since the proof, as when a part's delivery is noted; the secret may not.
		if !e.Found() || e.Value.Hash != proven || e.Value.Suspended {
			return ErrChanged
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

// allowed returns the normal form of a chosen secret, or the rule that it breaks.
func (s *Service) allowed(chosen civicpin.Secret, personal []string) (string, error) {
	text, err := s.rules.Normalise(chosen.Reveal())
	if err == nil {
		err = s.rules.Check(text, personal)
	}
	if broken, ok := errors.AsType[*choice.Error](err); ok {
		return "", &ChoiceError{Rule: broken.Rule}
	}
	return text, err
}

// fits checks a chosen secret against what is known after the proof: the issued secret or the current one, the former
// ones, and the addresses of the subject's contacts.
func (s *Service) fits(ctx context.Context, c *credential, text string, a Attempt) error {
	current, _ := c.Norm.normalise(a.Secret.Reveal())
	switch {
	case c.State == state.Provisional && strings.Contains(strings.ToUpper(current), strings.ToUpper(text)):
		return &ChoiceError{Rule: rule.Issued}
	case c.State == state.Active && current == text:
		return &ChoiceError{Rule: rule.Same}
	}
	if err := s.apart(c, text); err != nil {
		return err
	}
	reused, err := s.among(ctx, c.History, text)
	if err == nil && reused.Right() {
		err = &ChoiceError{Rule: rule.History}
	}
	return err
}

// apart checks that a chosen secret is no piece of the addresses of the subject's contacts.
func (s *Service) apart(c *credential, text string) error {
	var addresses []string
	for i := range c.Parts {
		addresses = append(addresses, c.Parts[i].Address)
	}
	if err := s.rules.Check(text, addresses); err != nil {
		return &ChoiceError{Rule: rule.Personal}
	}
	return nil
}

// among compares a secret with those that were hashed, until one matches. The caller has been admitted, and has proved who they
// are or is inside a gate.
func (s *Service) among(ctx context.Context, hashes []string, text string) (attempt.Match, error) {
	for _, former := range hashes {
		hash, err := password.Parse(former)
		if err != nil {
			continue
		}
		if found, err := attempt.Hash(ctx, s.hashing, hash, text); err != nil || found.Right() {
			return found, err
		}
	}
	return attempt.Match{}, nil
}
