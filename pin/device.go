package pin

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// login is what a Verified carries of the attempt that it came from: which secret was right, and which device was shown. It is
// behind a pointer, so that a Verified that is printed shows none of it.
type login struct {
	subject civicpin.Subject
	address string
	device  civicpin.Secret
	changed time.Time // of the secret
}

func loginOf(a Attempt, c *credential) *login {
	return &login{
		subject: a.Subject, address: a.Source.Address, device: civicpin.NewSecret(a.Source.Device), changed: c.Changed,
	}
}

// current reports whether the credential still has the secret that was right.
func (p *login) current(c *credential) bool {
	return c.State == active && !c.Suspended && c.Changed.Equal(p.changed)
}

// RememberDevice makes the device from which ok was verified a known one of its citizen's, and returns the value by which it is
// known: keep it there, in a cookie as a rule that is HttpOnly, Secure and SameSite, and show it as Attempt.Source.Device at
// each login. Guesses from there then have a lane that strangers cannot lock; see [lockout.Gate.RememberDevice], also for how
// many devices there can be. The value proves nothing else, and is good for this citizen only: not for a device that several
// share.
//
// Call it once for each login where the citizen wants it, also from a device that is known: the value that the attempt showed
// is then replaced. Three store calls.
//
// Errors: [ErrState] if ok was not given for a citizen's own secret, or that secret is no longer the one, or is suspended;
// a *[lockout.LockedError] if an operator has locked since; [civicpin.ErrInvalid] if the policy has no known devices; the
// store's. With an error the device is not known.
func (s *Service) RememberDevice(ctx context.Context, ok Verified) (civicpin.Secret, error) {
	p := ok.login
	if p == nil {
		return civicpin.Secret{}, ErrState
	}
	value, err := s.gate.RememberDevice(ctx, lockout.Target{
		Subject: p.subject, Source: civicpin.Source{Address: p.address, Device: p.device.Reveal()},
	})
	if err != nil {
		return civicpin.Secret{}, err
	}
	// Only now: a recovery sets the new secret and then forgets the devices. Whoever got this one in after that sees the new
	// secret here, and the value stays with nobody.
	e, err := s.creds.Get(ctx, store.Key{Subject: p.subject})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return civicpin.Secret{}, err
	}
	if !e.Found() || !p.current(&e.Value) {
		return civicpin.Secret{}, ErrState
	}
	return value, nil
}
