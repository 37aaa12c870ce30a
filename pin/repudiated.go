package pin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/proof"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/store"
)

// Repudiated undoes what a recovery brought that was not the subject's, as far as its holder could show:
//   - The secret that it set ends for good, with those that were chosen with it, or asked for without evidence since. The
//     former one does not come back.
//   - A grant that was not used ends, and the secret stays.
//   - No recovery begins, and no issue but on evidence, until staff have acted: an issue or import, [Service.Attest] or
//     [Service.Resume] by an operator.
//   - Known devices that were remembered since are forgotten. After an unlock that is all.
//
// If operators approved the recovery, the credential is suspended instead, and nothing ends but the grant and these devices:
// they decide.
// What staff or another recovery set since stands. Done twice it changes nothing. Only package recovery can make a proof.
// Errors:
//   - [civicpin.ErrInvalid]: the proof is empty, or not one of package recovery.
//   - [ErrChanged]: an operator has issued, imported or revoked since the recovery, which stands.
//   - the store's: call it again.
func (s *Service) Repudiated(ctx context.Context, p proof.Completed) error {
	if !p.Sealed() || !p.Repudiated || p.Run == "" {
		return fmt.Errorf("%w: not a repudiation of package recovery", civicpin.ErrInvalid)
	}
	if !p.Unlock {
		const why = "repudiated by a contact"
		err := s.manage(ctx, p.Subject, civicpin.Citizen, eventRepudiated, why, func(c *credential, now time.Time) error {
			return c.repudiate(p, &s.policy, now)
		})
		if err != nil && !errors.Is(err, ErrNoCredential) {
			return err
		}
	}
	return s.gate.ForgetDevicesSince(ctx, p.Subject, p.Finished, civicpin.Citizen)
}

// repudiate ends what a run brought. It closes the credential, or a thief who can recover it once could do so again.
func (c *credential) repudiate(p proof.Completed, policy *Policy, now time.Time) error {
	if c.ended(p) { // staff have dealt with it
		return ErrChanged
	}
	set, granted := c.Run == p.Run, c.Grant != nil && c.Grant.Run == p.Run
	if !set && !granted {
		return store.ErrSkip
	}
	c.Closed = true
	act := waits.Repudiate
	if p.Seen {
		act = waits.Suspend
	}
	c.Acts = c.Acts.Did(act, now)
	if set { // another run's secret is that run's to repudiate
		c.Run = ""
	}
	switch {
	case set && !p.Seen, c.empty(): // also one that the citizen, or a thief, revoked since
		c.revoke(policy, c.Acts)
		return nil
	case set:
		c.Suspended = true // staff decide: see Resume
		c.endSessions()
	}
	c.Grant = nil
	return nil
}
