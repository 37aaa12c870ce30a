package pin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// Resend sends one part of a secret that was not exchanged yet again, to the same contact; part counts from zero. It is for the
// page "I did not receive it", which any visitor can reach: for a subject without such a part it does the same work, returns
// nil and sends nothing. A part that is still on its way is not sent twice. What a visitor asked for with a letter ([Requests])
// is sent again by the same request alone: its parts may be ones that open nothing, which no visitor finds out. See
// [Service.Status] for what happened, and [Service.Reprint] for a part that the caller prints. Errors, alike for all subjects:
//   - [civicpin.ErrInvalid]: the subject, the number or the source is invalid.
//   - a *[lockout.LockedError]: the limits of messages are reached.
//   - [outbox.ErrBusy]: too many messages wait.
//   - the store's.
func (s *Service) Resend(ctx context.Context, subject civicpin.Subject, part int, source civicpin.Source) error {
	if err := errors.Join(subject.Validate(), source.Validate()); err != nil {
		return err
	}
	if part < 0 || part >= s.policy.Parts {
		return fmt.Errorf("%w: no part %d", civicpin.ErrInvalid, part)
	}
	e, err := s.creds.GetOr(ctx, store.Key{Subject: subject}, s.sealed)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	now := s.vault.Now()
	b, can := s.waiting(&e, part, now)
	if source, err = s.asks(ctx, subject, source); err != nil {
		return err
	}
	sent, ref, message := false, s.refAgain(subject, &b, part), b.parts[part].Message
	err = s.out.Announce(ctx, outbox.Request{
		Refs: []outbox.Ref{ref}, Subject: subject, Decoy: !can, Limit: s.resends, By: civicpin.Visitor, Source: source,
	}, func(ctx context.Context) error {
		return s.rewrite(ctx, e, func(c *credential) {
			b := c.batch(b.issue)
			// Another request may have been faster, as only a known subject's can be: it is no error.
			if sent = b.sameMessage(part, message) && s.canResend(&b, part, now); sent {
				b.parts[part].resent(&ref, now)
			}
		})
	})
	if err != nil {
		return err
	}
	done := civicpin.Event{Code: eventNothing, Subject: subject, By: civicpin.Visitor, Source: source, Reason: nothingToSend}
	if sent {
		done.Code, done.Ref, done.Reason = eventResent, b.issue, ""
	}
	s.vault.Record(ctx, done)
	return nil
}

// Reprint returns the text of the part that the caller prints, of a secret that was not exchanged yet: the printer jammed, or
// the letter came back. by is the operator who prints it. Errors:
//   - [civicpin.ErrInvalid]: the subject or the actor is invalid.
//   - [ErrNoCredential]: the subject has no credential.
//   - [ErrWrongState]: no such part waits any more.
//   - a *[lockout.LockedError]: the send limits are reached.
//   - [ErrChanged]: the credential changed meanwhile. Nothing was printed.
//   - the store's.
func (s *Service) Reprint(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) (civicpin.Secret, error) {
	if err := onlyOperator(by, "prints"); err != nil {
		return civicpin.Secret{}, err
	}
	e, err := s.known(ctx, subject, by)
	if err != nil {
		return civicpin.Secret{}, err
	}
	c, now := &e.Value, s.vault.Now()
	i := slices.IndexFunc(c.Parts, func(p part) bool { return p.Channel.Printed() })
	if b := c.batch(c.Issue); i < 0 || !b.canSend(i, now) {
		return civicpin.Secret{}, ErrWrongState
	}
	if err := s.sends.Take(ctx, outbox.Request{Subject: subject, Others: 1, By: by}); err != nil {
		return civicpin.Secret{}, err
	}
	issue, text := c.Issue, c.Parts[i].Text
	_, err = s.creds.UpdateFrom(ctx, e, func(e *store.Entry[credential]) error {
		if b := e.Value.batch(e.Value.Issue); !e.Found() || b.issue != issue || !b.canSend(i, now) {
			return ErrChanged
		}
		e.Value.Parts[i].Send++
		e.Value.Parts[i].At = now
		return nil
	})
	if err != nil {
		return civicpin.Secret{}, err
	}
	s.vault.Record(ctx, civicpin.Event{Code: eventResent, Subject: subject, By: by, Ref: issue})
	return civicpin.NewSecret(text), nil
}
