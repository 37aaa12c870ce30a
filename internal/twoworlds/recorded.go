package twoworlds

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/civicpin/civicpin"
)

// Recorded is what was told to the recorder of a world, and what none of it may hold.
type Recorded struct {
	Events []civicpin.Event
	// Secrets are what was sent, typed, drawn or shown; Personal are names, addresses, answers and facts.
	Secrets, Personal []string
	// Subjects are those that there are, and Sources the addresses from which requests came.
	Subjects []civicpin.Subject
	Sources  []string
}

// Record plays a schedule in one world, in which the provider refuses every fourth message and repeats all of it in the error.
func Record(t *testing.T, d Draw, s Setup, steps int, reached Coverage) (r Recorded) {
	t.Helper()
	states := people()
	p := &states[d.Int("state", len(states))]
	schedule := append([]step{drawRecovery(d)}, drawSchedule(d, steps)...)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, s.withDefaults(), p)
		var refused []civicpin.Message
		n := 0
		w.mail.Fail = func(m civicpin.Message) error {
			if n++; n%4 != 0 {
				return nil
			}
			refused = append(refused, m)
			return fmt.Errorf("550 %q <%s>: %s %s %v", m.Kind, m.To.Address, m.Secret.Reveal(), m.Link.Reveal(), m.To)
		}
		for _, step := range schedule {
			w.play(t.Context(), step)
		}
		r = w.recorded(append(refused, w.mail.Messages()...))
	})
	for _, e := range r.Events {
		reached["event "+string(e.Code)]++
	}
	return r
}

// recorded returns what the world has recorded.
func (w *world) recorded(sent []civicpin.Message) Recorded {
	secrets, personal := make(map[string]bool), make(map[string]bool)
	for _, m := range sent {
		secrets[m.Secret.Reveal()], secrets[m.Link.Reveal()] = true, true
		personal[m.To.Address] = true
	}
	for _, s := range slices.Concat(w.tickets, w.paper) {
		secrets[s.Reveal()] = true
	}
	for n := range variants {
		secrets[wrong(n).Reveal()], secrets[chosen(n).Reveal()], secrets[w.setup.fits(n)] = true, true, true
		for _, c := range typed(n) {
			personal[c.Address] = true
		}
	}
	for _, question := range w.setup.Questions {
		personal[known(question).Reveal()] = true
	}
	for _, text := range append(w.personal(), phone, email, string(subject)) {
		personal[text] = true
	}
	delete(secrets, "")
	delete(secrets, string(subject)) // a choice that would break a rule
	delete(personal, "")
	return Recorded{
		Events: w.store.all(), Secrets: slices.Sorted(maps.Keys(secrets)), Personal: slices.Sorted(maps.Keys(personal)),
		Subjects: []civicpin.Subject{subject, adversary, ""}, Sources: []string{home.Address, own.Address, ""},
	}
}
