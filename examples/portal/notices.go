package main

import (
	"errors"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
)

// tell sends a notice to all contacts of a citizen: who did not do it themselves can act.
func (s *system) tell(v *visit, subject civicpin.Subject, kind civicpin.MessageKind, params map[string]string) error {
	_, err := s.contacts.Notify(v.ctx(), subject, kind, params)
	return err
}

// tellLocked tells them of a lock, once for each: strangers cause locks, and the library holds back a flood of notices.
func (s *system) tellLocked(v *visit, subject civicpin.Subject, err error) error {
	locked, ok := errors.AsType[*lockout.LockedError](err)
	if !ok || !locked.New || locked.Scope != lockout.ScopeSubject {
		return nil
	}
	params := make(map[string]string)
	if !locked.Until.IsZero() {
		params["until"] = locked.Until.UTC().Format(time.RFC3339)
	}
	return s.tell(v, subject, pin.NoticeLocked, params)
}
