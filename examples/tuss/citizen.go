package main

import (
	"cmp"
	"context"
	"crypto/subtle"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/phone"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

// A citizen is a person in the story: what the register knows of them, and what they hold in their hands or heads.
type citizen struct {
	nif    ident.NIF
	full   string
	born   string // as 2006-01-02
	street string
	source civicpin.Source

	mobile, email string
	password      string
}

// people is the register: everybody in the story, Nuria first. The library knows nothing of it but what Check answers.
func people() register {
	all := make(register)
	for _, c := range []*citizen{
		{nif: "12345678Z", full: "Nuria Vidal Soler", born: "1979-05-23", source: civicpin.Source{Address: "192.0.2.21"}},
		{
			nif: "Y1234567X", full: "Omar Haddad", born: "1990-11-02", source: civicpin.Source{Address: "192.0.2.22"},
			street: "Calle del Pez 4, 2º B\n28004 Madrid",
		},
		{nif: "23456789D", full: "Julia Ferrer Pons", born: "1964-02-29", source: civicpin.Source{Address: "192.0.2.23"}},
		{nif: "34567890V", full: "Tomás Rey Otero", born: "1988-08-15", source: civicpin.Source{Address: "192.0.2.24"}},
	} {
		all[c.subject()] = c
	}
	return all
}

// subject names a citizen to the library: by the number in its one normal form.
func (c *citizen) subject() civicpin.Subject { return civicpin.Subject(c.nif) }

// first is how the story calls them.
func (c *citizen) first() string {
	first, _, _ := strings.Cut(c.full, " ")
	return first
}

// personal is what may not be part of their password.
func (c *citizen) personal() []string { return []string{c.full, c.born, c.mobile, c.email} }

// attempt is a secret as this citizen types it.
func (c *citizen) attempt(typed string) pin.Attempt {
	return pin.Attempt{Subject: c.subject(), Secret: civicpin.NewSecret(typed), Source: c.source, Personal: c.personal()}
}

// register is everybody by number.
type register map[civicpin.Subject]*citizen

var _ recovery.Register = register(nil)

// birthDate is the fact that the plan asks for.
const birthDate = "birth-date"

// Check implements [recovery.Register]. For an unknown subject it compares with the date of a decoy.
func (r register) Check(_ context.Context, subject civicpin.Subject, facts map[string]string) (bool, error) {
	c := r[subject]
	if c == nil {
		c = new(citizen)
	}
	born := cmp.Or(c.born, "0000-00-00")
	return subtle.ConstantTimeCompare([]byte(facts[birthDate]), []byte(born)) == 1, nil
}

const (
	noDate   = refusal("A date is typed as on the card: 31-12-1980.")
	noMobile = refusal("A text message does not reach a fixed line. Your mobile, please.")
	noEmail  = refusal("This is no e-mail address.")
)

// readDate reads a date as people type it.
func readDate(typed string) (string, error) {
	if len(typed) > 32 {
		return "", noDate
	}
	d, err := time.Parse("2-1-2006", strings.NewReplacer(" ", "-", "/", "-", ".", "-").Replace(strings.TrimSpace(typed)))
	if err != nil || d.Year() < 1900 {
		return "", noDate
	}
	return d.Format(time.DateOnly), nil
}

// typedDate writes a date as people type it.
func typedDate(date string) string {
	d, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return ""
	}
	return d.Format("2-1-2006")
}

// readMobile reads a number. Foreign ones are welcome.
func readMobile(typed string) (string, error) {
	n, err := phone.Parse(typed, "ES")
	switch {
	case err != nil:
		return "", err
	case !n.Mobile:
		return "", noMobile
	}
	return n.E164, nil
}

// readEmail reads an address. Few mail servers take characters beyond ASCII in one.
func readEmail(typed string) (string, error) {
	address := strings.ToLower(strings.TrimSpace(typed))
	err := civicpin.Contact{Channel: civicpin.Email, Address: address}.Validate()
	if err != nil || strings.ContainsFunc(address, func(r rune) bool { return r > '~' }) {
		return "", noEmail
	}
	return address, nil
}

func (t *tale) sms(number string) civicpin.Contact {
	return civicpin.Contact{Channel: civicpin.SMS, Address: number, Locale: t.Lang}
}

func (t *tale) mail(address string) civicpin.Contact {
	return civicpin.Contact{Channel: civicpin.Email, Address: address, Locale: t.Lang}
}
