package pin

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
)

// againFor is how long after a choice the same request succeeds once more: a double click, a page that is sent again after an
// error. Only a caller who knows the current secret can do that, so the time bounds what is kept, and protects nothing.
const againFor = 10 * time.Minute

// again is what the current secret was chosen with, to know the same request by.
type again struct {
	// Hash is that of the replaced secret and the chosen one together: see pair. A hash of either alone would have to be
	// compared apart, and then a caller would have two guesses for one that is counted.
	Hash string `json:"hash,omitempty"`
	// Grant is the hash of the grant, if a grant took the place of the replaced secret. There is no Hash then.
	Grant []byte `json:"grant,omitempty"`
}

// pair returns one text for a secret of a state, as it was typed, and the choice that replaces it.
func (s *Service) pair(in state.Credential, raw, choice string) string {
	norm := s.policy.Chosen.normaliser()
	if in == state.Provisional {
		norm = s.issued()
	}
	replaced, ok := norm.normalise(raw)
	if !ok && len(raw) <= maxRaw {
		replaced = raw // imported
	}
	return strconv.Itoa(len(replaced)) + ":" + replaced + choice
}

// lately reports whether the current secret was chosen just now, and is good.
func (c *credential) lately(now time.Time) bool {
	return c.State == state.Active && !c.Suspended && c.Again != nil && now.Sub(c.Changed).Abs() < againFor
}

// A repeat says whether a wrong secret is one that a choice replaced just now.
type repeat = func(context.Context, *store.Entry[credential]) attempt.Match

// repeats returns what prove asks about a wrong secret: whether it is the one that the choice, in its normal form, replaced
// just now. That takes one hash, whatever the subject is.
//
// It is no second guess. Only a caller who knows the replaced secret can be right here, and that caller is wrong with the
// current one; no answer says which of the two was wrong here.
func (s *Service) repeats(a Attempt, in state.Credential, choice string) repeat {
	return func(ctx context.Context, e *store.Entry[credential]) attempt.Match {
		c, hash := &e.Value, s.decoys[0]
		if !e.Found() {
			c = &s.decoy
		}
		if c.Again != nil {
			if parsed, err := password.Parse(c.Again.Hash); err == nil {
				hash = parsed
			}
		}
		typed := s.pair(in, a.Secret.Reveal(), choice)
		// Also for a visitor who has hung up: the current secret was compared, so nothing may give the guess back.
		right, _ := attempt.Hash(context.WithoutCancel(ctx), s.hashing, s.decoys, hash, typed)
		return right.If(e.Found() && c.lately(s.vault.Now()))
	}
}

// chosenAgain returns the login of an exchange or change that was made already.
func (s *Service) chosenAgain(ctx context.Context, a Attempt, m match) Verified {
	m.last = time.Time{} // the request before this one
	s.record(ctx, a, eventVerified, &m.entry.Value, againReason)
	return s.verified(a, m, &m.entry.Value, s.vault.Now())
}

// overtaken ends an exchange or change that found another secret than it had proved: it succeeds if the other request was the
// same one. That is a comparison with the secret of now, so it is counted as one.
func (s *Service) overtaken(
	ctx context.Context, at attempt.Place, a Attempt, in state.Credential, text string,
) (Verified, error) {
	m, err := s.prove(ctx, at, a, s.repeats(a, in, text))
	switch {
	case err == nil && m.again:
		return s.chosenAgain(ctx, a, m), nil
	case err == nil, errors.Is(err, ErrRefused):
		return Verified{}, ErrChanged
	}
	return Verified{}, err
}

// setBy reports whether the grant set the current secret just now.
func (c *credential) setBy(ctx context.Context, g Grant, now time.Time) bool {
	return c.lately(now) && attempt.Bytes(ctx, c.Again.Grant, g.hash()).Right()
}

// setAgain ends a Set under a grant that was used just now: it succeeds if the choice was the same. The holder of a used grant
// must not find out the current secret by trying, so the trying goes through the gate of the former ones.
func (s *Service) setAgain(ctx context.Context, at attempt.Place, g Grant, c *credential, w wish) (Verified, error) {
	a := Attempt{Subject: g.subject}
	err := at.Do(ctx, &attempt.Guess{Target: a.key()}, func(ctx context.Context) (attempt.Finding, error) {
		same, err := s.among(ctx, []former{{c.Hash, c.Norm}}, w)
		return attempt.Found(same, true, attempt.Wrong), err
	})
	if errors.Is(err, ErrRefused) {
		return Verified{}, ErrNoGrant
	}
	if err != nil {
		return Verified{}, err
	}
	s.record(ctx, a, eventVerified, c, againReason)
	// The request before may have died before it came so far.
	if err := s.rebind(ctx, g); err != nil {
		return Verified{}, err
	}
	return s.verified(a, match{}, c, s.vault.Now()), nil
}

// againReason stands in the events of requests that came twice.
const againReason = "again"
