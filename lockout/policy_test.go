package lockout_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
)

// TestPolicyBounds tries each documented bound from both sides.
func TestPolicyBounds(t *testing.T) {
	const year = 366 * day
	valid := func(change func(*lockout.Policy)) lockout.Policy {
		p := lockout.Policy{
			Limit: 5, Lock: lockout.Timed, For: minute, Max: hour, DelayAfter: 3, Delay: 30 * second, DelayMax: hour,
			Ceiling: 50, Timeout: 10 * second, Forget: day, Source: civicpin.Rate{Limit: 10, Window: hour},
			Global: civicpin.Rate{Limit: 1000, Window: hour},
		}
		change(&p)
		return p
	}
	unlocked := func(change func(*lockout.Policy)) lockout.Policy {
		return valid(func(p *lockout.Policy) {
			p.Lock, p.For, p.Max = lockout.UntilUnlocked, 0, 0
			change(p)
		})
	}
	type P = *lockout.Policy
	for _, tc := range []struct {
		name   string
		policy lockout.Policy
		ok     bool
	}{
		{"complete", valid(func(P) {}), true},
		{"complete, until unlocked", unlocked(func(P) {}), true},
		{"least", lockout.Policy{Limit: 1, Lock: lockout.UntilUnlocked}, true},
		{"zero", lockout.Policy{}, false},

		{"no limit", valid(func(p P) { p.Limit = 0 }), false},
		{"a negative limit", valid(func(p P) { p.Limit = -1 }), false},
		{"a limit of one", valid(func(p P) { p.Limit = 1 }), true},
		{"a limit at the ceiling", valid(func(p P) { p.Limit = 50 }), true},
		{"a limit over the ceiling", valid(func(p P) { p.Limit = 51 }), false},
		{"a limit at the default ceiling", valid(func(p P) { p.Limit, p.Ceiling = 100, 0 }), true},
		{"a limit over the default ceiling", valid(func(p P) { p.Limit, p.Ceiling = 101, 0 }), false},
		{"a negative ceiling", valid(func(p P) { p.Ceiling = -1 }), false},
		{"a ceiling of one", valid(func(p P) { p.Ceiling, p.Limit, p.DelayAfter = 1, 1, 1 }), true},
		{"a ceiling of 100", valid(func(p P) { p.Ceiling = 100 }), true},
		{"a ceiling of 101", valid(func(p P) { p.Ceiling = 101 }), false},

		{"no lock", valid(func(p P) { p.Lock = "" }), false},
		{"another lock", valid(func(p P) { p.Lock = "never" }), false},
		{"For with until unlocked", unlocked(func(p P) { p.For = minute }), false},
		{"Max with until unlocked", unlocked(func(p P) { p.Max = minute }), false},
		{"timed without For", valid(func(p P) { p.For = 0 }), false},
		{"timed with neither", valid(func(p P) { p.For, p.Max = 0, 0 }), false},
		{"For of a second", valid(func(p P) { p.For = second }), true},
		{"For below a second", valid(func(p P) { p.For = second - 1 }), false},
		{"negative For", valid(func(p P) { p.For = -minute }), false},
		{"For without Max", valid(func(p P) { p.Max = 0 }), true},
		{"For equal to Max", valid(func(p P) { p.For = hour }), true},
		{"For over Max", valid(func(p P) { p.For = hour + 1 }), false},
		{"negative Max", valid(func(p P) { p.Max = -1 }), false},
		{"Max of 366 days", valid(func(p P) { p.Max = year }), true},
		{"Max over 366 days", valid(func(p P) { p.Max = year + 1 }), false},

		{"no delays", valid(func(p P) { p.DelayAfter, p.Delay, p.DelayMax = 0, 0, 0 }), true},
		{"Delay without DelayAfter", valid(func(p P) { p.DelayAfter, p.DelayMax = 0, 0 }), false},
		{"DelayMax without DelayAfter", valid(func(p P) { p.DelayAfter, p.Delay = 0, 0 }), false},
		{"DelayAfter without Delay", valid(func(p P) { p.Delay = 0 }), false},
		{"negative DelayAfter", valid(func(p P) { p.DelayAfter = -1 }), false},
		{"DelayAfter over the limit", valid(func(p P) { p.DelayAfter = 6 }), true},
		{"DelayAfter at the ceiling", valid(func(p P) { p.DelayAfter = 50 }), true},
		{"DelayAfter over the ceiling", valid(func(p P) { p.DelayAfter = 51 }), false},
		{"Delay of a second", valid(func(p P) { p.Delay = second }), true},
		{"Delay below a second", valid(func(p P) { p.Delay = second - 1 }), false},
		{"Delay equal to DelayMax", valid(func(p P) { p.Delay = hour }), true},
		{"Delay over DelayMax", valid(func(p P) { p.Delay = hour + 1 }), false},
		{"negative DelayMax", valid(func(p P) { p.DelayMax = -1 }), false},
		{"DelayMax of 366 days", valid(func(p P) { p.DelayMax = year }), true},
		{"DelayMax over 366 days", valid(func(p P) { p.DelayMax = year + 1 }), false},
		{"Delay over the default DelayMax", valid(func(p P) { p.Delay, p.DelayMax = 2*hour, 0 }), true},

		{"Timeout of a second", valid(func(p P) { p.Timeout = second }), true},
		{"Timeout below a second", valid(func(p P) { p.Timeout = second - 1 }), false},
		{"negative Timeout", valid(func(p P) { p.Timeout = -second }), false},
		{"Timeout of ten minutes", valid(func(p P) { p.Timeout = 10 * minute }), true},
		{"Timeout over ten minutes", valid(func(p P) { p.Timeout = 10*minute + 1 }), false},
		{"Forget of an hour", valid(func(p P) { p.Forget = hour }), true},
		{"Forget below an hour", valid(func(p P) { p.Forget = hour - 1 }), false},
		{"negative Forget", valid(func(p P) { p.Forget = -day }), false},
		{"Forget of ten years", valid(func(p P) { p.Forget = 10 * year }), true},
		{"Forget over ten years", valid(func(p P) { p.Forget = 10*year + 1 }), false},

		{"devices that just fit", valid(func(p P) { p.Devices = 8 }), true},
		{"a device more than fits", valid(func(p P) { p.Devices = 9 }), false},
		{"a failure more than fits", valid(func(p P) { p.Devices, p.Limit = 8, 6 }), false},
		{"a ceiling less than fits", valid(func(p P) { p.Devices, p.Ceiling = 8, 49 }), false},
		{"negative Devices", valid(func(p P) { p.Devices = -1 }), false},
		{"ten devices", valid(func(p P) { p.Devices, p.Ceiling = 10, 100 }), true},
		{"eleven devices", valid(func(p P) { p.Devices, p.Ceiling, p.Limit = 11, 100, 1 }), false},
		{"DeviceValid without Devices", valid(func(p P) { p.DeviceValid = day }), false},
		{"DeviceValid of an hour", valid(func(p P) { p.Devices, p.DeviceValid = 1, hour }), true},
		{"DeviceValid below an hour", valid(func(p P) { p.Devices, p.DeviceValid = 1, hour-1 }), false},
		{"negative DeviceValid", valid(func(p P) { p.Devices, p.DeviceValid = 1, -hour }), false},
		{"DeviceValid of two years", valid(func(p P) { p.Devices, p.DeviceValid = 1, 2*year }), true},
		{"DeviceValid over two years", valid(func(p P) { p.Devices, p.DeviceValid = 1, 2*year+1 }), false},

		{"a source rate that is not valid", valid(func(p P) { p.Source.Window = 0 }), false},
		{"a global rate that is not valid", valid(func(p P) { p.Global.Limit = 0 }), false},
		{"no rates", valid(func(p P) { p.Source, p.Global = civicpin.Rate{}, civicpin.Rate{} }), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := lockout.New(memoryVault(t, nil, nil), "login", tc.policy)
			if tc.ok {
				require.NoError(t, err)
				require.NoError(t, tc.policy.Validate())
				return
			}
			require.ErrorIs(t, err, lockout.ErrInvalidPolicy)
			require.ErrorIs(t, tc.policy.Validate(), lockout.ErrInvalidPolicy)
		})
	}
	_, err := lockout.New(nil, "x", lockout.Policy{Limit: 1, Lock: lockout.UntilUnlocked})
	require.Error(t, err, "no vault")
}

// TestGateNames tries what a gate may be called.
func TestGateNames(t *testing.T) {
	vault := memoryVault(t, nil, nil)
	for name, ok := range map[string]bool{
		"x": true, "aZ09-_.": true, strings.Repeat("n", 50): true,
		"": false, strings.Repeat("n", 51): false, "a/b": false, "a b": false, "clé": false,
	} {
		gate, err := lockout.New(vault, name, lockout.Policy{Limit: 1, Lock: lockout.UntilUnlocked})
		if ok {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, civicpin.ErrInvalid, name)
		require.NotErrorIs(t, err, lockout.ErrInvalidPolicy, name)
		require.Nil(t, gate)
	}
}

// TestDefaults pins what the zero value of each field comes to.
func TestDefaults(t *testing.T) {
	policy := func(p lockout.Policy) lockout.Policy {
		return newGate(t, memoryVault(t, nil, nil), p).Policy() // which shows what is left
	}
	timed := policy(lockout.Policy{Limit: 5, Lock: lockout.Timed, For: 7 * minute, DelayAfter: 1, Delay: second})
	require.Equal(t, 100, timed.Ceiling)
	require.Equal(t, 100, lockout.MaxCeiling)
	require.Equal(t, 7*minute, timed.Max, "all locks last alike")
	require.Equal(t, hour, timed.DelayMax)
	require.Equal(t, 30*second, timed.Timeout)
	require.Equal(t, 30*day, timed.Forget)
	require.Zero(t, timed.DeviceValid)
	require.Equal(t, 180*day, policy(lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked, Devices: 1}).DeviceValid)
	timed.Delay, timed.DelayMax = 2*hour, 0
	require.Equal(t, 2*hour, policy(timed).DelayMax)
	require.Equal(t, lockout.Policy{
		Limit: 5, Lock: lockout.UntilUnlocked, Ceiling: 100, Timeout: 30 * second, Forget: 30 * day, ShowLeft: true,
	}, policy(lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked}), "nothing else is on by default")

	require.Equal(t, 15*second, lockout.SettleTime, "documented at Policy.Timeout")
	require.Equal(t, hour, lockout.KeepEmpty, "documented at Policy.Forget")
	require.Less(t, lockout.MaxTimeout+lockout.SettleTime, lockout.KeepEmpty, "a record outlives the guess that it holds")

	given := lockout.Policy{
		Limit: 5, Lock: lockout.Timed, For: second, Max: minute, DelayAfter: 2, Delay: second, DelayMax: minute,
		Ceiling: 19, Timeout: second, Forget: day, Source: civicpin.Rate{Limit: 1, Window: time.Second},
		Global: civicpin.Rate{Limit: 2, Window: time.Second}, Devices: 1, DeviceValid: 9 * hour, ShowLeft: true,
	}
	require.Equal(t, given, policy(given), "what is given is left alone")
}

// TestPolicyJSON: a policy is written as people edit it, read back as it was, and read strictly.
func TestPolicyJSON(t *testing.T) {
	p := lockout.Policy{
		Limit: 5, Lock: lockout.Timed, For: 15 * minute, Max: day, DelayAfter: 2, Delay: second, DelayMax: minute, Ceiling: 50,
		Devices: 3, DeviceValid: 90 * day, Source: civicpin.Rate{Limit: 30, Window: hour}, Timeout: 10 * second, ShowLeft: true,
	}
	text, err := json.Marshal(p)
	require.NoError(t, err)
	require.JSONEq(t, `{"limit": 5, "lock": "timed", "for": "15m", "max": "1d", "delayAfter": 2, "delay": "1s", "delayMax": "1m",
		"ceiling": 50, "devices": 3, "deviceValid": "90d", "source": {"limit": 30, "window": "1h"}, "timeout": "10s", "showLeft": true}`, string(text))
	var back lockout.Policy
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, p, back)
	for name, text := range map[string]string{
		"unknown": `{"name": "login"}`, "twice": `{"limit": 3, "limit": 5}`, "nanoseconds": `{"for": 60000000000}`, "null": `{"limit": null}`,
	} {
		require.ErrorIs(t, json.Unmarshal([]byte(text), &back), lockout.ErrInvalidPolicy, name)
		require.Equal(t, p, back, name)
	}
}

// TestSourceRefund: right guesses and those that were not compared leave a source's share as it was, and no more than that.
func TestSourceRefund(t *testing.T) {
	clock := newClock()
	gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{
		Limit: 9, Lock: lockout.UntilUnlocked, Source: civicpin.Rate{Limit: 3, Window: hour},
	})
	who := from("CITIZEN", "192.0.2.1")
	for range 20 {
		require.NoError(t, gate.Do(t.Context(), who, right))
		require.ErrorIs(t, gate.Do(t.Context(), who, broken), errBroken)
	}
	asRefused(t, gate.Do(t.Context(), who, wrong))
	// An own account between two guesses at others' buys none of them back.
	require.NoError(t, gate.Do(t.Context(), from("OWN", "192.0.2.1"), right))
	asRefused(t, gate.Do(t.Context(), who, wrong))
	require.NoError(t, gate.Do(t.Context(), from("OWN", "192.0.2.1"), right))
	asRefused(t, gate.Do(t.Context(), who, wrong))
	require.Equal(t, lockout.ScopeSource, asLocked(t, gate.Do(t.Context(), from("OWN", "192.0.2.1"), never(t))).Scope)
	require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right), "without an address, no limit by source")
	require.NoError(t, gate.Do(t.Context(), from("CITIZEN", "192.0.2.2"), right))
}

// TestRefundMeetsOthers: a share is given back also where others took theirs meanwhile.
func TestRefundMeetsOthers(t *testing.T) {
	gate := newGate(t, memoryVault(t, newClock().Now, nil), lockout.Policy{
		Limit: 9, Lock: lockout.UntilUnlocked, Source: civicpin.Rate{Limit: 3, Window: hour},
	})
	a, b := mustHold(t, gate, from("A", "192.0.2.1")), mustHold(t, gate, from("B", "192.0.2.1"))
	c := mustHold(t, gate, from("C", "192.0.2.1"))
	asLocked(t, gate.Do(t.Context(), from("D", "192.0.2.1"), never(t)))
	require.NoError(t, a.end(true, nil))
	require.NoError(t, b.end(true, nil))
	asRefused(t, c.end(false, nil))
	for range 2 {
		asRefused(t, gate.Do(t.Context(), from("D", "192.0.2.1"), wrong))
	}
	asLocked(t, gate.Do(t.Context(), from("D", "192.0.2.1"), never(t)))
}

// TestGlobal: what everybody fails together is slowed, however many subjects and sources it is spread over.
func TestGlobal(t *testing.T) {
	for _, limit := range []int{20, 2000} { // in one part, and in sixteen
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			clock := newClock()
			var events testkit.Recorder
			gate := newGate(t, memoryVault(t, clock.Now, &events), lockout.Policy{
				Limit: 5, Lock: lockout.UntilUnlocked, Global: civicpin.Rate{Limit: limit, Window: hour},
			})
			compared := 0
			var slowed error
			for i := range 3 * limit {
				k := from(civicpin.Subject(fmt.Sprint("CITIZEN ", i)), fmt.Sprint("192.0.2.", i%250))
				if err := gate.Do(t.Context(), k, wrong); asGlobal(err) {
					slowed = err
				} else {
					compared++
				}
			}
			assert.LessOrEqual(t, compared, limit)
			assert.GreaterOrEqual(t, compared, limit*9/10)
			assert.True(t, asLocked(t, slowed).Until.After(start))
			codes := codes(&events)
			require.NotEmpty(t, codes)
			assert.EqualValues(t, "lockout.slowed", codes[0])
			clock.Add(hour)
			require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right))
		})
	}
	t.Run("right guesses do not count", func(t *testing.T) {
		gate := newGate(t, memoryVault(t, newClock().Now, nil), lockout.Policy{
			Limit: 5, Lock: lockout.UntilUnlocked, Global: civicpin.Rate{Limit: 1, Window: hour},
		})
		for range 10 {
			require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right))
			require.ErrorIs(t, gate.Do(t.Context(), key("CITIZEN"), broken), errBroken)
		}
		asRefused(t, gate.Do(t.Context(), key("CITIZEN"), wrong))
		require.True(t, asGlobal(gate.Do(t.Context(), key("ANOTHER"), never(t))))
	})
}

func asGlobal(err error) bool {
	locked, ok := err.(*lockout.LockedError)
	return ok && locked.Scope == lockout.ScopeGlobal
}

// TestSourceOfAnyText: whatever a proxy hands on as an address is counted, and is the same source the next time. What would
// break the log is refused.
func TestSourceOfAnyText(t *testing.T) {
	long := strings.Repeat("é", 127)
	for _, address := range []string{"\xff\xfe", "xxx" + long, "<b>&\u2028\x00", "a\nb"} {
		gate := newGate(t, memoryVault(t, newClock().Now, nil), lockout.Policy{Limit: 9, Lock: lockout.UntilUnlocked})
		require.ErrorIs(t, gate.Do(t.Context(), from("CITIZEN", address), never(t)), civicpin.ErrInvalid)
	}
	for _, address := range []string{long, "xx" + long, "<b>&", "%"} {
		gate := newGate(t, memoryVault(t, newClock().Now, nil), lockout.Policy{
			Limit: 9, Lock: lockout.UntilUnlocked, Source: civicpin.Rate{Limit: 2, Window: hour},
		})
		asRefused(t, gate.Do(t.Context(), from("CITIZEN", address), wrong))
		asRefused(t, gate.Do(t.Context(), from("ANOTHER", address), wrong))
		require.Equal(t, lockout.ScopeSource, asLocked(t, gate.Do(t.Context(), from("CITIZEN", address), never(t))).Scope)
	}
}
