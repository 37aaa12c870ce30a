package pin

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
)

// known reads a credential for an operator.
func (s *Service) known(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) (store.Entry[credential], error) {
	if err := errors.Join(subject.Validate(), by.Validate()); err != nil {
		return store.Entry[credential]{}, err
	}
	e, err := s.creds.Get(ctx, store.Key{Subject: subject})
	if errors.Is(err, store.ErrNotFound) {
		err = ErrNoCredential
	}
	return e, err
}

// A Status is what an operator, or the subject after a login, may see of a credential. It holds no secret.
type Status struct {
	// Suspended is apart from State. Level and Evidence are the assurance level, and what it rests on.
	State     state.Credential
	Suspended bool
	Level     civicpin.Level
	Evidence  []civicpin.Evidence
	// Parts are those of the last issue.
	Parts []Part
	// IssuedAt, ChangedAt and UsedAt are when the last issue, choice and (to within a day) use were; zero if there was none.
	IssuedAt, ChangedAt, UsedAt time.Time
	// ExpiresAt is when the current secret stops being good; zero if never. Expired says since what it has expired, as
	// [ExpiredError].Since; empty if it has not.
	ExpiresAt time.Time
	Expired   state.Expiry
	// Closed says that a recovery was repudiated, and staff have not acted yet: see [Service.Repudiated].
	Closed bool
	// Lockout is the state of the guesses.
	Lockout lockout.Status
	// By and Reason are those of the last act upon the credential.
	By     civicpin.Actor
	Reason string
}

// Status returns what is known of a subject's credential. Do not show it to visitors: it tells whether there is one. Errors:
//   - [civicpin.ErrInvalid]: the subject is invalid.
//   - [ErrNoCredential]: the subject has no credential.
//   - the store's.
func (s *Service) Status(ctx context.Context, subject civicpin.Subject) (Status, error) {
	e, err := s.known(ctx, subject, civicpin.Citizen)
	if err != nil {
		return Status{}, err
	}
	locks, err := s.gate.Status(ctx, lockout.Target{Subject: subject})
	if err != nil {
		return Status{}, err
	}
	c := &e.Value
	st := Status{
		State: c.State, Suspended: c.Suspended, Closed: c.Closed, Level: c.level(s.vault.Now()), Parts: told(c.Parts),
		IssuedAt: c.Issued, ChangedAt: c.Changed, UsedAt: c.Used, Lockout: locks, By: c.By, Reason: c.Reason,
	}
	for _, ev := range c.Evidence {
		st.Evidence = append(st.Evidence, civicpin.Evidence{Method: ev.Method, Document: ev.Document, By: ev.By, At: ev.At})
	}
	switch c.State {
	case state.Provisional:
		st.ExpiresAt = c.Expires
	case state.Active:
		st.ExpiresAt = c.end(&s.policy)
	}
	if !c.empty() {
		st.Expired = c.expired(&s.policy, s.vault.Now())
	}
	return st, nil
}
