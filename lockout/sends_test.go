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

func newSends(tb testing.TB, v *store.Vault, name string, l lockout.SendLimits) *lockout.Sends {
	tb.Helper()
	s, err := lockout.NewSends(v, name, l)
	require.NoError(tb, err)
	return s
}

func sms(number string) civicpin.Contact {
	return civicpin.Contact{Channel: civicpin.SMS, Address: number}
}

func email(address string) civicpin.Contact {
	return civicpin.Contact{Channel: civicpin.Email, Address: address}
}

// TestSendsDefaults pins each default, by the message that is one too many.
func TestSendsDefaults(t *testing.T) {
	for _, tc := range []struct {
		name  string
		limit int
		scope lockout.Scope
		next  time.Duration
		send  func(s *lockout.Sends, i int) error
	}{
		{"subject", 10, lockout.ScopeSends, 24 * hour / 10, func(s *lockout.Sends, i int) error {
			return s.Take(t.Context(), "CITIZEN", civicpin.Source{}, email(fmt.Sprintf("a%d@example.org", i)))
		}},
		{"address", 10, lockout.ScopeAddress, 24 * hour / 10, func(s *lockout.Sends, i int) error {
			return s.Take(t.Context(), civicpin.Subject(fmt.Sprint("CITIZEN ", i)), civicpin.Source{}, sms("+393331234567"))
		}},
		{"source", 60, lockout.ScopeSource, minute, func(s *lockout.Sends, i int) error {
			return s.Take(t.Context(), civicpin.Subject(fmt.Sprint("CITIZEN ", i)), civicpin.Source{Address: "192.0.2.1"},
				email(fmt.Sprintf("a%d@example.org", i)))
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sends := newSends(t, newVault(t, store.NewMemory(), newClock().Now, nil), "pin", lockout.SendLimits{})
			for i := range tc.limit {
				require.NoError(t, tc.send(sends, i))
			}
			locked := asLocked(t, tc.send(sends, tc.limit))
			require.Equal(t, tc.scope, locked.Scope)
			require.Equal(t, start.Add(tc.next), locked.Until.UTC())
		})
	}
}

// TestSendsPrefixDefault: 10,000 in an hour. All but ten of them are taken at once, by one under another rate.
func TestSendsPrefixDefault(t *testing.T) {
	vault := newVault(t, store.NewMemory(), newClock().Now, nil)
	const each = hour / 10_000
	most := newSends(t, vault, "pin", lockout.SendLimits{Prefix: lockout.Rate{Limit: 1, Window: hour - 10*each}})
	require.NoError(t, most.Take(t.Context(), "CITIZEN", civicpin.Source{}, sms("+393330000000")))
	sends := newSends(t, vault, "pin", lockout.SendLimits{})
	send := func(number string) error {
		return sends.Take(t.Context(), civicpin.Subject("CITIZEN "+number), civicpin.Source{}, sms(number))
	}
	for i := range 10 {
		require.NoError(t, send(fmt.Sprintf("+39333000001%d", i)))
	}
	locked := asLocked(t, send("+393330000020"))
	require.Equal(t, lockout.ScopeAddress, locked.Scope)
	require.Equal(t, start.Add(each), locked.Until.UTC())
	require.NoError(t, send("+34600000000"), "another country")
}

// TestSendsPerAddress: an address is one, however it is written, whoever asks, whatever for, and on whichever channel.
func TestSendsPerAddress(t *testing.T) {
	limits := lockout.SendLimits{Address: lockout.Rate{Limit: 2, Window: hour}}
	vault := newVault(t, store.NewMemory(), newClock().Now, nil)
	pins, codes := newSends(t, vault, "pin", limits), newSends(t, vault, "otp", limits)
	require.NoError(t, pins.Take(t.Context(), "A", civicpin.Source{}, email("Mario@Example.org")))
	require.NoError(t, codes.Take(t.Context(), "B", civicpin.Source{}, email("mario@example.org")))
	locked := asLocked(t, pins.Take(t.Context(), "C", civicpin.Source{}, email("MARIO@example.org")))
	require.Equal(t, lockout.ScopeAddress, locked.Scope)

	voice := civicpin.Contact{Channel: civicpin.Voice, Address: "+393331234567"}
	require.NoError(t, pins.Take(t.Context(), "D", civicpin.Source{}, sms("+393331234567"), voice))
	require.Equal(t, lockout.ScopeAddress, asLocked(t, pins.Take(t.Context(), "E", civicpin.Source{}, voice)).Scope)
	require.NoError(t, pins.Take(t.Context(), "E", civicpin.Source{}, sms("+393331234568")))
}

// TestSendsPrinted: what the caller prints counts for the subject and the source only.
func TestSendsPrinted(t *testing.T) {
	sends := newSends(t, newVault(t, store.NewMemory(), newClock().Now, nil), "pin", lockout.SendLimits{
		Subject: lockout.Rate{Limit: 2, Window: hour}, Address: lockout.Rate{Limit: 1, Window: hour},
	})
	slip := civicpin.Contact{Channel: civicpin.HandedOver}
	for _, subject := range []civicpin.Subject{"A", "B", "C"} {
		require.NoError(t, sends.Take(t.Context(), subject, civicpin.Source{}, slip, slip))
		require.Equal(t, lockout.ScopeSends, asLocked(t, sends.Take(t.Context(), subject, civicpin.Source{}, slip)).Scope)
	}
}

func TestSendsBounds(t *testing.T) {
	vault := newVault(t, store.NewMemory(), nil, nil)
	bad := lockout.Rate{Limit: 1}
	for _, l := range []lockout.SendLimits{{Subject: bad}, {Address: bad}, {Prefix: bad}, {Source: bad}} {
		_, err := lockout.NewSends(vault, "pin", l)
		require.ErrorIs(t, err, lockout.ErrPolicy)
	}
	for _, name := range []string{"", "a/b", "a b", strings.Repeat("n", 51)} {
		_, err := lockout.NewSends(vault, name, lockout.SendLimits{})
		require.ErrorIs(t, err, lockout.ErrPolicy, "%q", name)
	}
	newSends(t, vault, strings.Repeat("n", 50), lockout.SendLimits{})
}
