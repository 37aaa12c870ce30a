package otp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/stored"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

const step = 30 * time.Second

// strict accepts the current code only.
var strict = otp.TOTPPolicy{Back: otp.None, Forward: otp.None, MaxDrift: otp.None}

func TestTOTPLife(t *testing.T) {
	f := newTOTP(t, otp.TOTPPolicy{})
	assert.Equal(t, fobRefused, f.verify(t, "000000"))
	assert.Equal(t, []string{"otp.refused: unknown"}, f.told())
	require.ErrorIs(t, f.Remove(t.Context(), ada, fobClerk), otp.ErrNotEnrolled)
	st := f.status(t)
	assert.False(t, st.Active || st.Pending)
	assert.Equal(t, 1, st.Lockout.Failures)

	key := f.enrol(t)
	assert.Equal(t, "Agency", key.Issuer)
	assert.Equal(t, string(ada), key.Account)
	assert.Len(t, key.Seed.Reveal(), 20)
	assert.Equal(t, []string{"otp.enrolled"}, f.told())
	st = f.status(t)
	assert.False(t, st.Active)
	assert.True(t, st.Pending)
	assert.Equal(t, fobRefused, f.verify(t, f.wrongCode(key)))
	assert.Equal(t, []string{"otp.refused: wrong"}, f.told())
	assert.Equal(t, fobAccepted, f.verify(t, f.shown(key, 0)))
	assert.Equal(t, []string{"otp.activated", "otp.verified"}, f.told())
	st = f.status(t)
	assert.True(t, st.Active)
	assert.False(t, st.Pending)
	assert.Zero(t, st.Lockout.Failures)
	assert.Equal(t, start, st.BoundAt.UTC())
	assert.Equal(t, start, st.UsedAt.UTC())
	assert.Equal(t, civicpin.Citizen, st.By)
	assert.NotEmpty(t, st.ID)

	f.clock.Add(step)
	assert.Equal(t, fobAccepted, f.verify(t, f.shown(key, 0)))
	assert.Equal(t, []string{"otp.verified"}, f.told())
	f.clock.Add(step)
	require.NoError(t, f.Remove(t.Context(), ada, fobClerk))
	assert.Equal(t, []string{"otp.removed"}, f.told())
	assert.Equal(t, fobRefused, f.verify(t, f.shown(key, 0)))
	assert.Equal(t, []string{"otp.refused: unknown"}, f.told())
	require.ErrorIs(t, f.Remove(t.Context(), ada, fobClerk), otp.ErrNotEnrolled)
	st = f.status(t)
	assert.False(t, st.Active || st.Pending)
	assert.Empty(t, st.ID)
}

// RFC 6238 appendix B, through the front door. Seeds are as long as the hash function's output. The sixth time is left to
// package oath: it is in 2603, and the vault's records end in 2262.
func TestTOTPVectors(t *testing.T) {
	for algorithm, codes := range map[otp.Algorithm][]string{
		otp.SHA1:   {"94287082", "07081804", "14050471", "89005924", "69279037"},
		otp.SHA256: {"46119246", "68084774", "67062674", "91819424", "90698825"},
		otp.SHA512: {"90693936", "25091201", "99943326", "93441116", "38618901"},
	} {
		c := strict
		c.Algorithm, c.Digits = algorithm, 8
		f := newTOTP(t, c)
		length := map[otp.Algorithm]int{otp.SHA1: 20, otp.SHA256: 32, otp.SHA512: 64}[algorithm]
		key := otp.Key{
			Seed: civicpin.NewSecret(strings.Repeat("1234567890", 7)[:length]), Algorithm: algorithm, Digits: 8, Period: step,
			Account: "ada",
		}
		f.imported(t, key)
		for i, unix := range []int64{59, 1111111109, 1111111111, 1234567890, 2000000000} {
			f.clock.Set(time.Unix(unix, 0))
			assert.Equal(t, fobRefused, f.verify(t, codes[(i+1)%len(codes)]))
			assert.Equal(t, fobAccepted, f.verify(t, codes[i]), "%s at %d", algorithm, unix)
		}
	}
}

func TestTOTPWindow(t *testing.T) {
	for name, c := range map[string]struct {
		config   otp.TOTPPolicy
		accepted []int // offsets of an app's clock, in steps
	}{
		"defaults":     {otp.TOTPPolicy{}, []int{-1, 0, 1}},
		"strict":       {strict, []int{0}},
		"no forward":   {otp.TOTPPolicy{Forward: otp.None}, []int{-1, 0}},
		"wide":         {otp.TOTPPolicy{Back: 3, Forward: 2, Digits: 8}, []int{-3, -2, -1, 0, 1, 2}},
		"a minute":     {otp.TOTPPolicy{Period: time.Minute}, []int{-1, 0, 1}},
		"a second":     {otp.TOTPPolicy{Period: time.Second}, []int{-1, 0, 1}},
		"seven digits": {otp.TOTPPolicy{Digits: 7, Algorithm: otp.SHA512}, []int{-1, 0, 1}},
	} {
		var accepted []int
		for offset := -5; offset <= 5; offset++ {
			f := newTOTP(t, c.config)
			key := f.enrol(t)
			if f.verify(t, f.shown(key, time.Duration(offset)*key.Period)) == fobAccepted {
				accepted = append(accepted, offset)
			}
		}
		assert.Equal(t, c.accepted, accepted, name)
	}
}

// A code counts from the first to the last second of its window.
func TestTOTPEdges(t *testing.T) {
	for _, c := range []struct {
		at       time.Duration // from the beginning of the code's step
		accepted bool
	}{
		{-step - time.Nanosecond, false},
		{-step, true},
		{2*step - time.Nanosecond, true},
		{2 * step, false},
	} {
		f := newTOTP(t, otp.TOTPPolicy{})
		key, err := f.Enrol(t.Context(), ada)
		require.NoError(t, err)
		code := f.shown(key, 0)
		f.clock.Add(c.at)
		assert.Equal(t, c.accepted, f.verify(t, code) == fobAccepted, c.at)
	}
}

// A code is good for once, and no older one after it.
func TestTOTPReplay(t *testing.T) {
	f := newTOTP(t, otp.TOTPPolicy{})
	key := f.enrolled(t)
	current, previous, next := f.shown(key, 0), f.shown(key, -step), f.shown(key, step)
	f.told()
	assert.Equal(t, fobAccepted, f.verify(t, current))
	assert.Equal(t, fobRefused, f.verify(t, previous), "an older one")
	assert.Equal(t, fobRefused, f.verify(t, current), "the same")
	assert.Equal(t, []string{"otp.verified", "otp.refused: spent", "otp.refused: spent"}, f.told())
	assert.Equal(t, 2, f.status(t).Lockout.Failures, "counted like wrong ones")
	assert.Equal(t, fobAccepted, f.verify(t, next))
	f.clock.Add(step)
	assert.Equal(t, fobRefused, f.verify(t, next), "the clock has come to it since")
	f.clock.Add(step)
	assert.Equal(t, fobAccepted, f.verify(t, f.shown(key, 0)))
}

// The code that activated a key is spent, too.
func TestTOTPActivationSpends(t *testing.T) {
	f := newTOTP(t, otp.TOTPPolicy{})
	key := f.enrol(t)
	code := f.shown(key, 0)
	assert.Equal(t, fobAccepted, f.verify(t, code))
	assert.Equal(t, fobRefused, f.verify(t, code))
}

func TestTOTPPending(t *testing.T) {
	f := newTOTP(t, otp.TOTPPolicy{})
	first := f.enrolled(t)
	second, err := f.Enrol(t.Context(), ada)
	require.NoError(t, err)
	third, err := f.Enrol(t.Context(), ada)
	require.NoError(t, err)
	assert.NotEqual(t, second.Seed.Reveal(), third.Seed.Reveal())
	assert.Equal(t, fobRefused, f.verify(t, f.shown(second, 0)), "replaced by the third")
	assert.Equal(t, fobAccepted, f.verify(t, f.shown(first, 0)), "still the active one")
	st := f.status(t)
	assert.True(t, st.Active && st.Pending)
	id := st.ID
	assert.Equal(t, fobAccepted, f.verify(t, f.shown(third, 0)))
	st = f.status(t)
	assert.True(t, st.Active && !st.Pending)
	assert.NotEqual(t, id, st.ID)
	f.clock.Add(step)
	assert.Equal(t, fobRefused, f.verify(t, f.shown(first, 0)), "displaced")
	assert.Equal(t, fobAccepted, f.verify(t, f.shown(third, 0)))
}

func TestTOTPPendingLapses(t *testing.T) {
	for name, c := range map[string]struct {
		config otp.TOTPPolicy
		valid  time.Duration
	}{
		"default":      {otp.TOTPPolicy{}, time.Hour},
		"five minutes": {otp.TOTPPolicy{PendingFor: 5 * time.Minute}, 5 * time.Minute},
	} {
		for _, over := range []bool{false, true} {
			for _, active := range []bool{false, true} {
				f := newTOTP(t, c.config)
				var old otp.Key
				if active {
					old = f.enrolled(t)
				}
				key, err := f.Enrol(t.Context(), ada)
				require.NoError(t, err)
				f.clock.Add(c.valid - time.Nanosecond)
				if over {
					f.clock.Add(time.Nanosecond)
				}
				assert.Equal(t, !over, f.status(t).Pending, name)
				assert.Equal(t, !over, f.verify(t, f.shown(key, 0)) == fobAccepted, name)
				if active {
					assert.Equal(t, over, f.verify(t, f.shown(old, 0)) == fobAccepted, name)
				} else if over {
					require.ErrorIs(t, f.Remove(t.Context(), ada, fobClerk), otp.ErrNotEnrolled)
				}
			}
		}
	}
}

// What somebody types is forgiven its form, and nothing else.
func TestTOTPTyped(t *testing.T) {
	for _, c := range []struct {
		form     func(string) string
		accepted bool
	}{
		{func(s string) string { return s }, true},
		{func(s string) string { return " " + s[:3] + " " + s[3:] + "\n" }, true},
		{func(s string) string { return s[:3] + "-" + s[3:] }, true},
		{func(s string) string { return strings.Map(func(r rune) rune { return r - '0' + '０' }, s) }, true},
		{func(s string) string { return s[:5] }, false},
		{func(s string) string { return s + "0" }, false},
		{func(s string) string { return "0" + s }, false},
		{func(s string) string { return s + s }, false},
		{func(s string) string { return "+" + s }, false},
		{func(string) string { return "" }, false},
		{func(string) string { return "      " }, false},
		{func(string) string { return strings.Repeat("9", 300) }, false},
		{func(string) string { return "\xff\xff\xff" }, false},
	} {
		f := newTOTP(t, otp.TOTPPolicy{})
		key := f.enrolled(t)
		form := c.form(f.shown(key, 0))
		assert.Equal(t, c.accepted, f.verify(t, form) == fobAccepted, "%q", form)
	}
}

// A code of fewer or more digits than the key's is not one of it, even if the numbers agree.
func TestTOTPDigitsOfTheKey(t *testing.T) {
	f := newTOTP(t, otp.TOTPPolicy{Digits: 8})
	key := f.enrolled(t)
	for range 10_000 {
		if strings.HasPrefix(f.shown(key, 0), "00") {
			break
		}
		f.clock.Add(step)
	}
	code := f.shown(key, 0)
	require.True(t, strings.HasPrefix(code, "00"))
	assert.Equal(t, fobRefused, f.verify(t, code[2:]))
	assert.Equal(t, fobAccepted, f.verify(t, code))
}

func TestTOTPDrift(t *testing.T) {
	type try struct {
		offset   int // of the app's clock, in steps
		accepted bool
		drift    int // learnt after it
	}
	for name, c := range map[string]struct {
		config otp.TOTPPolicy
		tries  []try
	}{
		"slow clock": {otp.TOTPPolicy{}, []try{
			{-2, false, 0}, {-1, true, -1}, {-2, true, -2}, {-3, true, -2}, {-4, false, -2}, {-3, true, -2},
		}},
		"fast clock": {otp.TOTPPolicy{}, []try{
			{2, false, 0}, {1, true, 1}, {2, true, 2}, {3, true, 2}, {4, false, 2}, {3, true, 2},
		}},
		// Codes that were typed late do not shut the window around the right time.
		"slow fingers": {otp.TOTPPolicy{}, []try{
			{-1, true, -1}, {-2, true, -2}, {-3, true, -2}, {0, true, 0}, {-2, false, 0}, {1, true, 1}, {-1, true, -1},
		}},
		"not learnt": {otp.TOTPPolicy{MaxDrift: otp.None}, []try{
			{-1, true, 0}, {-2, false, 0}, {1, true, 0}, {2, false, 0}, {0, true, 0},
		}},
		"strict": {strict, []try{{0, true, 0}, {-1, false, 0}, {1, false, 0}}},
		"far": {otp.TOTPPolicy{MaxDrift: 5}, []try{
			{-1, true, -1},
			{-2, true, -2},
			{-3, true, -3},
			{-4, true, -4},
			{-5, true, -5},
			{-6, true, -5},
			{-7, false, -5},
			{0, true, 0},
			{-5, false, 0},
		}},
		"backwards only": {otp.TOTPPolicy{Forward: otp.None}, []try{
			{1, false, 0}, {-1, true, -1}, {-2, true, -2}, {-3, true, -2}, {0, true, 0}, {-1, true, -1},
		}},
	} {
		f := newTOTP(t, c.config)
		key := f.enrolled(t)
		for i, try := range c.tries {
			f.clock.Add(10 * step) // so that nothing is a replay
			got := f.verify(t, f.shown(key, time.Duration(try.offset)*step))
			assert.Equal(t, try.accepted, got == fobAccepted, "%s: %d", name, i)
			assert.Equal(t, time.Duration(try.drift)*step, f.status(t).Drift, "%s: %d", name, i)
		}
	}
}

// What was learnt under a configuration that bore more does not open a window that this one shuts.
func TestTOTPDriftIsBounded(t *testing.T) {
	for _, c := range []struct {
		config   otp.TOTPPolicy
		drift    int64
		accepted []int
	}{
		{otp.TOTPPolicy{}, 50, []int{-1, 0, 1, 2, 3}},
		{otp.TOTPPolicy{}, -50, []int{-3, -2, -1, 0, 1}},
		{strict, 50, []int{0}},
		{otp.TOTPPolicy{MaxDrift: 5}, 5, []int{-1, 0, 1, 4, 5, 6}},
		{otp.TOTPPolicy{MaxDrift: 60}, 50, []int{-1, 0, 1, 49, 50, 51}},
	} {
		var accepted []int
		for offset := -60; offset <= 60; offset++ {
			f := newTOTP(t, c.config)
			key := f.enrolled(t)
			f.clock.Add(100 * step)
			require.NoError(t, otp.SetDrift(t.Context(), f.TOTP, ada, c.drift))
			if f.verify(t, f.shown(key, time.Duration(offset)*step)) == fobAccepted {
				accepted = append(accepted, offset)
			}
		}
		assert.Equal(t, c.accepted, accepted, c.drift)
	}
}

// Clocks that jump let nothing in twice.
func TestTOTPClockJumps(t *testing.T) {
	f := newTOTP(t, otp.TOTPPolicy{})
	key := f.enrolled(t)
	now := f.shown(key, 0)
	assert.Equal(t, fobAccepted, f.verify(t, now))
	f.clock.Add(-time.Hour)
	assert.Equal(t, fobRefused, f.verify(t, f.shown(key, 0)), "older than what was used")
	f.clock.Add(time.Hour)
	assert.Equal(t, fobRefused, f.verify(t, now))
	f.clock.Add(step)
	assert.Equal(t, fobAccepted, f.verify(t, f.shown(key, 0)))
}

// A machine whose clock is at or before 1970 accepts no counter from the other end of the numbers.
func TestTOTPBefore1970(t *testing.T) {
	for _, unix := range []int64{-1, 0, 1, -31, -1_000_000_000} {
		f := newTOTP(t, otp.TOTPPolicy{Back: 10, Digits: 8})
		f.clock.Set(time.Unix(unix, 0))
		key, err := f.Enrol(t.Context(), ada)
		require.NoError(t, err)
		for _, counter := range []uint64{1<<64 - 1, 1<<64 - 2, 1<<63 - 1, 1 << 63} {
			_ = f.verify(t, codeAt(key, counter))
			require.True(t, f.status(t).Pending, "%d at %d", counter, unix)
		}
	}
}

func TestTOTPLocks(t *testing.T) {
	f := newTOTP(t, otp.TOTPPolicy{})
	key := f.enrolled(t)
	for range 4 {
		require.Equal(t, fobRefused, f.verify(t, f.wrongCode(key)))
	}
	f.told()
	assert.Equal(t, fobLocked, f.verify(t, f.wrongCode(key)))
	assert.Equal(t, fobLocked, f.verify(t, f.shown(key, 0)), "right, but locked")
	assert.Equal(t, []string{"lockout.locked", "otp.refused: wrong", "otp.refused: locked"}, f.told())
	f.clock.Add(time.Minute)
	assert.Equal(t, fobAccepted, f.verify(t, f.shown(key, 0)))
	f.clock.Add(time.Minute)
	for range 5 {
		f.verify(t, f.wrongCode(key))
	}
	require.NoError(t, f.Unlock(t.Context(), ada, fobClerk))
	assert.Equal(t, fobAccepted, f.verify(t, f.shown(key, 0)))
}

// A key is disabled at the ceiling, and neither time, unlocking, enrolling, removing nor another code helps: only a new binding
// after identity was proved does.
func TestTOTPCeiling(t *testing.T) {
	f := newTOTP(t, otp.TOTPPolicy{})
	key := f.enrolled(t)
	compared := 0
	f.told()
	for range 200 {
		f.verify(t, f.wrongCode(key))
		f.clock.Add(25 * time.Hour)
		for _, e := range f.told() {
			if e == "otp.refused: wrong" {
				compared++
			}
		}
	}
	assert.Equal(t, 80, compared, "and ten each for a login and a device")
	require.Error(t, f.Unlock(t.Context(), ada, fobClerk))
	assert.Equal(t, fobRefused, f.verify(t, f.shown(key, 0)))
	another, err := f.Enrol(t.Context(), ada)
	require.NoError(t, err)
	assert.Equal(t, fobRefused, f.verify(t, f.shown(another, 0)))
	require.NoError(t, f.Remove(t.Context(), ada, fobClerk))
	another, err = f.Enrol(t.Context(), ada)
	require.NoError(t, err)
	assert.Equal(t, fobRefused, f.verify(t, f.shown(another, 0)))

	fresh, err := f.Rebind(t.Context(), ada, inPerson)
	require.NoError(t, err)
	assert.Equal(t, fobRefused, f.verify(t, f.shown(another, 0)), "the others are gone")
	assert.Equal(t, fobAccepted, f.verify(t, f.shown(fresh, 0)))
	assert.Equal(t, fobClerk, f.status(t).By)
}

func TestTOTPRebind(t *testing.T) {
	f := newTOTP(t, otp.TOTPPolicy{})
	old := f.enrolled(t)
	pending, err := f.Enrol(t.Context(), ada)
	require.NoError(t, err)
	f.told()
	for _, proof := range []civicpin.Evidence{
		{}, {Method: civicpin.InPerson}, {Method: civicpin.InPerson, By: civicpin.Citizen}, {By: fobClerk},
	} {
		_, err := f.Rebind(t.Context(), ada, proof)
		require.ErrorIs(t, err, civicpin.ErrInvalid)
	}
	_, err = f.Rebind(t.Context(), "", inPerson)
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	require.Empty(t, f.told())
	require.Zero(t, f.status(t).Proof)
	seen := inPerson
	seen.Document = "AX1"
	key, err := f.Rebind(t.Context(), ada, seen)
	require.NoError(t, err)
	seen.At = f.clock.Now()
	assert.Equal(t, seen, f.status(t).Proof, "of the pending key")
	f.clock.Add(time.Minute)
	assert.Equal(t, []string{"otp.enrolled: in-person", "lockout.rebound"}, f.told())
	assert.Equal(t, fobRefused, f.verify(t, f.shown(old, 0)))
	assert.Equal(t, fobRefused, f.verify(t, f.shown(pending, 0)))
	assert.Equal(t, fobAccepted, f.verify(t, f.shown(key, 0)))
	assert.Equal(t, seen, f.status(t).Proof)
	seen.At = f.clock.Now().Add(-48 * time.Hour)
	_, err = f.Rebind(t.Context(), ada, seen)
	require.NoError(t, err)
	assert.Equal(t, seen, f.status(t).Proof, "seen before")
}

func TestTOTPImport(t *testing.T) {
	key := otp.Key{
		Account: "ada", Seed: civicpin.NewSecret(strings.Repeat("s", 16)), Algorithm: otp.SHA512, Digits: 7, Period: time.Minute,
	}
	with := func(change func(*otp.Key)) otp.Key {
		k := key
		change(&k)
		return k
	}
	for name, c := range map[string]struct {
		key  otp.Key
		part string
	}{
		"nothing":       {otp.Key{}, "secret"},
		"no seed":       {with(func(k *otp.Key) { k.Seed = civicpin.Secret{} }), "secret"},
		"short seed":    {with(func(k *otp.Key) { k.Seed = civicpin.NewSecret(strings.Repeat("s", 15)) }), "secret"},
		"long seed":     {with(func(k *otp.Key) { k.Seed = civicpin.NewSecret(strings.Repeat("s", 129)) }), "secret"},
		"no algorithm":  {with(func(k *otp.Key) { k.Algorithm = "" }), "algorithm"},
		"algorithm":     {with(func(k *otp.Key) { k.Algorithm = "sha1" }), "algorithm"},
		"no digits":     {with(func(k *otp.Key) { k.Digits = 0 }), "digits"},
		"digits":        {with(func(k *otp.Key) { k.Digits = 9 }), "digits"},
		"HOTP":          {with(func(k *otp.Key) { k.Period = 0 }), "type"},
		"long period":   {with(func(k *otp.Key) { k.Period = 121 * time.Second }), "period"},
		"part period":   {with(func(k *otp.Key) { k.Period = 1500 * time.Millisecond }), "period"},
		"minus period":  {with(func(k *otp.Key) { k.Period = -time.Second }), "period"},
		"counter":       {with(func(k *otp.Key) { k.Counter = 1 }), "counter"},
		"control issue": {with(func(k *otp.Key) { k.Issuer = "a\nb" }), "issuer"},
	} {
		f := newTOTP(t, otp.TOTPPolicy{})
		err := f.Import(t.Context(), ada, c.key, fobClerk)
		var wrong *otp.KeyError
		if assert.ErrorAs(t, err, &wrong, name) {
			assert.Equal(t, c.part, wrong.Part, name)
		}
		assert.False(t, f.status(t).Active, name)
	}

	f := newTOTP(t, otp.TOTPPolicy{})
	ctx := t.Context()
	require.ErrorIs(t, f.Import(ctx, "", key, fobClerk), civicpin.ErrInvalid)
	require.ErrorIs(t, f.Import(ctx, ada, key, civicpin.Citizen), civicpin.ErrInvalid)
	require.ErrorIs(t, f.Import(ctx, ada, key, ""), civicpin.ErrInvalid)
	for range 5 {
		f.verify(t, "000000")
	}
	require.Equal(t, fobLocked, f.verify(t, "000000"))
	pending, err := f.Enrol(ctx, ada)
	require.NoError(t, err)
	f.told()
	require.NoError(t, f.Import(ctx, ada, key, fobClerk))
	assert.Equal(t, []string{"lockout.rebound", "otp.imported"}, f.told())
	st := f.status(t)
	assert.True(t, st.Active && !st.Pending)
	assert.Equal(t, fobClerk, st.By)
	assert.Equal(t, otp.SHA512, st.Algorithm)
	assert.Equal(t, 7, st.Digits)
	require.NoError(t, f.Import(ctx, ada, key, fobClerk), "again, unused")
	assert.Equal(t, st.ID, f.status(t).ID)
	for _, other := range []otp.Key{
		with(func(k *otp.Key) { k.Seed = civicpin.NewSecret(strings.Repeat("t", 16)) }),
		with(func(k *otp.Key) { k.Algorithm = otp.SHA1 }),
		with(func(k *otp.Key) { k.Digits = 8 }),
		with(func(k *otp.Key) { k.Period = step }),
	} {
		require.ErrorIs(t, f.Import(ctx, ada, other, fobClerk), otp.ErrWrongState)
	}
	assert.Equal(t, fobRefused, f.verify(t, f.shown(pending, 0)))
	assert.Equal(t, fobAccepted, f.verify(t, f.shown(key, 0)))
	require.ErrorIs(t, f.Import(ctx, ada, key, fobClerk), otp.ErrWrongState, "used since: importing again would let the code in again")
	assert.Equal(t, fobRefused, f.verify(t, f.shown(key, 0)))
	require.NoError(t, f.Remove(t.Context(), ada, fobClerk))
	require.NoError(t, f.Import(ctx, ada, key, fobClerk))
}

// What a configuration would not make is imported only if it names an exception.
func TestTOTPImportWeak(t *testing.T) {
	short := otp.Key{Account: "ada", Seed: civicpin.NewSecret("0123456789"), Algorithm: otp.SHA1, Digits: 6, Period: step}
	f := newTOTP(t, otp.TOTPPolicy{})
	var wrong *otp.KeyError
	require.ErrorAs(t, f.Import(t.Context(), ada, short, fobClerk), &wrong)
	old := func(clause string) []civicpin.Exception {
		return []civicpin.Exception{{Clause: clause, Reason: "tokens of the old system"}}
	}
	f = newTOTP(t, otp.TOTPPolicy{Exceptions: old("guess budget")})
	require.ErrorAs(t, f.Import(t.Context(), ada, short, fobClerk), &wrong, "another clause")
	f = newTOTP(t, otp.TOTPPolicy{Exceptions: old("SP 800-63B-4 3.1.4.1")})
	require.NoError(t, f.Import(t.Context(), ada, short, fobClerk))

	short.Seed = civicpin.NewSecret(rfcSeed)
	wide := otp.TOTPPolicy{Digits: 8, Back: 5, Forward: 5}
	f = newTOTP(t, wide)
	require.ErrorIs(t, f.Import(t.Context(), ada, short, fobClerk), otp.ErrInvalidPolicy)
	wide.Exceptions = old("guess budget")
	f = newTOTP(t, wide)
	require.NoError(t, f.Import(t.Context(), ada, short, fobClerk))
}

func TestTOTPInvalid(t *testing.T) {
	f := newTOTP(t, otp.TOTPPolicy{})
	ctx := t.Context()
	_, err := f.Enrol(ctx, "")
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	_, err = f.Enrolled(ctx, "")
	require.ErrorIs(t, err, civicpin.ErrInvalid)
	require.ErrorIs(t, f.Verify(ctx, "", civicpin.NewSecret("000000"), fobSource), civicpin.ErrInvalid)
	require.ErrorIs(t, f.Remove(ctx, "", fobClerk), civicpin.ErrInvalid)
	require.ErrorIs(t, f.Remove(ctx, ada, ""), civicpin.ErrInvalid)
	require.ErrorIs(t, f.Unlock(ctx, ada, ""), civicpin.ErrInvalid)
	_, err = otp.NewTOTP(nil, otp.TOTPPolicy{Issuer: "Agency"})
	require.Error(t, err)
}

// Two services of one name share their keys, two of different names do not, nor does a HOTP of the same name.
func TestTOTPNames(t *testing.T) {
	s := store.NewMemory()
	one := totpOn(t, s, otp.TOTPPolicy{Name: "a"}, newClock(), &testkit.Recorder{})
	same := totpOn(t, s, otp.TOTPPolicy{Name: "a"}, one.clock, one.events)
	other := totpOn(t, s, otp.TOTPPolicy{Name: "b"}, one.clock, one.events)
	hotp := hotpOn(t, s, otp.HOTPPolicy{Name: "a"}, one.clock, one.events)
	key := one.enrolled(t)
	assert.Equal(t, fobAccepted, same.verify(t, one.shown(key, 0)))
	assert.Equal(t, fobRefused, one.verify(t, one.shown(key, 0)), "spent there")
	assert.Equal(t, fobRefused, other.verify(t, one.shown(key, step)))
	assert.False(t, hotp.status(t).Active)
	assert.Zero(t, hotp.status(t).Lockout.Failures)
}

// A record that cannot be read refuses, and is not taken for "not enrolled".
func TestTOTPUnreadable(t *testing.T) {
	s := store.NewMemory()
	f := totpOn(t, s, otp.TOTPPolicy{}, newClock(), &testkit.Recorder{})
	key := f.enrolled(t)
	for item, err := range s.List(t.Context(), "totp.totp/", "") {
		require.NoError(t, err)
		item.Value[len(item.Value)-1] ^= 1
		_, err = s.Put(t.Context(), item.Key, item.Record)
		require.NoError(t, err)
	}
	err := f.Verify(t.Context(), ada, civicpin.NewSecret(f.shown(key, 0)), fobSource)
	require.ErrorIs(t, err, store.ErrUnreadable)
	_, err = f.Enrol(t.Context(), ada)
	require.ErrorIs(t, err, store.ErrUnreadable)
	_, err = f.Enrolled(t.Context(), ada)
	require.ErrorIs(t, err, store.ErrUnreadable)
}

// A key that this release cannot compute with is an error for the log, not a panic, and no failure of its owner's.
func TestKeyOfAnotherRelease(t *testing.T) {
	for name, spoil := range map[string]func(f *fob) error{
		"algorithm": func(f *fob) error { return otp.Spoil(t.Context(), f, ada, "SHA3", 6, 30) },
		"digits":    func(f *fob) error { return otp.Spoil(t.Context(), f, ada, otp.SHA1, 9, 30) },
		"few":       func(f *fob) error { return otp.Spoil(t.Context(), f, ada, otp.SHA1, 5, 30) },
		"period":    func(f *fob) error { return otp.Spoil(t.Context(), f, ada, otp.SHA1, 6, -1) },
		"sort":      func(f *fob) error { return otp.Spoil(t.Context(), f, ada, otp.SHA1, 6, 0) },
	} {
		f := newTOTP(t, otp.TOTPPolicy{})
		key := f.enrolled(t)
		require.NoError(t, spoil(f), name)
		require.ErrorIs(t, f.verifyErr(t, f.shown(key, 0)), store.ErrUnreadable, name)
		require.Zero(t, f.status(t).Lockout.Failures, name)
	}
}

// An authenticator that was used while the clock was ahead works again after a day, and no code twice.
func TestTOTPOfAClockAhead(t *testing.T) {
	f := newTOTP(t, otp.TOTPPolicy{})
	key := f.enrolled(t)
	now := f.clock.Now()
	f.clock.Set(now.AddDate(10, 0, 0))
	require.NoError(t, f.verifyErr(t, f.shown(key, 0)))
	f.clock.Set(now)
	require.Error(t, f.verifyErr(t, f.shown(key, 0)))
	f.clock.Add(24*time.Hour + time.Minute)
	require.NoError(t, f.verifyErr(t, f.shown(key, 0)))
	require.Error(t, f.verifyErr(t, f.shown(key, 0)))
}

// TestKeyIsCorrectedOnce: a key that was used by a clock that was ahead is written anew if the clock was more than a day ahead.
func TestKeyIsCorrectedOnce(t *testing.T) {
	for ahead, puts := range map[time.Duration]int{stored.Skew: 0, stored.Skew + step: 1} {
		f := newTOTP(t, otp.TOTPPolicy{})
		f.clock.Set(start.Add(ahead - step))
		key := f.enrol(t)
		require.Equal(t, fobAccepted, f.verify(t, f.shown(key, 0)))
		f.clock.Set(start)
		f.faults.Reset()
		f.status(t)
		require.Equal(t, puts, f.faults.Calls(storetest.Put), ahead)
	}
}

// TestEnrolledWhole: each field of a status, of a key in its states.
func TestEnrolledWhole(t *testing.T) {
	none := lockout.Status{Left: 5}
	proof := civicpin.Evidence{Method: civicpin.InPerson, Document: "AX1", By: fobClerk, At: start.Add(-time.Hour)}
	rebound := func(t *testing.T, f *fob) otp.Key {
		key, err := f.Rebind(t.Context(), ada, proof)
		require.NoError(t, err)
		return key
	}
	f := newTOTP(t, otp.TOTPPolicy{})
	require.Equal(t, otp.KeyStatus{Lockout: none}, f.status(t))
	key := rebound(t, f)
	require.Equal(t, otp.KeyStatus{Pending: true, Proof: proof, Lockout: none}, f.status(t))
	f.clock.Add(time.Second)
	require.Equal(t, fobAccepted, f.verify(t, f.shown(key, -step)))
	f.enrol(t)
	require.Equal(t, fobRefused, f.verify(t, "wrong"))
	st := f.status(t)
	require.Len(t, st.ID, 26)
	require.Equal(t, otp.KeyStatus{
		Active: true, Pending: true, ID: st.ID, Algorithm: otp.SHA1, Digits: 6, BoundAt: start.Add(time.Second),
		UsedAt: start.Add(time.Second), By: fobClerk, Proof: proof, Drift: -step,
		Lockout: lockout.Status{Failures: 1, Left: 4},
	}, st)

	f = newHOTP(t, otp.HOTPPolicy{Algorithm: otp.SHA256, Digits: 8})
	key = f.imported(t, rfcToken(7))
	f.clock.Add(time.Hour)
	require.Equal(t, fobAccepted, f.verify(t, codeAt(key, 8)))
	st = f.status(t)
	require.Equal(t, otp.KeyStatus{
		Active: true, ID: st.ID, Algorithm: otp.SHA1, Digits: 6, BoundAt: start, UsedAt: start.Add(time.Hour), By: fobClerk,
		Counter: 9, Lockout: none,
	}, st)
}
