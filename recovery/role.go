package recovery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/officehours"
	"github.com/civicpin/civicpin/internal/quota"
	"github.com/civicpin/civicpin/store"
)

// A Role says when operators of that role act, and how much. The zero Role acts at any time, 60 times an hour.
type Role struct {
	// From and To bound the hours of a day as time since midnight in Zone; both zero means all day. From is before To.
	From, To time.Duration
	Days     []time.Weekday // empty means all
	Zone     string         // the time zone, "America/Guayaquil", as time.LoadLocation takes it; empty means UTC
	PerHour  int            // how many acts one operator does in an hour at most; zero means 60
	Unlocks  bool           // the role may lift the lock of a plan ([Service.Unlock])
}

// role is a Role with what it needs at work.
type role struct {
	Role
	hours officehours.Hours
	quota *quota.Quota
}

const defaultPerHour = 60

func newRole(v *store.Vault, name string, r Role) (*role, error) {
	if !names.Valid(name, 32) {
		return nil, fmt.Errorf("%w: role %q: the name is not 1 to 32 of ASCII letters, digits, period, - and _", ErrInvalidPlan, name)
	}
	if r.PerHour == 0 {
		r.PerHour = defaultPerHour
	}
	hours, err1 := officehours.New(r.From, r.To, r.Days, r.Zone)
	acts, err2 := quota.New(v, "operator."+name, civicpin.Rate{Limit: r.PerHour, Window: time.Hour}, quota.Operator)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("%w: role %q: %w", ErrInvalidPlan, name, err)
	}
	return &role{Role: r, hours: hours, quota: acts}, nil
}

// may lets an operator act, once, in a role; or any role if it is empty.
func (s *Service) may(ctx context.Context, by Operator, want string) error {
	if !by.ID.IsOperator() || by.ID.Validate() != nil {
		return fmt.Errorf("recovery: %w: the actor is no operator with a printable id", civicpin.ErrInvalid)
	}
	r := s.roles[by.Role]
	if r == nil || want != "" && by.Role != want {
		return &OperatorError{Reason: WrongRole}
	}
	if opens := r.hours.Opens(s.vault.Now()); !opens.IsZero() {
		return &OperatorError{Reason: Closed, Until: opens}
	}
	_, err := r.quota.Take(ctx, store.Key{ID: string(by.ID)}, 1)
	if full, ok := errors.AsType[*quota.FullError](err); ok {
		return &OperatorError{Reason: OverLimit, Until: full.Until}
	}
	return err
}
