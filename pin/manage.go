package pin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/waits"
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
	if err := s.checkEvidence(evidence); err != nil {
		return err
	}
	return s.manage(ctx, subject, evidence.By, eventAttested, string(evidence.Method), func(c *credential, now time.Time) error {
		if c.empty() {
			return ErrNoCredential
		}
		c.attest(&s.policy, evidence, now)
		return nil
	})
}

// checkEvidence checks evidence that is to be recorded.
func (s *Service) checkEvidence(evidence civicpin.Evidence) error {
	if err := evidence.Validate(); err != nil {
		return err
	}
	if s.policy.Levels[evidence.Method] == civicpin.NoLevel {
		return fmt.Errorf("%w: %s", ErrWeakEvidence, evidence.Method)
	}
	return nil
}

// Revoke ends a credential for good. Its secret is refused like any wrong one, and never taken again; parts that were not sent
// are not sent, and its level, evidence, sessions ([Service.Epoch]) and known devices end. Failures counted against the subject
// stay counted. After a revocation a new secret may be issued; after one for [state.Fraud] only on evidence, until the subject
// has chosen a secret. Revoking twice is no error, and fraud that was found stays found. Errors:
//   - [civicpin.ErrInvalid]: the subject, the cause, the actor or the reason is invalid. A reason has at most 512 printable
//     bytes.
//   - [ErrNoCredential]: the subject has no credential.
//   - the store's: revoke again.
func (s *Service) Revoke(ctx context.Context, subject civicpin.Subject, cause state.Cause, reason string,
	by civicpin.Actor,
) error {
	if cause != state.Ended && cause != state.Fraud {
		return fmt.Errorf("%w: the cause of a revocation is ended or fraud", civicpin.ErrInvalid)
	}
	err := s.manage(ctx, subject, by, eventRevoked, reason, func(c *credential, now time.Time) error {
		fraud := cause == state.Fraud
		if c.State == state.Revoked && c.Grant == nil && (c.Fraud || !fraud) {
			return store.ErrSkip
		}
		act := waits.GiveUp // a thief in a session does, too: it must not end what says "it was not me"
		if by.IsOperator() {
			act = waits.Revoke
		}
		c.revoke(&s.policy, c.Acts.Did(act, now))
		c.Aside = nil // so that the subject is issued a secret where those went, too
		c.Fraud = c.Fraud || fraud
		return nil
	})
	if err != nil {
		return err
	}
	return s.gate.ForgetDevices(ctx, subject, by)
}

// revoke ends the secret, with all that rests on it. acts are those upon the credential afterwards.
func (c *credential) revoke(p *Policy, acts waits.Acts) {
	c.erase()
	c.lose()
	end := credential{
		State: state.Revoked, Issue: c.Issue, Parts: c.Parts, Issued: c.Issued, Changed: c.Changed, Used: c.Used,
		Closed: c.Closed,
	}
	end.inherit(c, p, acts)
	*c = end
	c.endSessions()
}

// Suspend refuses the credential until [Service.Resume], as if its secret were wrong. Parts that were not sent yet wait. All
// sessions ([Service.Epoch]) and known devices end, since a device may be what was stolen. Suspending twice is no error. Errors
// are those of [Service.Revoke], and [ErrWrongState] for a revoked credential.
func (s *Service) Suspend(ctx context.Context, subject civicpin.Subject, reason string, by civicpin.Actor) error {
	if err := s.suspend(ctx, subject, reason, by, true, eventSuspended, civicpin.Evidence{}); err != nil {
		return err
	}
	return s.gate.ForgetDevices(ctx, subject, by)
}

// Resume ends a suspension, and what a repudiated recovery closed. Only an operator can: a citizen's session may be a thief's.
// Evidence is recorded as by [Service.Attest], if there is something to resume; it may be zero unless Policy.ResumeOnEvidence
// is set, or a contact repudiated a recovery.
// Sessions that the suspension ended do not come back, nor does a secret that a repudiated recovery set: it is revoked. Errors
// are those of [Service.Suspend], and:
//   - [civicpin.ErrInvalid]: by is no operator, or the evidence is invalid.
//   - [ErrWeakEvidence]: there is no evidence, and the policy or a repudiation asks for it; or the policy grants nothing for
//     its method.
func (s *Service) Resume(ctx context.Context, subject civicpin.Subject, evidence civicpin.Evidence, reason string,
	by civicpin.Actor,
) error {
	if err := onlyOperator(by, "resumes"); err != nil {
		return err
	}
	if evidence.Method == "" && s.policy.ResumeOnEvidence {
		return fmt.Errorf("%w: the policy resumes on evidence", ErrWeakEvidence)
	}
	if evidence != (civicpin.Evidence{}) {
		if err := s.checkEvidence(evidence); err != nil {
			return err
		}
	}
	return s.suspend(ctx, subject, reason, by, false, eventResumed, evidence)
}

func (s *Service) suspend(ctx context.Context, subject civicpin.Subject, reason string, by civicpin.Actor, to bool,
	code civicpin.EventCode, evidence civicpin.Evidence,
) error {
	return s.manage(ctx, subject, by, code, reason, func(c *credential, now time.Time) error {
		switch {
		case c.empty():
			return c.wrongState()
		case c.Suspended == to && (to || !c.Closed):
			return store.ErrSkip
		case !to && c.Closed && evidence.Method == "": // or a telephone call would confirm a thief's secret
			return fmt.Errorf("%w: a contact repudiated a recovery", ErrWeakEvidence)
		}
		if !to {
			c.Closed, c.Run = false, "" // staff say that the secret is the subject's
		}
		c.Suspended, c.Grant = to, nil
		if evidence.Method != "" {
			c.attest(&s.policy, evidence, now)
		}
		c.Acts = c.Acts.Did(waits.Suspend, now)
		c.endSessions()
		return nil
	})
}

// Stop refuses the credential until an operator has looked at it. It suspends a credential in use or under issue, and revokes
// one that a recovery created and nothing more. Package contact calls it. Errors are those of [Service.Suspend].
func (s *Service) Stop(ctx context.Context, subject civicpin.Subject, reason string, by civicpin.Actor) error {
	err := s.Suspend(ctx, subject, reason, by)
	if errors.Is(err, ErrWrongState) { // begun, and nothing chosen yet
		err = s.Revoke(ctx, subject, state.Fraud, reason, by)
	}
	return err
}

// onlyOperator refuses another actor: a citizen's session may be a thief's.
func onlyOperator(by civicpin.Actor, does string) error {
	if !by.IsOperator() {
		return fmt.Errorf("%w: only an operator %s", civicpin.ErrInvalid, does)
	}
	return nil
}

// Unlock has an operator end a lock that wrong guesses set; see [lockout.Gate.Unlock], whose errors it returns. The subject
// ends one by a recovery that unlocks.
func (s *Service) Unlock(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) error {
	if err := onlyOperator(by, "unlocks"); err != nil {
		return err
	}
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
