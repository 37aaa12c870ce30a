package contact

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store/outbox"
)

// Prove proves a contact by the token of the link that was sent there; the token's holder need not be logged in. The message's
// code, and all other proofs of this address, end with it. The subject's other contacts, also a replaced one, get a link that
// undoes it ([Service.Undo]). Call it for a POST behind a button; for a GET there is [Service.Inspect]. Errors:
//   - [ErrGone]: the token is unknown, was used or was given up.
//   - [ErrExpired]: the token is right, and too late.
//   - [ErrUnsuitable]: the address has become a contact in another way.
//   - a *[lockout.LockedError]: too many changes can still be undone.
//   - the store's: it may have been proved, and ErrGone then says so.
func (s *Service) Prove(ctx context.Context, tok civicpin.Secret, source civicpin.Source) error {
	t, subject, err := s.pointed(ctx, tok, token.Contact)
	if err = errors.Join(source.Validate(), err); err != nil {
		return err
	}
	return s.accept(ctx, subject, source, func(b *book, now time.Time) (int, error) {
		i, _, err := b.ByToken(t, now)
		return i, err
	})
}

// ProveCode proves a contact by the code that was sent there; the authenticated subject types it, or tells it to an operator.
// Wrong codes count for the subject, over all addresses and messages: five lock for 15 minutes and longer. [Service.Adopt] by
// an operator ends such a lock, and a disablement. What follows is as with Prove. Errors are those of Prove, and
//   - [civicpin.ErrInvalid]: the subject or the source is invalid.
//   - [ErrRefused]: the code is wrong, or no address waits for a proof.
//   - a *[lockout.LockedError]: too many wrong codes.
//   - [ErrBusy]: nothing was compared, and no try was spent.
//   - [lockout.ErrTimeout]: the code is right, and the call took too long. The contact is proved, and the try stays counted.
func (s *Service) ProveCode(ctx context.Context, subject civicpin.Subject, typed civicpin.Secret,
	source civicpin.Source,
) error {
	guess := attempt.Guess{Target: lockout.Target{Subject: subject, Source: source}}
	return s.guard.Do(ctx, &guess, func(ctx context.Context) (attempt.Finding, error) {
		b, err := s.book(ctx, subject)
		if err != nil {
			return attempt.Finding{}, err
		}
		text, _ := code.Unambiguous.Normalise(typed.Reveal())
		id, l, match := s.coded(ctx, subject, b, text)
		switch {
		case len(b.Contacts)+len(b.Pending) == 0:
			return attempt.Found(match, false, attempt.Unknown), nil
		case !match.Right():
			return attempt.Found(match, true, attempt.Wrong), nil
		}
		err = s.accept(ctx, subject, source, func(b *book, now time.Time) (int, error) {
			i := b.Waits(id, now)
			switch {
			case !now.Before(l.Expires): // right, so no failure; but no success, which would reset the count
				return i, ErrExpired
			case i < 0 || !token.Outstanding(b.Pending[i].Links, l.N):
				return i, ErrGone
			}
			return i, nil
		})
		return attempt.Found(match, true, ""), err
	})
}

// coded returns what a typed code proves: the id of the candidate, and the message that the code was in. All are compared.
func (s *Service) coded(ctx context.Context, subject civicpin.Subject, b *book, text string) (
	id string, found *token.Link, match attempt.Match,
) {
	for i := range b.Pending {
		c := &b.Pending[i]
		j, m := attempt.Typed(ctx, c.Links, text, func(l *token.Link) []byte { return s.tag(subject, c, l, text) })
		if m.Right() {
			id, found, match = c.ID, &c.Links[j], m
		}
	}
	return id, found, match
}

// accept makes a contact of the candidate that which finds by its proof.
func (s *Service) accept(ctx context.Context, subject civicpin.Subject, source civicpin.Source,
	which func(*book, time.Time) (int, error),
) error {
	change, reason := token.NewID(), ""
	var by civicpin.Actor
	r := outbox.Request{Subject: subject, By: civicpin.Citizen, Source: source}
	err := s.alter(ctx, r, func(b *book, now time.Time) (effects, error) {
		i, err := which(b, now)
		if err != nil {
			return effects{}, err
		}
		var fx effects
		reason, by, fx, err = b.Accept(i, change, now, s.policy.book())
		return fx, err
	})
	if err == nil {
		s.vault.Record(ctx, civicpin.Event{Code: eventChanged, Subject: subject, By: by, Source: source, Ref: change, Reason: reason})
	}
	return err
}
