package strangers_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/oath"
	"github.com/civicpin/civicpin/internal/strangers"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
)

const (
	maria = civicpin.Subject("RSSMRA85T10A562S")
	phone = "+393331234567"
	// invented is the id of a request that was never made.
	invented = "AAAAAAAAAAAAAAAAAAAAAAAAAA"
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
				err := codes.Verify(t.Context(), maria, purpose, invented, civicpin.NewSecret("000000"), source)
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

// A guesser guesses wrong at a subject.
type guesser func(civicpin.Subject, civicpin.Source) error

// readyPolicies are all that this module has ready, with the right guess of each subject that is enrolled where that takes one
// call.
func readyPolicies(t *testing.T) map[string]func(*strangers.Scene) (guess guesser, right guesser) {
	all := make(map[string]func(*strangers.Scene) (guess guesser, right guesser))
	for name, p := range map[string]pin.Policy{"pin.Default": pin.Default(), "pin.INPS": pin.INPS()} {
		all[name] = func(s *strangers.Scene) (guess guesser, right guesser) {
			pins, err := pin.New(s.Out, p)
			require.NoError(t, err)
			return func(subject civicpin.Subject, source civicpin.Source) error {
					a := pin.Attempt{Subject: subject, Secret: civicpin.NewSecret("wrong and wrong again"), Source: source}
					return testkit.Err(pins.Verify(t.Context(), a))
				}, func(subject civicpin.Subject, source civicpin.Source) error {
					s.Enrol(pins, subject)
					a := pin.Attempt{Subject: subject, Secret: civicpin.NewSecret(strangers.Imported), Source: source}
					return testkit.Err(pins.Verify(t.Context(), a))
				}
		}
	}
	for name, p := range map[string]otp.CodePolicy{"otp.SMS": otp.SMS(), "otp.ClavePIN": otp.ClavePIN()} {
		all[name] = func(s *strangers.Scene) (guess guesser, right guesser) {
			codes, err := otp.NewCodes(s.Out, p)
			require.NoError(t, err)
			return func(subject civicpin.Subject, source civicpin.Source) error {
				return codes.Verify(t.Context(), subject, otp.Purpose{Act: "pay"}, invented, civicpin.NewSecret("000000"), source)
			}, nil
		}
	}
	all["otp.TOTP"] = func(s *strangers.Scene) (guess guesser, right guesser) {
		apps, err := otp.NewTOTP(s.Vault, otp.TOTPPolicy{Issuer: "Agency"})
		require.NoError(t, err)
		return typing(t, apps.Verify), nil
	}
	all["otp.BackupCodes"] = func(s *strangers.Scene) (guess guesser, right guesser) {
		codes, err := otp.NewBackupCodes(s.Vault, otp.BackupPolicy{Name: "paper"})
		require.NoError(t, err)
		return typing(t, codes.Verify), nil
	}
	return all
}

// typing types what is no code.
func typing(t *testing.T, verify func(context.Context, civicpin.Subject, civicpin.Secret, civicpin.Source) error) guesser {
	return func(subject civicpin.Subject, source civicpin.Source) error {
		return verify(t.Context(), subject, civicpin.NewSecret("no code"), source)
	}
}

// TestSpray: one guess at each of 300 subjects from one address is stopped under each ready policy, at 30, and at 120 behind
// challenges; a class of 30 pupils behind one address is not.
func TestSpray(t *testing.T) {
	for name, prepare := range readyPolicies(t) {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			guess, right := prepare(s)
			compared, source := 0, civicpin.Source{Address: "192.0.2.77"}
			for _, most := range []int{30, 120} {
				for i := range 300 {
					if err := guess(pupil(most*1000+i), source); errors.Is(err, lockout.ErrRefused) {
						compared++
					} else {
						require.ErrorIs(t, err, lockout.ErrLocked)
						require.Equal(t, most == 30, errors.Is(err, lockout.ErrChallenge))
					}
				}
				require.Equal(t, most, compared)
				source.Challenged = true
				if right != nil && most == 30 { // a neighbour of the attacker's needs a challenge, and no more
					require.NoError(t, right(pupil(99), source))
				}
			}
			school := civicpin.Source{Address: "192.0.2.78"}
			for i := range 30 {
				require.ErrorIs(t, guess(pupil(i), school), lockout.ErrRefused)
			}
			for i := range 30 {
				if right != nil {
					require.NoError(t, right(pupil(i), school))
				}
			}
		})
	}
}

func pupil(i int) civicpin.Subject { return civicpin.Subject(fmt.Sprint("PUPIL-", i)) }

// TestSizing: what 5,000 guesses at invented ids in a day leave in the store stands in docs/sizing.md. It is bounded by the limits of
// a source where there is one, and all of it goes.
func TestSizing(t *testing.T) {
	const guesses, window = 5000, 24 * time.Hour
	var b bytes.Buffer
	b.WriteString("| policy | addresses | compared | records | KB | bytes a source | KB after 2 days | after 32 days |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	all := readyPolicies(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, addresses := range []int{1, 5000} {
			s := open(t)
			guess, _ := all[name](s)
			_, before := s.Stored("")
			compared := 0
			for i := range guesses {
				source := civicpin.Source{Address: fmt.Sprintf("10.0.%d.%d", i%addresses/250, i%addresses%250)}
				if errors.Is(guess(pupil(i), source), lockout.ErrRefused) {
					compared++
				}
				s.Clock.Add(window / guesses)
			}
			records, bytes := s.Stored("")
			sources, size := s.Stored("quota.sources.")
			fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d |", name, addresses, compared, records, (bytes-before)/1000, size/sources)
			s.Clock.Add(2 * 24 * time.Hour)
			_, bytes = s.Stored("")
			fmt.Fprintf(&b, " %d |", (bytes-before)/1000)
			s.Clock.Add(30 * 24 * time.Hour)
			_, bytes = s.Stored("")
			fmt.Fprintf(&b, " %d |\n", (bytes-before)/1000)
			require.LessOrEqual(t, bytes, before)
			if addresses == 1 {
				require.LessOrEqual(t, compared, 200)
			}
		}
	}
	strangers.Compare(t, "sizing.md", "stored", b.String())

	b.Reset()
	b.WriteString("| policy | bytes a subject with a secret in use |\n| --- | --- |\n")
	for _, name := range []string{"pin.Default", "pin.INPS"} {
		s := open(t)
		_, right := all[name](s)
		require.NoError(t, right(maria, civicpin.Source{}))
		s.Clock.Add(2 * 24 * time.Hour) // what a login leaves for an hour is gone
		_, bytes := s.Stored("pin.")
		fmt.Fprintf(&b, "| %s | %d |\n", name, bytes)
	}
	strangers.Compare(t, "sizing.md", "subjects", b.String())
}
