package recovery

import (
	"context"
	"errors"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
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
	d, err := e.Value.Repudiates(t, s.vault.Now())
	if err != nil {
		return v, d, err
	}
	return v, d, v.alive(ctx, func(now *pin.Mark, contacts *contact.Snapshot) bool { return v.run().Deniable(d, now, contacts) })
}

// Repudiate is the link "it was not me". It ends a run under way. What a completed one brought ends as far as the holder of the
// link could show; what staff did since stands:
//   - The change of contacts that came with it is undone, with those since; so contacts since go that no operator has seen.
//   - The secret that it set, if it is still in use, never comes back, nor does the former one. No recovery leads anywhere
//     until staff issue a new secret on evidence. See [pin.Service.Repudiated].
//   - Devices that were remembered since are forgotten. Of an unlock that is all.
//   - Config.Unbind is called.
//   - If operators approved the run, none of these: the credential is suspended, and they decide. The event says so.
//
// It passes links that undo a change of contacts to contact.Service.Undo.
//
// Call it for a POST behind a button, never for a GET. Errors:
//   - [ErrExpired]: the token is right, and too late.
//   - [ErrGone]: the token is unknown or was used; or an operator since removed its contact, issued, imported or revoked.
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
	// An unlock that did not rest gave nothing that another run rests for: to deny it must not end the owner's own.
	if r := v.run(); !r.Unlocked || len(r.Waits) > 0 {
		if err := v.object(ctx); err != nil {
			return err
		}
	}
	if v.run().State == recoveryrun.Open {
		if err := v.end(ctx, "repudiated"); err != nil || v.run().State != recoveryrun.Finished {
			return err
		}
		// It was completed at this moment.
	}
	// It can be done twice without harm, so the mark comes last: after a crash the link works once more, unless staff acted.
	if err := v.undo(ctx); err != nil {
		return err
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
	v.record(ctx, recoveryrun.EventRepudiated, v.run().Remedy())
	return nil
}

// undo ends what a completed run brought.
func (v *visit) undo(ctx context.Context) error {
	p := v.run().Denied(v.completed())
	// First what decides: one conditional write of the credential, which names what staff had done when the run began.
	if err := v.config.Pins.Repudiated(ctx, p); err != nil {
		return recoveryrun.Gone(err)
	}
	if p.Seen || p.Unlock { // an unlock corrects no contact
		return nil
	}
	if err := v.config.Contacts.Recovered(ctx, p); err != nil {
		return err
	}
	if v.config.Unbind != nil {
		if err := v.config.Unbind(ctx, p.Subject, p.Finished); err != nil {
			return fmt.Errorf("recovery: unbind: %w", err)
		}
	}
	return nil
}
