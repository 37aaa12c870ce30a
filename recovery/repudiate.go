package recovery

import (
	"context"
	"errors"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
)

// repudiated reads the run that a token of "it was not me" is about. The visit has no way: the plan may be gone by now.
func (s *Service) repudiated(ctx context.Context, t token.Token) (*visit, recoveryrun.Repudiation, error) {
	e, err := s.runs.Get(ctx, store.Key{ID: t.Selector})
	if err != nil && !errors.Is(err, store.ErrNotFound) { // a run that is not there has no tokens
		return nil, recoveryrun.Repudiation{}, err
	}
	v := &visit{Service: s, entry: e, by: civicpin.Citizen}
	for _, d := range e.Value.Repudiations {
		if d.N != t.N || !t.Fits(d.Hash) {
			continue
		}
		switch {
		case !s.vault.Now().Before(d.Expires):
			return v, d, ErrExpired
		case e.Value.State != recoveryrun.Open && e.Value.State != recoveryrun.Finished:
			return v, d, ErrGone
		}
		contacts, err := s.config.Contacts.Snapshot(ctx, e.Value.Subject)
		if err == nil && contacts.Barred(d.To) {
			err = ErrGone
		}
		return v, d, err
	}
	return v, recoveryrun.Repudiation{}, ErrGone
}

// Repudiate is the link "it was not me". It ends a run under way. After a completed one, it undoes the change of contacts that
// came with it and suspends the credential, until an operator resumes it ([pin.Service.Resume]) or a new one is issued on
// evidence; a credential that the run created is revoked. Links that undo a change of contacts go to contact.Service.Undo.
//
// Call it for a POST behind a button, never for a GET. Errors:
//   - [ErrExpired]: the token is right, and too late.
//   - [ErrGone]: the token is unknown or was used, or its contact was removed by an operator since.
//   - the store's: call again.
func (s *Service) Repudiate(ctx context.Context, tok civicpin.Secret, source civicpin.Source) error {
	t, err := token.Parse(tok)
	if err = errors.Join(source.Validate(), err); err != nil {
		return err
	}
	switch t.Kind {
	case token.Undo:
		return s.config.Contacts.Undo(ctx, tok, source)
	case token.Repudiate:
	default:
		return ErrGone
	}
	v, _, err := s.repudiated(ctx, t)
	if err != nil {
		return err
	}
	v.source = source
	if err := v.object(ctx); err != nil {
		return err
	}
	if v.run().State == recoveryrun.Open {
		return v.end(ctx, "repudiated")
	}
	// What follows can be done twice without harm, so the mark comes last: after a crash the link works once more.
	if v.run().Change != "" {
		p := v.completed()
		p.Change, p.Repudiated = v.run().Change, true
		if err := s.config.Contacts.Recovered(ctx, p); err != nil {
			return err
		}
	}
	err = s.config.Pins.Stop(ctx, v.run().Subject, "repudiated by a contact", civicpin.Citizen)
	if err != nil && !errors.Is(err, pin.ErrNoCredential) {
		return fmt.Errorf("recovery: stop: %w", err)
	}
	_, err = v.update(ctx, func(e *store.Entry[run]) error {
		if !e.Found() {
			return store.ErrSkip
		}
		e.Value.Repudiate()
		return nil
	})
	if err != nil {
		return err
	}
	v.record(ctx, recoveryrun.EventRepudiated, "")
	return nil
}
