package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
)

// The staff, as whoever signed them in tells the library: who they are, and in which role.
var (
	clerk     = recovery.Staff{ID: civicpin.Operator("agency.quito.5"), Role: "agency"}
	operator  = recovery.Staff{ID: civicpin.Operator("video.3"), Role: "video"}
	checker   = recovery.Staff{ID: civicpin.Operator("desk.11"), Role: "desk"}
	colleague = recovery.Staff{ID: civicpin.Operator("desk.14"), Role: "desk"}
)

const helpLine = "140"

// A tale is one telling of the story.
type tale struct {
	*play.Stage
	ecuador *time.Location
	people  civilRegister
	files   *uploads

	pins *pin.Service
	rec  *recovery.Service

	lucia, diego, camila *citizen
}

// newTale makes the two services on the stage's vault and outbox. What they do is said in plans.go.
func newTale(s *play.Stage, ecuador *time.Location) (*tale, error) {
	t := &tale{
		Stage: s, ecuador: ecuador, people: people(), files: new(uploads),
		lucia: newLucia(), diego: newDiego(), camila: newCamila(),
	}
	var err error
	if t.pins, err = pin.New(s.Vault, s.Outbox, key()); err != nil {
		return nil, err
	}
	t.rec, err = recovery.New(s.Vault, s.Outbox, recovery.Config{
		Pins:      t.pins,
		Plans:     plans(),
		Register:  t.people,
		Documents: t.files,
		Roles:     roles(),
		Questions: slices.Sorted(maps.Keys(questions)),
		Images:    images,
		Contacts:  recovery.ContactPolicy{Decoys: decoys(t.Lang)},
	})
	return t, err
}

// acts are the steps of the story in their order. Each goes on from where the one before it ended.
func (t *tale) acts() []func(context.Context) error {
	return []func(context.Context) error{
		t.first, t.locked, t.device, t.forgotten, t.blocked, t.thief, t.moved, t.video, t.counter, t.desk, t.strangers,
	}
}

func (t *tale) tell(ctx context.Context) error {
	for _, act := range t.acts() {
		if err := act(ctx); err != nil {
			return t.end(err)
		}
	}
	t.Printf("\n%d events were recorded, each a line of JSON in the log.\n", t.Events())
	return nil
}

// end turns what is no failure of the program into a last line.
func (t *tale) end(err error) error {
	_, isLocked := errors.AsType[*lockout.LockedError](err)
	switch {
	case errors.Is(err, play.ErrNoAnswer):
		t.Printf("\n\nThe input ended here, and so does the story.\n")
	case isLocked: // at a place where the story has no agency at hand
		t.refuses(err)
		t.Say("There the story ends. With -db, the next run begins at an agency, which puts it right.")
	default:
		return err
	}
	return nil
}

// ask shows a page with one field until use takes what was typed. An error that cannot be explained to a citizen ends it.
func (t *tale) ask(prompt string, suggestions []string, use func(typed string) error) error {
	return t.AskUntil(prompt, suggestions, use, func(err error) error {
		if _, locked := errors.AsType[*lockout.LockedError](err); !locked && t.refuses(err) {
			return nil
		}
		return err
	})
}

// until lets time pass until it is that hour in Ecuador.
func (t *tale) until(hour int) error {
	now := t.Clock.Now().In(t.ecuador)
	next := time.Date(now.Year(), now.Month(), now.Day(), hour, 0, 0, 0, t.ecuador)
	if !next.After(now) {
		next = next.AddDate(0, 0, 1)
	}
	t.Say("… %s …", next.Format("Monday, 15:04"))
	return t.Clock.Skip(next.Sub(now))
}
