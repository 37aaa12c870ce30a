package recovery

import (
	"context"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/answer"
	"github.com/civicpin/civicpin/store"
)

// alike are records in the likeness of most people's: what is opened instead where a subject has none, so that a stopwatch
// does not tell that nothing was found.
type alike struct {
	book, knowledge store.Decoy
	contacts        book   // what is sealed in book
	hash            string // of an answer
}

// padding makes the contacts and the answers of most subjects as long as those of alike. In bytes.
const padding = 1024

func (s *Service) newAlike() (a alike, err error) {
	id := strings.Repeat("A", idLength)
	now := s.vault.Now()
	b := book{
		Contacts: []held{
			{ID: id, To: contact{Channel: civicpin.Email, Address: "somebody@example.org"}, Since: now},
			{ID: id, To: contact{Channel: civicpin.SMS, Address: "+593990000000"}, Since: now},
		},
		Primary: id,
		Changes: []bookChange{{ID: id, What: "added", By: "operator:somebody", Until: now, New: []string{id, id}}},
	}
	a.hash = s.dummy.Encode()
	k := knowledge{}
	if len(s.config.Images) > 0 {
		k.Image = s.config.Images[0]
	}
	for _, q := range s.config.Questions[:min(4, len(s.config.Questions))] {
		k.Questions = append(k.Questions, answered{Question: q, Form: answer.Version, Hash: a.hash})
	}
	a.contacts = b
	if a.book, err = s.books.Decoy(context.Background(), b); err != nil {
		return a, err
	}
	a.knowledge, err = s.answers.Decoy(context.Background(), k)
	return a, err
}
