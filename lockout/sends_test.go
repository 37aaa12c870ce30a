package lockout_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// daily and hourly are the rates by subject and by source of the tests.
var (
	daily  = civicpin.Rate{Limit: 10, Window: 24 * hour}
	hourly = civicpin.Rate{Limit: 60, Window: hour}
)

func newSends(tb testing.TB, v *store.Vault, name string, subject civicpin.Rate) *lockout.Sends {
	tb.Helper()
	s, err := lockout.NewSends(v, name, subject, hourly)
	require.NoError(tb, err)
	return s
}

// Each limit refuses the message that is one too many, and says until when.
func TestSendsLimits(t *testing.T) {
	here := civicpin.Source{Address: "192.0.2.1"}
	for _, tc := range []struct {
		name  string
		limit int
		scope lockout.Scope
		send  func(s *lockout.Sends, i int) error
	}{
		{"subject", 10, lockout.ScopeSends, func(s *lockout.Sends, _ int) error {
			return s.Take(t.Context(), "CITIZEN", civicpin.Source{}, 1)
		}},
		{"source", 60, lockout.ScopeSource, func(s *lockout.Sends, i int) error {
			return s.Take(t.Context(), civicpin.Subject(fmt.Sprint("CITIZEN ", i)), here, 1)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sends := newSends(t, newVault(t, store.NewMemory(), newClock().Now, nil), "pin", daily)
			for i := range tc.limit {
				require.NoError(t, tc.send(sends, i))
			}
			locked := asLocked(t, tc.send(sends, tc.limit))
			require.Equal(t, tc.scope, locked.Scope)
			next := daily
			if tc.scope == lockout.ScopeSource {
				next = hourly
			}
			require.Equal(t, start.Add(next.Window/time.Duration(next.Limit)), locked.Until.UTC())
		})
	}
}

// The source is one for all names, the subject is counted for each.
func TestSendsShareTheSource(t *testing.T) {
	vault := newVault(t, store.NewMemory(), newClock().Now, nil)
	pins, codes := newSends(t, vault, "pin", daily), newSends(t, vault, "otp", daily)
	here := civicpin.Source{Address: "192.0.2.1"}
	for i := range 30 {
		require.NoError(t, pins.Take(t.Context(), civicpin.Subject(fmt.Sprint("P", i)), here, 1))
		require.NoError(t, codes.Take(t.Context(), civicpin.Subject(fmt.Sprint("C", i)), here, 1))
	}
	require.Equal(t, lockout.ScopeSource, asLocked(t, codes.Take(t.Context(), "X", here, 1)).Scope)
	require.Equal(t, lockout.ScopeSource, asLocked(t, pins.Take(t.Context(), "X", here, 1)).Scope)
	for range 10 {
		require.NoError(t, pins.Take(t.Context(), "Y", civicpin.Source{}, 1))
	}
	require.NoError(t, codes.Take(t.Context(), "Y", civicpin.Source{}, 1), "another service's count")
}

// Several messages are let through all or none, and a refusal by subject costs the source nothing.
func TestSendsAllOrNone(t *testing.T) {
	sends := newSends(t, newVault(t, store.NewMemory(), newClock().Now, nil), "pin", civicpin.Rate{Limit: 3, Window: hour})
	here := civicpin.Source{Address: "192.0.2.1"}
	require.NoError(t, sends.Take(t.Context(), "A", here, 2))
	for range 100 {
		require.Equal(t, lockout.ScopeSends, asLocked(t, sends.Take(t.Context(), "A", here, 2)).Scope)
	}
	require.NoError(t, sends.Take(t.Context(), "A", here, 1))
	for i := range 19 {
		require.NoError(t, sends.Take(t.Context(), civicpin.Subject(fmt.Sprint("B", i)), here, 3))
	}
	require.Equal(t, lockout.ScopeSource, asLocked(t, sends.Take(t.Context(), "C", here, 1)).Scope)
}

func TestSendsBounds(t *testing.T) {
	vault := newVault(t, store.NewMemory(), nil, nil)
	for _, bad := range []civicpin.Rate{{}, {Limit: 1}, {Limit: -1, Window: hour}} {
		_, err := lockout.NewSends(vault, "pin", bad, hourly)
		require.ErrorIs(t, err, lockout.ErrPolicy)
		_, err = lockout.NewSends(vault, "pin", daily, bad)
		require.ErrorIs(t, err, lockout.ErrPolicy)
	}
	for _, name := range []string{"", "a/b", "a b", strings.Repeat("n", 51)} {
		_, err := lockout.NewSends(vault, name, daily, hourly)
		require.ErrorIs(t, err, lockout.ErrPolicy, "%q", name)
	}
	require.Equal(t, daily, newSends(t, vault, strings.Repeat("n", 50), daily).Rate())
}
