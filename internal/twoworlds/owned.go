package twoworlds

import (
	"context"
	"slices"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
)

// owned are acts of the owner and of operators, in both worlds. The owner never guesses wrongly, so where the subject is
// unknown the owner guesses at nothing.
func owned() []act {
	list := slices.Concat(ownLogins(), ownCodes(), ownContacts(), operated())
	for i := range list {
		list[i].by = owner
	}
	return list
}

// ownLogins are what the owner does with the secret.
func ownLogins() []act {
	return []act{
		{name: "the owner logs in", factor: "pin", do: func(ctx context.Context, w *world, _ int) (string, error) {
			if !w.active(ctx) {
				return "", errNone
			}
			_, err := w.pins.Verify(ctx, w.login())
			return "", err
		}},
		{name: "the owner changes the secret", factor: "pin", do: func(ctx context.Context, w *world, n int) (string, error) {
			if !w.active(ctx) {
				return "", errNone
			}
			next := w.setup.fits(n)
			_, err := w.pins.Change(ctx, w.login(), civicpin.NewSecret(next))
			if err == nil {
				w.secret = next
			}
			return "", err
		}},
		{name: "the owner exchanges", reads: true, factor: "pin", do: func(ctx context.Context, w *world, n int) (string, error) {
			return "", w.exchange(ctx, n)
		}},
	}
}

// ownCodes are what the owner does with codes and plans.
func ownCodes() []act {
	return []act{
		{name: "the owner asks for a code", do: func(ctx context.Context, w *world, n int) (string, error) {
			_, err := w.codes.Request(ctx, subject, purpose(n), otp.RequestOptions{To: w.to, Source: own})
			return "", err
		}},
		{name: "the owner types a code", reads: true, factor: "codes", do: func(
			ctx context.Context, w *world, n int,
		) (string, error) {
			r, err := w.codes.Request(ctx, subject, purpose(n), otp.RequestOptions{To: w.to, Source: own})
			if err != nil {
				return "", err
			}
			if err := w.out.Flush(ctx); err != nil {
				return "", err
			}
			pending, err := w.codes.Pending(ctx, subject)
			for _, p := range pending {
				if p.ID == r.ID {
					return "", w.codes.Verify(ctx, subject, purpose(n), r.ID, p.Code, own)
				}
			}
			return "", err
		}},
		{name: "the owner types a backup code", factor: "backup", do: func(ctx context.Context, w *world, n int) (string, error) {
			if left, err := w.backup.Left(ctx, subject); err != nil || left == 0 || len(w.paper) == 0 {
				return "", errNone
			}
			typed := w.paper[0]
			w.paper = w.paper[1:]
			return "", w.backup.Verify(ctx, subject, typed, own)
		}},
		{name: recovers, reads: true, factor: "pin recovery", do: func(ctx context.Context, w *world, n int) (string, error) {
			return "", w.recover(ctx, n)
		}},
	}
}

// ownContacts are what the owner does with contacts and answers, and what the contacts do.
func ownContacts() []act {
	return []act{
		{name: "the owner adds a contact", reads: true, rests: true, do: func(ctx context.Context, w *world, _ int) (string, error) {
			return "", cooling(ctx, w)
		}},
		{name: "the owner removes a contact", rests: true, do: func(ctx context.Context, w *world, n int) (string, error) {
			proved, _, err := w.contacts.List(ctx, subject)
			if err != nil || len(proved) == 0 {
				return "", err
			}
			return "", w.contacts.Remove(ctx, subject, pick(proved, n).ID, civicpin.Citizen, own)
		}},
		{name: "a contact undoes or repudiates", acts: true, reads: true, rests: true, do: func(
			ctx context.Context, w *world, n int,
		) (string, error) {
			return "", w.repudiate(ctx, n)
		}},
		{name: "the owner enrols other answers", do: func(ctx context.Context, w *world, n int) (string, error) {
			defer w.names.forget("images", "questions")
			return "", enrolAnswers(ctx, w, n)
		}},
	}
}

// operated are acts of operators.
func operated() []act {
	return []act{
		{name: "an operator unlocks", do: func(ctx context.Context, w *world, n int) (string, error) {
			if n%2 == 0 {
				return "", w.codes.Unlock(ctx, subject, office)
			}
			return "", w.pins.Unlock(ctx, subject, office)
		}},
		{name: "an operator suspends", acts: true, do: func(ctx context.Context, w *world, _ int) (string, error) {
			return "", suspended(ctx, w)
		}},
		{name: "an operator resumes", acts: true, do: func(ctx context.Context, w *world, _ int) (string, error) {
			return "", w.pins.Resume(ctx, subject, civicpin.Evidence{}, "seen", office)
		}},
		{name: "an operator revokes", acts: true, do: func(ctx context.Context, w *world, _ int) (string, error) {
			return "", revoked(ctx, w)
		}},
		{name: issuesAnew, acts: true, factor: "pin", do: func(ctx context.Context, w *world, _ int) (string, error) {
			_, err := w.pins.Issue(ctx, subject, pin.IssueOptions{
				Parts: w.setup.parts(contacts()), By: office, Evidence: civicpin.Evidence{Method: civicpin.InPerson, By: office},
			})
			return "", err
		}},
		{name: "an operator adopts the contacts", rests: true, do: func(ctx context.Context, w *world, _ int) (string, error) {
			return "", adopted(ctx, w)
		}},
		{name: "the subject is erased", acts: true, rests: true, factor: everything, do: func(
			ctx context.Context, w *world, _ int,
		) (string, error) {
			defer w.names.forget("images", "questions")
			_, err := w.vault.Erase(ctx, subject, store.Pass{})
			return "", err
		}},
	}
}

// recovers is the name of the act that walks the owner through a plan.
const (
	recovers   = "the owner recovers"
	issuesAnew = "an operator issues"
)

// everything names all factors at which visitors guess.
const everything = "pin codes totp hotp backup recovery"

// login is the owner's attempt.
func (w *world) login() pin.Attempt {
	return pin.Attempt{Subject: subject, Secret: civicpin.NewSecret(w.secret), Source: own, Personal: w.personal()}
}

// active reports whether the subject has a secret in use.
func (w *world) active(ctx context.Context) bool {
	st, err := w.pins.Status(ctx, subject)
	return err == nil && st.State == state.Active && !st.Suspended
}

// exchange exchanges the secret whose parts came last.
func (w *world) exchange(ctx context.Context, n int) error {
	st, err := w.pins.Status(ctx, subject)
	if err != nil || st.State != state.Provisional || st.Suspended || len(st.Parts) == 0 {
		return errNone
	}
	var text strings.Builder
	for _, p := range st.Parts {
		if p.Contact.Address != phone && p.Contact.Address != email || p.State != state.Accepted {
			return errNone // a visitor asked for it
		}
		text.WriteString(w.mail.Last(p.Contact.Address, pin.PartMessage).Secret.Reveal())
	}
	a := w.login()
	a.Secret = civicpin.NewSecret(text.String())
	next := w.setup.fits(n)
	_, err = w.pins.Exchange(ctx, a, civicpin.NewSecret(next))
	if err == nil {
		w.secret = next
	}
	return err
}

// repudiate follows the n-th last link that undoes or repudiates.
func (w *world) repudiate(ctx context.Context, n int) error {
	var links []civicpin.Secret
	for _, m := range w.mail.To(email, "") {
		if link := m.Link.Reveal(); link != "" && (link[0] == 'd' || link[0] == 'u') {
			links = append(links, m.Link)
		}
	}
	if len(links) == 0 {
		return errNone
	}
	return w.recovery.Repudiate(ctx, links[len(links)-1-n%min(2, len(links))], own)
}
