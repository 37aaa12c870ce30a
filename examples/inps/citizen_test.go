package main

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/phone"
	"github.com/civicpin/civicpin/examples/internal/post"
)

func TestReadContacts(t *testing.T) {
	contact := func(c civicpin.Channel, address string) civicpin.Contact {
		return civicpin.Contact{Channel: c, Address: address, Locale: "it"}
	}
	mobile, email := contact(civicpin.SMS, "+393331234567"), contact(civicpin.Email, "maria@example.it")
	pec, citizens := contact(civicpin.CertifiedEmail, "maria@pec.example"), contact(post.CitizenCertifiedEmail, "maria@cec.example")
	for _, c := range []struct {
		typed string
		want  []civicpin.Contact
		err   error
	}{
		{"333 123 4567, maria@example.it", []civicpin.Contact{mobile, email}, nil},
		{"maria@example.it,0039 333-1234567", []civicpin.Contact{email, mobile}, nil},
		{" , PEC Maria@pec.example,, +39 333 1234567 ,", []civicpin.Contact{pec, mobile}, nil},
		{"pec maria@pec.example, pec cittadino  maria@cec.example", []civicpin.Contact{pec, citizens}, nil},
		{"pec cittadino maria@cec.example, MARIA@example.it, 3331234567", []civicpin.Contact{citizens, email, mobile}, nil},

		{"", nil, tooFew},
		{"333 123 4567", nil, tooFew},
		{"maria@example.it", nil, tooFew},
		{"maria@example.it, pec maria@example.it", nil, tooAlike},
		{"333 123 4567, maria@cec.example, pec cittadino Maria@CEC.example", nil, tooAlike},
		{"333 123 4567, 347 765 4321", nil, twoOfAKind},
		{"maria@example.it, rossi@example.it", nil, twoOfAKind},
		{"06 164164, maria@example.it", nil, noMobile},
		{"333 12345, maria@example.it", nil, phone.ErrNumber},
		{"333 ABC, maria@example.it", nil, phone.ErrFormat},
		{"333 123 4567, maria", nil, noEmail},
		{"333 123 4567, maria@", nil, noEmail},
		{"333 123 4567, perché@example.it", nil, noEmail},
		{"333 123 4567, pec maria", nil, noEmail},
		{"333 123 4567, Maria <maria@example.it>", nil, whosePEC},
		{"333 123 4567, a@example.it\r\nBcc: b@example.it", nil, whosePEC},
		{"333 123 4567, a@example.it\x00", nil, noEmail},
	} {
		got, err := readContacts(c.typed, "it")
		if !slices.Equal(got, c.want) || !errors.Is(err, c.err) {
			t.Errorf("%q: %v, %v; want %v, %v", c.typed, got, err, c.want, c.err)
		}
		for _, contact := range got {
			if err := contact.Validate(); err != nil {
				t.Errorf("%q: %v", c.typed, err)
			}
		}
	}
}

// FuzzReadContacts: whatever is typed, what is taken can be sent to, in two different places at least.
func FuzzReadContacts(f *testing.F) {
	f.Add("333 123 4567, maria@example.it, pec m@pec.example, pec cittadino m@cec.example")
	f.Add("pec , pec cittadino ,@")
	f.Fuzz(func(t *testing.T, typed string) {
		contacts, err := readContacts(typed, "it")
		if err != nil {
			if contacts != nil {
				t.Error("contacts and an error")
			}
			return
		}
		if len(contacts) < 2 {
			t.Errorf("%q: %v", typed, contacts)
		}
		for i, c := range contacts {
			if c.Validate() != nil || slices.ContainsFunc(contacts[:i], c.SameAddress) {
				t.Errorf("%q: %v", typed, contacts)
			}
		}
	})
}

func TestNewCitizen(t *testing.T) {
	now := time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)
	c, err := newCitizen("Maria Rossi", " rssmra85t50-a562w ", now)
	if err != nil {
		t.Fatal(err)
	}
	if c.name != "Maria" || c.subject() != "RSSMRA85T50A562W" || c.born != "1985-12-10" {
		t.Errorf("%+v", c)
	}
	a := c.attempt("x")
	if a.Subject != c.subject() || a.Secret.Reveal() != "x" || !slices.Equal(a.Personal, []string{"Maria Rossi", "1985-12-10"}) {
		t.Errorf("%+v", a)
	}
	if got := birthday(c); got != "10121985" {
		t.Errorf("birthday %s", got)
	}
	if c, err := newCitizen("Maria Rossi", "12345678903", now); err != nil || c.born != "" || birthday(c) == "" {
		t.Errorf("a provisional code: %+v, %v", c, err)
	}
	if _, err := newCitizen("Maria Rossi", "RSSMRA85T50A562X", now); !errors.Is(err, civicpin.ErrInvalid) {
		t.Errorf("a wrong check letter: %v", err)
	}
}

func TestNobody(t *testing.T) {
	seen := make(map[civicpin.Subject]bool)
	for range 50 {
		s := nobody()
		if cf, err := ident.ParseCodiceFiscale(string(s)); err != nil || civicpin.Subject(cf) != s {
			t.Errorf("%s: %v", s, err)
		}
		seen[s] = true
	}
	if len(seen) < 25 {
		t.Errorf("only %d of 50 differ", len(seen))
	}
}

func TestOtherwise(t *testing.T) {
	for typed, want := range map[string]string{
		"QZ7W-K4PM": "qz7w k4pm", "qz 7w k4 pm": "qz7w k4pm", "": "", "ﬃ": "ﬃ", "ＱＺ7WK4PM": "ＱＺ7WK4PM",
	} {
		if got := otherwise(typed); got != want {
			t.Errorf("%q otherwise is %q, want %q", typed, got, want)
		}
	}
}
