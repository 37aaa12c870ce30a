package main

import (
	"crypto/rand"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/play"
)

func TestCheckCertificate(t *testing.T) {
	now := time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)
	police, err := newAuthority("AC DNIE", now)
	if err != nil {
		t.Fatal(err)
	}
	other, err := newAuthority("AC DNIE", now)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(police.cert)
	ana := person{NIF: "12345678Z", Name: "Ana"}
	const client, server = x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth
	issue := func(by authority, p person, from time.Time, usage x509.ExtKeyUsage) card {
		t.Helper()
		c, err := by.issue(p, from, usage)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	good := issue(police, ana, now, client)
	page := play.Page{Own: ownError}
	stranger := issue(police, person{NIF: "87654321X"}, now, client)
	for _, c := range []struct {
		name string
		card card
		at   time.Time
		nif  ident.NIF
		says string
	}{
		{"good", good, now, "12345678Z", ""},
		{"to its last moment", good, now.AddDate(4, 0, 0), "12345678Z", ""},
		{"expired", good, now.AddDate(4, 0, 1), "", "This certificate is not valid today."},
		{"not yet valid", issue(police, ana, now.AddDate(0, 0, 1), client), now, "", "This certificate is not valid today."},
		{"of another of its name", issue(other, ana, now, client), now, "", "This certificate comes from nobody that we trust."},
		{"a server's", issue(police, ana, now, server), now, "", "This certificate is not one for signing in with."},
		{"somebody else's", stranger, now, "87654321X", ""}, // which the page compares
		{"a number that is none", issue(police, person{NIF: "12345678A"}, now, client), now, "", string(noNumber)},
		{"a number not in its form", issue(police, person{NIF: "12345678z"}, now, client), now, "", string(noNumber)},
		{"no number", issue(police, person{}, now, client), now, "", string(noNumber)},
		{"shown by who copied it", card{good.cert, stranger.key}, now, "", string(noKey)},
	} {
		challenge := []byte(rand.Text())
		signature, err := c.card.answer(challenge)
		if err != nil {
			t.Fatal(err)
		}
		nif, err := checkCertificate(c.card.cert, trusted, challenge, signature, c.at)
		if nif != c.nif || (err == nil) != (c.says == "") || err != nil && page.Explain(err) != c.says {
			t.Errorf("%s: %q, %v", c.name, nif, err)
		}
		if _, err := checkCertificate(c.card.cert, trusted, []byte(rand.Text()), signature, c.at); err == nil {
			t.Errorf("%s: an answer to another challenge", c.name)
		}
	}
}

// TestShowCertificate: a good certificate of another person is refused.
func TestShowCertificate(t *testing.T) {
	s := newStage(t)
	police, cards, err := s.wallet()
	if err != nil || len(cards) != len(walletNames) {
		t.Fatal(len(cards), err)
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(police.cert)
	for i, c := range cards {
		err := s.showCertificate(c, trusted, "12345678Z")
		if hers := walletNames[i] == "hers"; hers != (err == nil) {
			t.Errorf("%s: %v", walletNames[i], err)
		}
	}
	if err := s.showCertificate(cards[2], trusted, "12345678Z"); !errors.Is(err, notTheirs) {
		t.Error(err)
	}
	if err := s.showCertificate(cards[2], trusted, "87654321X"); err != nil {
		t.Error(err)
	}
}
