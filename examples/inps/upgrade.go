package main

import (
	"context"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
)

// upgrade makes Maria's PIN dispositivo, on evidence.
func (t *tale) upgrade(ctx context.Context) error {
	t.Step("Dispositivo: an operator checks her document")
	t.Say("Maria sends a copy of her identity card.")
	copied := civicpin.Evidence{Method: civicpin.UploadedDocument, Document: "carta d'identità CA12345BB", By: civicpin.Citizen}
	err := t.pins.Attest(ctx, t.maria.subject(), copied)
	if err := play.Wanted(err, civicpin.ErrInvalid, "a document that nobody looked at"); err != nil {
		return err
	}
	t.Say("By itself that changes nothing: %q.", err)
	copied.By = clerk
	if err := t.pins.Attest(ctx, t.maria.subject(), copied); err != nil {
		return err
	}
	t.Say("The clerk compares it with the register, attests, and files the form on which she lists her contacts.")
	if err := t.sign(ctx, t.maria); err != nil {
		return err
	}
	ok, err := t.login(ctx)
	if err != nil {
		return err
	}
	released, err := t.release(ctx, t.maria.subject(), ok.Level)
	if err != nil {
		return err
	}
	t.Says("Your claim goes through: %s.", strings.Join(released, ", "))
	return nil
}
