package otp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
)

// A keyFlow is a call whose every store call may be the last one.
type keyFlow struct {
	name    string
	make    func(t *testing.T, s store.Store, clock *testkit.Clock) *fob
	prepare func(t *testing.T, f *fob) otp.Key // on a store without faults
	act     func(t *testing.T, f *fob, k otp.Key) error
	// after looks at what another process finds five minutes later. err is what act returned.
	after func(t *testing.T, f *fob, k otp.Key, err error)
}

func totpFlow(t *testing.T, s store.Store, clock *testkit.Clock) *fob {
	t.Helper()
	return totpOn(t, s, otp.TOTPPolicy{}, clock, &testkit.Recorder{})
}

func hotpFlow(t *testing.T, s store.Store, clock *testkit.Clock) *fob {
	t.Helper()
	return hotpOn(t, s, otp.HOTPPolicy{}, clock, &testkit.Recorder{})
}

// walk takes Ada from nothing to a login: whatever was left behind, she can go on.
func (f *fob) walk(t *testing.T) {
	t.Helper()
	f.enrolled(t)
	require.True(t, f.status(t).Active)
}

// rfcTOTP is a key to import.
func rfcTOTP() otp.Key {
	k := rfcToken(0)
	k.Period = step
	return k
}

func (f *fob) verifyErr(t *testing.T, code string) error {
	t.Helper()
	return f.Verify(t.Context(), ada, civicpin.NewSecret(code), fobSource)
}

var keyFlows = []keyFlow{
	{
		name:    "enrol",
		make:    totpFlow,
		prepare: func(*testing.T, *fob) otp.Key { return otp.Key{} },
		act: func(t *testing.T, f *fob, _ otp.Key) error {
			key, err := f.Enrol(t.Context(), ada)
			require.Equal(t, err == nil, len(key.Seed.Reveal()) > 0, "no key that may not be there")
			return err
		},
		after: func(t *testing.T, f *fob, _ otp.Key, err error) {
			if err == nil {
				require.True(t, f.status(t).Pending)
			}
			require.False(t, f.status(t).Active)
			f.walk(t)
		},
	},
	{
		name:    "enrol beside an active key",
		make:    totpFlow,
		prepare: func(t *testing.T, f *fob) otp.Key { return f.enrolled(t) },
		act: func(t *testing.T, f *fob, _ otp.Key) error {
			_, err := f.Enrol(t.Context(), ada)
			return err
		},
		after: func(t *testing.T, f *fob, k otp.Key, _ error) {
			require.Equal(t, fobAccepted, f.verify(t, f.shown(k, 0)), "the active key goes on to count")
			f.walk(t)
		},
	},
	{
		name:    "verify",
		make:    totpFlow,
		prepare: func(t *testing.T, f *fob) otp.Key { return f.enrolled(t) },
		act:     func(t *testing.T, f *fob, k otp.Key) error { return f.verifyErr(t, f.shown(k, 0)) },
		after: func(t *testing.T, f *fob, k otp.Key, err error) {
			f.clock.Add(-5 * time.Minute)
			again := f.verify(t, f.shown(k, 0))
			if err == nil {
				require.Equal(t, fobRefused, again, "what was accepted is not accepted again")
			}
			f.clock.Add(5 * time.Minute)
			require.LessOrEqual(t, f.status(t).Lockout.Failures, 2, "an attempt that died is one failure at most")
			require.Equal(t, fobAccepted, f.verify(t, f.shown(k, 0)), "the next code counts")
			require.Zero(t, f.status(t).Lockout.Failures)
		},
	},
	{
		name:    "verify wrong",
		make:    totpFlow,
		prepare: func(t *testing.T, f *fob) otp.Key { return f.enrolled(t) },
		act: func(t *testing.T, f *fob, k otp.Key) error {
			err := f.verifyErr(t, f.wrongCode(k))
			require.Error(t, err)
			return err
		},
		after: func(t *testing.T, f *fob, k otp.Key, err error) {
			failures := f.status(t).Lockout.Failures
			require.LessOrEqual(t, failures, 1)
			if _, refused := fobIs(err); refused {
				require.Equal(t, 1, failures, "a guess that was answered is counted")
			}
			for range 5 - failures {
				f.verify(t, f.wrongCode(k))
			}
			require.Equal(t, fobLocked, f.verify(t, f.shown(k, 0)))
		},
	},
	{
		name: "activate",
		make: totpFlow,
		prepare: func(t *testing.T, f *fob) otp.Key {
			f.enrolled(t)
			key := f.enrol(t)
			return key
		},
		act: func(t *testing.T, f *fob, k otp.Key) error { return f.verifyErr(t, f.shown(k, 0)) },
		after: func(t *testing.T, f *fob, k otp.Key, err error) {
			st := f.status(t)
			require.True(t, st.Active)
			if err == nil {
				require.False(t, st.Pending)
			}
			require.Equal(t, fobAccepted, f.verify(t, f.shown(k, 0)), "active, or still pending")
			require.False(t, f.status(t).Pending)
		},
	},
	{
		name:    "import",
		make:    totpFlow,
		prepare: func(*testing.T, *fob) otp.Key { return rfcTOTP() },
		act:     func(t *testing.T, f *fob, k otp.Key) error { return f.Import(t.Context(), ada, k, fobClerk) },
		after: func(t *testing.T, f *fob, k otp.Key, err error) {
			if err == nil {
				require.True(t, f.status(t).Active)
			}
			require.NoError(t, f.Import(t.Context(), ada, k, fobClerk), "the operator does it again")
			require.Equal(t, fobAccepted, f.verify(t, f.shown(k, 0)))
		},
	},
	{
		name: "rebind a disabled key",
		make: totpFlow,
		prepare: func(t *testing.T, f *fob) otp.Key {
			key := f.enrolled(t)
			for range 100 {
				f.verify(t, f.wrongCode(key))
				f.clock.Add(25 * time.Hour)
			}
			require.True(t, f.status(t).Lockout.Locked.Disabled)
			return key
		},
		act: func(t *testing.T, f *fob, _ otp.Key) error {
			key, err := f.Rebind(t.Context(), ada, inPerson)
			require.Equal(t, err == nil, len(key.Seed.Reveal()) > 0)
			return err
		},
		after: func(t *testing.T, f *fob, k otp.Key, err error) {
			st := f.status(t)
			if st.Active {
				require.NotNil(t, st.Lockout.Locked, "no fresh guesses at the old key")
			}
			if err == nil {
				require.Nil(t, st.Lockout.Locked)
			}
			key, err := f.Rebind(t.Context(), ada, inPerson)
			require.NoError(t, err)
			require.Equal(t, fobRefused, f.verify(t, f.shown(k, 0)))
			require.Equal(t, fobAccepted, f.verify(t, f.shown(key, 0)))
		},
	},
	{
		name:    "remove",
		make:    totpFlow,
		prepare: func(t *testing.T, f *fob) otp.Key { return f.enrolled(t) },
		act:     func(t *testing.T, f *fob, _ otp.Key) error { return f.Remove(t.Context(), ada, fobClerk) },
		after: func(t *testing.T, f *fob, k otp.Key, err error) {
			if err == nil {
				require.False(t, f.status(t).Active)
			}
			if f.status(t).Active {
				require.NoError(t, f.Remove(t.Context(), ada, fobClerk))
			}
			require.Equal(t, fobRefused, f.verify(t, f.shown(k, 0)))
			f.walk(t)
		},
	},
	{
		name:    "HOTP verify",
		make:    hotpFlow,
		prepare: func(t *testing.T, f *fob) otp.Key { return f.enrolled(t) },
		act:     func(t *testing.T, f *fob, k otp.Key) error { return f.verifyErr(t, codeAt(k, 3)) },
		after: func(t *testing.T, f *fob, k otp.Key, err error) {
			counter := f.status(t).Counter
			require.Contains(t, []uint64{1, 4}, counter)
			if err == nil {
				require.EqualValues(t, 4, counter)
			}
			require.Equal(t, counter == 1, f.verify(t, codeAt(k, 3)) == fobAccepted)
			require.Equal(t, fobAccepted, f.verify(t, codeAt(k, 4)), "the next code counts")
			require.Zero(t, f.status(t).Lockout.Failures)
		},
	},
	{
		name:    "HOTP resync",
		make:    hotpFlow,
		prepare: func(t *testing.T, f *fob) otp.Key { return f.enrolled(t) },
		act: func(t *testing.T, f *fob, k otp.Key) error {
			return f.HOTP.Resync(t.Context(), ada, civicpin.NewSecret(codeAt(k, 50)), civicpin.NewSecret(codeAt(k, 51)), fobSource)
		},
		after: func(t *testing.T, f *fob, k otp.Key, err error) {
			counter := f.status(t).Counter
			require.Contains(t, []uint64{1, 52}, counter)
			if err == nil {
				require.EqualValues(t, 52, counter)
			}
			require.Equal(t, counter == 1, f.resync(t, codeAt(k, 50), codeAt(k, 51)) == fobAccepted)
			require.Equal(t, fobAccepted, f.resync(t, codeAt(k, 52), codeAt(k, 53)), "two further ones do")
			require.Zero(t, f.status(t).Lockout.Failures)
		},
	},
}

// fobIs reports whether an error is nothing, and whether it is a refusal.
func fobIs(err error) (none, refused bool) {
	return err == nil, err != nil && err.Error() == otp.ErrRefused.Error()
}

// TestKeyCrashPoints lets each store call of each flow go wrong in turn. Another process then finds a state from which the
// citizen can go on.
func TestKeyCrashPoints(t *testing.T) {
	for _, flow := range keyFlows {
		t.Run(flow.name, func(t *testing.T) {
			testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) {
				f := flow.make(t, c.Store(), newClock())
				key := flow.prepare(t, f)
				err := c.During(t, func() error { return flow.act(t, f, key) })
				f.clock.Add(5 * time.Minute) // reservations of the dead process run out
				flow.after(t, flow.make(t, c.Memory, f.clock), key, err)
			})
		})
	}
}
