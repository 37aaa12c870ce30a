package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// role is a Role with what it needs at work.
type role struct {
	Role
	zone  *time.Location
	quota *lockout.Quota
}

const defaultPerHour = 60

func newRole(v *store.Vault, name string, r Role) (*role, error) {
	bad := func(what string) error { return fmt.Errorf("%w: role %q: %s", ErrPlan, name, what) }
	if !names.Valid(name, 32) {
		return nil, bad("the name is not 1 to 32 ASCII letters, digits and -_.")
	}
	if r.From < 0 || r.To > day || r.From > r.To || r.From == r.To && r.From != 0 {
		return nil, bad("From is not before To, within a day")
	}
	if r.PerHour == 0 {
		r.PerHour = defaultPerHour
	}
	if r.PerHour < 0 {
		return nil, bad("PerHour is negative")
	}
	zone, err := time.LoadLocation(r.Zone)
	if err != nil {
		return nil, bad("unknown time zone " + r.Zone)
	}
	quota, err := lockout.NewQuota(v, "staff."+name, lockout.Rate{Limit: r.PerHour, Window: time.Hour})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPlan, err)
	}
	r.Days = slices.Clone(r.Days)
	return &role{Role: r, zone: zone, quota: quota}, nil
}

// opens returns when the role acts next; zero if it does now. The hours are those on the wall of the office: a day whose clock is
// changed has its hours all the same.
func (r *role) opens(now time.Time) time.Time {
	now = now.In(r.zone)
	for i := range 9 {
		y, m, d := now.AddDate(0, 0, i).Date()
		at := func(since time.Duration) time.Time {
			return time.Date(y, m, d, 0, int(since/time.Minute), int(since%time.Minute/time.Second), 0, r.zone)
		}
		from, to := at(r.From), at(r.To)
		if r.From == r.To {
			to = at(day)
		}
		if len(r.Days) > 0 && !slices.Contains(r.Days, from.Weekday()) || !now.Before(to) {
			continue
		}
		if now.Before(from) {
			return from
		}
		return time.Time{}
	}
	return now.AddDate(1, 0, 0) // no day of the week at all: refused by no call that checks for that, so closed
}

// may lets a member of staff act, once, in a role; or any role if it is empty.
func (s *Service) may(ctx context.Context, by Staff, want string) error {
	if err := by.ID.Validate(); err != nil {
		return err
	}
	r := s.roles[by.Role]
	if !by.ID.IsOperator() || r == nil || want != "" && by.Role != want {
		return &StaffError{Reason: "role"}
	}
	if opens := r.opens(s.vault.Now()); !opens.IsZero() {
		return &StaffError{Reason: "hours", Until: opens}
	}
	err := r.quota.Take(ctx, store.Key{ID: string(by.ID)})
	if locked, ok := errors.AsType[*lockout.LockedError](err); ok {
		return &StaffError{Reason: "limit", Until: locked.Until}
	}
	return err
}
