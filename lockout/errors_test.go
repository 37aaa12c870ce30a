package lockout_test

import (
	"bytes"
	"context"
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

// TestErrorMatrix: each error matches what it is documented to match, also when wrapped, and nothing else.
func TestErrorMatrix(t *testing.T) {
	sentinels := []error{
		lockout.ErrRefused, lockout.ErrLocked, lockout.ErrBusy, lockout.ErrInFlight, lockout.ErrOverloaded, lockout.ErrTimeout,
		lockout.ErrNoSubject, lockout.ErrInvalidPolicy, civicpin.ErrInvalid,
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
		{lockout.ErrTimeout, is(lockout.ErrTimeout), false},
		{lockout.ErrNoSubject, is(lockout.ErrNoSubject), false},
		{lockout.Policy{}.Validate(), is(lockout.ErrInvalidPolicy), false},
		{lockout.ErrLocked, is(lockout.ErrLocked), false},
		{&lockout.LockedError{Scope: lockout.ScopeSubject, New: true}, is(lockout.ErrLocked), true},
		{&lockout.LockedError{Scope: lockout.ScopeSends, Until: start}, is(lockout.ErrLocked), true},
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
		Source: civicpin.Rate{Limit: 12, Window: hour}, Global: civicpin.Rate{Limit: 90, Window: hour},
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
		Limit: 2, Lock: lockout.UntilUnlocked, Ceiling: 3, Source: civicpin.Rate{Limit: 4, Window: hour},
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
		Reason: "quota.source.login",
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
		Limit: 3, Lock: lockout.UntilUnlocked, DelayAfter: 1, Delay: minute, Source: civicpin.Rate{Limit: 2, Window: hour},
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
