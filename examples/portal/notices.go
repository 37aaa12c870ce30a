package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
)

// after does what no visitor waits for, once the server has ended the request: its time does not show, and may depend on the
// subject.
func (s *system) after(v *visit, what string, do func(context.Context) error) {
	ctx := context.WithoutCancel(v.ctx())
	s.p.work.Add(1)
	context.AfterFunc(v.ctx(), func() {
		defer s.p.work.Done()
		if err := do(ctx); err != nil {
			slog.ErrorContext(ctx, what, "system", s.name, "error", err)
		}
	})
}

// tell sends a notice to all contacts of a citizen: who did not do it themselves can act.
func (s *system) tell(v *visit, subject civicpin.Subject, kind civicpin.MessageKind, params map[string]string) {
	s.after(v, "notice", func(ctx context.Context) error {
		_, err := s.contacts.Notify(ctx, subject, kind, params)
		return err
	})
}

// tellLocked tells them of a lock, once for each: strangers cause locks, and the library holds back a flood of notices.
// Unknown subjects have locks, too, and no contact.
func (s *system) tellLocked(v *visit, subject civicpin.Subject, err error) {
	locked, ok := errors.AsType[*lockout.LockedError](err)
	if !ok || !locked.New || locked.Scope != lockout.ScopeSubject {
		return
	}
	params := make(map[string]string)
	if !locked.Until.IsZero() {
		params["until"] = locked.Until.UTC().Format(time.RFC3339)
	}
	s.tell(v, subject, pin.NoticeLocked, params)
}
