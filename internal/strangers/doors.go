package strangers

import (
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
)

// secret is the owner's, as an earlier system had it.
const secret = "QZ7WK4PM"

// home is where the owner is.
const home = "192.0.2.10"

// Owner returns what an owner does with each means, by what the request shows.
func (s *Scene) Owner(subject civicpin.Subject, try func(civicpin.Source) error) map[Means]func() error {
	return map[Means]func() error{
		Nothing: func() error { return try(civicpin.Source{Address: home}) },
		Device:  func() error { return try(civicpin.Source{Address: home, Shown: s.FromDevice(subject)}) },
		Login:   func() error { return try(civicpin.Source{Address: home, Shown: s.LoggedIn(subject)}) },
	}
}

// LoginDoor is the door of a credential that this call gives to the subject: the owner logs in, and strangers guess.
func (s *Scene) LoginDoor(name string, pins *pin.Service, subject civicpin.Subject) Door {
	s.T.Helper()
	s.Enrol(pins, subject)
	try := func(typed string, source civicpin.Source) (pin.Verified, error) {
		return pins.Verify(s.T.Context(), pin.Attempt{Subject: subject, Secret: civicpin.NewSecret(typed), Source: source})
	}
	owner := map[Means]func() error{
		Nothing: func() error { return testkit.Err(try(secret, civicpin.Source{Address: home})) },
	}
	if pins.Policy().Lockout.Devices > 0 {
		ok, err := try(secret, civicpin.Source{Address: home})
		if err != nil {
			s.T.Fatal(err)
		}
		cookie, err := pins.RememberDevice(s.T.Context(), ok)
		if err != nil {
			s.T.Fatal(err)
		}
		owner[Device] = func() error { return testkit.Err(try(secret, civicpin.Source{Address: home, Device: cookie})) }
	}
	guess := func(source civicpin.Source) error {
		if err := testkit.Err(try("wrong and wrong again", source)); !errors.Is(err, pin.ErrRefused) {
			return err
		}
		return nil
	}
	return Door{Name: name, Owner: owner, Strangers: map[string]func(civicpin.Source) error{"guess": guess}}
}

// Enrol gives the subject a credential.
func (s *Scene) Enrol(pins *pin.Service, subject civicpin.Subject) {
	s.T.Helper()
	hash := password.New(password.Params{Memory: 8, Time: 1, Threads: 1}, secret).Encode()
	clerk := civicpin.Operator("clerk")
	if err := pins.Import(s.T.Context(), subject, civicpin.NewSecret(hash), pin.ImportOptions{By: clerk}); err != nil {
		s.T.Fatal(err)
	}
}
