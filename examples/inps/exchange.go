package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/pin"
)

// exchange is Maria's first login: the sixteen characters are good for nothing but for choosing eight of her own.
func (t *tale) exchange(ctx context.Context) error {
	t.Step("First login: sixteen characters for eight of her own")
	issued, err := t.firstLogin(ctx, t.maria, func() (string, error) {
		first, err := t.Ask("First half", t.halves[0])
		if err != nil {
			return "", err
		}
		second, err := t.Ask("Second half", t.halves[1])
		return first + second, err
	})
	if err != nil {
		return err
	}
	t.Says("Right. Before anything else, choose a PIN of your own: 8 letters and digits.")
	bad := []string{"12345678", string(t.maria.cf[:8]), birthday(t.maria), plain(t.halves[0])}
	if err := t.choose(ctx, issued, bad); err != nil {
		return err
	}
	_, err = t.pins.Verify(ctx, t.maria.attempt(issued))
	t.Say("The sixteen characters are good for nothing now:")
	t.Refuses(err)
	if err := play.Wanted(err, pin.ErrRefused, "the issued PIN after its exchange"); err != nil {
		return err
	}
	if err := t.keep(ctx, t.maria); err != nil {
		return err
	}
	return t.proveOthers(ctx)
}

// firstLogin shows the login page to a citizen who has both halves of a PIN, and returns what they typed.
func (t *tale) firstLogin(ctx context.Context, c citizen, typed func() (string, error)) (string, error) {
	issued, ok, err := t.signIn(ctx, c, typed)
	if err == nil && !ok.MustExchange {
		err = errors.New("the issued PIN need not be exchanged")
	}
	return issued, err
}

// both is a login page with one field for both halves: the library does not mind.
func (t *tale) both(c citizen, halves [2]string) func() (string, error) {
	return func() (string, error) { return t.Ask(c.name+"'s sixteen characters", halves[0]+" "+halves[1]) }
}

// chooseAnew has Maria exchange a further PIN that was issued to her, and log in with the one that she chooses.
func (t *tale) chooseAnew(ctx context.Context, halves [2]string) error {
	issued, err := t.firstLogin(ctx, t.maria, t.both(t.maria, halves))
	if err != nil {
		return err
	}
	if err := t.choose(ctx, issued, nil); err != nil {
		return err
	}
	_, err = t.login(ctx)
	return err
}

// choose exchanges Maria's issued PIN for one that she types, after the bad ones.
func (t *tale) choose(ctx context.Context, issued string, bad []string) error {
	return t.newPIN(bad, func(chosen civicpin.Secret) error {
		_, err := t.pins.Exchange(ctx, t.maria.attempt(issued), chosen)
		return err
	})
}

// newPIN is the page on which Maria chooses a PIN: set says whether it may be. The suggestions are the bad ones, and then
// some that she did not have in this run; those that she lost in an earlier one are refused.
func (t *tale) newPIN(bad []string, set func(chosen civicpin.Secret) error) error {
	good := []string{
		"QZ7W-K4PM", "HJ4N-8RTX", "MN6B-3VCX", "TW9F-2HGA", "DX7K-5RWB", "VF2N-6JQE",
		"KR8D-4WTN", "XC5H-9MPA", "GT3W-7QFD", "NE6J-2XKR", "WP4C-8HVT", "RA9X-5DGM",
	}
	good = slices.DeleteFunc(good, func(s string) bool { return t.chosen[plain(s)] })
	return t.ask("Maria's new PIN", append(bad, good...), func(typed string) error {
		if err := set(civicpin.NewSecret(typed)); err != nil {
			return err
		}
		t.pin, t.chosen[plain(typed)] = typed, true
		return nil
	})
}

// otherwise returns a PIN as it might be typed the next time, which is the same PIN for the library.
func otherwise(typed string) string {
	if p := strings.ToLower(plain(typed)); len(p) == 8 {
		return p[:4] + " " + p[4:]
	}
	return typed
}

// plain returns a PIN without blanks and hyphens and in upper case, much as the library compares it.
func plain(typed string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(typed))
}

// birthday is what many people would choose.
func birthday(c citizen) string {
	born, err := time.Parse(time.DateOnly, c.born)
	if err != nil {
		return "10121985"
	}
	return born.Format("02012006")
}
