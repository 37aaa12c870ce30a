package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
)

// A form is what a visitor fills in to ask for a PIN.
type form struct {
	nif    ident.NIF
	data   cardData
	deed   deed
	own    string           // four characters of their own; may be empty
	by     civicpin.Channel // empty means the app if there is one
	source civicpin.Source
}

// onItsWay is what the page says to everybody: to citizens, to who knows a number but not the card, to who has nobody's
// number, and while wrong data are locked.
const onItsWay = "If these data are right, a PIN is on its way to your telephone. It is good for ten minutes, and once."

// submit is what the page does with a form. An error is a lock, to which unknown numbers come alike.
func (t *tale) submit(ctx context.Context, f form) (otp.Request, error) {
	right, err := t.knowsCard(ctx, f)
	if err != nil {
		return otp.Request{}, err
	}
	// Read for everybody, and only then dropped: or the time that the page takes would tell.
	to, err := t.contacts(ctx, civicpin.Subject(f.nif))
	if err != nil {
		return otp.Request{}, err
	}
	if !right {
		to = nil
	}
	// Without contacts the library does the same work, and nothing is sent.
	return t.codes.Request(ctx, civicpin.Subject(f.nif), f.deed.purpose(), otp.RequestOptions{
		To: only(f.by, to), Joined: civicpin.NewSecret(f.own), Source: f.source,
		Params: map[string]string{"act": f.deed.words[t.Lang]},
	})
}

// only returns the contacts over one channel.
func only(by civicpin.Channel, all []civicpin.Contact) (some []civicpin.Contact) {
	for _, c := range all {
		if by == "" || c.Channel == by {
			some = append(some, c)
		}
	}
	return some
}

// knowsCard reports whether the data are those of the number's owner. The guess is counted before it is compared, and
// nothing of what the gate answers reaches the visitor.
func (t *tale) knowsCard(ctx context.Context, f form) (bool, error) {
	key := lockout.Target{Subject: civicpin.Subject(f.nif), Source: f.source}
	err := t.cards.Do(ctx, key, func(context.Context) (bool, error) {
		p, known := t.people[f.nif]
		if !known {
			return false, lockout.ErrNoSubject
		}
		return subtle.ConstantTimeCompare([]byte(p.data()), []byte(f.data)) == 1, nil
	})
	_, isLocked := errors.AsType[*lockout.LockedError](err)
	if isLocked || errors.Is(err, lockout.ErrRefused) || errors.Is(err, lockout.ErrBusy) {
		return false, nil
	}
	return err == nil, err
}

// asking has Ana ask for a PIN with her number and the date on her card, and a stranger who guesses at that date.
func (t *tale) asking(ctx context.Context) error {
	t.Step("She asks for a PIN: with the number and the date on her card")
	if err := t.guessCard(ctx); err != nil {
		return err
	}
	t.Say("Ana asks for one, to look at her working life.")
	for range play.Answers {
		f := form{deed: workingLife(t.ana), source: t.ana.source}
		err := t.ask("Her DNI", []string{"12345678Z"}, func(typed string) (err error) {
			f.nif, err = ident.ParseNIF(typed)
			return err
		})
		if err != nil {
			return err
		}
		err = t.ask("Valid until (NIE: support number)", []string{"9-5-2031"}, func(typed string) (err error) {
			f.data, err = readCardData(f.nif.Kind(), typed)
			return err
		})
		if err != nil {
			return err
		}
		req, err := t.order(ctx, f)
		if err != nil {
			return err
		}
		t.Says(onItsWay)
		came, err := t.waitsFor(ctx, f, t.ana.app)
		if err != nil {
			return err
		}
		if came {
			t.asked = used{req: req, deed: f.deed}
			return nil
		}
	}
	return play.ErrAnswers
}

// waitsFor reports whether anything came to an address. If it did not because of a lock, it lets that end.
func (t *tale) waitsFor(ctx context.Context, f form, address string) (bool, error) {
	_, came, err := t.news(address)
	if err != nil || came {
		return came, err
	}
	// The page does not tell; the log does.
	st, err := t.cards.Status(ctx, lockout.Target{Subject: civicpin.Subject(f.nif)})
	if err != nil {
		return false, err
	}
	switch {
	case st.Locked == nil:
		t.Say("Nothing comes.")
		return false, nil
	case st.Locked.Until.IsZero():
		return false, st.Locked
	}
	t.Say("Nothing comes. (After %d wrong dates this number is locked until %s, which only the log tells.)",
		st.Failures, t.Hour(st.Locked.Until))
	return false, t.PassUntil(st.Locked.Until)
}

// guessCard has a stranger try dates with Ana's number, which is easily come by, and with an unknown one.
func (t *tale) guessCard(ctx context.Context) error {
	source := civicpin.Source{Address: "203.0.113.66"}
	said := make(map[ident.NIF]string)
	other := t.nobody()
	for _, nif := range []ident.NIF{t.ana.NIF, other} {
		var pages []string
		for i := range t.cards.Policy().Limit {
			f := form{nif: nif, data: cardData(time.Date(2027, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)), source: source}
			f.deed = workingLife(t.ana)
			page := onItsWay
			if _, err := t.submit(ctx, f); err != nil {
				if page = t.Explain(err); page == "" {
					return err
				}
			}
			pages = append(pages, page)
		}
		said[nif] = strings.Join(pages, "\n")
	}
	if err := t.Deliver(ctx); err != nil {
		return err
	}
	if said[t.ana.NIF] != said[other] {
		return errors.New("the page tells who is registered")
	}
	t.Say("A stranger guesses five dates, for Ana's number and for one that nobody has. The page answers ten times:")
	t.Says(onItsWay)
	return nil
}

// nobody returns a number that is valid and unknown in this story.
func (t *tale) nobody() ident.NIF {
	for {
		// One in 23 has the right letter at its end.
		nif, err := ident.ParseNIF(fmt.Sprintf("%08d%c", rand.IntN(100_000_000), 'A'+rand.IntN(26)))
		if _, known := t.people[nif]; err == nil && !known {
			return nif
		}
	}
}
