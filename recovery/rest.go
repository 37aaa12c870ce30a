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
	var ends time.Time
	_, err := v.watches.Update(ctx, store.Key{Subject: v.run().Subject}, func(e *store.Entry[recoveryrun.Watch]) error {
		var other store.Entry[run]
		if e.Value.Run != "" {
			var err error
			if other, err = v.runs.Get(ctx, store.Key{ID: e.Value.Run}); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		ends = e.Value.Take(v.id(), v.run(), &other.Value, until, v.vault.Now())
		e.ExpiresAt = e.Value.Keep()
		return nil
	})
	if err == nil && !ends.IsZero() {
		err = &RestError{Until: ends}
	}
	return err
}

// object notes that a contact objected to the run, before that ends it: after a crash the link works once more.
func (v *visit) object(ctx context.Context) error {
	_, err := v.watches.Update(ctx, store.Key{Subject: v.run().Subject}, func(e *store.Entry[recoveryrun.Watch]) error {
		e.Value.Object(v.vault.Now())
		e.ExpiresAt = e.Value.Keep()
		return nil
	})
	return err
}
