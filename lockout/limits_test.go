package lockout_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
)

// TestWithRates: the rates of the ready policies are those of the documentation. A policy's own rates stay.
func TestWithRates(t *testing.T) {
	const v4, v6, wide = 100, 30, 300 // failures in an hour
	own := lockout.Policy{Source: failing(1), Global: civicpin.Rate{Limit: 2, Window: hour}}
	require.Equal(t, own, own.WithRates())
	require.Equal(t, lockout.Policy{
		Source: lockout.SourceLimits{
			Host:  lockout.SourceLimit{Subjects: 30, SubjectsDay: 100, Failures: v4},
			Net64: lockout.SourceLimit{Subjects: 10, SubjectsDay: 100, Failures: v6},
			Net48: lockout.SourceLimit{Subjects: 100, SubjectsDay: 1000, Failures: wide},
		},
		Global: civicpin.Rate{Limit: 20_000, Window: hour},
	}, lockout.Policy{}.WithRates())
}

// TestLeastIsNotTheDefault: the least value of a field with a default is refused, and not taken for none.
func TestLeastIsNotTheDefault(t *testing.T) {
	for name, change := range map[string]func(*lockout.Policy){
		"Max":         func(p *lockout.Policy) { p.Lock, p.For, p.Max = lockout.Timed, minute, 1 },
		"DelayMax":    func(p *lockout.Policy) { p.DelayAfter, p.Delay, p.DelayMax = 1, minute, 1 },
		"Timeout":     func(p *lockout.Policy) { p.Timeout = 1 },
		"Forget":      func(p *lockout.Policy) { p.Forget = 1 },
		"DeviceValid": func(p *lockout.Policy) { p.Devices, p.DeviceValid = 1, 1 },
		"Delay":       func(p *lockout.Policy) { p.Delay = 1 },
		"For":         func(p *lockout.Policy) { p.For = 1 },
	} {
		p := lockout.Policy{Limit: 1, Lock: lockout.UntilUnlocked}
		change(&p)
		require.ErrorIs(t, p.Validate(), lockout.ErrInvalidPolicy, name)
	}
	one := lockout.Policy{Limit: 1, Lock: lockout.UntilUnlocked, Ceiling: 1}
	gate, err := lockout.New(memoryVault(t, nil, nil), "login", one)
	require.NoError(t, err)
	require.Equal(t, 1, gate.Policy().Ceiling)
	one.Devices = 1
	require.ErrorIs(t, one.ValidateWithoutDevices(), lockout.ErrInvalidPolicy)
}

// TestWhatIsToldOfLanes: without ShowLeft a stranger is told nothing of what is left, and the caller with a lane is. No day
// without a failure takes one back in such a lane, and a right guess takes back all.
func TestWhatIsToldOfLanes(t *testing.T) {
	for name, p := range map[string]lockout.Policy{"device": threeDevices, "login": reserved} {
		clock := newClock()
		vault := memoryVault(t, clock.Now, nil)
		gate, err := lockout.New(vault, "login", p)
		require.NoError(t, err)
		value := ""
		if name == "device" {
			value = remember(t, gate, "CITIZEN", "")
		}
		own := func() lockout.Target {
			if name == "device" {
				return showing("CITIZEN", value)
			}
			return proving(vault, "CITIZEN", "CITIZEN", shown.Login)
		}
		require.Zero(t, asRefused(t, gate.Do(t.Context(), key("CITIZEN"), wrong)).Left, name)
		require.Equal(t, 4, asRefused(t, gate.Do(t.Context(), own(), wrong)).Left, name)
		clock.Add(10 * day)
		require.Equal(t, 3, asRefused(t, gate.Do(t.Context(), own(), wrong)).Left, name)
		require.NoError(t, gate.Do(t.Context(), own(), right), name)
		require.Equal(t, 4, asRefused(t, gate.Do(t.Context(), own(), wrong)).Left, name)
	}
}

// TestEventsList: the list has each event with its meaning, and with all reasons that it is recorded with.
func TestEventsList(t *testing.T) {
	lanes := []string{"the Lane of the Target", "device", "login"}
	reasons := map[civicpin.EventCode][]string{
		"lockout.locked": lanes, "lockout.disabled": lanes, "lockout.unlocked": lanes, "lockout.rebound": lanes,
		"lockout.slowed": {"the name of the rate"}, "lockout.device_remembered": {"device"}, "lockout.devices_forgotten": nil,
	}
	testkit.ListsEvents(t, lockout.Events(), reasons)
}
