package main

import (
	"errors"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/phone"
	"github.com/civicpin/civicpin/pin"
)

// requestPage asks for a PIN in two halves. The code of an office is for who had one before.
func (s *system) requestPage(v *visit) (view, error) {
	return v.simple("request", how{"request.go", "pin.Service.Issue"}, "request.button", v.idField(),
		v.mobileField("333 123 4567"),
		field{Name: "email", Label: v.T("email"), Hint: v.T("email.hint"), Type: "email", Auto: "email"},
		field{Name: "office", Label: v.T("request.office"), Hint: v.T("request.office.hint"), Auto: "one-time-code", Optional: true},
	), nil
}

func (s *system) request(v *visit) (string, error) {
	subject, mobile, err := v.idAndMobile()
	if err != nil {
		return "", err
	}
	email, err := v.email("email")
	if err != nil {
		return "", err
	}
	_, err = s.pins.Issue(v.ctx(), subject, pin.IssueOptions{
		Parts: []civicpin.Contact{mobile, email}, By: civicpin.Citizen, Source: v.source(), RequestCode: v.secret("office"),
	})
	if err != nil && !errors.Is(err, pin.ErrWrongState) { // which would tell who has a PIN
		return "", err
	}
	v.flash("request.done")
	return "/inps/first", nil
}

func (v *visit) idAndMobile() (civicpin.Subject, civicpin.Contact, error) {
	subject, err := v.sys.parse(v.typed("id"))
	if err != nil {
		return "", civicpin.Contact{}, err
	}
	mobile, err := v.mobile("mobile")
	return subject, mobile, err
}

// mobile reads a telephone number; email an address. What is wrong with either is said beside its field.
func (v *visit) mobile(name string) (civicpin.Contact, error) {
	region := map[string]string{"inps": "IT", "iess": "EC"}[v.sys.name]
	if region == "" {
		region = "ES"
	}
	n, err := phone.Parse(v.typed(name), region)
	if err != nil || !n.Mobile {
		return civicpin.Contact{}, refusal{name, "mobile.wrong"}
	}
	c := n.Contact()
	c.Locale = v.lang
	return c, nil
}

func (v *visit) email(name string) (civicpin.Contact, error) {
	c := civicpin.Contact{Channel: civicpin.Email, Address: strings.ToLower(strings.TrimSpace(v.typed(name))), Locale: v.lang}
	if c.Validate() != nil {
		return civicpin.Contact{}, refusal{name, "email.wrong"}
	}
	return c, nil
}
