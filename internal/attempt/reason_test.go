package attempt_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/lockout"
)

func TestReason(t *testing.T) {
	locked := &lockout.LockedError{Scope: lockout.ScopeSubject}
	for _, tc := range []struct {
		name  string
		err   error
		found attempt.Refusal
		want  attempt.Refusal
	}{
		{"busy", lockout.ErrInFlight, "", "busy"},
		{"busy, whatever was found", lockout.ErrBusy, "wrong", "busy"},
		{"what was found", lockout.ErrRefused, "wrong", "wrong"},
		{"wrong, which locked", locked, "wrong", "wrong"},
		{"right, and too late", token.ErrExpired, "late", "late"},
		{"compared, and the store failed", errors.New("store: down"), "wrong", "not checked"},
		{"hung up before the comparison", context.Canceled, "wrong", "not checked"},
		{"locked", locked, "", "locked"},
		{"locked and late", errors.Join(token.ErrExpired, locked), "", "locked"},
		{"expired", token.ErrExpired, "", "expired"},
		{"gone", token.ErrGone, "", "not checked"},
		{"refused, nothing compared", lockout.ErrRefused, "", "not checked"},
		{"the store's", errors.New("store: down"), "", "not checked"},
		{"ended", context.Canceled, "", "not checked"},
		{"nothing at all", nil, "", "not checked"},
	} {
		require.Equal(t, tc.want, attempt.Reason(tc.err, tc.found), tc.name)
		if tc.err != nil {
			require.Equal(t, tc.want, attempt.Reason(fmt.Errorf("recovery: %w", tc.err), tc.found), "%s, wrapped", tc.name)
		}
	}
}

// A full gate is the module's ErrOverloaded, and who leaves frees one place, once.
func TestEnter(t *testing.T) {
	const places = 2 // one permit, and one who waits
	gate, err := password.NewGate(1, 20e6, 1)
	require.NoError(t, err)
	var leaves []func()
	for range places {
		_, leave, err := attempt.Enter(t.Context(), gate)
		require.NoError(t, err)
		leaves = append(leaves, leave)
	}
	full := func() {
		t.Helper()
		_, leave, err := attempt.Enter(t.Context(), gate)
		require.Nil(t, leave)
		require.ErrorIs(t, err, lockout.ErrOverloaded)
		require.ErrorIs(t, err, lockout.ErrBusy)
		require.NotErrorIs(t, err, lockout.ErrInFlight, "nothing about the subject")
		require.NotErrorIs(t, err, password.ErrBusy)
	}
	full()
	leaves[0]()
	leaves[0]()
	_, _, err = attempt.Enter(t.Context(), gate)
	require.NoError(t, err)
	full()

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, leave, err := attempt.Enter(ended, gate)
	require.Nil(t, leave)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, lockout.ErrBusy)

	_, _, err = attempt.Enter(t.Context(), new(password.Gate))
	require.ErrorIs(t, err, lockout.ErrBusy, "the zero gate")
}
