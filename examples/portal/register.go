package main

import (
	"context"
	"errors"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/web"
)

// certificatePage registers a citizen who has a certificate, and raises the level of one who is registered.
func (c *clave) certificatePage(v *visit) (view, error) {
	list := field{Name: "certificate", Label: v.T("clave.certificate"), Type: "select"}
	list.Options = v.choices("clave.certificate.", "ana", "old", "luis")
	w := v.simple("clave.certificate", how{"register.go", "pin.Service.Issue (Evidence), Attest"}, "go", list)
	if _, _, err := v.user(); err == nil {
		w.Say, w.Forms[0].Act, w.Forms[0].Button = v.say("clave.certificate.raise"), "raise", "clave.certificate.button"
		return w, nil
	}
	w.Forms[0].Fields = append(w.Forms[0].Fields, v.mobileField())
	return w, nil
}

// certificate plays what TLS does, which this machine's plain HTTP has not: with tls.RequireAndVerifyClientCert it refuses what
// no trusted authority issued, what has expired, and a browser without the key. examples/clavepin/x509.go reads the rest.
func (c *clave) certificate(v *visit) (string, error) {
	subject, valid := map[string]civicpin.Subject{"ana": anaNIF, "luis": luisNIE}[v.typed("certificate")]
	if !valid { // "old" has expired
		return "", refusal{"certificate", "clave.certificate.wrong"}
	}
	proof := civicpin.Evidence{ // a machine checked it
		Method: civicpin.Certificate, By: civicpin.Citizen, Document: "certificate 5eed of AC DNIE",
	}
	if v.typed("act") == "raise" {
		return "/clave/app", c.raise(v, subject, proof)
	}
	parts, err := v.contacts("mobile")
	if err != nil {
		return "", err
	}
	_, err = c.pins.Issue(v.ctx(), subject, pin.IssueOptions{
		Parts: parts, Level: civicpin.Substantial, Evidence: proof, By: civicpin.Citizen, Source: v.source(),
	})
	v.put("typed", string(subject))
	v.flashed(err, "clave.certificate.done")
	return "/clave/activate", err
}

// raise is the step up: the credential has a higher level from now on, and a session has that of its login, so the app logs in
// anew, with its key.
func (c *clave) raise(v *visit, subject civicpin.Subject, proof civicpin.Evidence) error {
	who, _, err := v.user()
	switch {
	case errors.Is(err, web.ErrNoSession):
		return nil // the app's page says it
	case err != nil:
		return err
	case who != subject:
		return refusal{"certificate", "clave.certificate.other"}
	}
	if err := c.pins.Attest(v.ctx(), subject, proof); err != nil {
		return err
	}
	key := civicpin.NewSecret(v.get("key"))
	ok, err := c.pins.Verify(v.ctx(), v.attempt(subject, key))
	if err != nil {
		return err
	}
	return c.opened(v, subject, key, ok, "clave.certificate.raised")
}

// opened is the app logged in. It keeps its key; here, with the session.
func (c *clave) opened(v *visit, subject civicpin.Subject, key civicpin.Secret, ok pin.Verified, said string) error {
	err := v.enter(subject, ok, said)
	v.put("key", key.Reveal())
	return err
}

// letterPage has an activation code printed and posted to where the register says that the citizen lives.
func (c *clave) letterPage(v *visit) (view, error) {
	return v.simple("clave.letter", how{"register.go", "pin.Service.Issue (Register)"}, "go", v.idField()), nil
}

func (c *clave) letter(v *visit, subject civicpin.Subject) (string, error) {
	who := c.people[subject]
	known := who.street != ""
	if !known { // the same work, limits and answers for a number that the register lacks: only the letter is not printed
		who = person{name: "decoy", street: "Calle Mayor 1\n28013 Madrid"}
	}
	// In one language: the same citizen's letter goes to the same contact, whichever language the visitor reads.
	to := civicpin.Contact{Channel: civicpin.Letter, Address: who.name + "\n" + who.street, Locale: "es"}
	is, err := c.pins.Issue(v.ctx(), subject, pin.IssueOptions{
		Parts: []civicpin.Contact{to}, Register: true, By: civicpin.Citizen, Source: v.source(),
	})
	if err == nil {
		c.after(v, "letter", func(ctx context.Context) error { return c.printOnce(ctx, subject, known, is) })
	}
	v.put("typed", string(subject))
	v.flashed(err, "clave.letter.done")
	return "/clave/activate", err
}

// printOnce prints one letter for each issue: every visitor can ask for one, and each costs postage. One that got lost is
// issued anew at the counter.
func (c *clave) printOnce(ctx context.Context, subject civicpin.Subject, known bool, is pin.Issue) error {
	if is.Slip.IsZero() {
		return nil
	}
	first := false
	_, err := c.letters.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[string]) error {
		if first = e.Value != is.ID; !first {
			return store.ErrSkip
		}
		e.Value, e.ExpiresAt = is.ID, is.ExpiresAt
		return nil
	})
	if err != nil || !known || !first {
		return err
	}
	return c.print(ctx, is)
}
