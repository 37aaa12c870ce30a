package twoworlds

import (
	"context"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
)

// The adversary is registered in both worlds, lives with the subject, and so shares the telephone and the source address.
const (
	adversary     = civicpin.Subject("0926687856")
	adversaryMail = "mal@correo.example"
)

// enrolAdversary registers the adversary.
func (w *world) enrolAdversary(ctx context.Context) error {
	if err := w.pins.Import(ctx, adversary, hashed(w.setup.fits(0)), pin.ImportOptions{By: office}); err != nil {
		return err
	}
	return w.contacts.Adopt(ctx, adversary, adverseContacts(), office, civicpin.Source{})
}

func adverseContacts() []civicpin.Contact {
	return []civicpin.Contact{{Channel: civicpin.Email, Address: adversaryMail}, {Channel: civicpin.SMS, Address: phone}}
}

// hashed returns a hash that is imported.
func hashed(secret string) civicpin.Secret {
	return civicpin.NewSecret(password.New(password.Params{Memory: 8, Time: 1, Threads: 1}, secret).Encode())
}

// adverse are the acts of the adversary about the adversary's own account.
func adverse() []act {
	return []act{
		{name: "the adversary logs in", do: func(ctx context.Context, w *world, n int) (string, error) {
			a := pin.Attempt{Subject: adversary, Secret: civicpin.NewSecret(w.setup.fits(0)), Source: home}
			if n%4 == 0 {
				a.Secret = wrong(n)
			}
			_, err := w.pins.Verify(ctx, a)
			return "", err
		}},
		{name: "the adversary asks for a code", do: func(ctx context.Context, w *world, n int) (string, error) {
			to := adverseContacts()[n%2:]
			r, err := w.codes.Request(ctx, adversary, purpose(n), otp.RequestOptions{To: to, Source: home})
			if err == nil {
				w.own = append(w.own, r.ID)
			}
			return fmt.Sprintf("%s %s %s", w.names.of("request", r.ID), moment(r.ExpiresAt), r.To), err
		}},
		{name: "the adversary asks again", do: func(ctx context.Context, w *world, n int) (string, error) {
			return "", w.codes.Resend(ctx, adversary, pick(w.own, n), home)
		}},
		{name: "the adversary starts a recovery", do: func(ctx context.Context, w *world, n int) (string, error) {
			run, err := w.recovery.Start(ctx, w.setup.Plans[n%len(w.setup.Plans)].Name, adversary, home)
			return fmt.Sprintf("%v %s", run.Done, moment(run.ExpiresAt)), err
		}},
		{name: "the adversary asks what waits", do: func(ctx context.Context, w *world, _ int) (string, error) {
			pending, err := w.codes.Pending(ctx, adversary)
			return fmt.Sprintf("%d", len(pending)), err
		}},
	}
}
