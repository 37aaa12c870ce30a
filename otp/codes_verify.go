package otp

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// What a guess at a code came to, as the event of a refusal says it.
const (
	codeRight   = ""
	codeWrong   = "wrong" // or for another purpose
	codeUnknown = "unknown"
	codeSpent   = "spent"
	codeRevoked = "cancelled"
	codeWorn    = "tries used up"
	codeExpired = "expired"
)

// Verify checks a code and consumes it: of any number of concurrent right guesses one succeeds. Take the subject and the
// purpose from the session and the order on which the caller is about to act, never from the form; the id is the request's, and
// may come from the form. typed has the part that the citizen chose, if there is one, in front. For what a call costs see
// docs/costs.md. Errors:
//   - [ErrRefused]: the code is wrong, used, cancelled, unknown, another subject's, or for another purpose. All of these count
//     as one failure; errors.As to a *[lockout.RefusedError] tells how many are left.
//   - [ErrExpired]: the code is right, and too late. It does not count as a failure.
//   - a *[lockout.LockedError]: the guesses are locked. The visitor may be told: unknown subjects lock alike.
//   - [ErrBusy]: nothing was compared, and no try was spent.
//   - [civicpin.ErrInvalid]: the subject, the purpose or the id is invalid.
//   - the store's, or the context's, for the log: the code may have been consumed.
func (c *Codes) Verify(ctx context.Context, subject civicpin.Subject, purpose Purpose, id string, typed civicpin.Secret,
	source civicpin.Source,
) error {
	if err := errors.Join(subject.Validate(), purpose.validate(), validCodeID(id)); err != nil {
		return err
	}
	why := ""
	err := c.gate.Do(ctx, lockout.Target{Subject: subject, Source: source}, func(ctx context.Context) (bool, error) {
		known, err := c.check(ctx, subject, purpose, id, typed, &why)
		switch {
		case err != nil:
			return false, err
		case why == codeRight:
			return true, nil
		case why == codeExpired: // right, so not a failure; but no success either, or an old code would reset the count
			return false, ErrExpired
		case !known:
			return false, lockout.ErrNoSubject
		}
		return false, nil
	})
	if err == nil {
		c.record(ctx, eventCodeVerified, subject, id, civicpin.Citizen, source, "")
		return nil
	}
	reason := attempt.Reason(err, why)
	if errors.Is(err, ErrExpired) {
		reason = why
	}
	c.record(ctx, eventCodeRefused, subject, id, civicpin.Citizen, source, reason)
	return err
}

// check compares a guess, inside the gate, and makes one write: it consumes the code, or counts the failure with it. Nothing is
// answered before that is stored. An error means that it was not.
//
// It says in *why what the guess came to, and returns whether the subject is known.
func (c *Codes) check(ctx context.Context, subject civicpin.Subject, purpose Purpose, id string, typed civicpin.Secret,
	why *string,
) (known bool, err error) {
	tag := c.tag(subject, id, purpose, c.normalise(typed.Reveal()))
	e, err := c.records.Get(ctx, store.Key{Subject: subject, ID: id})
	if errors.Is(err, store.ErrNotFound) {
		*why = codeUnknown
		l, err := c.lists.Get(ctx, store.Key{Subject: subject})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			*why = ""
			return false, err
		}
		return l.Value.Known, nil
	}
	if err != nil {
		return false, err
	}
	known = e.Value.Known
	came := codeUnknown
	_, err = c.records.UpdateFrom(ctx, e, func(e *store.Entry[codeRecord]) error {
		if !e.Found() { // purged meanwhile
			came = codeUnknown
			return store.ErrSkip
		}
		r := &e.Value
		match := subtle.ConstantTimeCompare(tag, r.Tag) == 1
		came = r.judge(&c.policy, match, c.vault.Now())
		switch came {
		case codeRight:
			r.end(codeUsed)
		case codeWrong:
			r.Wrong++
			if r.Wrong >= c.policy.Tries {
				r.Code = ""
			}
		}
		// Otherwise it is written unchanged: the same work for whoever has a stopwatch.
		return nil
	})
	if err == nil {
		*why = came
	}
	return known, err
}

// judge says what a guess at this code comes to.
func (r *codeRecord) judge(p *CodePolicy, match bool, now time.Time) string {
	switch {
	case r.State == codeUsed:
		return codeSpent
	case r.State != codePending:
		return codeRevoked
	case r.Wrong >= p.Tries:
		return codeWorn
	case !match:
		return codeWrong
	case !now.Before(r.Expires):
		return codeExpired
	}
	return codeRight
}
