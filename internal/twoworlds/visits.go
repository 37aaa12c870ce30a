package twoworlds

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
)

// The addresses that visitors type begin so.
const (
	typedMail  = "typed"
	typedPhone = "+59398765"
	// Those that they type beside the address in the register, to which a letter goes.
	besideMail  = "beside"
	besidePhone = "+59398766"
)

// wrong is a secret that no subject has.
func wrong(n int) civicpin.Secret { return civicpin.NewSecret(fmt.Sprintf("K7WPMX4R%d", n)) }

// personal is what the caller's register has of the subject, whether the subject uses the portal or not: in some pairs of
// worlds alike, in others not, since a visitor must not find out what the register has.
func (w *world) personal() []string {
	if w.other {
		return []string{"1971-11-02", "Eva Benalcazar"}
	}
	return []string{"1980-03-14", "Ana Andrade"}
}

// attempt is a visitor's.
func (w *world) attempt(n int) pin.Attempt {
	return pin.Attempt{Subject: subject, Secret: wrong(n), Source: home, Personal: w.personal()}
}

// chosen is a secret that a visitor asks for: some of them would break a rule, if the rules were looked at.
func chosen(n int) civicpin.Secret {
	return civicpin.NewSecret([]string{
		"14031980", "ana andrade 1980-03-14", "andrade1", "cinco perros bajo la mesa", "1710034065", "5hk2pq7z", "99123456",
		"cinco 593991234567 perros",
	}[n%8])
}

// purpose is what codes are asked for.
func purpose(n int) otp.Purpose { return otp.Purpose{Act: fmt.Sprintf("act-%d", n%2)} }

// forged is a token that was never made.
func forged(kind string) civicpin.Secret {
	return civicpin.NewSecret(kind + strings.Repeat("A", 26) + "AQ." + strings.Repeat("A", 43))
}

// forgedGrant is a grant that was never given.
func forgedGrant() (pin.Grant, error) {
	return pin.ParseGrant(civicpin.NewSecret("g1.MTcxMDAzNDA2NQ." + strings.Repeat("A", 43)))
}

// pick returns an earlier value by number, the zero value if there is none.
func pick[T any](list []T, n int) (v T) {
	if len(list) > 0 {
		v = list[n%len(list)]
	}
	return v
}

// typed are contacts of a visitor's own.
func typed(n int) []civicpin.Contact {
	return []civicpin.Contact{
		{Channel: civicpin.SMS, Address: fmt.Sprintf("%s%04d", typedPhone, n%4)},
		{Channel: civicpin.Email, Address: fmt.Sprintf("%s%d@correo.example", typedMail, n%4)},
	}
}

// byLetter returns a visitor's contacts beside a letter, nil where a policy with an exception shows who has a secret anyway.
// After operators have acted on what was issued visitors use others.
func (w *world) byLetter(n int) []civicpin.Contact {
	if w.setup.Pin.Valid[civicpin.Letter] == 0 || w.setup.Pin.Requests.Typed {
		return nil
	}
	parts := []civicpin.Contact{
		{Channel: civicpin.SMS, Address: fmt.Sprintf("%s%02d%d", besidePhone, w.round%100, n%2)},
		{Channel: civicpin.Email, Address: fmt.Sprintf("%s%d.%d@correo.example", besideMail, w.round, n%2)},
	}
	parts = slices.DeleteFunc(parts, func(c civicpin.Contact) bool { return w.setup.Pin.Valid[c.Channel] == 0 })
	return append(parts[:w.setup.Pin.Parts-1], civicpin.Contact{Channel: civicpin.Letter, Address: fmt.Sprint("Calle ", w.round)})
}

// beside reports whether an address is one that visitors type beside a letter, since operators last acted.
func (w *world) beside(to string) bool {
	return strings.HasPrefix(to, fmt.Sprintf("%s%02d", besidePhone, w.round%100)) ||
		strings.HasPrefix(to, fmt.Sprintf("%s%d.", besideMail, w.round))
}

// visits are the calls that any visitor can make, without a recovery.
func visits() []act { return slices.Concat(logins(), letters(), codes()) }

// logins are a visitor's calls about the secret.
func logins() []act {
	return []act{
		{name: "verify", factor: "pin", do: func(ctx context.Context, w *world, n int) (string, error) {
			_, err := w.pins.Verify(ctx, w.attempt(n))
			return "", err
		}},
		{name: "exchange", factor: "pin", do: func(ctx context.Context, w *world, n int) (string, error) {
			_, err := w.pins.Exchange(ctx, w.attempt(n), chosen(n))
			return "", err
		}},
		{name: "change", factor: "pin", do: func(ctx context.Context, w *world, n int) (string, error) {
			_, err := w.pins.Change(ctx, w.attempt(n), chosen(n))
			return "", err
		}},
		{name: "set under a forged grant", factor: "pin", do: func(ctx context.Context, w *world, n int) (string, error) {
			g, err := forgedGrant()
			if err == nil {
				_, err = w.pins.Set(ctx, g, chosen(n), home, w.personal()...)
			}
			return "", err
		}},
		{name: "reissue under a forged grant", do: func(ctx context.Context, w *world, _ int) (string, error) {
			g, err := forgedGrant()
			if err == nil {
				_, err = w.pins.Reissue(ctx, g, home)
			}
			return "", err
		}},
		{name: "ask for a secret", do: func(ctx context.Context, w *world, n int) (string, error) {
			_, err := w.pins.Issue(ctx, subject, pin.IssueOptions{Parts: w.setup.parts(typed(n)), By: civicpin.Citizen, Source: home})
			return "", err
		}},
		{name: "resend a part", do: func(ctx context.Context, w *world, n int) (string, error) {
			return "", w.pins.Resend(ctx, subject, n%w.setup.Pin.Parts, home)
		}},
	}
}

// letters are a visitor's requests for a secret, half of which goes by letter to the address in the register.
func letters() []act {
	return []act{
		{name: "ask with a letter", do: func(ctx context.Context, w *world, n int) (string, error) {
			parts := w.byLetter(n)
			if parts == nil {
				return "", nil
			}
			is, err := w.pins.Issue(ctx, subject, pin.IssueOptions{
				Parts: parts, By: civicpin.Citizen, Source: home, Register: true,
			})
			var shown strings.Builder
			fmt.Fprintf(&shown, "%s until %s", w.names.of("issue", is.ID), moment(is.ExpiresAt))
			for _, p := range is.Parts {
				fmt.Fprintf(&shown, " %s %s %s", p.Contact.Channel, p.State, moment(p.At))
			}
			return shown.String(), err
		}},
	}
}

// codes are a visitor's calls about one-time codes.
func codes() []act {
	return []act{
		{name: "request a code", do: func(ctx context.Context, w *world, n int) (string, error) {
			r, err := w.codes.Request(ctx, subject, purpose(n), otp.RequestOptions{To: w.to, Source: home})
			if err == nil {
				w.requests = append(w.requests, r.ID)
			}
			return fmt.Sprintf("%s until %s to %s", w.names.of("request", r.ID), moment(r.ExpiresAt), w.names.of("masked", r.To)), err
		}},
		{name: "verify a code", factor: "codes", do: func(ctx context.Context, w *world, n int) (string, error) {
			return "", w.codes.Verify(ctx, subject, purpose(n), pick(w.requests, n), wrong(n), home)
		}},
		{name: "resend a code", do: func(ctx context.Context, w *world, n int) (string, error) {
			return "", w.codes.Resend(ctx, subject, pick(w.requests, n), home)
		}},
		{name: "verify an app's code", factor: "totp", do: func(ctx context.Context, w *world, n int) (string, error) {
			return "", w.totp.Verify(ctx, subject, civicpin.NewSecret(fmt.Sprintf("00000%d", n%10)), home)
		}},
		{name: "verify a token's code", factor: "hotp", do: func(ctx context.Context, w *world, n int) (string, error) {
			return "", w.hotp.Verify(ctx, subject, civicpin.NewSecret(fmt.Sprintf("00000%d", n%10)), home)
		}},
		{name: "resynchronise a token", factor: "hotp", do: func(ctx context.Context, w *world, n int) (string, error) {
			one, two := fmt.Sprintf("00000%d", n%10), fmt.Sprintf("00001%d", n%10)
			return "", w.hotp.Resync(ctx, subject, civicpin.NewSecret(one), civicpin.NewSecret(two), home)
		}},
		{name: "verify a backup code", factor: "backup", do: func(ctx context.Context, w *world, n int) (string, error) {
			return "", w.backup.Verify(ctx, subject, wrong(n), home)
		}},
	}
}
