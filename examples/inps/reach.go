package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/examples/internal/post"
)

// keep makes contacts of those to which the halves of a PIN went that its owner has exchanged: who typed both halves has read
// what came to both. A slip or a letter is nothing that a link could be sent to. What an earlier run has left is struck out.
func (t *tale) keep(ctx context.Context, c citizen) error {
	st, err := t.pins.Status(ctx, c.subject())
	if err != nil {
		return err
	}
	var proved []civicpin.Contact
	for _, p := range st.Parts {
		if !p.Contact.Channel.Printed() {
			proved = append(proved, p.Contact)
		}
	}
	if err := t.contacts.Adopt(ctx, c.subject(), proved, civicpin.Citizen, c.source); err != nil {
		return err
	}
	all, _, err := t.contacts.List(ctx, c.subject())
	if err != nil {
		return err
	}
	for _, p := range all {
		hers := append(slices.Clone(proved), c.contacts...)
		if slices.ContainsFunc(hers, p.SameAddress) {
			continue
		}
		if err := t.contacts.Remove(ctx, c.subject(), p.ID, clerk, civicpin.Source{}); err != nil {
			return err
		}
	}
	return t.Deliver(ctx) // to those that are told of it
}

// sign has a clerk see the contacts that a citizen lists on the form for a PIN dispositivo. Those of before it prove, at a
// recovery, no more than the PIN ordinario with which they were given.
func (t *tale) sign(ctx context.Context, c citizen) error {
	all, _, err := t.contacts.List(ctx, c.subject())
	if err != nil {
		return err
	}
	var listed []civicpin.Contact
	for _, p := range all {
		listed = append(listed, p.Contact)
	}
	return t.contacts.Adopt(ctx, c.subject(), listed, clerk, civicpin.Source{})
}

// proveOthers has Maria prove the contacts to which no half went, by a code that comes there.
func (t *tale) proveOthers(ctx context.Context) error {
	for _, to := range t.maria.contacts[2:] {
		_, err := t.contacts.Add(ctx, t.maria.subject(), to, civicpin.Citizen, t.maria.source)
		if errors.Is(err, contact.ErrUnsuitable) {
			continue // from an earlier run
		}
		if err != nil {
			return err
		}
		if err := t.Deliver(ctx); err != nil {
			return err
		}
		code, err := t.half(to.Address)
		if err != nil {
			return err
		}
		t.Say("She confirms her %s with the code that came there: %s.", channelName(to.Channel), code)
		if err := t.contacts.ProveCode(ctx, t.maria.subject(), civicpin.NewSecret(code), t.maria.source); err != nil {
			return err
		}
	}
	return nil
}

// typedContacts writes contacts as they are typed into a page.
func typedContacts(contacts []civicpin.Contact) string {
	var fields []string
	for _, c := range contacts {
		switch c.Channel {
		case civicpin.CertifiedEmail:
			fields = append(fields, "pec "+c.Address)
		case post.CitizenCertifiedEmail:
			fields = append(fields, "pec cittadino "+c.Address)
		default:
			fields = append(fields, c.Address)
		}
	}
	return strings.Join(fields, ", ")
}
