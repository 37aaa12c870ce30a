package pin

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// RememberDevice makes the device from which ok was verified a known one of its subject's, and returns the device's value. Keep
// the value on the device, as a rule in a cookie that is HttpOnly, Secure and SameSite, and show it as Attempt.Source.Device at
// each login. Guesses from there then have a lane that strangers cannot lock; see [lockout.Gate.RememberDevice], also for how
// many devices there can be. The value proves nothing else, and is good for this subject only: not for a device that several
// people share.
//
// Call it once for each login after which the subject wants it, also from a known device: the value that the attempt showed is
// then replaced. With an error the device is not known. Errors:
//   - [ErrWrongState]: ok is no login with the subject's own secret, or an act has ended its session since ([Service.Epoch]).
//   - a *[lockout.LockedError]: an operator has locked since.
//   - [civicpin.ErrInvalid]: the policy has no known devices.
//   - the store's.
func (s *Service) RememberDevice(ctx context.Context, ok Verified) (civicpin.Secret, error) {
	p := ok.login
	if p == nil {
		return civicpin.Secret{}, ErrWrongState
	}
	value, err := s.gate.RememberDevice(ctx, lockout.Target{
		Subject: p.subject, Source: civicpin.Source{Address: p.address, Device: p.device},
	})
	if err != nil {
		return civicpin.Secret{}, err
	}
	// Only now: a recovery sets the new secret and then forgets the devices. A call that wrote this one after that sees the new
	// secret here, and returns no value.
	e, err := s.creds.Get(ctx, store.Key{Subject: p.subject})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return civicpin.Secret{}, err
	}
	if !e.Found() || !p.current(&e.Value) {
		return civicpin.Secret{}, ErrWrongState
	}
	return value, nil
}
