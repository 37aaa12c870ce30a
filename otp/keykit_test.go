package otp_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/oath"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
)

const (
	ada         = civicpin.Subject("BYRDAA15T50Z114X")
	fobLocked   = "locked"
	fobRefused  = "refused"
	fobAccepted = "accepted"
)

var (
	fobClerk  = civicpin.Operator("bianchi")
	fobSource = civicpin.Source{Address: "192.0.2.1"}
	inPerson  = civicpin.Evidence{Method: civicpin.InPerson, By: fobClerk}
)

// keyService is what TOTP and HOTP have in common.
type keyService interface {
	otp.Keys
	Enrol(ctx context.Context, subject civicpin.Subject) (otp.Key, error)
	Rebind(ctx context.Context, subject civicpin.Subject, proof civicpin.Evidence) (otp.Key, error)
	Import(ctx context.Context, subject civicpin.Subject, key otp.Key, by civicpin.Actor) error
	Enrolled(ctx context.Context, subject civicpin.Subject) (otp.KeyStatus, error)
	Remove(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) error
	Unlock(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) error
	Verify(ctx context.Context, subject civicpin.Subject, typed civicpin.Secret, source civicpin.Source) error
}

// fob is a service of either sort with what it needs.
type fob struct {
	keyService
	TOTP   *otp.TOTP // one of the two is nil
	HOTP   *otp.HOTP
	clock  *testkit.Clock
	events *testkit.Recorder
	store  store.Store
}

func newTOTP(t testing.TB, c otp.TOTPPolicy) *fob {
	t.Helper()
	return totpOn(t, store.NewMemory(), c, newClock(), &testkit.Recorder{})
}

func totpOn(t testing.TB, s store.Store, c otp.TOTPPolicy, clock *testkit.Clock, r *testkit.Recorder) *fob {
	t.Helper()
	c.Issuer = cmp.Or(c.Issuer, "Agency")
	service, err := otp.NewTOTP(testkit.Vault(t, s, clock, r), c)
	require.NoError(t, err)
	return &fob{keyService: service, TOTP: service, clock: clock, events: r, store: s}
}

func newHOTP(t testing.TB, c otp.HOTPPolicy) *fob {
	t.Helper()
	return hotpOn(t, store.NewMemory(), c, newClock(), &testkit.Recorder{})
}

func hotpOn(t testing.TB, s store.Store, c otp.HOTPPolicy, clock *testkit.Clock, r *testkit.Recorder) *fob {
	t.Helper()
	c.Issuer = cmp.Or(c.Issuer, "Agency")
	service, err := otp.NewHOTP(testkit.Vault(t, s, clock, r), c)
	require.NoError(t, err)
	return &fob{keyService: service, HOTP: service, clock: clock, events: r, store: s}
}

// told returns the events since the last call, as "code" or "code: reason".
func (f *fob) told() []string {
	var texts []string
	for _, e := range f.events.Take() {
		text := string(e.Code)
		if e.Reason != "" {
			text += ": " + e.Reason
		}
		texts = append(texts, text)
	}
	return texts
}

// codeAt is what a token with a key shows at a step or counter.
func codeAt(k otp.Key, counter uint64) string {
	h := map[otp.Algorithm]oath.Hash{otp.SHA1: oath.SHA1, otp.SHA256: oath.SHA256, otp.SHA512: oath.SHA512}[k.Algorithm]
	key := oath.NewKey(h, []byte(k.Seed.Reveal()), k.Digits)
	return fmt.Sprintf("%0*d", k.Digits, key.Code(counter))
}

// shown is what an app shows whose clock is right plus an offset.
func (f *fob) shown(k otp.Key, offset time.Duration) string {
	return codeAt(k, uint64(f.clock.Now().Add(offset).Unix()/int64(k.Period/time.Second)))
}

// verify checks a code of Ada's and says what came of it.
func (f *fob) verify(t testing.TB, code string) string {
	t.Helper()
	return outcome(t, f.Verify(t.Context(), ada, civicpin.NewSecret(code), fobSource))
}

// outcome says what an answer is, and fails the test if a visitor may not have it.
func outcome(t testing.TB, err error) string {
	t.Helper()
	_, locked := errors.AsType[*lockout.LockedError](err)
	switch {
	case err == nil:
		return fobAccepted
	case locked:
		return fobLocked
	}
	require.ErrorIs(t, err, otp.ErrRefused)
	return fobRefused
}

// enrol makes a pending key for Ada.
func (f *fob) enrol(t testing.TB) otp.Key {
	t.Helper()
	key, err := f.Enrol(t.Context(), ada)
	require.NoError(t, err)
	return key
}

// enrolled enrols Ada and activates the key with its first code. A TOTP then lets a minute pass, so that the next code counts.
func (f *fob) enrolled(t testing.TB) otp.Key {
	t.Helper()
	key := f.enrol(t)
	if f.TOTP != nil {
		require.Equal(t, fobAccepted, f.verify(t, f.shown(key, 0)))
		f.clock.Add(time.Minute)
	} else {
		require.Equal(t, fobAccepted, f.verify(t, codeAt(key, 0)))
	}
	return key
}

// imported binds a key of Ada's that is in use already.
func (f *fob) imported(t testing.TB, key otp.Key) otp.Key {
	t.Helper()
	require.NoError(t, f.Import(t.Context(), ada, key, fobClerk))
	return key
}

// wrongCode is one that none of the keys shows near now, or among its next counters.
func (f *fob) wrongCode(keys ...otp.Key) string {
	for n := 0; ; n++ {
		code, right := fmt.Sprintf("%06d", n), false
		for _, k := range keys {
			for i := range uint64(40) {
				step := i
				if k.Period > 0 {
					step = uint64(f.clock.Now().Unix()/int64(k.Period/time.Second)) + i - 20
				}
				right = right || codeAt(k, step) == code
			}
		}
		if !right {
			return code
		}
	}
}

func (f *fob) status(t testing.TB) otp.KeyStatus {
	t.Helper()
	st, err := f.Enrolled(t.Context(), ada)
	require.NoError(t, err)
	return st
}

// copyOf returns a store with the same records.
func copyOf(t testing.TB, s store.Store) store.Store {
	t.Helper()
	to := store.NewMemory()
	testkit.Copy(t, to, s.(store.Lister))
	return to
}
