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
	"github.com/civicpin/civicpin/examples/internal/ident"
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
	return p.seedCrowd(ctx, out)
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

// crowd are twelve citizens of INPS whom nobody plays: the targets of a mass lock-out.
func crowd() []civicpin.Subject {
	var all []civicpin.Subject
	for year := 50; len(all) < 12; year++ {
		for check := 'A'; check <= 'Z'; check++ {
			if cf, err := ident.ParseCodiceFiscale(fmt.Sprintf("FLLMSS%02dA01H501%c", year, check)); err == nil {
				all = append(all, civicpin.Subject(cf))
			}
		}
	}
	return all
}

// mailOf is the mailbox of a citizen in the crowd.
func mailOf(subject civicpin.Subject) string { return strings.ToLower(string(subject)) + "@example.it" }

// seedCrowd gives the crowd their PIN. That it has one hash saves time; no real portal has that.
func (p *portal) seedCrowd(ctx context.Context, out io.Writer) error {
	hash, added := hashed(crowdPIN), 0
	for _, subject := range crowd() {
		to := civicpin.Contact{Channel: civicpin.Email, Address: mailOf(subject), Locale: "it"}
		isNew, err := p.system("inps").fill(ctx, subject, hash, to)
		if err != nil {
			return err
		}
		if isNew {
			added++
		}
	}
	if added > 0 {
		fmt.Fprintf(out, "inps: %d more citizens for the mass lock-out of the attack page\n", added)
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
