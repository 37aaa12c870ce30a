package twoworlds

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
)

// A person is a state in which the subject can be when a schedule begins. Locked is none of them: visitors lock, in both
// worlds.
type person struct {
	name  string
	bring func(ctx context.Context, w *world) error // nil: nothing is known of the subject
}

// people lists the states. The first is unknown.
func people() []person {
	return []person{
		{"unknown", nil},
		{"in use", brings(adopted, imported)},
		{"in use, with all enrolled", brings(adopted, imported, enrolled)},
		{"in use, without contacts", brings(imported)},
		{"never issued, with contacts", brings(adopted)},
		{"provisional", brings(issued)},
		{"provisional, with contacts", brings(adopted, issued)},
		{"suspended", brings(adopted, imported, enrolled, suspended)},
		{"revoked", brings(adopted, imported, enrolled, revoked)},
		{"expired", brings(adopted, longAgo, imported, enrolled)},
		{"provisional, and expired", brings(adopted, longAgo, issued)},
		{"in use, with a contact that cools down", brings(adopted, imported, cooling)},
		{"once in use, and issued anew", brings(adopted, imported, revoked, issued)},
	}
}

// brings does several things shortly before dawn.
func brings(do ...func(context.Context, *world) error) func(context.Context, *world) error {
	return func(ctx context.Context, w *world) error {
		w.clock.Set(dawn.Add(-time.Minute))
		for _, f := range do {
			if err := f(ctx, w); err != nil {
				return err
			}
		}
		return nil
	}
}

// contacts are the subject's, who uses the portal from anywhere.
func contacts() []civicpin.Contact {
	return []civicpin.Contact{{Channel: civicpin.SMS, Address: phone}, {Channel: civicpin.Email, Address: email}}
}

func adopted(ctx context.Context, w *world) error {
	return w.contacts.Adopt(ctx, subject, contacts(), office, civicpin.Source{})
}

func imported(ctx context.Context, w *world) error {
	w.secret = w.setup.fits(0)
	return w.pins.Import(ctx, subject, hashed(w.secret), pin.ImportOptions{By: office})
}

func issued(ctx context.Context, w *world) error {
	_, err := w.pins.Issue(ctx, subject, pin.IssueOptions{Parts: w.setup.parts(contacts()), By: office})
	return err
}

func suspended(ctx context.Context, w *world) error { return w.pins.Suspend(ctx, subject, "", office) }

func revoked(ctx context.Context, w *world) error {
	return w.pins.Revoke(ctx, subject, state.Ended, "", office)
}

// longAgo lets all that follows be older than any secret may be.
func longAgo(_ context.Context, w *world) error {
	w.clock.Set(dawn.AddDate(-1, 0, 0))
	return nil
}

// enrolled enrols all else that can be.
func enrolled(ctx context.Context, w *world) (err error) {
	if err := enrolAnswers(ctx, w, 0); err != nil {
		return err
	}
	key := otp.Key{
		Issuer: "Agency", Account: "ana", Seed: civicpin.NewSecret("12345678901234567890"), Algorithm: otp.SHA1, Digits: 6,
		Period: 30 * time.Second,
	}
	if err := w.totp.Import(ctx, subject, key, office); err != nil {
		return err
	}
	key.Period = 0
	if err := w.hotp.Import(ctx, subject, key, office); err != nil {
		return err
	}
	w.paper, err = w.backup.Issue(ctx, subject, civicpin.Citizen)
	return err
}

// enrolAnswers enrols the first image and answers to the first questions.
func enrolAnswers(ctx context.Context, w *world, n int) error {
	answers := make(map[string]civicpin.Secret)
	for _, question := range w.setup.Questions[:min(4, len(w.setup.Questions))] {
		answers[question] = known(question)
	}
	image := ""
	if len(w.setup.Images) > 0 {
		image = w.setup.Images[n%2]
	}
	if image == "" && len(answers) == 0 {
		return nil
	}
	return w.recovery.EnrolAnswers(ctx, subject, image, answers, own)
}

// known is the subject's answer to a question.
func known(question string) civicpin.Secret { return civicpin.NewSecret("larga y secreta " + question) }

// cooling adds a contact, which cools down.
func cooling(ctx context.Context, w *world) error {
	const added = "ana.nueva@correo.example"
	_, err := w.contacts.Add(ctx, subject, civicpin.Contact{Channel: civicpin.Email, Address: added}, civicpin.Citizen, own)
	if err != nil {
		return err
	}
	if err := w.out.Flush(ctx); err != nil {
		return err
	}
	return w.contacts.ProveCode(ctx, subject, w.mail.Last(added, "").Secret, own)
}

// fits returns a secret that the policy takes, by number.
func (s *Setup) fits(n int) string {
	words := []string{"tres gatos en el tejado", "una liebre bajo el puente", "siete barcos sin capitan"}
	mixed := []string{"827QTR94", "5WK38ZD2", "H7P2X9MB"}
	digits := []string{"8274920361", "5913846270", "7304629158"}
	switch s.Pin.Chosen.Form {
	case pin.Password:
		return words[n%3]
	case pin.Digits:
		return digits[n%3][:min(10, max(s.Pin.Chosen.Min, 4))]
	}
	return (mixed[n%3] + mixed[(n+1)%3])[:max(s.Pin.Chosen.Min, 4)]
}

var errNone = errors.New("twoworlds: there is none")
