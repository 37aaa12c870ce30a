package main

import "context"

// device is what keeps Lucía in while strangers lock her key again and again: a telephone from which she has logged in has a
// lane of its own.
func (t *tale) device(ctx context.Context) error {
	t.Step("Her own telephone is known, and no stranger locks it")
	ok, err := t.signIn(ctx, t.lucia)
	if err != nil {
		return err
	}
	cookie, err := t.pins.RememberDevice(ctx, ok)
	if err != nil {
		return err
	}
	t.Say("She has the page remember her telephone.")
	if err := t.lockUp(ctx, t.lucia); err != nil {
		return err
	}
	t.Say("At a computer of the library:")
	if err := t.lockedOut(ctx, t.lucia); err != nil {
		return err
	}
	t.Say("On her telephone:")
	telephone := *t.lucia
	telephone.source.Device = cookie // as its browser shows it, with each request
	return t.login(ctx, &telephone)
}
