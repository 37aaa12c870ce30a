package main

import (
	"context"

	"github.com/boombuler/barcode/qr"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/otp"
)

// operator gives a member of staff a second factor: who can register citizens, or unlock their codes, needs more than a
// password. It comes first because the clock of the story, which skips days later on, still shows your own time: with -i you
// can scan the code and type what your own app shows.
func (t *tale) operator(ctx context.Context) error {
	t.Step("An operator gets a second factor")
	rosa := civicpin.Subject(videoDesk)
	t.Say("Rosa, of the video desk, has been signed in with her staff card. She scans this with an authenticator app:")
	key, err := t.operators.Enrol(ctx, rosa)
	if err != nil {
		return err
	}
	key.Account = "rosa" // how the app names it
	picture, err := terminalQR(key.URI().Reveal(), qr.L)
	if err != nil {
		return err
	}
	t.Show("", picture)
	app, err := scan(key.URI())
	if err != nil {
		return err
	}
	var used string
	now := t.Clock.Now()
	// The key counts for nothing until its first right code shows that the app really has it.
	err = t.ask("Rosa's code", []string{slip(app.code(now)), app.code(now)}, func(typed string) error {
		used = typed
		return t.operators.Verify(ctx, rosa, civicpin.NewSecret(typed), deskSource)
	})
	if err != nil {
		return err
	}
	t.Says("Right. From now on you are asked for a code from this app.")
	err = t.operators.Verify(ctx, rosa, civicpin.NewSecret(used), deskSource)
	t.Say("Somebody read it over her shoulder, and types it again, in the same half minute:")
	t.Refuses(err)
	return play.Wanted(err, otp.ErrRefused, "a code that was used")
}

var deskSource = civicpin.Source{Address: "198.51.100.7"}
