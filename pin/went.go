package pin

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
)

// ContactsWent ends what rests on contacts that went, or are disputed: an issued secret of which a part went to one of them,
// and that was not exchanged. If a change of contacts is undone, which was made at the given time, it forgets the devices that
// were remembered since, and ends what [Service.UnbindWith] named. It is for package contact; done twice it changes nothing.
// Errors are the store's, and those of what was named.
func (s *Service) ContactsWent(ctx context.Context, subject civicpin.Subject, went []civicpin.Contact,
	undone time.Time, by civicpin.Actor,
) error {
	if !undone.IsZero() {
		err := s.gate.ForgetDevicesSince(ctx, subject, undone, by)
		for _, unbind := range s.unbinders() {
			err = errors.Join(err, unbind(ctx, subject, undone))
		}
		if err != nil {
			return err
		}
	}
	if len(went) == 0 {
		return nil
	}
	_, err := s.creds.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[credential]) error {
		if !e.Found() || !e.Value.restsOn(went) {
			return store.ErrSkip
		}
		e.Value.withdraw(s.vault.Now())
		return nil
	})
	return err
}

// unbinder ends the authenticators that were bound to a subject since a time.
type unbinder = func(ctx context.Context, subject civicpin.Subject, since time.Time) error

// UnbindWith has an undo of a change of contacts also end the authenticators that were bound since the change. The services of
// package otp that are given this one as their credentials call it. It holds for this process alone: each process that serves
// the links of package contact must make those services of package otp too, or an undo there ends no authenticator.
func (s *Service) UnbindWith(unbind func(ctx context.Context, subject civicpin.Subject, since time.Time) error) {
	for {
		old := s.unbinds.Load()
		next := []unbinder{unbind}
		if old != nil {
			next = slices.Concat(*old, next)
		}
		if s.unbinds.CompareAndSwap(old, &next) {
			return
		}
	}
}

func (s *Service) unbinders() []unbinder {
	if list := s.unbinds.Load(); list != nil {
		return *list
	}
	return nil
}

// restsOn reports whether a part of an issued secret that was neither exchanged nor withdrawn went to one of the contacts. One
// that has expired counts, too: this clock may be ahead.
func (c *credential) restsOn(went []civicpin.Contact) bool {
	return c.State == state.Provisional && !c.Withdrawn && slices.ContainsFunc(c.Parts, func(p part) bool {
		return slices.ContainsFunc(went, p.contact().SameAddress)
	})
}

// withdraw ends an issued secret that was not exchanged, whatever this clock or another one says. Its text stays until the
// sweep: it must not be chosen.
func (c *credential) withdraw(now time.Time) {
	if c.State != state.Provisional {
		return
	}
	c.Withdrawn = true
	if now.Before(c.Expires) {
		c.Expires = now // for the sweep, and for status
	}
}
