package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
)

// seed gives two citizens a secret, unless they have one already, and prints what they type.
func (p *portal) seed(ctx context.Context, out io.Writer) error {
	for _, one := range []struct {
		system, secret, locale string
		subject                civicpin.Subject
		email                  string
	}{
		{"inps", "QZ7WK4PM", "it", mariaCF, "maria.rossi@example.it"},
		{"tuss", "tres cerezas en julio", "es", nuriaNIF, "nuria@example.es"},
	} {
		to := civicpin.Contact{Channel: civicpin.Email, Address: one.email, Locale: one.locale}
		isNew, err := p.system(one.system).fill(ctx, one.subject, hashed(one.secret), to)
		if err != nil {
			return err
		}
		if isNew {
			fmt.Fprintf(out, "%s: %s, secret %q, e-mail %s\n", one.system, one.subject, one.secret, one.email)
		}
	}
	return p.seedCrowd(ctx)
}

// fill gives a citizen a secret, from a hash, and a contact, unless there is a secret already.
func (s *system) fill(ctx context.Context, subject civicpin.Subject, hash civicpin.Secret, to civicpin.Contact) (isNew bool, err error) {
	if _, err := s.pins.Status(ctx, subject); err == nil {
		return false, nil // from an earlier run
	}
	by := civicpin.Operator("seed")
	if err = s.pins.Import(ctx, subject, hash, pin.ImportOptions{By: by}); err == nil {
		err = s.contacts.Adopt(ctx, subject, []civicpin.Contact{to}, by, civicpin.Source{})
	}
	if err != nil {
		return false, fmt.Errorf("portal: seed %s: %w", s.name, err)
	}
	return true, nil
}

// crowdPIN is the PIN of all citizens in the crowd.
const crowdPIN = "HT4KWZ82"

// crowd are twelve citizens of INPS whom no visitor plays: the targets of a mass lock-out.
func crowd() (all []civicpin.Subject) {
	for year := range 12 {
		all = append(all, fiscal("FLLMSS%dA01H501", 50+year))
	}
	return all
}

// mailOf is the mailbox of a citizen in the crowd.
func mailOf(subject civicpin.Subject) string { return strings.ToLower(string(subject)) + "@example.it" }

// seedCrowd gives the crowd their PIN. That it has one hash saves time; no real portal has that.
func (p *portal) seedCrowd(ctx context.Context) error {
	hash := hashed(crowdPIN)
	for _, subject := range crowd() {
		to := civicpin.Contact{Channel: civicpin.Email, Address: mailOf(subject), Locale: "it"}
		if _, err := p.system("inps").fill(ctx, subject, hash, to); err != nil {
			return err
		}
	}
	return nil
}

// hashed returns a hash as another system may have kept it: pin.Service.Import takes many forms.
func hashed(secret string) civicpin.Secret {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	hash := argon2.IDKey([]byte(secret), salt, 2, 19456, 1, 32)
	text := base64.RawStdEncoding.EncodeToString
	return civicpin.NewSecret("$argon2id$v=19$m=19456,t=2,p=1$" + text(salt) + "$" + text(hash))
}
