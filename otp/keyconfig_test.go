package otp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
)

// Each default that the documentation names.
func TestKeyDefaults(t *testing.T) {
	totp := newTOTP(t, otp.TOTPPolicy{})
	limits := lockout.Policy{Limit: 5, Lock: lockout.Timed, For: time.Minute, Max: 24 * time.Hour}
	assert.Equal(t, otp.TOTPPolicy{
		Name: "totp", Issuer: "Agency", Algorithm: otp.SHA1, Digits: 6, Period: 30 * time.Second, PendingFor: time.Hour, Lockout: limits,
	}, totp.TOTP.Policy())
	assert.Equal(t, 100, otp.GateOf(totp.TOTP).Policy().Ceiling)

	hotp := newHOTP(t, otp.HOTPPolicy{})
	limits.Ceiling = 50
	assert.Equal(t, otp.HOTPPolicy{
		Name: "hotp", Issuer: "Agency", Algorithm: otp.SHA1, Digits: 6, ResyncWindow: 100, PendingFor: time.Hour, Lockout: limits,
	}, hotp.HOTP.Policy())
	assert.Equal(t, 50, otp.GateOf(hotp.HOTP).Policy().Ceiling)
	// How many codes are accepted: TestTOTPWindow, TestTOTPDrift, TestHOTPLookAhead, TestHOTPResync.

	// A configuration read back makes the same service.
	again := newTOTP(t, totp.TOTP.Policy())
	assert.Equal(t, totp.TOTP.Policy(), again.TOTP.Policy())
	onceMore := newHOTP(t, hotp.HOTP.Policy())
	assert.Equal(t, hotp.HOTP.Policy(), onceMore.HOTP.Policy())
	custom := newTOTP(t, otp.TOTPPolicy{Name: "x", Lockout: lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked}})
	assert.Equal(t, 3, custom.TOTP.Policy().Lockout.Limit)
}

func TestTOTPConfigRefused(t *testing.T) {
	for name, change := range map[string]func(*otp.TOTPPolicy){
		"no issuer":      func(c *otp.TOTPPolicy) { c.Issuer = "" },
		"colon":          func(c *otp.TOTPPolicy) { c.Issuer = "a:b" },
		"control":        func(c *otp.TOTPPolicy) { c.Issuer = "a\nb" },
		"long issuer":    func(c *otp.TOTPPolicy) { c.Issuer = strings.Repeat("a", 257) },
		"UTF-8":          func(c *otp.TOTPPolicy) { c.Issuer = "a\xff" },
		"name":           func(c *otp.TOTPPolicy) { c.Name = "a b" },
		"slash":          func(c *otp.TOTPPolicy) { c.Name = "a/b" },
		"long name":      func(c *otp.TOTPPolicy) { c.Name = strings.Repeat("a", 41) },
		"algorithm":      func(c *otp.TOTPPolicy) { c.Algorithm = "MD5" },
		"few digits":     func(c *otp.TOTPPolicy) { c.Digits = 5 },
		"many digits":    func(c *otp.TOTPPolicy) { c.Digits = 9 },
		"period":         func(c *otp.TOTPPolicy) { c.Period = 121 * time.Second },
		"minus period":   func(c *otp.TOTPPolicy) { c.Period = -30 * time.Second },
		"part of second": func(c *otp.TOTPPolicy) { c.Period = time.Second + 1 },
		"back":           func(c *otp.TOTPPolicy) { c.Back, c.Digits = 11, 8 },
		"minus back":     func(c *otp.TOTPPolicy) { c.Back = -2 },
		"forward":        func(c *otp.TOTPPolicy) { c.Forward, c.Digits = 11, 8 },
		"minus forward":  func(c *otp.TOTPPolicy) { c.Forward = -2 },
		"drift":          func(c *otp.TOTPPolicy) { c.MaxDrift, c.Digits = 101, 8 },
		"minus drift":    func(c *otp.TOTPPolicy) { c.MaxDrift = -2 },
		"short pending":  func(c *otp.TOTPPolicy) { c.PendingFor = time.Second },
		"minus pending":  func(c *otp.TOTPPolicy) { c.PendingFor = -time.Hour },
		"long pending":   func(c *otp.TOTPPolicy) { c.PendingFor = 31 * 24 * time.Hour },
		"lockout":        func(c *otp.TOTPPolicy) { c.Lockout.Limit = 5 },
		"ceiling": func(c *otp.TOTPPolicy) {
			c.Lockout = lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked, Ceiling: 101}
		},
		"easy to guess": func(c *otp.TOTPPolicy) { c.Back, c.Forward = 3, 3 },
	} {
		c := otp.TOTPPolicy{Issuer: "Agency"}
		require.NoError(t, c.Validate())
		change(&c)
		assert.ErrorIs(t, c.Validate(), otp.ErrInvalidPolicy, name)
		_, err := otp.NewTOTP(testkit.Vault(t, store.NewMemory(), newClock(), nil), c)
		assert.ErrorIs(t, err, otp.ErrInvalidPolicy, name)
		c.Exception = "nobody minds"
		assert.Equal(t, name == "easy to guess", c.Validate() == nil, name)
	}
}

func TestHOTPConfigRefused(t *testing.T) {
	for name, change := range map[string]func(*otp.HOTPPolicy){
		"no issuer":        func(c *otp.HOTPPolicy) { c.Issuer = "" },
		"name":             func(c *otp.HOTPPolicy) { c.Name = "a b" },
		"algorithm":        func(c *otp.HOTPPolicy) { c.Algorithm = "MD5" },
		"few digits":       func(c *otp.HOTPPolicy) { c.Digits = 5 },
		"look-ahead":       func(c *otp.HOTPPolicy) { c.LookAhead, c.Digits, c.ResyncWindow = 101, 8, 200 },
		"minus look-ahead": func(c *otp.HOTPPolicy) { c.LookAhead = -2 },
		"resync":           func(c *otp.HOTPPolicy) { c.ResyncWindow = 1001 },
		"resync less":      func(c *otp.HOTPPolicy) { c.ResyncWindow = 8 },
		"minus resync":     func(c *otp.HOTPPolicy) { c.ResyncWindow = -1 },
		"pending":          func(c *otp.HOTPPolicy) { c.PendingFor = time.Second },
		"lockout":          func(c *otp.HOTPPolicy) { c.Lockout.Limit = 5 },
		"easy to guess":    func(c *otp.HOTPPolicy) { c.LookAhead = 10 },
	} {
		c := otp.HOTPPolicy{Issuer: "Agency"}
		require.NoError(t, c.Validate())
		change(&c)
		assert.ErrorIs(t, c.Validate(), otp.ErrInvalidPolicy, name)
		_, err := otp.NewHOTP(testkit.Vault(t, store.NewMemory(), newClock(), nil), c)
		assert.ErrorIs(t, err, otp.ErrInvalidPolicy, name)
		c.Exception = "nobody minds"
		assert.Equal(t, name == "easy to guess", c.Validate() == nil, name)
	}
}

func TestKeyGuessProbability(t *testing.T) {
	assert.InEpsilon(t, 8e-4, otp.TOTPPolicy{}.GuessProbability(), 1e-9)
	assert.InEpsilon(t, 100*2e-6, otp.TOTPPolicy{Back: otp.None, Forward: otp.None, MaxDrift: otp.None}.GuessProbability(), 1e-9)
	assert.InEpsilon(t, 100*6e-8, otp.TOTPPolicy{MaxDrift: otp.None, Digits: 8}.GuessProbability(), 1e-9)
	assert.InEpsilon(t, 100*9e-6, otp.TOTPPolicy{MaxDrift: 100}.GuessProbability(), 1e-9, "two windows and one")
	ten := lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked, Ceiling: 10}
	assert.InEpsilon(t, 8e-5, otp.TOTPPolicy{Lockout: ten}.GuessProbability(), 1e-9)
	assert.InEpsilon(t, 1e-3, otp.HOTPPolicy{}.GuessProbability(), 1e-9)
	assert.InEpsilon(t, 50*2e-6, otp.HOTPPolicy{LookAhead: otp.None}.GuessProbability(), 1e-9)
	assert.InEpsilon(t, 10*20e-8, otp.HOTPPolicy{Digits: 8, Lockout: ten}.GuessProbability(), 1e-9)
	assert.InDelta(t, 1, otp.TOTPPolicy{Back: 1 << 40}.GuessProbability(), 0, "no chance above one")
}

// The chance that GuessProbability states, for one try at a time: so many of all codes are accepted.
func TestKeyGuessProbabilityIsMeasured(t *testing.T) {
	const limit = 100
	many := lockout.Policy{Limit: limit, Lock: lockout.UntilUnlocked}
	f := newTOTP(t, otp.TOTPPolicy{Lockout: many})
	key := f.enrolled(t)
	f.clock.Add(100 * step)
	require.NoError(t, otp.SetDrift(t.Context(), f.TOTP, ada, 2))
	pending, err := f.Enrol(t.Context(), ada)
	require.NoError(t, err)
	accepted := map[string]bool{}
	for offset := -20; offset <= 20; offset++ {
		for _, k := range []otp.Key{key, pending} {
			fresh := totpOn(t, copyOf(t, f.store), otp.TOTPPolicy{Lockout: many}, f.clock, f.events)
			if code := f.shown(k, time.Duration(offset)*step); fresh.verify(t, code) == fobAccepted {
				accepted[code] = true
			}
		}
	}
	assert.InEpsilon(t, f.TOTP.Policy().GuessProbability(), float64(limit*len(accepted))/1e6, 1e-9)
}
