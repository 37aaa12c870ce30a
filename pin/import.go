package pin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
)

// ImportOptions say what is known of a credential that comes from another system.
type ImportOptions struct {
	// Level and Evidence are as in [IssueOptions].
	Level    civicpin.Level
	Evidence civicpin.Evidence
	// ChangedAt and UsedAt are when the secret was chosen and last used there. Policy.MaxAge and MaxUnused count from them, and
	// if they are zero, from now.
	ChangedAt, UsedAt time.Time
	// By is the operator who imports; required.
	By civicpin.Actor
}

// Import takes over a subject's own secret from another system by its hash: an argon2id, argon2i, bcrypt, PBKDF2 or scrypt
// string in the PHC format, or as crypt, passlib and Django write it. Until its first right use, the secret is compared as it
// is typed; then it is normalised and hashed anew under the policy. Until then a check takes as long as the old hash does: an
// attacker who measures time may tell such a subject from others. Import resets the failure count and lifts a disablement.
//
// Errors:
//   - [civicpin.ErrInvalid]: the subject or the hash is invalid, or By is no operator.
//   - [ErrWeakEvidence]: the evidence does not give the level.
//   - [ErrWrongState]: the subject has a credential that is not revoked, or one that was revoked for [state.Fraud] and there is
//     no evidence.
//   - the store's.
func (s *Service) Import(ctx context.Context, subject civicpin.Subject, hash civicpin.Secret, o ImportOptions) error {
	check := IssueOptions{Level: o.Level, Evidence: o.Evidence}
	if err := errors.Join(subject.Validate(), o.By.Validate(), onlyOperator(o.By, "imports"), s.checkLevel(&check)); err != nil {
		return err
	}
	parsed, err := password.Parse(hash.Reveal())
	if err != nil {
		return fmt.Errorf("%w: %w", civicpin.ErrInvalid, err)
	}
	now := s.vault.Now()
	c := credential{State: state.Active, Hash: parsed.Encode(), Changed: now, Issued: now}
	if !o.ChangedAt.IsZero() && o.ChangedAt.Before(now) {
		c.Changed = o.ChangedAt
	}
	if !o.UsedAt.IsZero() && o.UsedAt.Before(now) {
		c.Used = o.UsedAt
	}
	if o.Evidence.Method != "" {
		c.attest(&s.policy, o.Evidence, now)
	}
	c.Level = check.Level
	c.endSessions()
	_, err = s.creds.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[credential]) error {
		if e.Found() && (!e.Value.empty() || (e.Value.Fraud || e.Value.Closed) && o.Evidence.Method == "") {
			return e.Value.wrongState()
		}
		c.inherit(&e.Value, &s.policy, e.Value.issued(o.By, now))
		c.Fraud = false // a secret of the subject's own is set
		e.Value, e.ExpiresAt = c, time.Time{}
		return nil
	})
	if err != nil {
		return err
	}
	// A new binding, as an issue on evidence: the guesses of strangers before it do not leave its owner disabled.
	if err := s.gate.Rebind(ctx, Attempt{Subject: subject}.key(), o.By); err != nil {
		return err
	}
	s.vault.Record(ctx, civicpin.Event{Code: eventImported, Subject: subject, By: o.By, Level: c.Level, Reason: parsed.String()})
	return nil
}
