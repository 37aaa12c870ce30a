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

// Messages are limited by subject, address, country and source, and requests and resends count together.
func TestCodeSendLimits(t *testing.T) {
	few := lockout.Rate{Limit: 6, Window: time.Hour}
	many := lockout.Rate{Limit: 1000, Window: time.Hour}
	all := func(change func(*lockout.SendLimits)) lockout.SendLimits {
		l := lockout.SendLimits{Subject: many, Address: many, Prefix: many, Source: many}
		change(&l)
		return l
	}
	person := func(i int) civicpin.Subject { return civicpin.Subject(fmt.Sprint("CITIZEN ", i)) }
	number := func(i int) civicpin.Contact {
		return civicpin.Contact{Channel: civicpin.SMS, Address: fmt.Sprintf("+346001110%02d", i)}
	}
	for name, tc := range map[string]struct {
		limits lockout.SendLimits
		ask    func(i int) (civicpin.Subject, otp.RequestOptions)
		scope  lockout.Scope
		free   otp.RequestOptions // what is still let through then
	}{
		"subject": {
			all(func(l *lockout.SendLimits) { l.Subject = few }),
			func(i int) (civicpin.Subject, otp.RequestOptions) {
				return ana, otp.RequestOptions{To: []civicpin.Contact{number(i)}}
			},
			lockout.ScopeSends,
			otp.RequestOptions{To: []civicpin.Contact{number(0)}},
		},
		"a stranger": {
			all(func(l *lockout.SendLimits) { l.Subject = few }),
			func(int) (civicpin.Subject, otp.RequestOptions) { return ana, otp.RequestOptions{} },
			lockout.ScopeSends,
			otp.RequestOptions{},
		},
		"address": {
			all(func(l *lockout.SendLimits) { l.Address = few }),
			func(i int) (civicpin.Subject, otp.RequestOptions) {
				to := bySMS
				if i%2 == 1 {
					to.Channel = civicpin.Voice // one telephone
				}
				return person(i), otp.RequestOptions{To: []civicpin.Contact{to}}
			},
			lockout.ScopeAddress,
			otp.RequestOptions{To: []civicpin.Contact{number(0)}},
		},
		"prefix": {
			all(func(l *lockout.SendLimits) { l.Prefix = few }),
			func(i int) (civicpin.Subject, otp.RequestOptions) {
				return person(i), otp.RequestOptions{To: []civicpin.Contact{number(i)}}
			},
			lockout.ScopeAddress,
			otp.RequestOptions{To: []civicpin.Contact{{Channel: civicpin.SMS, Address: "+393331234567"}}},
		},
		"source": {
			all(func(l *lockout.SendLimits) { l.Source = few }),
			func(i int) (civicpin.Subject, otp.RequestOptions) {
				return person(i), otp.RequestOptions{To: []civicpin.Contact{number(i)}, Source: home}
			},
			lockout.ScopeSource,
			otp.RequestOptions{To: []civicpin.Contact{number(0)}, Source: civicpin.Source{Address: "198.51.100.7"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := otp.SMS()
			p.Sends = tc.limits
			k := newCodeKit(t, p)
			for i := range 6 {
				subject, o := tc.ask(i)
				_, err := k.Request(t.Context(), subject, filing, o)
				require.NoError(t, err, "request %d", i+1)
			}
			subject, o := tc.ask(6)
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
			p.Sends.Subject = lockout.Rate{Limit: 3, Window: time.Hour}
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

// An address that got other messages before does not give its owner away: the limit by subject is reached before, as by a
// stranger.
func TestSendLimitsByCountryTellNothing(t *testing.T) {
	p := otp.SMS()
	p.Channels = []civicpin.Channel{civicpin.SMS}
	p.Decoys = []civicpin.Contact{{Channel: civicpin.SMS, Address: "+34600000000"}}
	p.Sends.Prefix = lockout.Rate{Limit: 1, Window: time.Hour}
	k := newCodeKit(t, p)
	_, err := k.Request(t.Context(), "SOMEBODY ELSE", filing, otp.RequestOptions{
		To: []civicpin.Contact{{Channel: civicpin.SMS, Address: "+34611111111"}},
	})
	require.NoError(t, err)
	for subject, to := range map[civicpin.Subject][]civicpin.Contact{
		ana: {{Channel: civicpin.SMS, Address: "+34622222222"}}, "NOBODY": nil,
	} {
		_, err := k.Request(t.Context(), subject, filing, otp.RequestOptions{To: to})
		require.ErrorAs(t, err, new(*lockout.LockedError), subject)
	}
}

func TestSendLimitsTellNothing(t *testing.T) {
	for name, limits := range map[string]lockout.SendLimits{"default": {}, "ready": otp.SMS().Sends} {
		t.Run(name, func(t *testing.T) {
			p := otp.SMS()
			p.Sends = limits
			k := newCodeKit(t, p)
			before, err := lockout.NewSends(k.vault, "pin.login", limits)
			require.NoError(t, err)
			for range before.Limits().Address.Limit / 2 {
				require.NoError(t, before.Take(t.Context(), ana, civicpin.Source{}, bySMS))
				k.clock.Add(before.Limits().Subject.Window) // what limits that subject is over; the address is shared
				require.NoError(t, before.Take(t.Context(), ana, civicpin.Source{}, bySMS))
			}
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
		})
	}
}
