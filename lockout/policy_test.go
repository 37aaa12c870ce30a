package lockout_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// TestPolicyBounds tries each documented bound from both sides.
func TestPolicyBounds(t *testing.T) {
	const year = 366 * day
	valid := func(change func(*lockout.Policy)) lockout.Policy {
		p := lockout.Policy{
			Limit: 5, Lock: lockout.Timed, For: minute, Max: hour, DelayAfter: 3, Delay: 30 * second, DelayMax: hour,
			Ceiling: 50, Timeout: 10 * second, Forget: day, Source: failing(10),
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

		{"reserves that just fit", valid(func(p P) { p.Reserve, p.Ceiling = 22, 49 }), true},
		{"reserves over the ceiling", valid(func(p P) { p.Reserve, p.Ceiling = 22, 48 }), false},
		{"a negative Reserve", valid(func(p P) { p.Reserve = -1 }), false},
		{"a Reserve and devices", valid(func(p P) { p.Reserve, p.Devices = 1, 1 }), false},

		{"a source limit at its most", valid(func(p P) { p.Source.Host = lockout.SourceLimit{1000, 1000, 1000} }), true},
		{"more subjects than that", valid(func(p P) { p.Source.Host.Subjects = 1001 }), false},
		{"more subjects a day", valid(func(p P) { p.Source.Host.SubjectsDay = 1001 }), false},
		{"more failures", valid(func(p P) { p.Source.Host.Failures = 1001 }), false},
		{"negative subjects", valid(func(p P) { p.Source.Host.Subjects, p.Source.Host.SubjectsDay = -1, 0 }), false},
		{"negative subjects a day", valid(func(p P) { p.Source.Host.Subjects, p.Source.Host.SubjectsDay = 0, -1 }), false},
		{"fewer subjects a day than an hour", valid(func(p P) { p.Source.Net48.Subjects, p.Source.Net48.SubjectsDay = 9, 8 }), false},
		{"subjects an hour, and one a day", valid(func(p P) { p.Source.Net48.Subjects, p.Source.Net48.SubjectsDay = 2, 1 }), false},
		{"subjects an hour alone", valid(func(p P) { p.Source.Net48.Subjects, p.Source.Net48.SubjectsDay = 2, 0 }), true},
		{"subjects and no failures", valid(func(p P) { p.Source.Net64 = lockout.SourceLimit{Subjects: 5} }), false},
		{"a /64 and no /48", valid(func(p P) { p.Source.Net48 = lockout.SourceLimit{} }), false},
		{"a /48 and no /64", valid(func(p P) { p.Source.Net64 = lockout.SourceLimit{} }), false},
		{"no limit of hosts", valid(func(p P) { p.Source.Host = lockout.SourceLimit{} }), true},
		{"a global rate that is not valid", valid(func(p P) { p.Global.Limit = 0 }), false},
		{"no rates", valid(func(p P) { p.Source, p.Global = lockout.SourceLimits{}, civicpin.Rate{} }), true},
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
		Ceiling: 19, Timeout: second, Forget: day, Source: failing(1),
		Global: civicpin.Rate{Limit: 2, Window: time.Second}, Devices: 1, DeviceValid: 9 * hour, ShowLeft: true,
	}
	require.Equal(t, given, policy(given), "what is given is left alone")
}

// TestPolicyJSON: a policy is written as people edit it, read back as it was, and read strictly.
func TestPolicyJSON(t *testing.T) {
	p := lockout.Policy{
		Limit: 5, Lock: lockout.Timed, For: 15 * minute, Max: day, DelayAfter: 2, Delay: second, DelayMax: minute, Ceiling: 50,
		Devices: 3, DeviceValid: 90 * day, Source: failing(30), Timeout: 10 * second, ShowLeft: true,
	}
	p.Source.Host.Subjects, p.Source.Host.SubjectsDay = 5, 9
	text, err := json.Marshal(p)
	require.NoError(t, err)
	require.JSONEq(t, `{"limit": 5, "lock": "timed", "for": "15m", "max": "1d", "delayAfter": 2, "delay": "1s", "delayMax": "1m",
		"ceiling": 50, "devices": 3, "deviceValid": "90d", "source": {"host": {"subjects": 5, "subjectsDay": 9, "failures": 30},
		"net64": {"failures": 30}, "net48": {"failures": 30}}, "timeout": "10s", "showLeft": true}`, string(text))
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
		Limit: 9, Lock: lockout.UntilUnlocked, Source: failing(3),
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

// TestSourceLasts: what counts for a source, and for its subjects, is kept as long as it counts, and no longer.
func TestSourceLasts(t *testing.T) {
	clock, memory := newClock(), newMemory()
	vault := newVault(t, memory, clock.Now, nil)
	gate := newGate(t, vault, lockout.Policy{Limit: 9, Lock: lockout.UntilUnlocked, Source: failing(1), Forget: day})
	asRefused(t, gate.Do(t.Context(), from("CITIZEN", "192.0.2.1"), stranger))
	clock.Add(hour - second)
	purgeAll(t, vault, memory)
	asLocked(t, gate.Do(t.Context(), from("ANOTHER", "192.0.2.1"), never(t)))
	clock.Add(2*day + hour)
	require.Zero(t, purgeAll(t, vault, memory))
}

// TestRefundMeetsOthers: a share is given back also where others took theirs meanwhile.
func TestRefundMeetsOthers(t *testing.T) {
	gate := newGate(t, memoryVault(t, newClock().Now, nil), lockout.Policy{
		Limit: 9, Lock: lockout.UntilUnlocked, Source: failing(3),
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
				k := from(citizen(i), fmt.Sprint("192.0.2.", i%250))
				if err := gate.Do(t.Context(), k, wrong); asGlobal(err) {
					slowed = err
				} else {
					compared++
				}
			}
			assert.LessOrEqual(t, compared, limit)
			assert.GreaterOrEqual(t, compared, limit*9/10)
			assert.True(t, asLocked(t, slowed).Until.After(start))
			require.ErrorIs(t, slowed, lockout.ErrChallenge)
			before := codes(&events)
			require.NotEmpty(t, before)
			assert.EqualValues(t, "lockout.slowed", before[0])
			for i := range limit { // it is no limit for those who pass one
				k := from(citizen(i), "192.0.2.1")
				k.Source.Challenged = true
				asRefused(t, gate.Do(t.Context(), k, wrong))
			}
			assert.False(t, slices.Contains(codes(&events), "lockout.slowed"), "none was")
			clock.Add(hour)
			require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right))
		})
	}
	t.Run("none, for a portal without a challenge", func(t *testing.T) {
		p := lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked}.WithRates()
		p.Global = civicpin.Rate{}
		gate := newGate(t, memoryVault(t, newClock().Now, nil), p)
		for i := range 2000 { // over the share of a part
			asRefused(t, gate.Do(t.Context(), key(citizen(i)), wrong))
		}
		require.Zero(t, gate.Policy().Global)
	})
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
			Limit: 9, Lock: lockout.UntilUnlocked, Source: failing(2),
		})
		asRefused(t, gate.Do(t.Context(), from("CITIZEN", address), wrong))
		asRefused(t, gate.Do(t.Context(), from("ANOTHER", address), wrong))
		require.Equal(t, lockout.ScopeSource, asLocked(t, gate.Do(t.Context(), from("CITIZEN", address), never(t))).Scope)
	}
}

// TestErrorMatrix: each error matches what it is documented to match, also when wrapped, and nothing else.
func TestErrorMatrix(t *testing.T) {
	sentinels := []error{
		lockout.ErrRefused, lockout.ErrLocked, lockout.ErrBusy, lockout.ErrInFlight, lockout.ErrOverloaded, lockout.ErrTimeout,
		lockout.ErrNoSubject, lockout.ErrInvalidPolicy, civicpin.ErrInvalid, lockout.ErrChallenge,
	}
	is := func(all ...error) []error { return all }
	for _, tc := range []struct {
		err     error
		matches []error
		locked  bool
	}{
		{&lockout.RefusedError{Left: 1}, is(lockout.ErrRefused), false},
		{lockout.ErrRefused, is(lockout.ErrRefused), false},
		{lockout.ErrBusy, is(lockout.ErrBusy), false},
		{lockout.ErrInFlight, is(lockout.ErrInFlight, lockout.ErrBusy), false},
		{lockout.ErrOverloaded, is(lockout.ErrOverloaded, lockout.ErrBusy), false},
		{&lockout.BusyError{After: second}, is(lockout.ErrOverloaded, lockout.ErrBusy), false},
		{lockout.ErrTimeout, is(lockout.ErrTimeout), false},
		{lockout.ErrNoSubject, is(lockout.ErrNoSubject), false},
		{lockout.Policy{}.Validate(), is(lockout.ErrInvalidPolicy), false},
		{lockout.ErrLocked, is(lockout.ErrLocked), false},
		{&lockout.LockedError{Scope: lockout.ScopeSubject, New: true}, is(lockout.ErrLocked), true},
		{&lockout.LockedError{Scope: lockout.ScopeSends, Until: start}, is(lockout.ErrLocked), true},
		{lockout.ErrChallenge, is(lockout.ErrChallenge), false},
		{&lockout.LockedError{Scope: lockout.ScopeGlobal, Challenge: true}, is(lockout.ErrLocked, lockout.ErrChallenge), true},
	} {
		for _, err := range []error{tc.err, fmt.Errorf("pin: %w", tc.err), errors.Join(errBroken, tc.err)} {
			for _, s := range sentinels {
				assert.Equal(t, slices.Contains(tc.matches, s), errors.Is(err, s), "%v is %v", err, s)
			}
			_, isLocked := errors.AsType[*lockout.LockedError](err)
			assert.Equal(t, tc.locked, isLocked, "%v", err)
			_, isRefused := errors.AsType[*lockout.RefusedError](err)
			assert.Equal(t, tc.matches[0] == lockout.ErrRefused && tc.err != lockout.ErrRefused, isRefused, "%v", err)
		}
	}
}

func TestErrorTexts(t *testing.T) {
	rome := time.FixedZone("CET", 3600)
	const subject = lockout.ScopeSubject
	for _, tc := range []struct {
		err  error
		want string
	}{
		{&lockout.RefusedError{Left: 3}, "lockout: refused"},
		{&lockout.RefusedError{Left: 1, NextAt: start}, "lockout: refused"},
		{
			&lockout.LockedError{Scope: subject, Disabled: true},
			"lockout: disabled until the subject's identity is proved again and a new secret is bound",
		},
		{&lockout.LockedError{Scope: subject}, "lockout: locked until it is unlocked; waiting does not end it"},
		{&lockout.LockedError{}, "lockout: locked until it is unlocked; waiting does not end it"},
		{&lockout.LockedError{Scope: subject, Until: start.In(rome)}, "lockout: locked, try again at 2026-03-01T09:00:00Z"},
		{
			&lockout.LockedError{Scope: lockout.ScopeSends, Until: start},
			"lockout: too many messages to this subject, try again at 2026-03-01T09:00:00Z",
		},
		{
			&lockout.LockedError{Scope: lockout.ScopeSource, Until: start},
			"lockout: too many requests from this source, try again at 2026-03-01T09:00:00Z",
		},
		{
			&lockout.LockedError{Scope: lockout.ScopeGlobal, Until: start},
			"lockout: too many wrong guesses at all subjects, try again at 2026-03-01T09:00:00Z",
		},
		{
			&lockout.LockedError{Scope: lockout.ScopeSource, Until: start, Challenge: true},
			"lockout: too many requests from this source, pass a challenge, try again at 2026-03-01T09:00:00Z",
		},
		{
			&lockout.BusyError{After: 2400 * time.Millisecond},
			"lockout: busy, try again in a moment: this machine is checking as many secrets as it can, try again in 2s",
		},
		{lockout.ErrInFlight, "lockout: busy, try again in a moment: other guesses at this subject are being checked"},
		{lockout.ErrOverloaded, "lockout: busy, try again in a moment: this machine is checking as many secrets as it can"},
	} {
		assert.Equal(t, tc.want, tc.err.Error())
	}
}

// TestInvalidKeys: what cannot be a key is refused before the store is asked, by every method.
func TestInvalidKeys(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	gate := newGate(t, newVault(t, faults.Store(), nil, nil), lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked})
	faults.Reset()
	for name, k := range map[string]lockout.Target{
		"no subject":       {},
		"a long subject":   {Subject: civicpin.Subject(strings.Repeat("x", 257))},
		"a subject's line": {Subject: "a\nb"},
		"a long lane":      {Subject: "CITIZEN", Lane: strings.Repeat("x", 65)},
		"a lane's line":    {Subject: "CITIZEN", Lane: "a\nb"},
		"not UTF-8":        {Subject: "CITIZEN", Lane: "a\xff"},
	} {
		assert.ErrorIs(t, gate.Do(t.Context(), k, never(t)), civicpin.ErrInvalid, name)
		assert.ErrorIs(t, gate.Unlock(t.Context(), k, operator), civicpin.ErrInvalid, name)
		assert.ErrorIs(t, gate.Lock(t.Context(), k, operator), civicpin.ErrInvalid, name)
		assert.ErrorIs(t, gate.Rebind(t.Context(), k, operator), civicpin.ErrInvalid, name)
		_, err := gate.Status(t.Context(), k)
		assert.ErrorIs(t, err, civicpin.ErrInvalid, name)
	}
	for _, by := range []civicpin.Actor{"", "mallory", civicpin.Operator("")} {
		assert.ErrorIs(t, gate.Unlock(t.Context(), key("CITIZEN"), by), civicpin.ErrInvalid, by)
		assert.ErrorIs(t, gate.Lock(t.Context(), key("CITIZEN"), by), civicpin.ErrInvalid, by)
		assert.ErrorIs(t, gate.Rebind(t.Context(), key("CITIZEN"), by), civicpin.ErrInvalid, by)
	}
	require.Zero(t, faults.Calls())
	require.NoError(t, gate.Do(t.Context(), lockout.Target{Subject: "CITIZEN", Lane: strings.Repeat("x", 64)}, right))
	require.NoError(t, gate.Do(t.Context(), lockout.Target{Subject: "CITIZEN", Lane: "équipe 1"}, right))
}

// TestNothingLeaks: no error and no event holds the guess, and no error the subject, the lane or the address.
func TestNothingLeaks(t *testing.T) {
	const subject, lane, address, guess = "RSSMRA85T10A562S", "known-device-77", "192.0.2.77", "4711-guess"
	var log bytes.Buffer
	clock := newClock()
	faults := storetest.NewFaults(store.NewMemory())
	vault := newVault(t, faults.Store(), clock.Now, civicpin.SlogRecorder(slog.New(slog.NewTextHandler(&log, nil))))
	gate := newGate(t, vault, lockout.Policy{
		Limit: 2, Lock: lockout.UntilUnlocked, Ceiling: 3,
		Source: failing(12), Global: civicpin.Rate{Limit: 90, Window: hour},
	})
	who := lockout.Target{Subject: subject, Lane: lane, Source: civicpin.Source{Address: address}}
	compare := func(secret string) func(context.Context) (bool, error) {
		return func(context.Context) (bool, error) { return secret == "right", nil }
	}
	var all []error
	keep := func(err error) { all = append(all, err) }
	for k := range 9 {
		faults.Reset()
		faults.FailAt(k+1, storetest.ReplyLost)
		faults.FailAt(k+2, storetest.NotDone)
		keep(gate.Do(t.Context(), who, compare(guess)))
		clock.Add(20 * second)
		keep(gate.Unlock(t.Context(), who, operator))
	}
	faults.Reset()
	for range 20 {
		keep(gate.Do(t.Context(), who, compare(guess)))
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	keep(gate.Lock(t.Context(), who, operator))
	keep(gate.Do(cancelled, who, compare(guess)))
	keep(gate.Do(t.Context(), lockout.Target{Subject: subject, Lane: lane + "\n"}, compare(guess)))
	told := 0
	for _, err := range all {
		if err == nil {
			continue
		}
		told++
		for _, private := range []string{subject, lane, address, guess} {
			require.NotContains(t, fmt.Sprintf("%v %+v %q", err, err, err), private)
		}
	}
	require.Greater(t, told, 20)
	require.NotContains(t, log.String(), guess)
	for _, code := range []civicpin.EventCode{
		"lockout.locked", "lockout.disabled", "lockout.unlocked", "lockout.slowed",
	} {
		require.Contains(t, log.String(), string(code))
	}
}

// TestEvents: each lock and what ends it gives one event, with who, where and which lane.
func TestEvents(t *testing.T) {
	var events testkit.Recorder
	clock := newClock()
	gate := newGate(t, memoryVault(t, clock.Now, &events), lockout.Policy{
		Limit: 2, Lock: lockout.UntilUnlocked, Ceiling: 3, Source: failing(4),
	})
	who := lockout.Target{Subject: "CITIZEN", Lane: "open", Source: civicpin.Source{Address: "2001:db8::7"}}
	event := func(code civicpin.EventCode, by civicpin.Actor) civicpin.Event {
		return civicpin.Event{At: clock.Now(), Code: code, Subject: "CITIZEN", By: by, Source: who.Source, Reason: "open"}
	}
	expect := func(want ...civicpin.Event) {
		t.Helper()
		require.Equal(t, want, events.Take())
	}
	_ = gate.Do(t.Context(), who, wrong)
	expect()
	_ = gate.Do(t.Context(), who, wrong)
	expect(event("lockout.locked", ""))
	_ = gate.Do(t.Context(), who, wrong)
	expect()
	require.NoError(t, gate.Unlock(t.Context(), who, operator))
	expect(event("lockout.unlocked", operator))
	_ = gate.Do(t.Context(), who, wrong)
	expect(event("lockout.disabled", ""))
	require.Error(t, gate.Unlock(t.Context(), who, operator))
	expect()
	require.NoError(t, gate.Rebind(t.Context(), who, civicpin.Citizen))
	expect(event("lockout.rebound", civicpin.Citizen))
	require.NoError(t, gate.Lock(t.Context(), who, operator))
	expect(event("lockout.locked", operator))
	asLocked(t, gate.Do(t.Context(), who, never(t)))
	expect(civicpin.Event{
		At: clock.Now(), Code: "lockout.slowed", Source: civicpin.Source{Address: "2001:db8::/64"},
		Reason: "quota.sources.login",
	})

	// A lock that dead processes brought about is told by whoever finds it, and so is what then ends it.
	who = lockout.Target{Subject: "ANOTHER"}
	mustHold(t, gate, who)
	mustHold(t, gate, who)
	clock.Add(minute)
	require.NoError(t, gate.Unlock(t.Context(), who, operator))
	require.Equal(t, []civicpin.EventCode{"lockout.locked", "lockout.unlocked"}, codes(&events))
}

// isNew reports whether an error says that its call set a lock.
func isNew(err error) bool {
	locked, ok := errors.AsType[*lockout.LockedError](err)
	return ok && locked.New
}

// TestLockIsNewOnce: of all guesses that a lock refuses, the one that brought it about is told so, for a subject that exists as
// for one that does not.
func TestLockIsNewOnce(t *testing.T) {
	for name, fails := range map[string]func(context.Context) (bool, error){"known": wrong, "unknown": stranger} {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{
				Limit: 2, Lock: lockout.Timed, For: minute, Ceiling: 5,
			})
			for i, step := range []struct {
				wait    time.Duration
				locked  bool
				disable bool
				isNew   bool
			}{
				{},
				{locked: true, isNew: true},
				{locked: true},
				{wait: 30 * second, locked: true},
				{wait: 30 * second}, // the lock has ended
				{locked: true, isNew: true},
				{locked: true},
				{wait: minute, locked: true, disable: true, isNew: true}, // the ceiling
				{locked: true, disable: true},
			} {
				clock.Add(step.wait)
				err := gate.Do(t.Context(), key("CITIZEN"), fails)
				require.Equal(t, step.locked, errors.Is(err, lockout.ErrLocked), "guess %d", i)
				require.Equal(t, step.isNew, isNew(err), "guess %d", i)
				if step.locked {
					require.Equal(t, step.disable, asLocked(t, err).Disabled, "guess %d", i)
				}
			}
			require.False(t, isNew(gate.Unlock(t.Context(), key("CITIZEN"), operator)), "an unlock that is refused set nothing")
			st, err := gate.Status(t.Context(), key("CITIZEN"))
			require.NoError(t, err)
			require.False(t, st.Locked.New)
		})
	}
}

// TestLockOfOthersIsNotNew: a guess is not told of a lock as new that an operator, a rate or a delay brought about.
func TestLockOfOthersIsNotNew(t *testing.T) {
	clock := newClock()
	gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{
		Limit: 3, Lock: lockout.UntilUnlocked, DelayAfter: 1, Delay: minute, Source: failing(2),
	})
	h := mustHold(t, gate, key("CITIZEN"))
	require.NoError(t, gate.Lock(t.Context(), key("CITIZEN"), operator))
	require.False(t, asLocked(t, h.end(true, nil)).New, "an operator's, and a right guess")
	require.False(t, asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t))).New, "an operator's")
	asRefused(t, gate.Do(t.Context(), from("ANOTHER", "192.0.2.1"), wrong))
	require.False(t, asLocked(t, gate.Do(t.Context(), from("ANOTHER", "192.0.2.1"), never(t))).New, "a delay")
	require.False(t, asLocked(t, gate.Do(t.Context(), from("ANOTHER", "192.0.2.1"), never(t))).New, "a source")
}

// TestNewLockOfDeadProcess: the guess that finds what dead processes brought about is told, since theirs cannot be. If the lock
// has ended by then, no guess is.
func TestNewLockOfDeadProcess(t *testing.T) {
	for name, late := range map[string]time.Duration{"in force": 0, "ended": hour} {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{
				Limit: 2, Lock: lockout.Timed, For: minute, DelayAfter: 2, Delay: 2 * hour, DelayMax: 2 * hour,
			})
			mustHold(t, gate, key("CITIZEN")) // never ended: as good as dead
			mustHold(t, gate, key("CITIZEN"))
			clock.Add(45*second + late)
			require.Equal(t, late == 0, asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t))).New)
			require.False(t, asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t))).New)
		})
	}
}

// TestNewLockOfDevice: a device's lane that locks is told as new where the caller is refused from then on: if the open lane is
// locked, too.
func TestNewLockOfDevice(t *testing.T) {
	p := threeDevices
	p.Limit = 2
	gate := newGate(t, memoryVault(t, newClock().Now, nil), p)
	value := remember(t, gate, "CITIZEN", "")
	guess := func() error { return gate.Do(t.Context(), showing("CITIZEN", value), wrong) }
	asRefused(t, guess())
	asRefused(t, guess()) // locks the device's lane
	asRefused(t, guess())
	require.True(t, asLocked(t, guess()).New, "the open lane")
	require.False(t, asLocked(t, guess()).New)
	value = remember(t, gate, "CITIZEN", "")
	asRefused(t, guess())
	require.True(t, asLocked(t, guess()).New, "the device's lane, with the open one locked")
	require.False(t, asLocked(t, guess()).New)
}

// TestNewLockAtOnce: of any number of guesses at once, one is told.
func TestNewLockAtOnce(t *testing.T) {
	gate := newGate(t, memoryVault(t, nil, nil), lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked})
	var told atomic.Int32
	testkit.Crowd(100, func(int) error {
		for {
			err := gate.Do(t.Context(), key("CITIZEN"), wrong)
			if isNew(err) {
				told.Add(1)
			}
			if !errors.Is(err, lockout.ErrBusy) {
				return err
			}
		}
	})
	require.EqualValues(t, 1, told.Load())
}

// TestNewLockModel does random acts with a subject that exists and one that does not, side by side. Both are told the same, and
// a guess is told of a new lock if, and only if, its own call recorded one that refuses it.
func TestNewLockModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		clock, ctx := newClock(), context.Background()
		var events testkit.Recorder
		gate := newGate(t, memoryVault(t, clock.Now, &events), drawPolicy(rt))
		subjects := []civicpin.Subject{"CITIZEN", "NOBODY"}
		var flying [][]*held // one of each subject
		defer func() {
			for _, pair := range flying {
				for _, h := range pair {
					_ = h.end(false, errBroken)
				}
			}
		}()
		check := func(told []string) { require.Equal(rt, told[0], told[1], "alike") }
		guess := func(do func() error) string {
			events.Take()
			err := do()
			recorded := codes(&events)
			locked, isLocked := errors.AsType[*lockout.LockedError](err)
			if isLocked && locked.New {
				require.Len(rt, recorded, 1)
				require.Equal(rt, locked.Disabled, recorded[0] == "lockout.disabled")
			}
			if errors.Is(err, lockout.ErrLocked) && len(recorded) > 0 && !locked.New {
				require.NotEqual(rt, "lockout.disabled", recorded[0])
				require.Positive(rt, locked.Until.Sub(clock.Now()), "a lock that has ended, and a delay")
			}
			return fmt.Sprint(describe(err, true, start), isNew(err))
		}
		rt.Repeat(map[string]func(*rapid.T){
			"begin": func(rt *rapid.T) {
				if len(flying) >= 4 {
					rt.Skip("enough in flight")
				}
				var told []string
				var pair []*held
				for _, s := range subjects {
					told = append(told, guess(func() error {
						h, err := hold(ctx, gate, key(s))
						if h != nil {
							pair = append(pair, h)
						}
						return err
					}))
				}
				check(told)
				if pair != nil {
					flying = append(flying, pair)
				}
			},
			"end": func(rt *rapid.T) {
				if len(flying) == 0 {
					rt.Skip("none in flight")
				}
				pair := flying[0]
				flying = flying[1:]
				broken := rapid.Bool().Draw(rt, "broken")
				var told []string
				for i, h := range pair {
					err := []error{nil, lockout.ErrNoSubject}[i]
					if broken {
						err = errBroken
					}
					told = append(told, guess(func() error { return h.end(false, err) }))
				}
				check(told)
			},
			"unlock": func(*rapid.T) {
				for _, s := range subjects {
					require.False(rt, isNew(gate.Unlock(ctx, key(s), operator)))
				}
			},
			"time passes": func(rt *rapid.T) {
				clock.Add(rapid.SampledFrom([]time.Duration{second, 20 * second, minute, 10 * minute, hour}).Draw(rt, "how long"))
			},
		})
	})
}

func TestUnprintableTexts(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	p := lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked, Devices: 2}
	g := newGate(t, newVault(t, faults.Store(), newClock().Now, nil), p)
	ctx := t.Context()
	acts := map[string]func(lockout.Target, civicpin.Actor) error{
		"Unlock": func(at lockout.Target, by civicpin.Actor) error { return g.Unlock(ctx, at, by) },
		"Lock":   func(at lockout.Target, by civicpin.Actor) error { return g.Lock(ctx, at, by) },
		"Rebind": func(at lockout.Target, by civicpin.Actor) error { return g.Rebind(ctx, at, by) },
		"Status": func(at lockout.Target, _ civicpin.Actor) error { return testkit.Err(g.Status(ctx, at)) },
		"Do":     func(at lockout.Target, _ civicpin.Actor) error { return g.Do(ctx, at, wrong) },
		"Device": func(at lockout.Target, _ civicpin.Actor) error { return testkit.Err(g.Device(ctx, at)) },
		"ForgetDevices": func(at lockout.Target, by civicpin.Actor) error {
			return g.ForgetDevices(ctx, at.Subject, by)
		},
	}
	calls := make(map[string]func(string) error)
	for name, act := range acts {
		calls[name+", subject"] = func(s string) error { return act(key(civicpin.Subject(s)), operator) }
		if name != "ForgetDevices" {
			calls[name+", source"] = func(s string) error {
				return act(lockout.Target{Subject: "ana", Source: civicpin.Source{Address: s}}, operator)
			}
			calls[name+", lane"] = func(s string) error { return act(lockout.Target{Subject: "ana", Lane: s}, operator) }
		}
		if name != "Status" && name != "Do" && name != "Device" {
			calls[name+", operator"] = func(s string) error { return act(key("ana"), civicpin.Operator(s)) }
		}
	}
	testkit.Refuses(t, faults, calls)
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
	require.NoError(t, one.ValidateWithoutDevices())
	require.NoError(t, threeDevices.Validate())
	require.ErrorIs(t, threeDevices.ValidateWithoutDevices(), lockout.ErrInvalidPolicy)
}

// Codes are for ever, and other programs look for the reasons.
func TestEventsList(t *testing.T) { testkit.Infos(t, lockout.Events()) }

// TestForgivenBelowNone: time that forgives more failures, and locks, than there were gives no guess on credit.
func TestForgivenBelowNone(t *testing.T) {
	clock := newClock()
	gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{
		Limit: 3, Lock: lockout.Timed, For: minute, Max: hour, DelayAfter: 2, Delay: second, DelayMax: minute,
	})
	fails := func() error {
		err := gate.Do(t.Context(), key("CITIZEN"), wrong)
		clock.Add(minute)
		return err
	}
	asRefused(t, fails())
	clock.Add(5 * day)
	for _, lock := range []time.Duration{minute, 2 * minute} {
		require.Equal(t, 2, asRefused(t, fails()).Left)
		require.Equal(t, 1, asRefused(t, fails()).Left)
		require.Equal(t, lock, asLocked(t, fails()).Until.Sub(clock.Now().Add(-minute)))
		clock.Add(lock)
	}
	clock.Add(6 * day)
	require.Zero(t, asRefused(t, fails()).NextAt)
	require.NotZero(t, asRefused(t, fails()).NextAt)
}

// TestShorterTimeout: a guess of a process with a shorter timeout fails by itself before an earlier one with a longer.
func TestShorterTimeout(t *testing.T) {
	clock := newClock()
	vault := memoryVault(t, clock.Now, nil)
	p := lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked, Timeout: lockout.MaxTimeout}
	long := newGate(t, vault, p)
	p.Timeout = second
	short := newGate(t, vault, p)
	first, second := mustHold(t, long, key("CITIZEN")), mustHold(t, short, key("CITIZEN"))
	clock.Add(minute)
	require.Equal(t, 1, failures(t, long, key("CITIZEN")))
	require.ErrorIs(t, second.end(true, nil), lockout.ErrTimeout)
	require.NoError(t, first.end(true, nil))
}

// TestLockIsNotExtended: a guess that fails under a lock, or a disablement, makes neither show any longer.
func TestLockIsNotExtended(t *testing.T) {
	p := lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked, Timeout: lockout.MaxTimeout}
	for name, tc := range map[string]struct {
		lock     func(g *lockout.Gate, v *store.Vault) error
		failures int
	}{
		"by an operator": {func(g *lockout.Gate, _ *store.Vault) error {
			return g.Lock(t.Context(), key("CITIZEN"), operator)
		}, 1},
		"by a stricter policy": {func(g *lockout.Gate, v *store.Vault) error {
			asRefused(t, g.Do(t.Context(), key("CITIZEN"), wrong))
			strict := p
			strict.Ceiling, strict.Limit = 1, 1
			asLocked(t, newGate(t, v, strict).Do(t.Context(), key("CITIZEN"), never(t)))
			return nil
		}, 2},
	} {
		clock := newClock()
		vault := memoryVault(t, clock.Now, nil)
		gate := newGate(t, vault, p)
		h := mustHold(t, gate, key("CITIZEN"))
		require.NoError(t, tc.lock(gate, vault), name)
		clock.Add(5 * minute)
		_ = h.end(false, nil)
		for after, shows := range map[time.Duration]bool{400*day - 1: true, 400 * day: false} {
			clock.Set(start.Add(after))
			st, err := gate.Status(t.Context(), key("CITIZEN"))
			require.NoError(t, err)
			require.Equal(t, []any{tc.failures, shows, !shows}, []any{st.Failures, st.Locked != nil, st.Hidden}, name)
		}
	}
}

// TestRightGuessMeetsLock: a right guess that meets a lock is not given back to the limits of its source.
func TestRightGuessMeetsLock(t *testing.T) {
	p := lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked, Source: failing(1)}
	gate := newGate(t, memoryVault(t, newClock().Now, nil), p)
	h := mustHold(t, gate, from("CITIZEN", "192.0.2.1"))
	require.NoError(t, gate.Lock(t.Context(), key("CITIZEN"), operator))
	asLocked(t, h.end(true, nil))
	require.Equal(t, lockout.ScopeSource, asLocked(t, gate.Do(t.Context(), from("ANOTHER", "192.0.2.1"), never(t))).Scope)
}

// TestContextOfVerifyEnds: what a verify function began with its context does not go on after Do.
func TestContextOfVerifyEnds(t *testing.T) {
	gate := newGate(t, memoryVault(t, nil, nil), lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked})
	var given context.Context
	require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), func(ctx context.Context) (bool, error) {
		given = ctx
		return true, ctx.Err()
	}))
	require.ErrorIs(t, given.Err(), context.Canceled)
}
