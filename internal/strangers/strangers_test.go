package strangers_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/oath"
	"github.com/civicpin/civicpin/internal/strangers"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
)

const (
	maria = civicpin.Subject("RSSMRA85T10A562S")
	phone = "+393331234567"
)

func open(t *testing.T) *strangers.Scene {
	return strangers.Open(t, time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
}

// login is the door of a policy of package pin: the owner logs in, and strangers guess.
func login(t *testing.T, name string, p pin.Policy) func() (*strangers.Scene, strangers.Door) {
	return func() (*strangers.Scene, strangers.Door) {
		s := open(t)
		pins, err := pin.New(s.Out, p)
		require.NoError(t, err)
		return s, s.LoginDoor(name, pins, maria)
	}
}

// code is the door of a policy of package otp: the owner asks for a code, reads it and types it; strangers ask, too, and type
// something.
func code(t *testing.T, name string, p otp.CodePolicy) func() (*strangers.Scene, strangers.Door) {
	return func() (*strangers.Scene, strangers.Door) {
		s := open(t)
		codes, err := otp.NewCodes(s.Out, p)
		require.NoError(t, err)
		purpose := otp.Purpose{Act: "pay"}
		ask := func(source civicpin.Source) (otp.Request, error) {
			return codes.Request(t.Context(), maria, purpose, otp.RequestOptions{
				To: []civicpin.Contact{{Channel: civicpin.SMS, Address: phone}}, Source: source,
			})
		}
		try := func(source civicpin.Source) error {
			r, err := ask(source)
			if err != nil {
				return err
			}
			return codes.Verify(t.Context(), maria, purpose, r.ID, s.Read(phone, otp.CodeMessage).Secret, source)
		}
		d := strangers.Door{Name: name, Owner: s.Owner(maria, try)}
		d.Strangers = map[string]func(civicpin.Source) error{
			"ask": func(source civicpin.Source) error { return testkit.Err(ask(source)) },
			"type": func(source civicpin.Source) error {
				err := codes.Verify(t.Context(), maria, purpose, "AAAAAAAAAAAAAAAAAAAAAAAAAA", civicpin.NewSecret("000000"), source)
				if errors.Is(err, otp.ErrRefused) {
					return nil
				}
				return err
			},
		}
		return s, d
	}
}

// A verify function checks what was typed. The other one returns what is right at the moment.
type (
	verifier func(civicpin.Secret, civicpin.Source) error
	owned    func() civicpin.Secret
)

// kept is the door of a possession that shows what to type: the owner types it, and strangers guess.
func kept(t *testing.T, name string, enrol func(*testing.T, *strangers.Scene) (verifier, owned),
) func() (*strangers.Scene, strangers.Door) {
	return func() (*strangers.Scene, strangers.Door) {
		s := open(t)
		verify, right := enrol(t, s)
		d := strangers.Door{Name: name}
		d.Owner = s.Owner(maria, func(source civicpin.Source) error { return verify(right(), source) })
		d.Strangers = map[string]func(civicpin.Source) error{"type": func(source civicpin.Source) error {
			if err := verify(civicpin.NewSecret("no code"), source); !errors.Is(err, otp.ErrRefused) {
				return err
			}
			return nil
		}}
		return s, d
	}
}

// app is an authenticator app with the default policy.
func app(t *testing.T, s *strangers.Scene) (verifier, owned) {
	apps, err := otp.NewTOTP(s.Vault, otp.TOTPPolicy{Issuer: "Agency"})
	require.NoError(t, err)
	key, err := apps.Enrol(t.Context(), maria)
	require.NoError(t, err)
	verify := func(typed civicpin.Secret, source civicpin.Source) error {
		return apps.Verify(t.Context(), maria, typed, source)
	}
	right := func() civicpin.Secret {
		k := oath.NewKey(oath.SHA1, []byte(key.Seed.Reveal()), key.Digits)
		return civicpin.NewSecret(fmt.Sprintf("%06d", k.Code(uint64(s.Clock.Now().Unix()/30))))
	}
	require.NoError(t, verify(right(), civicpin.Source{}))
	s.Clock.Add(time.Minute)
	return verify, right
}

// paper is a set of backup codes with the default policy.
func paper(t *testing.T, s *strangers.Scene) (verifier, owned) {
	codes, err := otp.NewBackupCodes(s.Vault, otp.BackupPolicy{Name: "paper"})
	require.NoError(t, err)
	set, err := codes.Issue(t.Context(), maria, civicpin.Citizen)
	require.NoError(t, err)
	verify := func(typed civicpin.Secret, source civicpin.Source) error {
		return codes.Verify(t.Context(), maria, typed, source)
	}
	return verify, func() civicpin.Secret { return set[0] }
}

// What strangers cost the owner under the ready policies stands in docs/threats.md, in minutes.
func TestMinutes(t *testing.T) {
	strangers.Table(
		t, "pin and otp",
		login(t, "pin.Default, log in", pin.Default()), login(t, "pin.INPS, log in", pin.INPS()),
		code(t, "otp.SMS, get a code and type it", otp.SMS()), code(t, "otp.ClavePIN, get a code and type it", otp.ClavePIN()),
		kept(t, "otp.TOTP, type a code", app), kept(t, "otp.BackupCodes, type a code", paper),
	)
}
