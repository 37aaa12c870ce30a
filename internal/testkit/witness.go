package testkit

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// A Witness takes down all that services say beside their messages: give them its store, mailbox and recorder, and tell it what
// they return. At the end, [Witness.LeaksNothing] says whether a secret is in it. Its methods are not for concurrent use.
type Witness struct {
	Memory *store.Memory
	Faults *storetest.Faults // around Memory
	Mail   *Mailbox
	Events *Recorder

	said     strings.Builder
	secrets  []string
	personal []string
}

// NewWitness returns a witness with an empty store.
func NewWitness() *Witness {
	w := &Witness{Memory: store.NewMemory(), Mail: &Mailbox{}, Events: &Recorder{}}
	w.Faults = storetest.NewFaults(w.Memory)
	return w
}

// Store returns the store that the services are to use.
func (w *Witness) Store() store.Store { return w.Faults.Store() }

// Say takes down errors and other values as every verb prints them. Nil is nothing.
func (w *Witness) Say(values ...any) {
	for _, v := range values {
		if v != nil {
			fmt.Fprintf(&w.said, "%[1]v %+[1]v %#[1]v %[1]s %[1]q %[1]x\n", v)
		}
	}
}

// Secret adds what must be nowhere. What the messages hold need not be added.
func (w *Witness) Secret(texts ...string) { w.secrets = append(w.secrets, texts...) }

// Personal adds what must not be in the store.
func (w *Witness) Personal(texts ...string) { w.personal = append(w.personal, texts...) }

// Quotes has the mailbox refuse messages, by their number from 1, with an error that quotes what it was given.
func (w *Witness) Quotes(refuses func(n int) bool) {
	n := 0
	w.Mail.Fail = func(m civicpin.Message) error {
		if n++; !refuses(n) {
			return nil
		}
		w.message(m)
		return fmt.Errorf("gateway refuses %q and %q to %s", m.Secret.Reveal(), m.Link.Reveal(), m.To.Address)
	}
}

func (w *Witness) message(m civicpin.Message) {
	for _, s := range []civicpin.Secret{m.Secret, m.Link} {
		if !s.IsZero() {
			w.Secret(s.Reveal())
		}
	}
}

// LeaksNothing looks for the secrets, those of all messages among them, in all that was said, in the events, as values and as a
// log has them, and in the store. It fails, too, if what was told does not hold each of the texts in told: then this was not
// the story that the test means. It returns all that was said and told.
func (w *Witness) LeaksNothing(t testing.TB, told ...string) string {
	t.Helper()
	text := slog.New(slog.NewTextHandler(&w.said, nil))
	json := slog.New(slog.NewJSONHandler(&w.said, nil))
	for _, e := range w.Events.Take() {
		w.Say(e)
		civicpin.SlogRecorder(text).Record(t.Context(), e)
		civicpin.SlogRecorder(json).Record(t.Context(), e)
	}
	for _, m := range w.Mail.Messages() {
		w.message(m)
		w.Say(m.Secret, m.Link)
	}
	said, stored := w.said.String(), Stored(t, w.Memory)
	for _, part := range told {
		if !strings.Contains(said, part) {
			t.Errorf("testkit: %q is not told: this is not the story that was meant", part)
		}
	}
	LeaksNothing(t, map[string]string{"what was said": said, "the store": stored}, w.secrets...)
	if len(w.personal) > 0 {
		LeaksNothing(t, map[string]string{"the store": stored}, w.personal...)
	}
	return said
}
