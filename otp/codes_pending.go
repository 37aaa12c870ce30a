package otp

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// A PendingCode is a code that waits for its use, for showing it in an app.
type PendingCode struct {
	ID      string
	Code    civicpin.Secret
	Purpose Purpose
	// Params are those of the request.
	Params    map[string]string
	ExpiresAt time.Time
}

// Pending returns the codes of a subject that wait for their use, oldest first: where a push message was lost, the app asks for
// them. The caller has authenticated the app as the subject's own, as strongly as the channel that the codes are sent
// by; whoever gets these is the citizen as far as this package can tell. Errors: [civicpin.ErrInvalid]; the store's.
func (c *Codes) Pending(ctx context.Context, subject civicpin.Subject) ([]PendingCode, error) {
	if err := subject.Validate(); err != nil {
		return nil, err
	}
	l, err := c.lists.Get(ctx, store.Key{Subject: subject})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var pending []PendingCode
	for _, listed := range l.Value.Codes {
		e, err := c.records.Get(ctx, store.Key{Subject: subject, ID: listed.ID})
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		r := &e.Value
		if r.Decoy || !r.live(&c.policy, c.vault.Now()) {
			continue
		}
		pending = append(pending, PendingCode{
			ID: listed.ID, Code: civicpin.NewSecret(r.Code), Purpose: r.purpose(), Params: r.Params, ExpiresAt: r.Expires,
		})
		c.record(ctx, eventCodePulled, subject, listed.ID, civicpin.Citizen, civicpin.Source{}, "")
	}
	return pending, nil
}

// Resend has the same code sent again, to where it went before; it stays good for no longer than it was. It is for the link "I
// did not receive it": for a subject without a contact it does the same work, and nothing is sent.
//
// Errors: [civicpin.ErrInvalid]; [ErrWrongState] if there is no such code that waits for its use, or it was sent too often: ask
// for a new one; a *[lockout.LockedError] if the send limits are reached; the store's.
func (c *Codes) Resend(ctx context.Context, subject civicpin.Subject, id string, source civicpin.Source) error {
	if err := errors.Join(subject.Validate(), validCodeID(id)); err != nil {
		return err
	}
	e, err := c.records.Get(ctx, store.Key{Subject: subject, ID: id})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	can := func(e *store.Entry[codeRecord]) bool {
		return e.Found() && e.Value.live(&c.policy, c.vault.Now()) && e.Value.Send < maxCodeSends
	}
	if !can(&e) {
		return ErrWrongState
	}
	send := e.Value.Send
	err = c.out.Announce(ctx, c.message(subject, id, send+1, &e.Value, source), func(ctx context.Context) error {
		_, err := c.records.UpdateFrom(ctx, e, func(e *store.Entry[codeRecord]) error {
			if !can(e) || e.Value.Send != send {
				return ErrWrongState
			}
			e.Value.Send++
			e.Value.Sent = false
			return nil
		})
		return err
	})
	if err != nil {
		return err
	}
	c.record(ctx, eventCodeResent, subject, id, civicpin.Citizen, source, "")
	return nil
}

// Cancel takes a code out of use: the citizen did not ask for it, or has gone back. What was not sent yet is not sent. It
// returns nil whether or not there was such a code. Errors: [civicpin.ErrInvalid]; the store's.
func (c *Codes) Cancel(ctx context.Context, subject civicpin.Subject, id string, by civicpin.Actor) error {
	if err := errors.Join(subject.Validate(), validCodeID(id), by.Validate()); err != nil {
		return err
	}
	return c.cancel(ctx, subject, id, by, "")
}

func (c *Codes) cancel(ctx context.Context, subject civicpin.Subject, id string, by civicpin.Actor, reason string) error {
	done := false
	_, err := c.records.Update(ctx, store.Key{Subject: subject, ID: id}, func(e *store.Entry[codeRecord]) error {
		done = e.Found() && e.Value.State == codePending
		if !done {
			return store.ErrSkip
		}
		e.Value.end(codeCancelled)
		return nil
	})
	if err == nil && done {
		c.record(ctx, eventCodeCancelled, subject, id, by, civicpin.Source{}, reason)
	}
	return err
}
