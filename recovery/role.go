package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/officehours"
	"github.com/civicpin/civicpin/internal/quota"
	"github.com/civicpin/civicpin/internal/recoveryrun"
	"github.com/civicpin/civicpin/store"
)

// A Role says when operators of that role act, and how much. The zero Role acts at any time, 60 times an hour.
type Role struct {
	// From and To bound the hours of a day as time since midnight in Zone; both zero means all day. From is before To.
	From, To time.Duration
	Days     []time.Weekday // empty means all
	Zone     string         // the time zone, "America/Guayaquil", but not "Local"; empty means UTC
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

// unlockers returns the roles that may lift the lock of a plan.
func (s *Service) unlockers() (list []string) {
	for name, r := range s.roles {
		if r.Unlocks {
			list = append(list, name)
		}
	}
	return list
}

// may lets an operator act, once, in one of the roles given. The visit is the operator's from then on. A refusal is recorded.
func (v *visit) may(ctx context.Context, by Operator, roles ...string) error {
	if !by.ID.IsOperator() || by.ID.Validate() != nil {
		return fmt.Errorf("recovery: %w: the actor is no operator with a printable id", civicpin.ErrInvalid)
	}
	v.by = by.ID
	r := v.roles[by.Role]
	if r == nil || !slices.Contains(roles, by.Role) {
		return v.deny(ctx, WrongRole, time.Time{})
	}
	if opens := r.hours.Opens(v.vault.Now()); !opens.IsZero() {
		return v.deny(ctx, Closed, opens)
	}
	_, err := r.quota.Take(ctx, store.Key{ID: string(by.ID)}, 1)
	if full, ok := errors.AsType[*quota.FullError](err); ok {
		return v.deny(ctx, OverLimit, full.Until)
	}
	return err
}

// deny refuses an operator, and records it: an insider who tries is named.
func (v *visit) deny(ctx context.Context, why OperatorReason, until time.Time) error {
	v.record(ctx, recoveryrun.EventDenied, string(why))
	return &OperatorError{Reason: why, Until: until}
}
