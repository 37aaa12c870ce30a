package testkit

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"testing"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// A Method is a call of an exported method of a service, which is made in a world W.
type Method[W World] struct {
	Name string
	// Open makes the world over a store, with all that comes before the call.
	Open func(*testing.T, store.Store) W
	// Act makes the call. The result is nil if the method has none but an error.
	Act func(context.Context, W) (result any, err error)
	// Swallows are the calls whose failure the method does not return, as the method of the store and the kind of record, "Put
	// code.sms".
	Swallows []string
	// Events are what the method records if nothing fails, each as its code, actor, address, reference and reason: "-" for none,
	// and "ID" for a name at random.
	Events []string
}

// A World is what is around a method.
type World interface {
	Around() (*Clock, *Recorder)
}

// Check holds Swallows against [Swallowed], and what is recorded if nothing fails against Events.
func (m Method[W]) Check(t *testing.T) {
	t.Helper()
	t.Run(m.Name, func(t *testing.T) {
		if got := Swallowed(t, m.Open, m.Act); !slices.Equal(got, m.Swallows) {
			t.Errorf("swallowed %q, want %q", got, m.Swallows)
		}
		w := m.Open(t, store.NewMemory())
		clock, recorder := w.Around()
		recorder.Take()
		_, _ = m.Act(t.Context(), w)
		var events []string
		for _, e := range recorder.Take() {
			if !e.At.Equal(clock.Now()) || e.Subject == "" || e.Level != 0 {
				t.Errorf("recorded %+v: not by the clock, of nobody, or with a level", e)
			}
			events = append(events, eventText(e))
		}
		if !slices.Equal(events, m.Events) {
			t.Errorf("recorded %q, want %q", events, m.Events)
		}
	})
}

// randomName is a request's or a key's, or a device's.
var randomName = regexp.MustCompile(`[A-Z2-7]{26}|[A-Za-z0-9_-]{22}`)

func eventText(e civicpin.Event) string {
	text := func(s string) string { return cmp.Or(s, "-") }
	ref := randomName.ReplaceAllString(e.Ref, "ID")
	return fmt.Sprintf("%s %s %s %s %s", e.Code, text(string(e.By)), text(e.Source.Address), text(ref), text(e.Reason))
}
