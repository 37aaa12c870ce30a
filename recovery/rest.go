package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
)

// A RestError says that no recovery of the subject may rest now: another one does, or a contact objected to one. It matches
// [ErrWaiting].
type RestError struct {
	Until time.Time // when one may
}

// Error says so.
func (e *RestError) Error() string {
	return fmt.Sprintf("recovery: none of the subject's may rest until %s", e.Until.UTC().Format(time.RFC3339))
}

// Is reports whether target is [ErrWaiting].
func (e *RestError) Is(target error) bool { return target == ErrWaiting }

// reach reports whether a notice over a channel lets its reader object: by its link, or by staff whose office opens within the
// shortest rest.
func (s *Service) reach(channel civicpin.Channel) bool {
	if channel.Mail() || slices.Contains(s.config.Mail, channel) {
		return true
	}
	now := s.vault.Now()
	for _, r := range s.roles {
		if r.hours.Opens(now).Before(now.Add(plan.LeastRest)) {
			return true
		}
	}
	return false
}

// watch has the run be the one of its subject that rests until a time, or returns a *[RestError].
func (v *visit) watch(ctx context.Context, until time.Time) error {
	return v.watched(ctx, func(w *recoveryrun.Watch) error {
		if !w.Names(v.id(), v.run()) {
			return ErrGone
		}
		var other store.Entry[run]
		if w.Run != "" {
			var err error
			if other, err = v.runs.Get(ctx, store.Key{ID: w.Run}); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		if ends := w.Take(v.id(), v.run(), &other.Value, until, v.vault.Now()); !ends.IsZero() {
			return &RestError{Until: ends}
		}
		return nil
	})
}

// object notes that a contact objected to the run, before that ends it: after a crash the link works once more.
func (v *visit) object(ctx context.Context) error {
	return v.watched(ctx, func(w *recoveryrun.Watch) error {
		w.Object(v.vault.Now())
		return nil
	})
}

// watched lets act change what is watched of the subject.
func (v *visit) watched(ctx context.Context, act func(*recoveryrun.Watch) error) error {
	_, err := v.watches.Update(ctx, store.Key{Subject: v.run().Subject}, func(e *store.Entry[recoveryrun.Watch]) error {
		err := act(&e.Value)
		e.ExpiresAt = e.Value.Keep()
		return err
	})
	return err
}

// unopposed returns ErrGone if the run rested, and an objection or another run's rest has ended it since.
func (v *visit) unopposed(ctx context.Context) error {
	if len(v.run().Waits) == 0 {
		return nil
	}
	e, err := v.watches.Get(ctx, store.Key{Subject: v.run().Subject})
	if errors.Is(err, store.ErrNotFound) || err == nil && !e.Value.Names(v.id(), v.run()) {
		return ErrGone
	}
	return err
}
