package main

import (
	"slices"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/examples/internal/phone"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/pin"
)

// A citizen is a person as the agency's own register knows them. The library keeps none of this but the contacts to which
// it sends.
type citizen struct {
	name     string // for the story
	full     string
	cf       ident.CodiceFiscale
	born     string // as 2006-01-02; empty if the codice fiscale does not tell
	street   string // for letters
	contacts []civicpin.Contact
	source   civicpin.Source
}

// newCitizen returns a citizen without contacts, or the error that is wrong with the typed codice fiscale.
func newCitizen(full, codiceFiscale string, now time.Time) (citizen, error) {
	cf, err := ident.ParseCodiceFiscale(codiceFiscale)
	if err != nil {
		return citizen{}, err
	}
	first, _, _ := strings.Cut(full, " ")
	c := citizen{name: first, full: full, cf: cf, source: civicpin.Source{Address: "192.0.2.10"}}
	if birth, ok := cf.Birth(); ok {
		c.born = birth.Date(now).Format(time.DateOnly)
	}
	return c, nil
}

// subject names the citizen to the library: by the codice fiscale in its one normal form.
func (c citizen) subject() civicpin.Subject { return civicpin.Subject(c.cf) }

// attempt is a PIN as this citizen types it. What is known of them may not be part of a PIN that they choose.
func (c citizen) attempt(typed string) pin.Attempt {
	return pin.Attempt{
		Subject: c.subject(), Secret: civicpin.NewSecret(typed), Source: c.source, Personal: []string{c.full, c.born},
	}
}

// letter is the citizen's postal address.
func (c citizen) letter(lang string) civicpin.Contact {
	return civicpin.Contact{Channel: civicpin.Letter, Address: c.full + "\n" + c.street, Locale: lang}
}

type refusal = play.Refusal

const (
	tooFew = refusal("Two contacts are needed, of mobile, e-mail, PEC and PEC cittadino. If you have but one, come to an INPS\n" +
		"office with your identity card, or ring " + helpLine + ".")
	tooAlike   = refusal("Two of these contacts are one address: whoever reads it would hold both halves.")
	twoOfAKind = refusal("One contact of each kind, please: the halves go over different channels.")
	noMobile   = refusal("A text message does not reach a fixed line. Your mobile, please.")
	noEmail    = refusal("This is neither a telephone number nor an e-mail address.")
	whosePEC   = refusal("A certified address is written behind its kind: \"pec name@...\" or \"pec cittadino name@...\".")
)

// readContacts reads a field into which contacts were typed with commas between them: a mobile number, an e-mail address, a
// certified one after "pec", one of the state's after "pec cittadino". It takes what a PIN in halves can be sent to: two
// contacts or more, of different kinds, at different addresses. The errors are for the citizen.
func readContacts(typed, lang string) ([]civicpin.Contact, error) {
	var contacts []civicpin.Contact
	for field := range strings.SplitSeq(typed, ",") {
		if field = strings.TrimSpace(field); field == "" {
			continue
		}
		c, err := readContact(field)
		if err != nil {
			return nil, err
		}
		c.Locale = lang
		if slices.ContainsFunc(contacts, func(o civicpin.Contact) bool { return o.Channel == c.Channel }) {
			return nil, twoOfAKind
		}
		if slices.ContainsFunc(contacts, c.SameAddress) {
			return nil, tooAlike
		}
		contacts = append(contacts, c)
	}
	if len(contacts) < 2 {
		return nil, tooFew
	}
	return contacts, nil
}

func readContact(field string) (civicpin.Contact, error) {
	kind, address := civicpin.Email, strings.ToLower(field)
	if rest, ok := strings.CutPrefix(address, "pec "); ok {
		kind, address = civicpin.CertifiedEmail, strings.TrimSpace(rest)
		if rest, ok := strings.CutPrefix(address, "cittadino "); ok {
			kind, address = post.CitizenCertifiedEmail, strings.TrimSpace(rest)
		}
	}
	if kind == civicpin.Email && !strings.Contains(field, "@") {
		if !strings.ContainsAny(field, "0123456789") {
			return civicpin.Contact{}, noEmail
		}
		n, err := phone.Parse(field, "IT")
		switch {
		case err != nil:
			return civicpin.Contact{}, err
		case !n.Mobile:
			return civicpin.Contact{}, noMobile
		}
		return n.Contact(), nil
	}
	if strings.ContainsAny(address, " \t") {
		return civicpin.Contact{}, whosePEC
	}
	// The library checks the addresses of the channels that it names. A channel of our own is ours to check.
	err := civicpin.Contact{Channel: civicpin.Email, Address: address}.Validate()
	if err != nil || strings.ContainsFunc(address, func(r rune) bool { return r > '~' }) { // few mail servers take others
		return civicpin.Contact{}, noEmail
	}
	return civicpin.Contact{Channel: kind, Address: address}, nil
}
