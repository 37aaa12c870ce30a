package otp

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// A PendingCode is a code that waits for its use, to be shown in an app.
type PendingCode struct {
	// ID is the request's.
	ID string
	// Code is what the message carries: the code without the part that the subject chose.
	Code civicpin.Secret
	// Purpose and Params are those of the request.
	Purpose Purpose
	Params  map[string]string
	// ExpiresAt is when the code stops being good.
	ExpiresAt time.Time
}

// Pending returns the codes of a subject that wait for their use, oldest first, without those that an act ended ([Rests]). An
// app asks for them when a push message was lost. Authenticate the app as the subject's own before, as strongly as the channel
// that carries the codes: this package takes the holder of these codes for the subject. Errors match [civicpin.ErrInvalid] for
// an invalid subject, or are the store's.
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
		ended, err := c.ended(ctx, subject, r)
		if err != nil {
			return nil, err
		}
		if ended || r.Decoy || !r.live(&c.policy, c.vault.Now()) {
			continue
		}
		pending = append(pending, PendingCode{
			ID: listed.ID, Code: civicpin.NewSecret(r.Code), Purpose: r.purpose(), Params: r.Params, ExpiresAt: r.Expires,
		})
		c.record(ctx, eventCodePulled, subject, listed.ID, civicpin.Citizen, civicpin.Source{}, "")
	}
	return pending, nil
}

// Resend sends the same code again, to the same address, and does not extend its validity. It is for the link "I did not
// receive it". For a subject without a contact it does the same work and sends nothing. Errors:
//   - [civicpin.ErrInvalid]: the subject, the id or the source is invalid.
//   - [ErrWrongState]: no such code waits for its use, or the code was sent too often. Request a new one.
//   - a *[lockout.LockedError]: the send limits are reached.
//   - [outbox.ErrBusy]: too many messages wait. It matches [ErrBusy]: answer 503.
//   - the store's: the message may be on its way.
func (c *Codes) Resend(ctx context.Context, subject civicpin.Subject, id string, source civicpin.Source) error {
	if err := errors.Join(subject.Validate(), validCodeID(id), source.Validate()); err != nil {
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
	c.record(ctx, eventCodeResent, subject, id, civicpin.Visitor, source, "")
	return nil
}

// Cancel ends a code: the subject did not request it, or went back. A message that was not sent yet is not sent. Cancel returns
// nil whether or not there was such a code. Errors match [civicpin.ErrInvalid] for an invalid subject, id or actor, or are the
// store's.
func (c *Codes) Cancel(ctx context.Context, subject civicpin.Subject, id string, by civicpin.Actor) error {
	if err := errors.Join(subject.Validate(), validCodeID(id), by.Validate()); err != nil {
		return err
	}
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
		c.record(ctx, eventCodeCancelled, subject, id, by, civicpin.Source{}, "")
	}
	return err
}

// displace ends a code for which there is no room. One that was used is written and recorded, too: otherwise a visitor's
// request would show by its time that the subject used a code.
func (c *Codes) displace(ctx context.Context, subject civicpin.Subject, id string) {
	reason := "too many pending"
	_, err := c.records.Update(ctx, store.Key{Subject: subject, ID: id}, func(e *store.Entry[codeRecord]) error {
		switch {
		case !e.Found():
			return store.ErrSkip
		case e.Value.State == codePending:
			e.Value.end(codeCancelled)
		default:
			reason = "spent"
		}
		return nil
	})
	if err == nil {
		c.record(ctx, eventCodeCancelled, subject, id, civicpin.Visitor, civicpin.Source{}, reason)
	} // otherwise it runs out by itself
}
