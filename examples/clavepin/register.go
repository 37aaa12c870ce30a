package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
)

// A person is an entry of the register of identity documents, which is the police's. The library knows nothing of it.
type person struct {
	NIF  ident.NIF `json:"nif"`
	Name string    `json:"name"`
	Born string    `json:"born"` // as 2006-01-02, like the other dates
	// Expires is the last day of the identity card, Issued the first day of one that does not expire, as those of elderly
	// people do not, and Support the number printed on the card of a foreigner. Everybody has one of the three.
	Expires string `json:"expires,omitempty"`
	Issued  string `json:"issued,omitempty"`
	Support string `json:"support,omitempty"`
	Street  string `json:"street,omitempty"` // for letters
}

// subject names a person to the library: by the number in its one normal form.
func (p person) subject() civicpin.Subject { return civicpin.Subject(p.NIF) }

// first is how the story calls them.
func (p person) first() string {
	first, _, _ := strings.Cut(p.Name, " ")
	return first
}

// data is what a visitor has to know to ask for a PIN, besides the number.
func (p person) data() cardData {
	switch {
	case p.Support != "":
		return cardData(p.Support)
	case p.Issued != "":
		return cardData(p.Issued)
	}
	return cardData(p.Expires)
}

// cardData is one fact printed on an identity card, in normal form: "2031-05-09", "E12345678". It says that somebody has
// seen the card, or a copy of it, and no more. The telephone is what proves who asks.
type cardData string

const (
	noDate    = refusal("A date is typed as on the card: 31-12-2030.")
	noSupport = refusal("A support number is the letter E and eight digits, as on the card.")
)

// readCardData reads what was typed for a number of some kind. The errors are about its form and nothing else, and so may be
// told to anybody.
func readCardData(kind ident.NIFKind, typed string) (cardData, error) {
	if len(typed) > 32 {
		typed = ""
	}
	if kind == ident.NIE {
		s := strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(typed))
		if len(s) != 9 || s[0] != 'E' || strings.Trim(s[1:], "0123456789") != "" {
			return "", noSupport
		}
		return cardData(s), nil
	}
	day, err := time.Parse("2-1-2006", strings.NewReplacer(" ", "-", "/", "-", ".", "-").Replace(strings.TrimSpace(typed)))
	if err != nil || day.Year() < 1900 {
		return "", noDate
	}
	return cardData(day.Format(time.DateOnly)), nil
}

//go:embed register.json
var registerFile []byte

// register is everybody by number.
type register map[ident.NIF]person

// readRegister reads the register, and checks every entry as the pages check what is typed.
func readRegister(file []byte) (register, error) {
	var people []person
	d := json.NewDecoder(bytes.NewReader(file))
	d.DisallowUnknownFields()
	if err := d.Decode(&people); err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	all := make(register)
	for _, p := range people {
		n, err := ident.ParseNIF(string(p.NIF))
		_, twice := all[p.NIF]
		_, badBirth := time.Parse(time.DateOnly, p.Born)
		_, badDate := time.Parse(time.DateOnly, p.Expires+p.Issued)
		_, badSupport := readCardData(ident.NIE, p.Support)
		foreign := p.NIF.Kind() == ident.NIE
		badData := badDate != nil || p.Support != ""
		if foreign {
			badData = badSupport != nil || p.Expires+p.Issued != ""
		}
		if err != nil || n != p.NIF || twice || p.Name == "" || badBirth != nil || badData {
			return nil, fmt.Errorf("register: entry %d is not as it should be", len(all)+1)
		}
		all[n] = p
	}
	return all, nil
}
