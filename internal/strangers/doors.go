package strangers

import (
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

// Imported is the secret that Enrol gives a subject, as an earlier system had it.
const Imported = "QZ7WK4PM"

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
		Nothing: func() error { return testkit.Err(try(Imported, civicpin.Source{Address: home})) },
	}
	if pins.Policy().Lockout.Devices > 0 {
		ok, err := try(Imported, civicpin.Source{Address: home})
		if err != nil {
			s.T.Fatal(err)
		}
		cookie, err := pins.RememberDevice(s.T.Context(), ok)
		if err != nil {
			s.T.Fatal(err)
		}
		owner[Device] = func() error { return testkit.Err(try(Imported, civicpin.Source{Address: home, Device: cookie})) }
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
	hash := password.New(password.Params{Memory: 8, Time: 1, Threads: 1}, Imported).Encode()
	clerk := civicpin.Operator("clerk")
	if err := pins.Import(s.T.Context(), subject, civicpin.NewSecret(hash), pin.ImportOptions{By: clerk}); err != nil {
		s.T.Fatal(err)
	}
}

// Begin starts a run of a plan, and gives answers to it, one form after the other.
func (s *Scene) Begin(rec *recovery.Service, plan string, subject civicpin.Subject, source civicpin.Source,
	forms ...recovery.Answers,
) (recovery.Run, error) {
	run, err := rec.Start(s.T.Context(), plan, subject, source)
	ticket := run.Ticket
	for _, form := range forms {
		if err != nil {
			break
		}
		form.Source = source
		run, err = rec.Answer(s.T.Context(), ticket, form)
	}
	run.Ticket = ticket
	return run, err
}

// Attacker returns a move of an attacker's, who starts a run and gives answers to it. A wrong answer counts, and is no refusal.
func (s *Scene) Attacker(rec *recovery.Service, plan string, subject civicpin.Subject, forms ...recovery.Answers,
) func(civicpin.Source) error {
	return func(source civicpin.Source) error {
		if _, err := s.Begin(rec, plan, subject, source, forms...); !errors.Is(err, recovery.ErrRefused) {
			return err
		}
		return nil
	}
}
