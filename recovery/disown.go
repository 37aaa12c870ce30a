package recovery

import (
	"context"
	"errors"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
)

// disowned reads the run that a token of "it was not me" is about.
func (s *Service) disowned(ctx context.Context, t token.Token) (store.Entry[run], disown, error) {
	// The plan may be another by now, and gone: what was done under it can be disowned all the same.
	if !token.ValidID(t.Selector) {
		return store.Entry[run]{}, disown{}, ErrGone
	}
	e, err := s.runs.Get(ctx, store.Key{ID: t.Selector})
	if errors.Is(err, store.ErrNotFound) {
		return e, disown{}, ErrGone
	}
	if err != nil {
		return e, disown{}, err
	}
	for _, d := range e.Value.Disown {
		if d.N != t.N || !t.Fits(d.Hash) {
			continue
		}
		switch {
		case !s.vault.Now().Before(d.Expires):
			return e, d, ErrExpired
		case e.Value.State != runOpen && e.Value.State != runFinished:
			return e, d, ErrGone
		}
		b, err := s.config.Contacts.Snapshot(ctx, e.Value.Subject)
		if err == nil && b.Barred(d.To) {
			err = ErrGone
		}
		return e, d, err
	}
	return e, disown{}, ErrGone
}

// Disown is the link "it was not me". A run under way is ended. After a completed one, a change of contacts that came with it is
// undone and the credential suspended, until an operator resumes it ([pin.Service.Resume]) or a new one is issued on evidence; a
// credential that the run began is revoked. A link that undoes a change of contacts undoes that and all changes after it, but for
// what staff did since, and ends the recoveries under way; with contact.Policy.SuspendOnUndo it also suspends the credential.
//
// Call it for a POST behind a button, never for a GET. Errors: [ErrExpired]; [ErrGone], also for one that was used, or was sent to a
// contact that a member of staff has removed since; the store's: call again.
func (s *Service) Repudiate(ctx context.Context, tok civicpin.Secret, source civicpin.Source) error {
	t, err := token.Parse(tok)
	if err != nil {
		return err
	}
	switch t.Kind {
	case token.Undo:
		return s.config.Contacts.Undo(ctx, tok, source)
	case token.Disown:
	default:
		return ErrGone
	}
	e, _, err := s.disowned(ctx, t)
	if err != nil {
		return err
	}
	r := &e.Value
	if r.State == runOpen {
		return s.end(ctx, e, runCancelled, t.Selector, civicpin.Citizen, source, "disowned")
	}
	// What follows can be done twice without harm, so the mark comes last: after a crash the link works once more.
	if r.Change != "" {
		p := r.completed(t.Selector, civicpin.Citizen, source)
		p.Change, p.Repudiated = r.Change, true
		if err := s.config.Contacts.Recovered(ctx, p); err != nil {
			return err
		}
	}
	err = s.config.Pins.Stop(ctx, r.Subject, "disowned by a contact", civicpin.Citizen)
	if err != nil && !errors.Is(err, pin.ErrNoCredential) {
		return fmt.Errorf("recovery: stop: %w", err)
	}
	_, err = s.runs.UpdateFrom(ctx, e, func(e *store.Entry[run]) error {
		if !e.Found() {
			return store.ErrSkip
		}
		e.Value.State = runDisowned
		for i := range e.Value.Mail {
			e.Value.Mail[i].Erase()
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.record(ctx, eventDisowned, t.Selector, r, civicpin.Citizen, source, "")
	return nil
}
