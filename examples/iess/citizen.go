package main

import (
	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/ident"
	"github.com/civicpin/civicpin/pin"
)

// The people of the story. Only their own cédulas may be typed as theirs.
const (
	luciaID = ident.Cedula("1710034065")
	diegoID = ident.Cedula("1714307103")
	// camilaID is what an agency wrote down for a person with a foreign passport and no cédula.
	camilaID = civicpin.Subject("passport-COL-AV123456")
)

// A citizen is a person in the story, with what they have in mind to type.
type citizen struct {
	name    string
	full    string
	subject civicpin.Subject
	source  civicpin.Source
	mind    memory
	// email is where they read, password what they chose last.
	email, password string
}

// A memory is what a citizen types into the form that asks who they are.
type memory struct {
	birthday, image string
	questions       map[string]string
}

// wrong returns it with another one to each question.
func (m memory) wrong() memory {
	other := make(map[string]string)
	for q := range m.questions {
		other[q] = "I do not know"
	}
	m.questions = other
	return m
}

func newLucia() *citizen {
	return &citizen{
		name: "Lucía", full: "Lucía Andrade Vera", subject: civicpin.Subject(luciaID), source: civicpin.Source{Address: "192.0.2.10"},
		email: "lucia.andrade@example.ec",
		mind: memory{
			birthday: "14/3", image: "volcano",
			questions: map[string]string{
				"school": "Escuela Simón Bolívar", "friend": "Paloma", "journey": "Galápagos", "toy": "Un trompo azul",
			},
		},
	}
}

func newDiego() *citizen {
	return &citizen{
		name: "Diego", full: "Diego Mora Paz", subject: civicpin.Subject(diegoID), source: civicpin.Source{Address: "198.51.100.20"},
		mind: memory{birthday: "2/11"},
	}
}

func newCamila() *citizen {
	return &citizen{
		name: "Camila", full: "Camila Torres", subject: camilaID, source: civicpin.Source{Address: "192.0.2.30"},
	}
}

// attempt is a password as this citizen types it.
func (c *citizen) attempt(typed string) pin.Attempt {
	return pin.Attempt{Subject: c.subject, Secret: civicpin.NewSecret(typed), Source: c.source, Personal: c.personal()}
}

// personal is what may not be part of a password of theirs.
func (c *citizen) personal() []string { return []string{c.full, c.email} }

// contact is where they can be written to.
func (t *tale) contact(email string) civicpin.Contact {
	return civicpin.Contact{Channel: civicpin.Email, Address: email, Locale: t.Lang + "-EC"}
}
