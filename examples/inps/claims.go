package main

import (
	"context"
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
)

// A claim is what a citizen asks the institute for. The claims are the agency's own records; they lie in the same vault,
// sealed like the library's.
type claim struct {
	What  string    `json:"what"`
	Filed time.Time `json:"filed"`
	Held  bool      `json:"held"` // until its owner's PIN is dispositivo
}

const benefit = "unemployment benefit"

// file has Maria file a claim. To look at her contributions an ordinario PIN is enough; to ask for money it is not.
func (t *tale) file(ctx context.Context) error {
	t.Step("Ordinario: she may look, but her claim has to wait")
	t.pin = otherwise(t.pin)
	ok, err := t.login(ctx)
	if err != nil {
		return err
	}
	t.Says("These are your contributions.")
	t.Say("She files a claim: %s.", benefit)
	held, err := t.fileClaim(ctx, t.maria.subject(), ok.Level, benefit)
	if err != nil {
		return err
	}
	if !held {
		return errors.New("an ordinario PIN filed a claim")
	}
	t.Says("Your PIN is ordinario. We hold your claim until it is dispositivo: send us a copy of a document.")
	return nil
}

// fileClaim takes a claim, and holds it if the level at which its owner logged in is too low. The level is compared at each
// act, not once at login.
func (t *tale) fileClaim(ctx context.Context, subject civicpin.Subject, level civicpin.Level, what string) (bool, error) {
	held := level < civicpin.Substantial
	_, err := t.claims.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[[]claim]) error {
		e.Value = append(e.Value, claim{What: what, Filed: t.Clock.Now(), Held: held})
		return nil
	})
	return held, err
}

// release lets the held claims of a citizen through after a login at a level that is high enough, and returns them.
func (t *tale) release(ctx context.Context, subject civicpin.Subject, level civicpin.Level) (released []string, err error) {
	if level < civicpin.Substantial {
		return nil, nil
	}
	_, err = t.claims.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[[]claim]) error {
		released = nil // Update may call this more than once
		for i := range e.Value {
			if e.Value[i].Held {
				released = append(released, e.Value[i].What)
				e.Value[i].Held = false
			}
		}
		if len(released) == 0 {
			return store.ErrSkip
		}
		return nil
	})
	return released, err
}
