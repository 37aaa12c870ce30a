package recovery

import (
	"context"
	"errors"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
)

// disowned reads the run that a token of "it was not me" is about.
func (s *Service) disowned(ctx context.Context, t token) (store.Entry[run], disown, error) {
	// The plan may be another by now, and gone: what was done under it can be disowned all the same.
	if !validID(t.selector) {
		return store.Entry[run]{}, disown{}, ErrGone
	}
	e, err := s.runs.Get(ctx, store.Key{ID: t.selector})
	if errors.Is(err, store.ErrNotFound) {
		return e, disown{}, ErrGone
	}
	if err != nil {
		return e, disown{}, err
	}
	for _, d := range e.Value.Disown {
		if d.N != t.n || !t.fits(d.Hash) {
			continue
		}
		switch {
		case !s.vault.Now().Before(d.Expires):
			return e, d, ErrExpired
		case e.Value.State != runOpen && e.Value.State != runFinished:
			return e, d, ErrGone
		}
		b, err := s.book(ctx, e.Value.Subject)
		if err == nil && b.barred(d.To) {
			err = ErrGone
		}
		return e, d, err
	}
	return e, disown{}, ErrGone
}

// Disown is the link "it was not me". A run under way is ended. After a completed one, a change of contacts that came with it is
// undone and the credential suspended, until an operator resumes it ([pin.Service.Resume]) or a new one is issued on evidence; a
// credential that the run began is revoked. A link that undoes a change of contacts undoes that and all changes after it, but for
// what staff did since, and ends the recoveries under way; with ContactPolicy.SuspendOnUndo it also suspends the credential.
//
// Call it for a POST behind a button, never for a GET. Errors: [ErrExpired]; [ErrGone], also for one that was used, or was sent to a
// contact that a member of staff has removed since; the store's: call again.
func (s *Service) Disown(ctx context.Context, tok civicpin.Secret, source civicpin.Source) error {
	t, err := parseToken(tok)
	if err != nil {
		return err
	}
	switch t.kind {
	case undoToken:
		return s.undo(ctx, t, source)
	case disownToken:
	default:
		return ErrGone
	}
	e, _, err := s.disowned(ctx, t)
	if err != nil {
		return err
	}
	r := &e.Value
	if r.State == runOpen {
		return s.end(ctx, e, runCancelled, t.selector, civicpin.Citizen, source, "disowned")
	}
	// What follows can be done twice without harm, so the mark comes last: after a crash the link works once more.
	if r.Change != "" {
		if err := s.undoChange(ctx, r.Subject, r.Change, source); err != nil {
			return err
		}
	}
	if err := s.stop(ctx, r.Subject); err != nil {
		return err
	}
	_, err = s.runs.UpdateFrom(ctx, e, func(e *store.Entry[run]) error {
		if !e.Found() {
			return store.ErrSkip
		}
		e.Value.State = runDisowned
		for i := range e.Value.Mail {
			e.Value.Mail[i].erase()
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.record(ctx, eventDisowned, t.selector, r, civicpin.Citizen, source, "")
	return nil
}

// stop has the credential of a subject good for nobody until staff have looked at it.
func (s *Service) stop(ctx context.Context, subject civicpin.Subject) error {
	const why = "disowned by a contact"
	err := s.config.Pins.Suspend(ctx, subject, why, civicpin.Citizen)
	if errors.Is(err, pin.ErrState) { // begun, and nothing chosen yet
		err = s.config.Pins.Revoke(ctx, subject, why, civicpin.Citizen)
	}
	if errors.Is(err, pin.ErrNoCredential) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("recovery: stop: %w", err)
	}
	return nil
}
