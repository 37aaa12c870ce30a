package otp

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// A KeyStatus is what an operator, or the subject after a login, may see of a subject's keys. It holds no secret.
type KeyStatus struct {
	// Active says that a key is in use, Pending that a key waits for its first code.
	Active, Pending bool
	// ID names the active key in events; Algorithm and Digits are its own. All three, and the times, are zero without one.
	ID        string
	Algorithm Algorithm
	Digits    int
	// BoundAt and UsedAt are when the key became active and when its last code was accepted; zero if none was.
	BoundAt, UsedAt time.Time
	// By is the actor who bound the key.
	By civicpin.Actor
	// Proof is how identity was proved anew for the active key, or without one for the pending key; zero if the key did not come
	// by Rebind.
	Proof civicpin.Evidence
	// Drift is how far the last code of a TOTP key was ahead of the server's clock, negative if behind. Typing takes time and
	// counts as behind.
	Drift time.Duration
	// Counter is that of a HOTP key's next code.
	Counter uint64
	// Lockout is the state of the guesses. It is set without a key, too.
	Lockout lockout.Status
}

// proof returns the evidence that was kept with a key.
func (b *boundKey) proof() civicpin.Evidence {
	if b.Method == "" {
		return civicpin.Evidence{}
	}
	return civicpin.Evidence{Method: b.Method, Document: b.Document, By: b.By, At: b.Proved}
}

// Enrolled returns the state of a subject's keys, also if there is none. Do not show it to visitors: it tells who is enrolled.
// Errors match [civicpin.ErrInvalid] for an invalid subject, or are the store's.
func (k *keys) Enrolled(ctx context.Context, subject civicpin.Subject) (KeyStatus, error) {
	if err := subject.Validate(); err != nil {
		return KeyStatus{}, err
	}
	e, err := k.rings.Get(ctx, store.Key{Subject: subject})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return KeyStatus{}, err
	}
	locks, err := k.gate.Status(ctx, lockout.Target{Subject: subject})
	if err != nil {
		return KeyStatus{}, err
	}
	on, err := epochsOf(ctx, k.credentials, subject)
	if err != nil {
		return KeyStatus{}, err
	}
	e.Value.sweep(on, k.vault.Now())
	st := KeyStatus{Pending: e.Value.Pending != nil, Lockout: locks}
	st.Proof = cmp.Or(e.Value.Active, e.Value.Pending, &boundKey{}).proof()
	if b := e.Value.Active; b != nil {
		st.Active, st.ID, st.Algorithm, st.Digits = true, b.ID, b.Algorithm, b.Digits
		st.BoundAt, st.UsedAt, st.By = b.Bound, b.Used, b.By
		if b.Period != 0 {
			st.Drift = time.Duration(b.Drift*b.Period) * time.Second
		} else {
			st.Counter = b.Next
		}
	}
	return st, nil
}
