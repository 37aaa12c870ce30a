package main

import (
	"cmp"
	"context"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
)

// lost is how a PIN rests, and how it ends.
func (t *tale) lost(ctx context.Context) error {
	return play.InTurn(ctx, t.suspend, t.revoke, t.again)
}

func (t *tale) suspend(ctx context.Context) error {
	t.Say("Maria's telephone is gone, with her PIN in its notes. The call centre suspends the PIN:")
	if err := t.pins.Suspend(ctx, t.maria.subject(), "telephone lost", callCentre); err != nil {
		return err
	}
	if err := t.loginRefused(ctx); err != nil {
		return err
	}
	t.Say("It was under the sofa. The call centre resumes the PIN:")
	if err := t.pins.Resume(ctx, t.maria.subject(), civicpin.Evidence{}, "telephone found", callCentre); err != nil {
		return err
	}
	_, err := t.login(ctx)
	return err
}

func (t *tale) revoke(ctx context.Context) error {
	t.Say("This time it was stolen. She has a new SIM card already. The office revokes the PIN, and tells her so:")
	if err := t.pins.Revoke(ctx, t.maria.subject(), state.Ended, "telephone stolen", clerk); err != nil {
		return err
	}
	// To all her contacts, through the outbox: a mail server that is down at this moment keeps nobody from being told.
	if _, err := t.contacts.Notify(ctx, t.maria.subject(), pin.NoticeRevoked, nil); err != nil {
		return err
	}
	m, err := t.Delivered(ctx, t.maria.contacts[1].Address)
	if err != nil {
		return err
	}
	t.Say("%s (%s)", cmp.Or(m.Subject, m.Text), m.File)
	return t.loginRefused(ctx)
}

// loginRefused is a login with a PIN that is right and counts for nothing. The answer is that for a wrong one.
func (t *tale) loginRefused(ctx context.Context) error {
	typed, err := t.Ask("Maria's PIN", t.pin)
	if err != nil {
		return err
	}
	_, err = t.pins.Verify(ctx, t.maria.attempt(typed))
	t.Refuses(err)
	return play.Wanted(err, pin.ErrRefused, "a PIN that was stopped")
}

// again has Maria ask for a new PIN. It begins as her first one did: ordinario.
func (t *tale) again(ctx context.Context) error {
	to := []civicpin.Contact{t.maria.contacts[0], t.maria.contacts[len(t.maria.contacts)-1]}
	code, err := t.pins.RequestCode(ctx, t.maria.subject(), clerk)
	if err != nil {
		return err
	}
	t.Say("The office prints a code with which she may ask on line, once, and she does: half by %s, half by %s.",
		channelName(to[0].Channel), channelName(to[1].Channel))
	o := pin.IssueOptions{Parts: to, By: civicpin.Citizen, RequestCode: code}
	if _, err := t.issue(ctx, t.maria, o); err != nil {
		return err
	}
	var halves [2]string
	for i, c := range to {
		m, err := t.Inbox.Last(c.Address)
		if err != nil {
			return err
		}
		halves[i] = m.Code()
	}
	return t.chooseAnew(ctx, halves)
}
