package otp

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// Verify checks a code and consumes it: of any number of concurrent right guesses one succeeds. Take the subject and the
// purpose from the session and the order on which the caller is about to act, never from the form; the id is the request's, and
// may come from the form. typed has the part that the subject chose, if there is one, in front. For what a call costs see
// docs/costs.md. Errors:
//   - [ErrRefused]: the code is wrong, used, cancelled, unknown, another subject's, or for another purpose, or what it rests on
//     is not as it was ([Rests]). All of these count as one failure; errors.As to a *[lockout.RefusedError] tells how many are
//     left.
//   - [ErrExpired]: the code is right, and too late. It does not count as a failure.
//   - a *[lockout.LockedError]: the guesses are locked. The visitor may be told: unknown subjects lock alike.
//   - [ErrBusy]: nothing was compared, and no try was spent.
//   - [lockout.ErrTimeout]: the code is right, and the call took too long. The code is used, and the try stays counted.
//   - [civicpin.ErrInvalid]: the subject, the purpose, the id or the source is invalid.
//   - the store's, or the context's, for the log: the code may have been consumed.
func (c *Codes) Verify(ctx context.Context, subject civicpin.Subject, purpose Purpose, id string, typed civicpin.Secret,
	source civicpin.Source,
) error {
	if err := errors.Join(subject.Validate(), purpose.validate(), validCodeID(id)); err != nil {
		return err
	}
	guess := attempt.Guess{Target: lockout.Target{Subject: subject, Source: source}, Ref: id}
	err := c.guard.Do(ctx, &guess, func(ctx context.Context) (attempt.Finding, error) {
		return c.check(ctx, subject, purpose, id, typed)
	})
	if err == nil {
		c.record(ctx, eventCodeVerified, subject, id, civicpin.Citizen, source, "")
	}
	return err
}

// check compares a guess, inside the gate, and makes one write: it consumes the code, or counts the failure with it. Nothing is
// answered before that is stored. An error means that it was not, or that the code was right and too late.
func (c *Codes) check(ctx context.Context, subject civicpin.Subject, purpose Purpose, id string, typed civicpin.Secret) (
	attempt.Finding, error,
) {
	tag := c.tag(subject, id, purpose, c.normalise(typed.Reveal()))
	e, err := c.records.Get(ctx, store.Key{Subject: subject, ID: id})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return attempt.Finding{}, err
	}
	ended, endedErr := c.ended(ctx, subject, &e.Value) // before anything is compared
	if endedErr != nil {
		return attempt.Finding{}, endedErr
	}
	if err != nil {
		return c.unknown(ctx, subject)
	}
	known := e.Value.Known
	var match attempt.Match
	var why attempt.Refusal
	_, err = c.records.UpdateFrom(ctx, e, func(e *store.Entry[codeRecord]) error {
		if !e.Found() { // purged meanwhile
			match, why = attempt.Match{}, attempt.Unknown
			return store.ErrSkip
		}
		r := &e.Value
		match = attempt.Bytes(ctx, tag, r.Tag)
		why = r.judge(&c.policy, match, ended, c.vault.Now())
		switch {
		case why == "":
			r.end(codeUsed)
		case r.State == codePending && why != attempt.Expired && r.Wrong < c.policy.Tries:
			r.Wrong++ // also at one that an act ended: the state of a code shows when it is sent again
			if r.Wrong >= c.policy.Tries {
				r.Code = ""
			}
		}
		// Otherwise it is written unchanged: the same work, for an attacker who takes the time.
		return nil
	})
	if err != nil {
		return attempt.Finding{}, err
	}
	found := attempt.Found(match.If(why == ""), known, why)
	if why == attempt.Expired { // right, so not a failure; but no success either, or an old code would reset the count
		return found, ErrExpired
	}
	return found, nil
}

// unknown is what a guess comes to whose id names nothing.
func (c *Codes) unknown(ctx context.Context, subject civicpin.Subject) (attempt.Finding, error) {
	l, err := c.lists.Get(ctx, store.Key{Subject: subject})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return attempt.Finding{}, err
	}
	return attempt.Found(attempt.Match{}, l.Value.Known, attempt.Unknown), nil
}

// judge returns why a guess at this code is refused, "" if it is right.
func (r *codeRecord) judge(p *CodePolicy, match attempt.Match, ended bool, now time.Time) attempt.Refusal {
	switch {
	case r.State == codeUsed:
		return attempt.Spent
	case r.State != codePending, ended:
		return attempt.Cancelled
	case r.Wrong >= p.Tries:
		return attempt.Exhausted
	case !match.Right():
		return attempt.Wrong // or for another purpose
	case !now.Before(r.Expires):
		return attempt.Expired
	}
	return ""
}
