package lockout_test

import (
	"context"
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
)

// TestClockJumps: a clock that jumps neither resets a count nor extends a lock or a delay beyond
// what the policy could have written.
func TestClockJumps(t *testing.T) {
	for _, jump := range []time.Duration{-second, -hour, -1000 * day} {
		t.Run("back "+jump.String(), func(t *testing.T) {
			clock := newClock()
			gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{
				Limit: 2, Lock: lockout.Timed, For: 15 * minute, DelayAfter: 1, Delay: minute,
			})
			next := asRefused(t, gate.Do(t.Context(), key("CITIZEN"), wrong)).NextAt
			clock.Add(jump)
			most := func(d time.Duration, until time.Time) time.Time { // that the policy could have written
				if latest := clock.Now().Add(d); until.After(latest.Add(day)) {
					return latest
				}
				return until
			}
			next = most(hour, next)
			require.Equal(t, next, asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t))).Until.UTC(), "the delay")
			clock.Add(-jump + minute)
			until := asLocked(t, gate.Do(t.Context(), key("CITIZEN"), wrong)).Until
			require.Equal(t, start.Add(16*minute), until.UTC())
			clock.Add(jump)
			until = most(15*minute, until)
			for range 5 {
				require.Equal(t, until.UTC(), asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t))).Until.UTC(), "the lock")
			}
			require.Equal(t, 2, failures(t, gate, key("CITIZEN")))
			clock.Add(-jump + 15*minute)
			require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right), "it ends when it would have, or earlier")
		})
	}
	t.Run("forward and back", func(t *testing.T) {
		clock := newClock()
		gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{
			Limit: 2, Lock: lockout.Timed, For: 15 * minute, Ceiling: 6,
		})
		asRefused(t, gate.Do(t.Context(), key("CITIZEN"), wrong))
		until := asLocked(t, gate.Do(t.Context(), key("CITIZEN"), wrong)).Until
		clock.Add(-day) // by no more than this a clock is believed to be wrong
		require.Equal(t, until.UTC(), asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t))).Until.UTC())
		clock.Add(2 * day) // ahead: the lock has ended, but nothing is forgotten
		require.Equal(t, 1, asRefused(t, gate.Do(t.Context(), key("CITIZEN"), wrong)).Left)
		clock.Add(-day)
		require.Equal(t, 3, failures(t, gate, key("CITIZEN")))
		asLocked(t, gate.Do(t.Context(), key("CITIZEN"), wrong))
		for compared := 4; compared < 6; compared++ {
			clock.Add(day)
			_ = gate.Do(t.Context(), key("CITIZEN"), wrong)
			clock.Add(-day)
		}
		require.Error(t, gate.Do(t.Context(), key("CITIZEN"), never(t)))
		st, err := gate.Status(t.Context(), key("CITIZEN"))
		require.NoError(t, err)
		require.True(t, st.Hidden || st.Locked.Disabled, "jumps buy nothing beyond the ceiling")
	})
}

// TestCutIsKept: a lock of a clock that was years ahead ends within what the policy could have written, whoever reads it.
func TestCutIsKept(t *testing.T) {
	clock := newClock()
	gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{Limit: 1, Lock: lockout.Timed, For: hour})
	clock.Add(1000 * day)
	asLocked(t, gate.Do(t.Context(), key("CITIZEN"), wrong))
	clock.Add(-1000 * day)
	asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t)))
	clock.Add(hour)
	require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right))
}

// TestHoursBehind: a process whose clock is hours behind ends no lock or delay of others, and no guess that is in flight; and one
// that another policy wrote stays where this one's locks do not end by time.
func TestHoursBehind(t *testing.T) {
	timed := lockout.Policy{Limit: 2, Lock: lockout.Timed, For: 15 * minute, DelayAfter: 1, Delay: minute, DelayMax: minute}
	for name, tc := range map[string]struct {
		before, behind lockout.Policy
		failures       int
		back           time.Duration
	}{
		"a delay":                         {timed, timed, 1, 3 * hour},
		"a lock":                          {timed, timed, 2, 3 * hour},
		"a lock, a day behind":            {timed, timed, 2, day},
		"a long lock, for another policy": {lockout.Policy{Limit: 1, Lock: lockout.Timed, For: 20 * day}, testkit.Until(2), 1, hour},
	} {
		t.Run(name, func(t *testing.T) {
			s, clock := newMemory(), newClock()
			gate := newGate(t, newVault(t, s, clock.Now, nil), tc.before)
			late := newGate(t, newVault(t, s, func() time.Time { return clock.Now().Add(-tc.back) }, nil), tc.behind)
			for range tc.failures {
				clock.Add(minute)
				_ = gate.Do(t.Context(), key("CITIZEN"), wrong)
			}
			until := asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t))).Until
			require.NotNil(t, asLocked(t, late.Do(t.Context(), key("CITIZEN"), never(t))))
			require.Equal(t, until, asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t))).Until)
		})
	}
	t.Run("a guess in flight", func(t *testing.T) {
		s, clock := newMemory(), newClock()
		h := mustHold(t, newGate(t, newVault(t, s, clock.Now, nil), testkit.Until(2)), key("CITIZEN"))
		late := newGate(t, newVault(t, s, func() time.Time { return clock.Now().Add(-3 * hour) }, nil), testkit.Until(2))
		asRefused(t, late.Do(t.Context(), key("CITIZEN"), wrong))
		require.NoError(t, h.end(true, nil))
	})
}

// TestReservationOfAWrongClock: a process whose clock was years ahead took a guess and died. That guess does not take up
// the limit for years.
func TestReservationOfAWrongClock(t *testing.T) {
	clock := newClock()
	gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{Limit: 2, Lock: lockout.UntilUnlocked})
	clock.Add(3650 * day)
	mustHold(t, gate, key("CITIZEN"))
	mustHold(t, gate, key("CITIZEN"))
	clock.Add(-3650 * day)
	require.ErrorIs(t, gate.Do(t.Context(), key("CITIZEN"), never(t)), lockout.ErrBusy)
	clock.Add(lockout.MaxTimeout + lockout.SettleTime - 1)
	require.ErrorIs(t, gate.Do(t.Context(), key("CITIZEN"), never(t)), lockout.ErrBusy)
	clock.Add(1)
	asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t)))
	require.NoError(t, gate.Unlock(t.Context(), key("CITIZEN"), operator))
	require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right))
}

// TestQuotaOfAWrongClock: neither does what it took from a source's rate. What it took from the rate for all is nothing: some
// guesses by one wrong clock ask no other visitor for a challenge.
func TestQuotaOfAWrongClock(t *testing.T) {
	for _, tc := range []struct {
		name  string
		rates lockout.Policy
		scope lockout.Scope
		until time.Duration
	}{
		{"source", lockout.Policy{Source: failing(1)}, lockout.ScopeSource, hour}, // as if it failed now
		{"global", lockout.Policy{Global: civicpin.Rate{Limit: 4, Window: hour}}, lockout.ScopeGlobal, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			clock := newClock()
			tc.rates.Limit, tc.rates.Lock = 9, lockout.UntilUnlocked
			gate := newGate(t, memoryVault(t, clock.Now, nil), tc.rates)
			clock.Add(3650 * day)
			asRefused(t, gate.Do(t.Context(), from("CITIZEN", "192.0.2.1"), wrong))
			clock.Add(-3650 * day)
			if tc.until > 0 {
				locked := asLocked(t, gate.Do(t.Context(), from("CITIZEN", "192.0.2.1"), never(t)))
				require.Equal(t, tc.scope, locked.Scope)
				require.Equal(t, start.Add(tc.until), locked.Until.UTC())
				clock.Add(tc.until)
			}
			require.NoError(t, gate.Do(t.Context(), from("CITIZEN", "192.0.2.1"), right))
		})
	}
}

// TestRecordDoesNotEndUnderAGuess: a record that says nothing goes after an hour, but not while it holds a guess in flight.
// If it did, guesses taken just before would never be counted, and as many more would be let in just after.
func TestRecordDoesNotEndUnderAGuess(t *testing.T) {
	type act struct {
		name string
		do   func(*testing.T, *lockout.Gate)
	}
	for _, before := range []act{
		{"after a success", func(t *testing.T, g *lockout.Gate) { require.NoError(t, g.Do(t.Context(), key("CITIZEN"), right)) }},
		{"after a refund", func(t *testing.T, g *lockout.Gate) {
			require.ErrorIs(t, g.Do(t.Context(), key("CITIZEN"), broken), errBroken)
		}},
		{"as a stranger", func(t *testing.T, g *lockout.Gate) {
			asRefused(t, g.Do(t.Context(), key("CITIZEN"), stranger))
		}},
	} {
		t.Run(before.name, func(t *testing.T) {
			clock := newClock()
			gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{
				Limit: 4, Lock: lockout.UntilUnlocked, Forget: hour,
			})
			before.do(t, gate)
			began := failures(t, gate, key("CITIZEN"))
			clock.Add(hour - second)
			all := holdAll(t, gate, key("CITIZEN"))
			require.Len(t, all, 4, "what a stranger failed an hour ago is forgotten, but for the ceiling")
			clock.Add(2 * second)
			require.ErrorIs(t, gate.Do(t.Context(), key("CITIZEN"), never(t)), lockout.ErrBusy)
			for _, h := range all {
				require.Error(t, h.end(false, nil))
			}
			require.Equal(t, 4+began, failures(t, gate, key("CITIZEN")))
			asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t)))
		})
	}
}

// TestKnownStaysKnown: what counts towards the ceiling of a subject that exists is not forgotten because a later guess found no
// subject: at another secret, by another plan, or while the register did not answer.
func TestKnownStaysKnown(t *testing.T) {
	clock := newClock()
	gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{Limit: 9, Lock: lockout.UntilUnlocked, Forget: hour})
	asRefused(t, gate.Do(t.Context(), key("CITIZEN"), wrong))
	asRefused(t, gate.Do(t.Context(), key("CITIZEN"), stranger))
	clock.Add(day)
	require.Equal(t, 2, failures(t, gate, key("CITIZEN")))
}

// TestCrashedGuessesOfAStranger: reservations that became failures keep their lock as long as any stranger's.
func TestCrashedGuessesOfAStranger(t *testing.T) {
	for name, find := range map[string]func(*testing.T, *lockout.Gate, *held){
		"found by the next guess": func(t *testing.T, g *lockout.Gate, _ *held) {
			asLocked(t, g.Do(t.Context(), key("CITIZEN"), never(t)))
		},
		"found by the guess itself, given back too late": func(t *testing.T, _ *lockout.Gate, h *held) {
			require.ErrorIs(t, h.end(false, errBroken), errBroken)
		},
	} {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{
				Limit: 1, Lock: lockout.Timed, For: 20 * day, Forget: day,
			})
			h := mustHold(t, gate, key("CITIZEN"))
			clock.Add(23 * hour)
			find(t, gate, h)
			clock.Add(20*day + 45*second - 23*hour - 1)
			asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t)))
			clock.Add(day)
			require.Equal(t, 1, failures(t, gate, key("CITIZEN")))
			clock.Add(1)
			require.Equal(t, 0, failures(t, gate, key("CITIZEN")))
		})
	}
}

// TestStricterPolicy: where a release brings a lower limit, what was counted under the old one locks; it does not leave
// the citizen with "try again in a moment" for ever.
func TestStricterPolicy(t *testing.T) {
	for _, tc := range []struct {
		name     string
		policy   lockout.Policy
		disabled bool
	}{
		{"until unlocked", lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked}, false},
		{"timed", lockout.Policy{Limit: 3, Lock: lockout.Timed, For: minute}, false},
		{"ceiling", lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked, Ceiling: 4}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			clock := newClock()
			var events testkit.Recorder
			vault := memoryVault(t, clock.Now, &events)
			before := newGate(t, vault, lockout.Policy{Limit: 10, Lock: lockout.UntilUnlocked})
			for range 5 {
				asRefused(t, before.Do(t.Context(), key("CITIZEN"), wrong))
			}
			after := newGate(t, vault, tc.policy)
			st, err := after.Status(t.Context(), key("CITIZEN"))
			require.NoError(t, err)
			require.NotNil(t, st.Locked)
			locked := asLocked(t, after.Do(t.Context(), key("CITIZEN"), never(t)))
			require.Equal(t, tc.disabled, locked.Disabled)
			require.Len(t, codes(&events), 1)
			asLocked(t, after.Do(t.Context(), key("CITIZEN"), never(t)))
			require.Empty(t, codes(&events))
			switch {
			case tc.disabled:
				require.NoError(t, after.Rebind(t.Context(), key("CITIZEN"), operator))
			case tc.policy.Lock == lockout.Timed:
				clock.Add(minute)
			default:
				require.NoError(t, after.Unlock(t.Context(), key("CITIZEN"), operator))
			}
			require.NoError(t, after.Do(t.Context(), key("CITIZEN"), right))
		})
	}
}

// TestProcessesWithOtherClocks: gates whose clocks differ by seconds count together.
func TestProcessesWithOtherClocks(t *testing.T) {
	s := newMemory()
	clock := newClock()
	p := lockout.Policy{Limit: 5, Lock: lockout.Timed, For: 15 * minute}
	var gates []*lockout.Gate
	for _, off := range []time.Duration{-3 * second, 0, 3 * second} {
		gates = append(gates, newGate(t, newVault(t, s, func() time.Time { return clock.Now().Add(off) }, nil), p))
	}
	for round := range 20 {
		subject := citizen(round)
		compared := 0
		for i := range 30 {
			clock.Add(second)
			if h, err := hold(t.Context(), gates[(i+round)%3], key(subject)); err == nil {
				compared++
				_ = h.end(false, nil)
			}
		}
		require.Equal(t, 5, compared)
	}
}

// showing is a key of a subject's that shows a device's value.
func showing(subject civicpin.Subject, value string) lockout.Target {
	return lockout.Target{Subject: subject, Source: civicpin.Source{Device: civicpin.NewSecret(value)}}
}

// remember makes a device known in place of the one shown, "" for none, and returns its value.
func remember(tb testing.TB, g *lockout.Gate, subject civicpin.Subject, shown string) string {
	tb.Helper()
	value, err := g.RememberDevice(tb.Context(), showing(subject, shown))
	require.NoError(tb, err)
	return value.Reveal()
}

// threeDevices has a limit of 5; of the ceiling of 100, 12 are a device's and 52 the open lane's.
var threeDevices = lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked, Devices: 3}

// lockOpen has strangers lock a subject's open lane.
func lockOpen(tb testing.TB, g *lockout.Gate, subject civicpin.Subject) {
	tb.Helper()
	for range g.Policy().Limit {
		require.Error(tb, g.Do(tb.Context(), key(subject), wrong))
	}
	asLocked(tb, g.Do(tb.Context(), key(subject), never(tb)))
}

// TestWhatOpensNoLane: while the open lane is locked, nothing but a value that is genuine, of the subject and gate, and known,
// gets anybody in.
func TestWhatOpensNoLane(t *testing.T) {
	clock := newClock()
	vault := memoryVault(t, clock.Now, nil)
	gate := newGate(t, vault, threeDevices)
	other := newNamed(t, vault, "login2", threeDevices)
	none := newGate(t, vault, lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked})

	good := remember(t, gate, "CITIZEN", "")
	lockOpen(t, gate, "CITIZEN")
	lockOpen(t, other, "CITIZEN")
	require.NoError(t, gate.Do(t.Context(), showing("CITIZEN", good), right))

	raw, err := base64.RawURLEncoding.DecodeString(good)
	require.NoError(t, err)
	forged := map[string]string{
		"nothing": "", "a blank": " ", "cut off": good[:43], "something behind": good + "A", "padded": good + "==",
		"a line end": good[:43] + "\n", "a line end more": good[:20] + "\n" + good[20:], "of another case": strings.ToLower(good),
		"the id alone": base64.RawURLEncoding.EncodeToString(raw[1:17]), "long": strings.Repeat(good, 1000),
		"of another alphabet": base64.RawStdEncoding.EncodeToString(append([]byte{1, 0xfb, 0xff}, raw[3:]...)),
		"another's":           remember(t, gate, "ANOTHER", ""), "of another gate": remember(t, other, "CITIZEN", ""),
		"zero": base64.RawURLEncoding.EncodeToString(make([]byte, 33)), "not UTF-8": good[:43] + "\xff",
	}
	for i := range raw {
		bent := append([]byte(nil), raw...)
		bent[i] ^= 1 << (i % 8)
		forged["changed at "+string(rune('A'+i))] = base64.RawURLEncoding.EncodeToString(bent)
	}
	for name, value := range forged {
		require.False(t, lockout.Shown(gate, showing("CITIZEN", value)), name)
		asLocked(t, gate.Do(t.Context(), showing("CITIZEN", value), never(t)))
	}
	require.False(t, lockout.Shown(gate, showing("ANOTHER", good)), "moved to another subject")
	require.False(t, lockout.Shown(none, showing("CITIZEN", good)), "in a gate without devices")
	asLocked(t, none.Do(t.Context(), showing("CITIZEN", good), never(t)))
	require.False(t, lockout.Shown(gate, lockout.Target{Subject: "CITIZEN", Lane: "x", Source: civicpin.Source{Device: civicpin.NewSecret(good)}}), "in a lane")
	require.NoError(t, gate.Do(t.Context(), showing("CITIZEN", good), right), "none of that ended the good one")

	opensNothing := func(value string) {
		t.Helper()
		require.True(t, lockout.Shown(gate, showing("CITIZEN", value)), "genuine, but")
		asLocked(t, gate.Do(t.Context(), showing("CITIZEN", value), never(t)))
	}
	next := remember(t, gate, "CITIZEN", good)
	opensNothing(good) // replaced
	more := []string{next}
	for range 3 {
		require.NoError(t, gate.Do(t.Context(), showing("CITIZEN", next), right))
		more = append(more, remember(t, gate, "CITIZEN", ""))
	}
	opensNothing(more[0]) // the oldest of four
	for _, value := range more[1:] {
		require.NoError(t, gate.Do(t.Context(), showing("CITIZEN", value), right))
	}
	clock.Add(180*day - 1)
	require.NoError(t, gate.Do(t.Context(), showing("CITIZEN", more[1]), right))
	clock.Add(1)
	opensNothing(more[1]) // expired
	fresh := remember(t, gate, "CITIZEN", more[1])
	require.NoError(t, gate.Do(t.Context(), showing("CITIZEN", fresh), right))
	require.NoError(t, gate.ForgetDevices(t.Context(), "CITIZEN", operator))
	opensNothing(fresh) // forgotten
	require.NotEqual(t, fresh, remember(t, gate, "CITIZEN", fresh))
	opensNothing(fresh)
}

// TestRememberIsRefused: what RememberDevice and ForgetDevices refuse changes nothing.
func TestRememberIsRefused(t *testing.T) {
	memory := newMemory()
	vault := newVault(t, memory, nil, nil)
	gate := newGate(t, vault, threeDevices)
	none := newGate(t, vault, lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked})
	for name, f := range map[string]func() (civicpin.Secret, error){
		"no subject": func() (civicpin.Secret, error) { return gate.RememberDevice(t.Context(), lockout.Target{}) },
		"a lane": func() (civicpin.Secret, error) {
			return gate.RememberDevice(t.Context(), lockout.Target{Subject: "CITIZEN", Lane: "x"})
		},
		"a policy without": func() (civicpin.Secret, error) { return none.RememberDevice(t.Context(), key("CITIZEN")) },
		"no subject to forget": func() (civicpin.Secret, error) {
			return civicpin.Secret{}, gate.ForgetDevices(t.Context(), "", operator)
		},
		"nobody forgets": func() (civicpin.Secret, error) {
			return civicpin.Secret{}, gate.ForgetDevices(t.Context(), "CITIZEN", "")
		},
	} {
		value, err := f()
		require.ErrorIs(t, err, civicpin.ErrInvalid, name)
		require.Empty(t, value.Reveal(), name)
	}
	require.NoError(t, gate.ForgetDevices(t.Context(), "CITIZEN", operator), "there are none")
	require.NoError(t, none.ForgetDevices(t.Context(), "CITIZEN", operator))
	require.Len(t, values(t, memory, ""), 1, "the canary")
}

// FuzzDevice: what parses is written again as it was, and no value but the genuine one opens a lane.
func FuzzDevice(f *testing.F) {
	gate := newGate(f, memoryVault(f, nil, nil), threeDevices)
	// The id is given: each process that fuzzes has to find the same one genuine.
	id := [16]byte([]byte("an id of a phone"))
	good := lockout.DeviceValue(gate, "CITIZEN", id)
	f.Add(good)
	f.Add(good[:43] + "\n")
	f.Add(lockout.DeviceValue(gate, "ANOTHER", id))
	f.Add("")
	f.Fuzz(func(t *testing.T, value string) {
		again, ok := lockout.ParseDevice(value)
		if ok && again != value {
			t.Errorf("%q is written again as %q", value, again)
		}
		if opens := lockout.Shown(gate, showing("CITIZEN", value)); opens != (value == good) {
			t.Errorf("opens: %t", opens)
		}
	})
}

// TestShares: the lanes of all devices, one of them replaced, and the open lane bear the ceiling together and no more.
func TestShares(t *testing.T) {
	for _, tc := range []struct {
		limit, ceiling, devices int
		device, open            int // as documented
	}{
		{5, 100, 3, 12, 52},
		{5, 50, 3, 6, 26},
		{5, 100, 1, 25, 50},
		{5, 100, 10, 5, 45},
		{1, 3, 1, 1, 1},
		{5, 25, 3, 5, 5},
	} {
		clock := newClock()
		gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{
			Limit: tc.limit, Lock: lockout.Timed, For: minute, Ceiling: tc.ceiling, Devices: tc.devices,
		})
		compared := 0
		count := func(context.Context) (bool, error) { compared++; return false, nil }
		burn := func(value string) int { // all that one lane bears; the open one is disabled
			before := compared
			for range tc.ceiling {
				require.Error(t, gate.Do(t.Context(), showing("CITIZEN", value), count))
				clock.Add(minute)
			}
			return compared - before
		}
		require.Equal(t, tc.open, burn(""), "%+v", tc)
		var known []string
		for range tc.devices {
			known = append(known, remember(t, gate, "CITIZEN", ""))
		}
		compared = tc.open // since the last right guess: after it, one device is remembered
		require.Equal(t, tc.device, burn(known[0]), "%+v", tc)
		known = append(known[1:], remember(t, gate, "CITIZEN", ""))
		for _, value := range known {
			require.Equal(t, tc.device, burn(value), "%+v", tc)
		}
		require.LessOrEqual(t, compared, tc.ceiling)
		require.Equal(t, tc.open+(tc.devices+1)*tc.device, compared)
		require.True(t, asLocked(t, gate.Do(t.Context(), showing("CITIZEN", known[0]), never(t))).Disabled)
	}
}

// TestFewerDevices: a policy with fewer devices does not leave those beyond their lanes, whose shares have become larger.
func TestFewerDevices(t *testing.T) {
	vault := memoryVault(t, newClock().Now, nil)
	gate := newGate(t, vault, threeDevices)
	var known []string
	for range 3 {
		known = append(known, remember(t, gate, "CITIZEN", ""))
	}
	fewer := threeDevices
	fewer.Devices, fewer.DeviceValid = 1, day
	after := newGate(t, vault, fewer)
	lockOpen(t, after, "CITIZEN")
	for _, value := range known[:2] {
		asLocked(t, after.Do(t.Context(), showing("CITIZEN", value), never(t)))
	}
	require.NoError(t, after.Do(t.Context(), showing("CITIZEN", known[2]), right))
	st, err := after.Status(t.Context(), key("CITIZEN"))
	require.NoError(t, err)
	require.Equal(t, 1, st.Devices)
}

// TestStolenDevice is the story of a value that a thief has copied: a few guesses, and the owner gets in all along.
func TestStolenDevice(t *testing.T) {
	clock := newClock()
	gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{
		Limit: 3, Lock: lockout.Timed, For: hour, Max: hour, Ceiling: 60, Devices: 2, // 10 each, 30 open
	})
	value := remember(t, gate, "CITIZEN", "")
	do := func(value string, verify func(context.Context) (bool, error)) string {
		compared := false
		err := gate.Do(t.Context(), showing("CITIZEN", value), func(ctx context.Context) (bool, error) {
			compared = true
			return verify(ctx)
		})
		return describe(err, compared, start)
	}
	thief := func(want ...string) {
		t.Helper()
		for i, w := range want {
			require.Equal(t, w, do(value, wrong), "guess %d", i)
		}
	}
	thief("left 2", "left 1")
	require.Equal(t, "ok", do(value, right))
	thief("left 2", "left 1", "left 3") // locks the device's lane; the next one goes to the open lane
	thief("left 2", "left 1", "locks to 1h0m0s", "locked to 1h0m0s")
	require.Equal(t, "locked to 1h0m0s", do(value, right), "who shares a value shares its lane")
	clock.Add(hour)
	require.Equal(t, "left 2", do(value, wrong))
	require.Equal(t, "ok", do(value, right))
	require.Equal(t, "left 2", do(value, wrong), "also after a lock, a success resets")
	require.Equal(t, "ok", do(value, right))
	fresh := remember(t, gate, "CITIZEN", value)
	thief("left 2", "left 1", "locks to 2h0m0s", "locked to 2h0m0s") // in the open lane, like anybody
	require.Equal(t, "ok", do(fresh, right))
	other := remember(t, gate, "CITIZEN", "")
	require.NoError(t, gate.Unlock(t.Context(), key("CITIZEN"), operator))
	for _, v := range []string{fresh, other} { // a lane of its own each
		require.Equal(t, "left 2", do(v, wrong))
		require.Equal(t, "left 1", do(v, wrong))
	}
	require.Equal(t, "left 2", do("", wrong))
	require.Equal(t, "ok", do(fresh, right))
	require.Equal(t, "left 2", do(fresh, wrong), "a success resets its own lane")
	require.Equal(t, "left 2", describe(gate.Do(t.Context(), showing("CITIZEN", other), wrong), true, start), "and no other: locked, the open one is next")
	require.Equal(t, 7, failures(t, gate, key("CITIZEN")), "nor the open one")
}

// TestSooner: of two locks, the one that ends first is told.
func TestSooner(t *testing.T) {
	at := func(d time.Duration) *lockout.LockedError { return &lockout.LockedError{Until: start.Add(d)} }
	ever, disabled := &lockout.LockedError{}, &lockout.LockedError{Disabled: true}
	early, late, slowed := at(hour), at(day), &lockout.LockedError{Until: start.Add(7 * day), Challenge: true}
	for _, tc := range []struct{ a, b, want *lockout.LockedError }{
		{early, late, early},
		{late, early, early},
		{early, ever, early},
		{ever, early, early},
		{early, disabled, early},
		{disabled, early, early},
		{disabled, ever, ever},
		{early, slowed, slowed}, // by a challenge at once
	} {
		require.Same(t, tc.want, lockout.Sooner(tc.a, tc.b))
	}
}

// TestBothLanesLocked: whoever shows a device is told when the first of the two lanes ends.
func TestBothLanesLocked(t *testing.T) {
	clock := newClock()
	gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{
		Limit: 2, Lock: lockout.Timed, For: hour, Devices: 1,
	})
	value := remember(t, gate, "CITIZEN", "")
	lockOpen(t, gate, "CITIZEN")
	clock.Add(minute)
	asRefused(t, gate.Do(t.Context(), showing("CITIZEN", value), wrong))
	told := asLocked(t, gate.Do(t.Context(), showing("CITIZEN", value), wrong))
	require.Equal(t, start.Add(hour), told.Until.UTC())
	clock.Add(hour - minute)
	lockOpen(t, gate, "CITIZEN")
	told = asLocked(t, gate.Do(t.Context(), showing("CITIZEN", value), never(t)))
	require.Equal(t, start.Add(hour+minute), told.Until.UTC(), "the device's")
	clock.Add(minute)
	require.NoError(t, gate.Do(t.Context(), showing("CITIZEN", value), right))
}

// TestLaneOpensMeanwhile: a right guess in the open lane ends the lock that the own lane had, and none that was set since.
func TestLaneOpensMeanwhile(t *testing.T) {
	for name, tc := range map[string]struct {
		later  time.Duration
		wrong  int
		locked bool
	}{"as it was": {}, "ended": {later: 2 * second}, "locked anew": {later: 2 * second, wrong: 2, locked: true}} {
		clock := newClock()
		vault := memoryVault(t, clock.Now, nil)
		gate := newGate(t, vault, lockout.Policy{
			Limit: 2, Lock: lockout.Timed, For: minute, Max: hour, Reserve: 8, Timeout: lockout.MaxTimeout,
		})
		who := proving(vault, "CITIZEN", "CITIZEN", shown.Login)
		fail := func(n int) {
			for range n {
				asRefused(t, gate.Do(t.Context(), who, wrong))
			}
		}
		fail(2)
		clock.Add(minute - second)
		h := mustHold(t, gate, who)
		clock.Add(tc.later)
		fail(tc.wrong)
		require.NoError(t, h.end(true, nil), name)
		lockOpen(t, gate, "CITIZEN")
		err := gate.Do(t.Context(), who, right)
		require.Equal(t, tc.locked, errors.Is(err, lockout.ErrLocked), "%s: %v", name, err)
	}
}

// TestConcurrentLanes: of a thousand wrong guesses with one device's value at once, or one login's, the limit is compared in its
// lane, and the limit in the open one; a thousand without it among them change nothing.
func TestConcurrentLanes(t *testing.T) {
	const n = 1000
	for name, others := range map[string]bool{"timed": false, "until unlocked": true, "timed, shown": true} {
		t.Run(name, func(t *testing.T) {
			lock, _, login := strings.Cut(name, ",")
			policy := locks[lock]
			if policy.Devices = 3; login {
				policy.Devices, policy.Reserve = 0, 10
			}
			vault := memoryVault(t, newClock().Now, nil)
			gates := []*lockout.Gate{newGate(t, vault, policy), newGate(t, vault, policy)}
			value := proving(vault, "CITIZEN", "CITIZEN", shown.Login)
			if !login {
				value = showing("CITIZEN", remember(t, gates[0], "CITIZEN", ""))
			}
			var compared atomic.Int32
			testkit.Crowd(n, func(i int) error {
				k := value
				if others && i%2 == 0 {
					k = key("CITIZEN")
				}
				for {
					err := gates[i%3%2].Do(t.Context(), k, func(context.Context) (bool, error) {
						compared.Add(1)
						time.Sleep(time.Millisecond)
						return false, nil
					})
					if !errors.Is(err, lockout.ErrBusy) {
						return err
					}
					time.Sleep(100*time.Millisecond + rand.N(100*time.Millisecond)) // or a thousand spin
				}
			})
			require.EqualValues(t, 10, compared.Load())
			require.Equal(t, 5, failures(t, gates[1], key("CITIZEN")))
			asLocked(t, gates[0].Do(t.Context(), value, never(t)))
		})
	}
}

// TestBusyDevice: guesses with one value that are in flight do not spread over to the open lane.
func TestBusyDevice(t *testing.T) {
	gate := newGate(t, memoryVault(t, newClock().Now, nil), threeDevices)
	value := remember(t, gate, "CITIZEN", "")
	var all []*held
	for range 5 {
		all = append(all, mustHold(t, gate, showing("CITIZEN", value)))
	}
	require.ErrorIs(t, gate.Do(t.Context(), showing("CITIZEN", value), never(t)), lockout.ErrInFlight)
	require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right))
	require.ErrorIs(t, gate.Do(t.Context(), showing("CITIZEN", value), never(t)), lockout.ErrInFlight)
	for _, h := range all {
		require.ErrorIs(t, h.end(false, errBroken), errBroken)
	}
	require.NoError(t, gate.Do(t.Context(), showing("CITIZEN", value), right))
}

// TestDeviceGoesDuringVerification: what comes of guesses in a lane that is gone when they end.
func TestDeviceGoesDuringVerification(t *testing.T) {
	for _, tc := range []struct {
		name string
		goes func(*lockout.Gate, *testkit.Clock, string)
		want map[string]string // by outcome
	}{
		{"it stays", func(*lockout.Gate, *testkit.Clock, string) {}, map[string]string{"right": "ok", "wrong": "left 4", "broken": "broken"}},
		{
			"replaced",
			func(g *lockout.Gate, _ *testkit.Clock, v string) { remember(t, g, "CITIZEN", v) },
			map[string]string{"right": "ok", "wrong": "left 1", "broken": "broken"},
		},
		{
			"displaced",
			func(g *lockout.Gate, _ *testkit.Clock, _ string) {
				for range 3 {
					remember(t, g, "CITIZEN", "")
				}
			},
			map[string]string{"right": "ok", "wrong": "left 1", "broken": "broken"},
		},
		{
			"expired",
			func(_ *lockout.Gate, c *testkit.Clock, _ string) { c.Add(20 * second) },
			map[string]string{"right": "ok", "wrong": "left 1", "broken": "broken"},
		},
		{
			"expired and forgotten",
			func(g *lockout.Gate, c *testkit.Clock, _ string) {
				c.Add(20 * second)
				_ = g.ForgetDevices(t.Context(), "CITIZEN", operator)
			},
			map[string]string{"right": "timeout", "wrong": "left 1", "broken": "broken"},
		},
		{
			"expired, dropped and forgotten",
			func(g *lockout.Gate, c *testkit.Clock, v string) {
				h := mustHold(t, g, showing("CITIZEN", v))
				c.Add(20 * second)
				_ = h.end(true, nil) // drops it
				_ = g.ForgetDevices(t.Context(), "CITIZEN", operator)
			},
			map[string]string{"right": "timeout", "wrong": "left 1", "broken": "broken"},
		},
		{
			"too late",
			func(_ *lockout.Gate, c *testkit.Clock, _ string) { c.Add(minute) },
			map[string]string{"right": "timeout", "wrong": "left 1", "broken": "broken"},
		},
		{
			"replaced, and too late",
			func(g *lockout.Gate, c *testkit.Clock, v string) { remember(t, g, "CITIZEN", v); c.Add(minute) },
			map[string]string{"right": "timeout", "wrong": "left 1", "broken": "broken"},
		},
		{
			"forgotten",
			func(g *lockout.Gate, _ *testkit.Clock, _ string) {
				_ = g.ForgetDevices(t.Context(), "CITIZEN", operator)
			},
			map[string]string{"right": "timeout", "wrong": "left 1", "broken": "broken"},
		},
		{
			"forgotten, and another remembered",
			func(g *lockout.Gate, _ *testkit.Clock, v string) {
				_ = g.ForgetDevices(t.Context(), "CITIZEN", operator)
				remember(t, g, "CITIZEN", v)
			},
			map[string]string{"right": "timeout", "wrong": "left 1", "broken": "broken"},
		},
		{
			"the subject is locked by an operator",
			func(g *lockout.Gate, _ *testkit.Clock, _ string) { _ = g.Lock(t.Context(), key("CITIZEN"), operator) },
			map[string]string{"right": "timeout", "wrong": "left 1", "broken": "broken"},
		},
		{
			"the subject is bound anew",
			func(g *lockout.Gate, _ *testkit.Clock, _ string) { _ = g.Rebind(t.Context(), key("CITIZEN"), operator) },
			map[string]string{"right": "timeout", "wrong": "left 1", "broken": "broken"},
		},
		{
			"it is the last that may fail",
			func(g *lockout.Gate, _ *testkit.Clock, v string) {
				for range 4 {
					_ = g.Do(t.Context(), showing("CITIZEN", v), wrong)
				}
			},
			map[string]string{"right": "ok", "wrong": "left 5", "broken": "broken"},
		},
	} {
		for outcome, want := range tc.want {
			t.Run(tc.name+", "+outcome, func(t *testing.T) {
				clock := newClock()
				p := threeDevices
				p.DeviceValid = hour
				gate := newGate(t, memoryVault(t, clock.Now, nil), p)
				value := remember(t, gate, "CITIZEN", "")
				clock.Add(hour - 10*second)
				h := mustHold(t, gate, showing("CITIZEN", value))
				tc.goes(gate, clock, value)
				var err error
				if outcome == "broken" {
					err = errBroken
				}
				require.Equal(t, want, describe(h.end(outcome == "right", err), true, start))
			})
		}
	}
}

// TestDeadProcessInDeviceLane: reservations that nobody settles become failures there, too, and may lock.
func TestDeadProcessInDeviceLane(t *testing.T) {
	clock := newClock()
	var events testkit.Recorder
	p := threeDevices
	p.Limit = 2
	gate := newGate(t, memoryVault(t, clock.Now, &events), p)
	value := remember(t, gate, "CITIZEN", "")
	mustHold(t, gate, showing("CITIZEN", value))
	mustHold(t, gate, showing("CITIZEN", value))
	require.ErrorIs(t, gate.Do(t.Context(), showing("CITIZEN", value), never(t)), lockout.ErrInFlight)
	clock.Add(minute)
	events.Take()
	lockOpen(t, gate, "CITIZEN")
	asLocked(t, gate.Do(t.Context(), showing("CITIZEN", value), never(t)))
	require.Equal(t, []civicpin.EventCode{"lockout.locked", "lockout.locked"}, codes(&events))
	asLocked(t, gate.Do(t.Context(), showing("CITIZEN", value), never(t)))
	require.Empty(t, codes(&events), "told once")
}

// TestDevicesPassTheRates: neither a source over its limit nor all failures together keep a known device out, or strangers at
// the owner's address could. While its own lane is locked, the device is as any stranger.
func TestDevicesPassTheRates(t *testing.T) {
	p := threeDevices
	p.Limit, p.Source, p.Global = 3, failing(2), civicpin.Rate{Limit: 4, Window: hour}
	gate := newGate(t, memoryVault(t, newClock().Now, nil), p)
	k := showing("CITIZEN", remember(t, gate, "CITIZEN", ""))
	k.Source.Address = "192.0.2.1"
	over := func(scope lockout.Scope, address string) {
		t.Helper()
		locked := asLocked(t, gate.Do(t.Context(), from("CITIZEN", address), never(t)))
		require.Equal(t, scope, locked.Scope)
		require.NoError(t, gate.Do(t.Context(), k, right))
	}
	for i := range 2 {
		asRefused(t, gate.Do(t.Context(), from(citizen(i), "192.0.2.1"), wrong))
	}
	over(lockout.ScopeSource, "192.0.2.1")
	for i := range 2 {
		asRefused(t, gate.Do(t.Context(), from(citizen(i), "192.0.2.2"), wrong))
	}
	over(lockout.ScopeGlobal, "192.0.2.3")
	for range 3 {
		asRefused(t, gate.Do(t.Context(), k, wrong))
	}
	require.ErrorIs(t, gate.Do(t.Context(), k, never(t)), lockout.ErrChallenge)
	k.Source.Challenged = true
	require.NoError(t, gate.Do(t.Context(), k, right))
}

// TestPanicInDeviceLane: a guess that brings the verifier down is counted in the lane that it was taken in.
func TestPanicInDeviceLane(t *testing.T) {
	gate := newGate(t, memoryVault(t, newClock().Now, nil), threeDevices)
	value := remember(t, gate, "CITIZEN", "")
	require.Panics(t, func() {
		_ = gate.Do(t.Context(), showing("CITIZEN", value), func(context.Context) (bool, error) { panic("falls") })
	})
	require.Equal(t, 3, asRefused(t, gate.Do(t.Context(), showing("CITIZEN", value), wrong)).Left)
	require.Zero(t, failures(t, gate, key("CITIZEN")))
}
