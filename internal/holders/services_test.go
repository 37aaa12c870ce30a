package holders_test

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// services are all that a portal runs.
type services struct {
	clock    *testkit.Clock
	post     *testkit.Mailbox
	events   testkit.Recorder
	vault    *store.Vault
	out      *outbox.Outbox
	pins     *pin.Service
	contacts *contact.Service
	runs     *recovery.Service
}

// open makes the services.
func (w *world) open() {
	cheap := pin.Hashing{Memory: 8, Time: 1, Threads: 1, Permits: 64, Wait: time.Minute}
	var err error
	w.clock, w.post = testkit.NewClock(time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)), &testkit.Mailbox{}
	w.vault = testkit.Vault(w.t, store.NewMemory(), w.clock, &w.events)
	w.out = testkit.Outbox(w.t, w.vault, w.post, outbox.Limits{})
	policy := w.system.policy
	policy.Hashing = cheap
	w.pins, err = pin.New(w.out, policy)
	w.must(err)
	w.contacts, err = contact.New(w.out, contact.Policy{SuspendOnUndo: w.system.suspends}, w.pins)
	w.must(err)
	w.runs, err = recovery.New(w.out, recovery.Config{
		Pins: w.pins, Contacts: w.contacts, Plans: w.system.plans, Hashing: cheap, Register: register{},
		Images:    []string{"barco", image, "casa", "rosa", "tren", "luna", "pera", "vela", "oso"},
		Questions: []string{"mascota", "escuela", "ciudad", "madrina", "plato", "calle"},
		Roles:     map[string]recovery.Role{"counter": {Unlocks: true, PerHour: 1000}},
	})
	w.must(err)
}

// enrol has the holder of a session choose the image and answers, which are the same each time.
func (w *world) enrol(p person) error {
	texts := make(map[string]civicpin.Secret)
	for question, text := range answers {
		texts[question] = civicpin.NewSecret(text)
	}
	return w.runs.EnrolAnswers(w.t.Context(), rosa, image, texts, home(p))
}

// choice is another secret that the policy takes, most often.
func (w *world) choice() string {
	w.serial++
	if w.system.policy.Chosen.Form == pin.Password {
		one, two := []string{"gatos", "perros", "barcos", "puentes", "limones", "zorros", "trenes", "faroles"},
			[]string{"tejado", "lago", "bosque", "molino", "jardin", "valle", "puerto"}
		return fmt.Sprintf("%s lentos junto al %s %d", one[w.serial%8], two[w.serial%7], 7*w.serial+31)
	}
	sum := sha256.Sum256(fmt.Append(nil, "choice", w.serial))
	return strings.ToUpper(base32.StdEncoding.EncodeToString(sum[:])[:8])
}
