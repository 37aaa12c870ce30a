package otp_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
)

// Messages are limited by subject and source, and requests and resends count together.
func TestCodeSendLimits(t *testing.T) {
	person := func(i int) civicpin.Subject { return civicpin.Subject(fmt.Sprint("CITIZEN ", i)) }
	number := func(i int) civicpin.Contact {
		return civicpin.Contact{Channel: civicpin.SMS, Address: fmt.Sprintf("+346001110%02d", i)}
	}
	for name, tc := range map[string]struct {
		limit int
		ask   func(i int) (civicpin.Subject, otp.RequestOptions)
		scope lockout.Scope
		free  otp.RequestOptions // what is still let through then
	}{
		"subject": {
			6,
			func(i int) (civicpin.Subject, otp.RequestOptions) {
				return ana, otp.RequestOptions{To: []civicpin.Contact{number(i)}}
			},
			lockout.ScopeSends,
			otp.RequestOptions{To: []civicpin.Contact{number(0)}},
		},
		"a stranger": {
			6,
			func(int) (civicpin.Subject, otp.RequestOptions) { return ana, otp.RequestOptions{} },
			lockout.ScopeSends,
			otp.RequestOptions{},
		},
		"source": {
			60,
			func(i int) (civicpin.Subject, otp.RequestOptions) {
				return person(i), otp.RequestOptions{To: []civicpin.Contact{number(i)}, Source: home}
			},
			lockout.ScopeSource,
			otp.RequestOptions{To: []civicpin.Contact{number(0)}, Source: civicpin.Source{Address: "198.51.100.7"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := otp.SMS()
			p.Sends = civicpin.Rate{Limit: 6, Window: time.Hour}
			k := newCodeKit(t, p)
			for i := range tc.limit {
				subject, o := tc.ask(i)
				_, err := k.Request(t.Context(), subject, filing, o)
				require.NoError(t, err, "request %d", i+1)
			}
			subject, o := tc.ask(tc.limit)
			_, err := k.Request(t.Context(), subject, filing, o)
			var locked *lockout.LockedError
			require.ErrorAs(t, err, &locked)
			require.Equal(t, tc.scope, locked.Scope)
			require.True(t, locked.Until.After(k.clock.Now()))
			_, err = k.Request(t.Context(), luis, filing, tc.free)
			require.NoError(t, err)
			k.clock.Set(locked.Until)
			_, err = k.Request(t.Context(), subject, filing, o)
			require.NoError(t, err)
		})
	}
}

// The same code sent again counts as well.
func TestResendsAreLimited(t *testing.T) {
	for name, to := range map[string][]civicpin.Contact{"citizen": {bySMS}, "stranger": nil} {
		t.Run(name, func(t *testing.T) {
			p := otp.SMS()
			p.Sends = civicpin.Rate{Limit: 3, Window: time.Hour}
			k := newCodeKit(t, p)
			req, err := k.Request(t.Context(), ana, filing, otp.RequestOptions{To: to})
			require.NoError(t, err)
			for range 2 {
				require.NoError(t, k.Resend(t.Context(), ana, req.ID, home))
			}
			require.ErrorAs(t, k.Resend(t.Context(), ana, req.ID, home), new(*lockout.LockedError))
			_, err = k.Request(t.Context(), ana, filing, otp.RequestOptions{To: to})
			require.ErrorAs(t, err, new(*lockout.LockedError))
		})
	}
}

// An address, or a country, that got many messages does not give its owner away: what is asked for waits, and nobody is
// refused.
func TestSendLimitsTellNothing(t *testing.T) {
	k := newCodeKit(t, otp.SMS())
	for i := range 60 { // more than the address gets in a day
		_, err := k.Request(t.Context(), civicpin.Subject(fmt.Sprint("FAMILY ", i)), filing, otp.RequestOptions{
			To: []civicpin.Contact{bySMS},
		})
		require.NoError(t, err)
	}
	require.NoError(t, k.out.Flush(t.Context()))
	require.Len(t, k.mail.To(bySMS.Address, ""), 40)
	until := func(subject civicpin.Subject, to ...civicpin.Contact) (n int, scope lockout.Scope) {
		for {
			_, err := k.Request(t.Context(), subject, filing, otp.RequestOptions{To: to})
			var locked *lockout.LockedError
			if err != nil {
				require.ErrorAs(t, err, &locked)
				return n, locked.Scope
			}
			n++
		}
	}
	n, scope := until("NOBODY")
	m, same := until(ana, bySMS)
	require.Equal(t, n, m)
	require.Equal(t, scope, same)
}
