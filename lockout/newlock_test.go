package lockout_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
)

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
