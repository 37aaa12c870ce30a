package main

import (
	"context"
	"errors"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/recovery"
)

// notMe has an attacker who reads her e-mail recover Maria's PIN. They get half of a PIN, and she a message.
func (t *tale) notMe(ctx context.Context) error {
	t.Say("The thief has the password of Maria's mailbox, and her number from her letterhead.")
	thief := t.maria
	thief.source = strangersSource
	if _, err := t.nameContacts(ctx, thief, []string{typedContacts(t.maria.contacts[:2])}); err != nil {
		return err
	}
	m, err := t.Inbox.Last(t.mailbox().Address)
	if err != nil {
		return err
	}
	grant, err := t.rec.Finish(ctx, civicpin.NewSecret(m.Link()), thief.source)
	if err != nil {
		return err
	}
	if err := t.Deliver(ctx); err != nil {
		return err
	}
	notice, err := t.notice()
	if err != nil {
		return err
	}
	halves, err := t.reissue(ctx, thief, grant)
	if err != nil {
		return err
	}
	t.Say("The thief can read one of them. Maria, who has asked for nothing, reads (%s):", notice.File)
	t.Show(notice.Subject, beginning(notice.Text, 4))
	return t.repudiate(ctx, civicpin.NewSecret(notice.Link()), halves)
}

// notice is the message about the recovery at the last of Maria's mailboxes.
func (t *tale) notice() (post.Mail, error) {
	for _, c := range slices.Backward(t.maria.contacts) {
		if c.Channel == civicpin.SMS {
			continue // which has no link: she would ring
		}
		all, err := t.Inbox.All(c.Address)
		if err != nil {
			return post.Mail{}, err
		}
		if n := len(all); n > 0 && all[n-1].Link() != "" && all[n-1].Code() == "" {
			return all[n-1], nil
		}
	}
	return post.Mail{}, errors.New("nobody was told")
}

// repudiate is the link "it was not me". It stops the PIN until a clerk has seen her.
func (t *tale) repudiate(ctx context.Context, link civicpin.Secret, halves [2]string) error {
	if err := t.rec.Repudiate(ctx, link, t.maria.source); err != nil {
		return err
	}
	t.Says("Thank you. Nobody gets in now. Please come to an office with your identity card.")
	t.Say("Even with both halves the thief would not get in:")
	_, err := t.pins.Verify(ctx, stranger(t.maria.subject(), halves[0]+halves[1]))
	t.Refuses(err)
	if err := play.Wanted(err, pin.ErrRefused, "a PIN that was repudiated"); err != nil {
		return err
	}
	err = t.rec.Repudiate(ctx, link, t.maria.source)
	if err := play.Wanted(err, recovery.ErrGone, "a link that was used"); err != nil {
		return err
	}
	t.Say("The clerk sees her and her card, ends the thief's PIN, and gives her one of her own; her mailbox has a new password.")
	if err := t.pins.Revoke(ctx, t.maria.subject(), state.Fraud, "recovered by somebody else", clerk); err != nil {
		return err
	}
	own, err := t.slip(ctx, t.maria, t.maria.contacts[1], "CA12345BB")
	if err != nil {
		return err
	}
	return t.chooseAnew(ctx, own)
}
