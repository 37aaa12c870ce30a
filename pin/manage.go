package pin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
)

// Attest records evidence of the subject's identity, and raises the credential's level to what the policy grants for it. It
// never lowers the level. Errors:
//   - [civicpin.ErrInvalid]: the subject or the evidence is invalid.
//   - [ErrWeakEvidence]: the policy grants nothing for the method.
//   - [ErrNoCredential]: the subject has no credential, or a revoked one.
//   - the store's.
func (s *Service) Attest(ctx context.Context, subject civicpin.Subject, evidence civicpin.Evidence) error {
	if err := evidence.Validate(); err != nil {
		return err
	}
	if s.policy.Levels[evidence.Method] == civicpin.NoLevel {
		return fmt.Errorf("%w: %s", ErrWeakEvidence, evidence.Method)
	}
	return s.manage(ctx, subject, evidence.By, eventAttested, string(evidence.Method), func(c *credential, now time.Time) error {
		if c.empty() {
			return ErrNoCredential
		}
		c.attest(&s.policy, evidence, now)
		return nil
	})
}

// Revoke ends a credential for good. Its secret is refused like any wrong one, parts that were not sent are not sent, and its
// level, evidence, sessions ([Service.Epoch]) and known devices end. Failures counted against the subject stay counted. After a
// revocation a new secret may be issued. Revoking twice is no error. Errors:
//   - [civicpin.ErrInvalid]: the subject, the actor or the reason is invalid. A reason has at most 512 printable bytes.
//   - [ErrNoCredential]: the subject has no credential.
//   - the store's: revoke again.
func (s *Service) Revoke(ctx context.Context, subject civicpin.Subject, reason string, by civicpin.Actor) error {
	err := s.manage(ctx, subject, by, eventRevoked, reason, func(c *credential, _ time.Time) error {
		if c.State == state.Revoked && c.Grant == nil {
			return store.ErrSkip
		}
		c.revoke(&s.policy)
		return nil
	})
	if err != nil {
		return err
	}
	return s.gate.ForgetDevices(ctx, subject, by)
}

// revoke ends the secret, with all that rests on it.
func (c *credential) revoke(p *Policy) {
	c.erase()
	*c = credential{
		State: state.Revoked, Issue: c.Issue, Parts: c.Parts, Issued: c.Issued, Changed: c.Changed, Used: c.Used,
		History: c.former(p), Epoch: c.Epoch + 1, Closed: c.Closed,
	}
	c.endSessions()
}

// Suspend refuses the credential until [Service.Resume], as if its secret were wrong. Parts that were not sent yet wait, and
// all sessions end ([Service.Epoch]). Suspending twice is no error. Errors are those of [Service.Revoke], and [ErrWrongState]
// for a revoked credential.
func (s *Service) Suspend(ctx context.Context, subject civicpin.Subject, reason string, by civicpin.Actor) error {
	return s.suspend(ctx, subject, reason, by, true, eventSuspended)
}

// Resume ends a suspension; by an operator, also what a repudiated recovery closed. Sessions that the suspension ended do not
// come back. Errors are those of [Service.Suspend]. A secret that a repudiated recovery set is gone: [ErrWrongState] says so.
func (s *Service) Resume(ctx context.Context, subject civicpin.Subject, reason string, by civicpin.Actor) error {
	return s.suspend(ctx, subject, reason, by, false, eventResumed)
}

func (s *Service) suspend(ctx context.Context, subject civicpin.Subject, reason string, by civicpin.Actor, to bool,
	code civicpin.EventCode,
) error {
	return s.manage(ctx, subject, by, code, reason, func(c *credential, _ time.Time) error {
		switch {
		case c.empty():
			return c.wrongState()
		case c.Suspended == to && (to || !c.Closed):
			return store.ErrSkip
		}
		if !to && by.IsOperator() {
			c.Closed, c.Run = false, "" // staff say that the secret is the subject's
		}
		c.Suspended, c.Grant = to, nil
		c.Epoch++
		c.endSessions()
		return nil
	})
}

// Stop refuses the credential until an operator has looked at it. It suspends a credential in use or under issue, and revokes
// one that a recovery created and nothing more. Package contact calls it. Errors are those of [Service.Suspend].
func (s *Service) Stop(ctx context.Context, subject civicpin.Subject, reason string, by civicpin.Actor) error {
	err := s.Suspend(ctx, subject, reason, by)
	if errors.Is(err, ErrWrongState) { // begun, and nothing chosen yet
		err = s.Revoke(ctx, subject, reason, by)
	}
	return err
}

// Unlock ends a lock that wrong guesses set; see [lockout.Gate.Unlock], whose errors it returns.
func (s *Service) Unlock(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) error {
	return s.gate.Unlock(ctx, lockout.Target{Subject: subject}, by)
}

// LowerLevel caps the assurance level at to until the given time, as after a change of the contacts that it rests on. If a cap
// is set already, the lower level and the later end apply. Evidence that an operator records afterwards ends the cap. Errors
// are those of [Service.Revoke], and [civicpin.ErrInvalid] for an invalid level.
func (s *Service) LowerLevel(ctx context.Context, subject civicpin.Subject, to civicpin.Level, until time.Time, reason string,
	by civicpin.Actor,
) error {
	if _, err := to.MarshalText(); err != nil {
		return err
	}
	return s.manage(ctx, subject, by, eventLowered, reason, func(c *credential, now time.Time) error {
		next := levelCap{Level: to, Until: until}
		if old := c.Lowered; old != nil && now.Before(old.Until) {
			next.Level = min(next.Level, old.Level)
			if old.Until.After(until) {
				next.Until = old.Until
			}
		}
		if !next.Until.After(now) || c.Lowered != nil && c.Lowered.Level == next.Level && c.Lowered.Until.Equal(next.Until) {
			return store.ErrSkip
		}
		c.Lowered = &next
		return nil
	})
}

// manage lets act change a credential on behalf of by, and records the event if anything changed.
func (s *Service) manage(ctx context.Context, subject civicpin.Subject, by civicpin.Actor, code civicpin.EventCode,
	reason string, act func(*credential, time.Time) error,
) error {
	if err := errors.Join(subject.Validate(), by.Validate(), validReason(reason)); err != nil {
		return err
	}
	changed := false
	e, err := s.creds.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[credential]) error {
		changed = false
		if !e.Found() {
			return ErrNoCredential
		}
		if err := act(&e.Value, s.vault.Now()); err != nil {
			return err
		}
		e.Value.By, e.Value.Reason = by, reason
		e.Value.dropAgain(s.vault.Now())
		e.ExpiresAt = e.Value.keep()
		changed = true
		return nil
	})
	if err != nil || !changed {
		return err
	}
	s.vault.Record(ctx, civicpin.Event{
		Code: code, Subject: subject, By: by, Ref: e.Value.Issue, Level: e.Value.Level, Reason: reason,
	})
	return nil
}

func validReason(reason string) error {
	if !names.Printable(reason, 512) {
		return fmt.Errorf("%w: reason is not at most 512 printable bytes", civicpin.ErrInvalid)
	}
	return nil
}

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
		State: c.State, Suspended: c.Suspended, Closed: c.Closed, Level: c.level(s.vault.Now()), Parts: c.parts(),
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
