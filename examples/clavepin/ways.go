package main

import (
	"context"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/pin"
)

// otherWays has four more citizens registered, each in another way.
func (t *tale) otherWays(ctx context.Context) error {
	t.Step("Four other ways: by letter, by video call, in person, by a machine")
	return play.InTurn(ctx, t.byLetter, t.byVideo, t.inPerson, t.byMachine)
}

// byLetter: a code goes to the address in the register. The person who types it can open Luis's letter box, which gives the
// basic level; a stranger may have asked for the letter.
func (t *tale) byLetter(ctx context.Context) error {
	if err := t.anew(ctx, t.luis); err != nil {
		return err
	}
	t.Say("Luis asks for a letter. It goes to where he is registered as living, and is good for 21 days.")
	to := civicpin.Contact{Channel: civicpin.Letter, Address: t.luis.Name + "\n" + t.luis.Street, Locale: t.Lang}
	is, err := t.pins.Issue(ctx, t.luis.subject(), pin.IssueOptions{
		Parts: []civicpin.Contact{to}, Register: true, By: civicpin.Citizen, Source: t.luis.source,
	})
	if err != nil {
		return err
	}
	if err := t.print(ctx, is); err != nil {
		return err
	}
	if err := t.Later(9 * day); err != nil {
		return err
	}
	letter, err := t.Read("Luis", to.Address)
	if err != nil {
		return err
	}
	if err := t.typePhone(ctx, t.luis, []string{"+351 912 345 678"}); err != nil {
		return err
	}
	if err := t.activate(ctx, t.luis, letter); err != nil {
		return err
	}
	return t.pins.Attest(ctx, t.luis.subject(), civicpin.Evidence{Method: civicpin.LetterCode, By: civicpin.Citizen})
}

// byVideo: an operator looks at Carmen and at her card, and types what she says. The level is advanced.
func (t *tale) byVideo(ctx context.Context) error {
	if err := t.anew(ctx, t.carmen); err != nil {
		return err
	}
	t.Say("Carmen calls the video desk, and shows her face and her card. Rosa types her number, the wrong one at first.")
	if err := t.typePhone(ctx, t.carmen, []string{t.ana.number, "622 333 444"}); err != nil {
		return err
	}
	return t.bySMS(ctx, t.carmen, pin.IssueOptions{
		Level: civicpin.Substantial, By: videoDesk,
		Evidence: civicpin.Evidence{Method: civicpin.Video, Document: "DNI", By: videoDesk},
	})
}

// inPerson: a clerk sees Pedro, and hands him the code on a slip.
func (t *tale) inPerson(ctx context.Context) error {
	if err := t.anew(ctx, t.pedro); err != nil {
		return err
	}
	t.Say("Pedro comes to an office. The clerk sees him and his card, and hands him a slip.")
	if err := t.typePhone(ctx, t.pedro, []string{"633 444 555"}); err != nil {
		return err
	}
	is, err := t.pins.Issue(ctx, t.pedro.subject(), pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.HandedOver, Locale: t.Lang}},
		Level: civicpin.Substantial, By: office,
		Evidence: civicpin.Evidence{Method: civicpin.InPerson, Document: "DNI", By: office},
	})
	if err != nil {
		return err
	}
	if err := t.print(ctx, is); err != nil {
		return err
	}
	slip, err := t.Inbox.Last("")
	if err != nil {
		return err
	}
	return t.activate(ctx, t.pedro, slip)
}

// byMachine: a program compares Elena's face with her card, and no person does. The level is basic, and a page that asks for
// more is refused.
func (t *tale) byMachine(ctx context.Context) error {
	if err := t.anew(ctx, t.elena); err != nil {
		return err
	}
	t.Say("Elena films herself and her card. A program compares them.")
	if err := t.typePhone(ctx, t.elena, []string{"644 555 666"}); err != nil {
		return err
	}
	o := pin.IssueOptions{
		Parts: []civicpin.Contact{t.sms(t.elena.number)}, Level: civicpin.Substantial, By: civicpin.Citizen,
		Evidence: civicpin.Evidence{Method: civicpin.AutomatedVideo, Document: "DNI", By: civicpin.Citizen},
	}
	_, err := t.pins.Issue(ctx, t.elena.subject(), o)
	if err := play.Wanted(err, pin.ErrWeakEvidence, "the advanced level from a machine"); err != nil {
		return err
	}
	o.Level = civicpin.Low
	return t.bySMS(ctx, t.elena, o)
}
