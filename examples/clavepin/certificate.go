package main

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/pin"
)

// certificate has Ana register on line, at once. Her browser offers her four certificates.
func (t *tale) certificate(ctx context.Context) error {
	t.Step("Ana registers with her certificate")
	if err := t.anew(ctx, t.ana); err != nil {
		return err
	}
	err := play.AskID(t.Page, "Her DNI", []string{"12345678A", "12.345.678-z"}, ident.ParseNIF, t.ana.NIF,
		"This is the number of somebody else in this story, or of nobody.")
	if err != nil {
		return err
	}
	police, wallet, err := t.wallet()
	if err != nil {
		return err
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(police.cert)
	var hers *x509.Certificate
	err = t.ask("Certificate (old, homemade, brother's, hers)", walletNames, func(typed string) error {
		choice := slices.Index(walletNames, typed)
		if choice < 0 {
			return refusal("Which one?")
		}
		hers = wallet[choice].cert
		return t.showCertificate(wallet[choice], trusted, t.ana.NIF)
	})
	if err != nil {
		return err
	}
	t.Says("Welcome, %s.", hers.Subject.CommonName)
	if err := t.typePhone(ctx, t.ana, []string{"915 550 123", "612 345 678"}); err != nil {
		return err
	}
	proof := civicpin.Evidence{
		Method: civicpin.Certificate, By: civicpin.Citizen, // a machine checked it
		Document: fmt.Sprintf("certificate %x of %s", hers.SerialNumber, hers.Issuer.CommonName),
	}
	return t.bySMS(ctx, t.ana, pin.IssueOptions{Level: civicpin.Substantial, Evidence: proof, By: civicpin.Citizen})
}

var walletNames = []string{"old", "homemade", "brother's", "hers"}

// wallet makes the authority that is trusted, and the certificates in the order of walletNames.
func (t *tale) wallet() (authority, []card, error) {
	now := t.Clock.Now()
	police, err := newAuthority("AC DNIE", now)
	if err != nil {
		return authority{}, nil, err
	}
	anybody, err := newAuthority("AC DNIE", now) // the name is free to take
	if err != nil {
		return authority{}, nil, err
	}
	brother := person{NIF: "87654321X", Name: "Hugo García López"}
	lastYear := now.AddDate(0, -6, 0)
	var cards []card
	for _, c := range []struct {
		by    authority
		whose person
		from  time.Time
	}{
		{police, t.ana.person, now.AddDate(-5, 0, 0)},
		{anybody, t.ana.person, lastYear},
		{police, brother, lastYear},
		{police, t.ana.person, lastYear},
	} {
		made, err := c.by.issue(c.whose, c.from, x509.ExtKeyUsageClientAuth)
		if err != nil {
			return authority{}, nil, err
		}
		cards = append(cards, made)
	}
	return police, cards, nil
}

// showCertificate is what happens between a browser and the page.
func (t *tale) showCertificate(c card, trusted *x509.CertPool, whose ident.NIF) error {
	challenge := []byte(rand.Text())
	signature, err := c.answer(challenge)
	if err != nil {
		return err
	}
	nif, err := checkCertificate(c.cert, trusted, challenge, signature, t.Clock.Now())
	if err == nil && nif != whose {
		err = notTheirs
	}
	return err
}
