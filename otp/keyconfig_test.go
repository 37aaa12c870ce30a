package otp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
)

// Each default that the documentation names.
func TestKeyDefaults(t *testing.T) {
	totp := newTOTP(t, otp.TOTPConfig{})
	limits := lockout.Policy{Limit: 5, Lock: lockout.Timed, For: time.Minute, Max: 24 * time.Hour}
	assert.Equal(t, otp.TOTPConfig{
		Name: "totp", Issuer: "Agency", Algorithm: otp.SHA1, Digits: 6, Period: 30 * time.Second, PendingFor: time.Hour, Lockout: limits,
	}, totp.TOTP.Config())
	assert.Equal(t, 100, otp.GateOf(totp.TOTP).Policy().Ceiling)

	hotp := newHOTP(t, otp.HOTPConfig{})
	limits.Ceiling = 50
	assert.Equal(t, otp.HOTPConfig{
		Name: "hotp", Issuer: "Agency", Algorithm: otp.SHA1, Digits: 6, ResyncWindow: 100, PendingFor: time.Hour, Lockout: limits,
	}, hotp.HOTP.Config())
	assert.Equal(t, 50, otp.GateOf(hotp.HOTP).Policy().Ceiling)
	// How many codes are accepted: TestTOTPWindow, TestTOTPDrift, TestHOTPLookAhead, TestHOTPResync.

	// A configuration read back makes the same service.
	again := newTOTP(t, totp.TOTP.Config())
	assert.Equal(t, totp.TOTP.Config(), again.TOTP.Config())
	onceMore := newHOTP(t, hotp.HOTP.Config())
	assert.Equal(t, hotp.HOTP.Config(), onceMore.HOTP.Config())
	custom := newTOTP(t, otp.TOTPConfig{Name: "x", Lockout: lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked}})
	assert.Equal(t, 3, custom.TOTP.Config().Lockout.Limit)
}

func TestTOTPConfigRefused(t *testing.T) {
	for name, change := range map[string]func(*otp.TOTPConfig){
		"no issuer":      func(c *otp.TOTPConfig) { c.Issuer = "" },
		"colon":          func(c *otp.TOTPConfig) { c.Issuer = "a:b" },
		"control":        func(c *otp.TOTPConfig) { c.Issuer = "a\nb" },
		"long issuer":    func(c *otp.TOTPConfig) { c.Issuer = strings.Repeat("a", 257) },
		"UTF-8":          func(c *otp.TOTPConfig) { c.Issuer = "a\xff" },
		"name":           func(c *otp.TOTPConfig) { c.Name = "a b" },
		"slash":          func(c *otp.TOTPConfig) { c.Name = "a/b" },
		"long name":      func(c *otp.TOTPConfig) { c.Name = strings.Repeat("a", 41) },
		"algorithm":      func(c *otp.TOTPConfig) { c.Algorithm = "MD5" },
		"few digits":     func(c *otp.TOTPConfig) { c.Digits = 5 },
		"many digits":    func(c *otp.TOTPConfig) { c.Digits = 9 },
		"period":         func(c *otp.TOTPConfig) { c.Period = 121 * time.Second },
		"minus period":   func(c *otp.TOTPConfig) { c.Period = -30 * time.Second },
		"part of second": func(c *otp.TOTPConfig) { c.Period = time.Second + 1 },
		"back":           func(c *otp.TOTPConfig) { c.Back, c.Digits = 11, 8 },
		"minus back":     func(c *otp.TOTPConfig) { c.Back = -2 },
		"forward":        func(c *otp.TOTPConfig) { c.Forward, c.Digits = 11, 8 },
		"minus forward":  func(c *otp.TOTPConfig) { c.Forward = -2 },
		"drift":          func(c *otp.TOTPConfig) { c.MaxDrift, c.Digits = 101, 8 },
		"minus drift":    func(c *otp.TOTPConfig) { c.MaxDrift = -2 },
		"short pending":  func(c *otp.TOTPConfig) { c.PendingFor = time.Second },
		"minus pending":  func(c *otp.TOTPConfig) { c.PendingFor = -time.Hour },
		"long pending":   func(c *otp.TOTPConfig) { c.PendingFor = 31 * 24 * time.Hour },
		"lockout":        func(c *otp.TOTPConfig) { c.Lockout.Limit = 5 },
		"ceiling": func(c *otp.TOTPConfig) {
			c.Lockout = lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked, Ceiling: 101}
		},
		"easy to guess": func(c *otp.TOTPConfig) { c.Back, c.Forward = 3, 3 },
	} {
		c := otp.TOTPConfig{Issuer: "Agency"}
		require.NoError(t, c.Validate())
		change(&c)
		assert.ErrorIs(t, c.Validate(), otp.ErrPolicy, name)
		_, err := otp.NewTOTP(fobVault(t, store.NewMemory(), newClock(), nil), c)
		assert.ErrorIs(t, err, otp.ErrPolicy, name)
		c.Exception = "nobody minds"
		assert.Equal(t, name == "easy to guess", c.Validate() == nil, name)
	}
}

func TestHOTPConfigRefused(t *testing.T) {
	for name, change := range map[string]func(*otp.HOTPConfig){
		"no issuer":        func(c *otp.HOTPConfig) { c.Issuer = "" },
		"name":             func(c *otp.HOTPConfig) { c.Name = "a b" },
		"algorithm":        func(c *otp.HOTPConfig) { c.Algorithm = "MD5" },
		"few digits":       func(c *otp.HOTPConfig) { c.Digits = 5 },
		"look-ahead":       func(c *otp.HOTPConfig) { c.LookAhead, c.Digits, c.ResyncWindow = 101, 8, 200 },
		"minus look-ahead": func(c *otp.HOTPConfig) { c.LookAhead = -2 },
		"resync":           func(c *otp.HOTPConfig) { c.ResyncWindow = 1001 },
		"resync less":      func(c *otp.HOTPConfig) { c.ResyncWindow = 8 },
		"minus resync":     func(c *otp.HOTPConfig) { c.ResyncWindow = -1 },
		"pending":          func(c *otp.HOTPConfig) { c.PendingFor = time.Second },
		"lockout":          func(c *otp.HOTPConfig) { c.Lockout.Limit = 5 },
		"easy to guess":    func(c *otp.HOTPConfig) { c.LookAhead = 10 },
	} {
		c := otp.HOTPConfig{Issuer: "Agency"}
		require.NoError(t, c.Validate())
		change(&c)
		assert.ErrorIs(t, c.Validate(), otp.ErrPolicy, name)
		_, err := otp.NewHOTP(fobVault(t, store.NewMemory(), newClock(), nil), c)
		assert.ErrorIs(t, err, otp.ErrPolicy, name)
		c.Exception = "nobody minds"
		assert.Equal(t, name == "easy to guess", c.Validate() == nil, name)
	}
}

func TestKeyGuessProbability(t *testing.T) {
	assert.InEpsilon(t, 8e-4, otp.TOTPConfig{}.GuessProbability(), 1e-9)
	assert.InEpsilon(t, 100*2e-6, otp.TOTPConfig{Back: otp.None, Forward: otp.None, MaxDrift: otp.None}.GuessProbability(), 1e-9)
	assert.InEpsilon(t, 100*6e-8, otp.TOTPConfig{MaxDrift: otp.None, Digits: 8}.GuessProbability(), 1e-9)
	assert.InEpsilon(t, 100*9e-6, otp.TOTPConfig{MaxDrift: 100}.GuessProbability(), 1e-9, "two windows and one")
	ten := lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked, Ceiling: 10}
	assert.InEpsilon(t, 8e-5, otp.TOTPConfig{Lockout: ten}.GuessProbability(), 1e-9)
	assert.InEpsilon(t, 1e-3, otp.HOTPConfig{}.GuessProbability(), 1e-9)
	assert.InEpsilon(t, 50*2e-6, otp.HOTPConfig{LookAhead: otp.None}.GuessProbability(), 1e-9)
	assert.InEpsilon(t, 10*20e-8, otp.HOTPConfig{Digits: 8, Lockout: ten}.GuessProbability(), 1e-9)
	assert.InDelta(t, 1, otp.TOTPConfig{Back: 1 << 40}.GuessProbability(), 0, "no chance above one")
}

// The chance that GuessProbability states, for one try at a time: so many of all codes are accepted.
func TestKeyGuessProbabilityIsMeasured(t *testing.T) {
	const limit = 100
	many := lockout.Policy{Limit: limit, Lock: lockout.UntilUnlocked}
	f := newTOTP(t, otp.TOTPConfig{Lockout: many})
	key := f.enrolled(t)
	f.clock.Add(100 * step)
	require.NoError(t, otp.SetDrift(t.Context(), f.TOTP, ada, 2))
	pending, err := f.Enrol(t.Context(), ada)
	require.NoError(t, err)
	accepted := map[string]bool{}
	for offset := -20; offset <= 20; offset++ {
		for _, k := range []otp.Key{key, pending} {
			fresh := totpOn(t, copyOf(t, f.store), otp.TOTPConfig{Lockout: many}, f.clock, f.events)
			if code := f.shown(k, time.Duration(offset)*step); fresh.verify(t, code) == fobAccepted {
				accepted[code] = true
			}
		}
	}
	assert.InEpsilon(t, f.TOTP.Config().GuessProbability(), float64(limit*len(accepted))/1e6, 1e-9)
}
