package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"

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
		s := p.system(one.system)
		to := civicpin.Contact{Channel: civicpin.Email, Address: one.email, Locale: one.locale}
		if _, err := s.pins.Status(ctx, one.subject); err == nil {
			continue // from an earlier run
		}
		err := s.pins.Import(ctx, one.subject, hashed(one.secret), pin.ImportOptions{By: civicpin.Operator("seed")})
		if err == nil {
			err = s.contacts.Adopt(ctx, one.subject, []civicpin.Contact{to}, civicpin.Operator("seed"), civicpin.Source{})
		}
		if err != nil {
			return fmt.Errorf("portal: seed %s: %w", one.system, err)
		}
		fmt.Fprintf(out, "%s: %s, secret %q, e-mail %s\n", one.system, one.subject, one.secret, one.email)
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
