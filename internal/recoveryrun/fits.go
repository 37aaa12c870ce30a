package recoveryrun

import (
	"fmt"
	"slices"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/recovery/plan"
)

const maxNamed = 8 // contacts

// AnswersAll reports whether there is an answer to each of the questions and to no other.
func AnswersAll[V any](asked []string, given map[string]V) bool {
	for _, q := range asked {
		if _, ok := given[q]; !ok {
			return false
		}
	}
	return len(given) == len(asked)
}

// FitContacts checks that contacts can be what is asked for.
func FitContacts(c plan.Contacts, given []civicpin.Contact) error {
	if len(given) < c.AtLeast || len(given) > maxNamed {
		return ErrWrongStep
	}
	for i, g := range given {
		if err := g.Validate(); err != nil {
			return err
		}
		if len(c.Of) > 0 && !slices.Contains(c.Of, g.Channel) {
			return ErrWrongStep
		}
		for _, other := range given[:i] {
			if g.Channel == other.Channel || g.SameAddress(other) {
				return fmt.Errorf("%w: two contacts of one channel or address", civicpin.ErrInvalid)
			}
		}
	}
	return nil
}
