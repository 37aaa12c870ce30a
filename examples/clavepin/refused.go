package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
)

// refused are the PINs that are right somewhere, or were right once, and those that never were.
func (t *tale) refused(ctx context.Context) error {
	return play.InTurn(ctx, t.spentAndForeign, t.late, t.guessed)
}

// spentAndForeign: one PIN is used, and then typed again; another is typed for something else than it was asked for; and one
// of Carmen's is typed into Ana's page. They are refused alike.
func (t *tale) spentAndForeign(ctx context.Context) error {
	spent, err := t.confirm(ctx, t.ana, t.ana.form(workingLife(t.ana)), t.at(t.ana.app), nil)
	if err != nil {
		return err
	}
	if err := t.do(ctx, t.ana, spent.deed); err != nil {
		return err
	}
	t.Say("Typed once more:")
	if err := t.refusedPIN(ctx, t.ana, spent); err != nil {
		return err
	}

	mine := bankAccount(t.ana, "ES79 2100 0813 6101 2345 6789")
	thiefs := bankAccount(t.ana, "LT12 1000 0111 0100 1000")
	other, err := t.readOne(ctx, t.ana, mine)
	if err != nil {
		return err
	}
	t.Say("It is for one account. A virus in her browser has put another number into the order:")
	other.deed = thiefs
	if err := t.refusedPIN(ctx, t.ana, other); err != nil {
		return err
	}

	carmens, err := t.readOne(ctx, t.carmen, workingLife(t.carmen))
	if err != nil {
		return err
	}
	t.Say("Carmen's, typed into a page of Ana's:")
	carmens.deed = workingLife(t.ana)
	if err := t.refusedPIN(ctx, t.ana, carmens); err != nil {
		return err
	}

	other.deed = mine
	u, err := t.typeCode(ctx, t.ana, other, []string{other.typed})
	if errors.Is(err, errUsedUp) {
		return nil
	}
	if err != nil {
		return err
	}
	return t.do(ctx, t.ana, u.deed) // the right one, for the order that it was asked for
}

// readOne orders a PIN, and has it read and not typed yet.
func (t *tale) readOne(ctx context.Context, c *citizen, d deed) (used, error) {
	req, err := t.order(ctx, c.form(d))
	if err != nil {
		return used{}, err
	}
	u := used{req: req, deed: d}
	return u, t.at(c.app)(&u)
}

// refusedPIN types a PIN that will not do.
func (t *tale) refusedPIN(ctx context.Context, c *citizen, u used) error {
	err := t.Patiently(func() error { return t.use(ctx, c, u) })
	t.Refuses(err)
	return play.Wanted(err, otp.ErrRefused, "a PIN that was not good for it")
}

// late: ten minutes are over. Only who types the right one is told.
func (t *tale) late(ctx context.Context) error {
	u, err := t.readOne(ctx, t.ana, workingLife(t.ana))
	if err != nil {
		return err
	}
	t.Say("She leaves one lying:")
	if err := t.Later(t.codes.Policy().Valid); err != nil {
		return err
	}
	err = t.Patiently(func() error { return t.use(ctx, t.ana, u) })
	t.Refuses(err)
	return play.Wanted(err, otp.ErrExpired, "a PIN after its time")
}

// guessed: an attacker who has Ana's card, and not her telephone, guesses. Three wrong ones end a PIN, and five lock.
func (t *tale) guessed(ctx context.Context) error {
	if err := t.Later(3 * day); err != nil { // what she mistyped is forgiven by then
		return err
	}
	t.Say("A thief has her card, asks for PINs in her name, and guesses:")
	var said []string
	for locked := false; !locked; {
		u, err := t.readOne(ctx, t.ana, bankAccount(t.ana, "LT12 1000 0111 0100 1000"))
		if err != nil {
			return err
		}
		for range t.codes.Policy().Tries {
			guess := u
			guess.typed = wrong(u.typed)
			err := t.use(ctx, t.ana, guess)
			left, isRefused := errors.AsType[*lockout.RefusedError](err)
			lock, isLocked := errors.AsType[*lockout.LockedError](err)
			switch {
			case isRefused:
				said = append(said, fmt.Sprintf("%d left", left.Left))
				continue
			case !isLocked:
				return play.Wanted(err, otp.ErrRefused, "a guess")
			}
			said = append(said, "locked until "+t.Hour(lock.Until))
			locked = true
			break
		}
		if !locked { // this PIN is used up: not even the right one counts
			err := t.use(ctx, t.ana, u)
			left, isRefused := errors.AsType[*lockout.RefusedError](err)
			if !isRefused {
				return play.Wanted(err, otp.ErrRefused, "a PIN that was used up")
			}
			said = append(said, fmt.Sprintf("%d left", left.Left))
		}
	}
	t.Says("%s.", strings.Join(said, ", "))
	st, err := t.codes.Status(ctx, t.ana.subject())
	if err != nil {
		return err
	}
	t.Say("Ana sees PINs that she did not ask for, and rings %s. Her questions answered, the operator sees %d wrong tries.",
		helpLine, st.Failures)
	if err := t.codes.Unlock(ctx, t.ana.subject(), helpDesk); err != nil {
		return err
	}
	t.Say("The lock is lifted:")
	u, err := t.confirm(ctx, t.ana, t.ana.form(workingLife(t.ana)), t.at(t.ana.app), nil)
	if err != nil {
		return err
	}
	return t.do(ctx, t.ana, u.deed)
}

// wrong returns a guess next to a PIN.
func wrong(code string) string {
	last := byte('A')
	if code[len(code)-1] == last {
		last = 'B'
	}
	return code[:len(code)-1] + string(last)
}
