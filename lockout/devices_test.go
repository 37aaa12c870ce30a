package lockout_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// TestDeviceFaults plays an owner's story with a fault at each store call in turn. Whatever happens, no more than a lane may
// bear is compared in it, nobody gets in whose device was forgotten, and the owner gets in with one that was remembered.
func TestDeviceFaults(t *testing.T) {
	require.Greater(t, testkit.CrashPoints(t, testkit.Crashes{}, deviceStory), 15, "too few calls were tried")
}

func deviceStory(t *testing.T, c *testkit.Crash) {
	clock := newClock()
	calm := newGate(t, newVault(t, c.Memory, clock.Now, nil), threeDevices)
	lockOpen(t, calm, "CITIZEN")
	value := remember(t, calm, "CITIZEN", "")
	gate := newGate(t, newVault(t, c.Store(), clock.Now, nil), threeDevices)
	inRow := 0 // compared in the device's lane since the last right guess, whether or not that one could be settled
	forgotten := c.During(t, func() error {
		for _, verify := range []func(context.Context) (bool, error){wrong, right, wrong, broken, wrong} {
			err := gate.Do(t.Context(), showing("CITIZEN", value), func(ctx context.Context) (bool, error) {
				ok, err := verify(ctx)
				if err == nil {
					inRow++
				}
				return ok, err
			})
			if ok, _ := verify(t.Context()); !ok {
				require.Error(t, err)
				continue
			}
			if err != nil {
				require.ErrorIs(t, err, storetest.ErrInjected)
			}
			inRow = 0
		}
		if fresh, err := gate.RememberDevice(t.Context(), showing("CITIZEN", value)); err == nil {
			value, inRow = fresh.Reveal(), 0
		} else {
			require.ErrorIs(t, err, storetest.ErrInjected)
		}
		return gate.ForgetDevices(t.Context(), "CITIZEN", operator)
	}) == nil

	clock.Add(45 * second)
	story := inRow
	for range 10 {
		_ = calm.Do(t.Context(), showing("CITIZEN", value), func(context.Context) (bool, error) { inRow++; return false, nil })
	}
	require.LessOrEqual(t, inRow, 5, "compared in a row, the story's and ten more")
	asLocked(t, calm.Do(t.Context(), showing("CITIZEN", value), never(t)))
	require.Equal(t, 5, failures(t, calm, key("CITIZEN")))
	if forgotten {
		require.Equal(t, story, inRow, "forgotten, it opens nothing")
	}
	value = remember(t, calm, "CITIZEN", value)
	require.NoError(t, calm.Do(t.Context(), showing("CITIZEN", value), right))
}

// TestDeviceStoreFails: if the devices cannot be read, or the outcome not written, the caller is told so; nothing is
// compared in another lane, and nobody gets in. Whoever shows no device is not concerned.
func TestDeviceStoreFails(t *testing.T) {
	memory := store.NewMemory()
	faults := storetest.NewFaults(memory)
	clock := newClock()
	gate := newGate(t, newVault(t, faults.Store(), clock.Now, nil), threeDevices)
	value := remember(t, gate, "CITIZEN", "")
	for k := 1; k <= 2; k++ {
		faults.Reset()
		faults.StopAt(k, storetest.NotDone)
		require.ErrorIs(t, gate.Do(t.Context(), showing("CITIZEN", value), never(t)), storetest.ErrInjected)
	}
	for _, verify := range []func(context.Context) (bool, error){right, wrong, broken} {
		faults.Reset()
		faults.StopAt(3, storetest.NotDone)
		err := gate.Do(t.Context(), showing("CITIZEN", value), verify)
		require.ErrorIs(t, err, storetest.ErrInjected)
		require.NotErrorIs(t, err, lockout.ErrRefused)
	}
	faults.Reset()
	clock.Add(minute) // the three have failed
	asRefused(t, gate.Do(t.Context(), showing("CITIZEN", value), wrong))
	faults.Reset()
	faults.StopAt(4, storetest.NotDone) // the look at the open lane, after the one that locks
	err := gate.Do(t.Context(), showing("CITIZEN", value), wrong)
	require.ErrorIs(t, err, storetest.ErrInjected)
	faults.Reset()

	ctx, cancel := context.WithCancel(t.Context())
	value = remember(t, gate, "CITIZEN", value)
	require.NoError(t, gate.Do(ctx, showing("CITIZEN", value), func(context.Context) (bool, error) {
		cancel() // whoever hangs up neither escapes the count nor loses a success
		return true, nil
	}))
	require.ErrorIs(t, gate.Do(ctx, showing("CITIZEN", value), never(t)), context.Canceled)
	_, err = gate.RememberDevice(ctx, key("CITIZEN"))
	require.ErrorIs(t, err, context.Canceled)

	for item, err := range memory.List(t.Context(), "devices.", "") {
		require.NoError(t, err)
		item.Value[len(item.Value)-1] ^= 1
		_, err = memory.Put(t.Context(), item.Key, item.Record)
		require.NoError(t, err)
	}
	require.ErrorIs(t, gate.Do(t.Context(), showing("CITIZEN", value), never(t)), store.ErrUnreadable)
	require.ErrorIs(t, gate.ForgetDevices(t.Context(), "CITIZEN", operator), store.ErrUnreadable)
	require.ErrorIs(t, gate.Lock(t.Context(), key("CITIZEN"), operator), store.ErrUnreadable)
	_, err = gate.Status(t.Context(), key("CITIZEN"))
	require.ErrorIs(t, err, store.ErrUnreadable)
	require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right))
}

// TestDeviceClockJumps: a clock that jumps does not bring back a device, keep one for years, or reset its lane.
func TestDeviceClockJumps(t *testing.T) {
	clock := newClock()
	gate := newGate(t, memoryVault(t, clock.Now, nil), threeDevices)
	value := remember(t, gate, "CITIZEN", "")
	left := func(value string) int {
		return asRefused(t, gate.Do(t.Context(), showing("CITIZEN", value), wrong)).Left
	}
	require.Equal(t, 4, left(value))
	clock.Add(-hour)
	require.Equal(t, 3, left(value))
	clock.Add(hour)
	require.Equal(t, 2, left(value))

	clock.Add(3650 * day) // one remembered by a clock that is ten years ahead
	ahead := remember(t, gate, "CITIZEN", "")
	clock.Add(-3650 * day)
	require.Equal(t, 4, left(ahead), "from here it counts 180 days")
	clock.Add(180*day - 1)
	require.Equal(t, 3, left(ahead))
	clock.Add(180 * day)
	lockOpen(t, gate, "CITIZEN")
	asLocked(t, gate.Do(t.Context(), showing("CITIZEN", ahead), never(t)))
}

// TestDevicesLeaveNothing: devices of subjects who never come back are gone when they have expired, and forgotten ones an
// hour after; a guess in flight keeps its record.
func TestDevicesLeaveNothing(t *testing.T) {
	clock := newClock()
	memory := store.NewMemory()
	vault := newVault(t, memory, clock.Now, nil)
	p := threeDevices
	p.Timeout = lockout.MaxTimeout
	gate := newGate(t, vault, p)
	for i := range 50 {
		subject := civicpin.Subject(fmt.Sprint("CITIZEN ", i))
		for range 12 {
			value := remember(t, gate, subject, "")
			asRefused(t, gate.Do(t.Context(), showing(subject, value), wrong))
		}
		if i < 25 {
			require.NoError(t, gate.ForgetDevices(t.Context(), subject, civicpin.Citizen))
		}
	}
	require.Equal(t, 50, purgeAll(t, vault, memory), "one record a subject")
	clock.Add(2 * hour)
	require.Equal(t, 25, purgeAll(t, vault, memory))
	clock.Add(180*day - hour)
	require.Zero(t, purgeAll(t, vault, memory))

	value := remember(t, gate, "CITIZEN", "")
	clock.Add(180*day - second)
	h := mustHold(t, gate, showing("CITIZEN", value))
	clock.Add(lockout.MaxTimeout)
	require.Equal(t, 1, purgeAll(t, vault, memory))
	require.NoError(t, h.end(true, nil))

	largest := 0
	p = lockout.Policy{Limit: 8, Lock: lockout.Timed, For: day, DelayAfter: 8, Delay: day, Devices: 10}
	gate = newNamed(t, vault, "large", p)
	var all []*held
	for range p.Devices {
		value := remember(t, gate, "CITIZEN", "")
		for range p.Limit {
			all = append(all, mustHold(t, gate, showing("CITIZEN", value)))
		}
	}
	for _, text := range values(t, memory, "devices.large/") {
		largest = max(largest, len(text))
	}
	require.Less(t, largest, 12<<10)
	for _, h := range all {
		require.Error(t, h.end(false, nil))
	}
}

// TestDeviceStatus: operators see how many devices there are, and what they do to the open lane.
func TestDeviceStatus(t *testing.T) {
	clock := newClock()
	gate := newGate(t, memoryVault(t, clock.Now, nil), threeDevices)
	count := func() int {
		st, err := gate.Status(t.Context(), key("CITIZEN"))
		require.NoError(t, err)
		return st.Devices
	}
	for n := range 5 {
		require.Equal(t, min(n, 3), count())
		remember(t, gate, "CITIZEN", "")
		clock.Add(day)
	}
	clock.Add(177 * day)
	require.Equal(t, 2, count())
	for name, act := range map[string]func() error{
		"lock":   func() error { return gate.Lock(t.Context(), key("CITIZEN"), operator) },
		"rebind": func() error { return gate.Rebind(t.Context(), key("CITIZEN"), operator) },
	} {
		require.NoError(t, gate.Unlock(t.Context(), key("CITIZEN"), operator))
		value := remember(t, gate, "CITIZEN", "")
		require.NoError(t, gate.Unlock(t.Context(), key("CITIZEN"), operator), "keeps them")
		require.NoError(t, gate.Lock(t.Context(), lockout.Target{Subject: "CITIZEN", Lane: "x"}, operator), "another lane")
		require.NoError(t, gate.Do(t.Context(), showing("CITIZEN", value), right))
		require.NoError(t, act(), name)
		require.Zero(t, count(), name)
	}
	require.ErrorIs(t, gate.Lock(t.Context(), key("CITIZEN"), ""), civicpin.ErrInvalid)
	st, err := gate.Status(t.Context(), lockout.Target{Subject: "CITIZEN", Lane: "x"})
	require.NoError(t, err)
	require.Zero(t, st.Devices)
}

// TestDeviceEvents: what happens to devices is recorded with their id, and no event or error holds a value.
func TestDeviceEvents(t *testing.T) {
	var events testkit.Recorder
	var log bytes.Buffer
	clock := newClock()
	faults := storetest.NewFaults(store.NewMemory())
	vault := newVault(t, faults.Store(), clock.Now, civicpin.Recorders(&events, civicpin.SlogRecorder(slog.New(slog.NewTextHandler(&log, nil)))))
	gate := newGate(t, vault, lockout.Policy{Limit: 2, Lock: lockout.Timed, For: minute, Ceiling: 6, Devices: 1})
	source := civicpin.Source{Address: "192.0.2.1"}
	value, err := gate.RememberDevice(t.Context(), lockout.Target{Subject: "CITIZEN", Source: source})
	require.NoError(t, err)
	secrets := []string{value.Reveal()}
	k := lockout.Target{Subject: "CITIZEN", Source: source}
	k.Source.Device = value
	source.Device = civicpin.Secret{}
	// taken returns the events, of which those with a device say so and no more. Secrets cannot be compared.
	taken := func(devices int) []civicpin.Event {
		all, marked := events.Take(), 0
		for i := range all {
			if device := all[i].Source.Device; !device.IsZero() {
				require.Equal(t, "[redacted]", device.Reveal())
				marked++
			}
			all[i].Source.Device = civicpin.Secret{}
		}
		require.Equal(t, devices, marked)
		return all
	}

	ref := events.All()[0].Ref
	require.Len(t, ref, 22)
	event := func(code civicpin.EventCode, by civicpin.Actor) civicpin.Event {
		return civicpin.Event{At: clock.Now(), Code: code, Subject: "CITIZEN", By: by, Source: source, Ref: ref, Reason: "device"}
	}
	first := event("lockout.device_remembered", civicpin.Citizen)
	require.Equal(t, []civicpin.Event{first}, taken(0))
	var errs []error
	for range 6 { // 2 of a device's share of 2, and 2 of the open lane's share of 2
		errs = append(errs, gate.Do(t.Context(), k, wrong))
	}
	open := event("lockout.disabled", "")
	open.Ref, open.Reason = "", ""
	require.Equal(t, []civicpin.Event{event("lockout.disabled", ""), open}, taken(2))

	value, err = gate.RememberDevice(t.Context(), k)
	require.NoError(t, err)
	ref = events.All()[0].Ref
	require.Equal(t, []civicpin.Event{event("lockout.device_remembered", civicpin.Citizen)}, taken(1))
	secrets = append(secrets, value.Reveal())
	k.Source.Device = value
	require.NoError(t, gate.ForgetDevices(t.Context(), "CITIZEN", operator))
	require.NoError(t, gate.ForgetDevices(t.Context(), "CITIZEN", operator))
	require.Equal(t, []civicpin.Event{{
		At: clock.Now(), Code: "lockout.devices_forgotten", Subject: "CITIZEN", By: operator,
	}}, events.All(), "once")
	for _, act := range []func(context.Context, lockout.Target, civicpin.Actor) error{gate.Lock, gate.Unlock, gate.Rebind} {
		errs = append(errs, act(t.Context(), k, operator))
	}
	for n := range 8 {
		faults.Reset()
		faults.FailAt(n+1, storetest.NotDone)
		value, err := gate.RememberDevice(t.Context(), k)
		secrets = append(secrets, value.Reveal())
		errs = append(errs, err, gate.Do(t.Context(), k, wrong), gate.ForgetDevices(t.Context(), "CITIZEN", ""))
		if err == nil {
			k.Source.Device = value
		}
	}
	text := log.String() + fmt.Sprintf("%v %+v %#v %+v", errs, errors.Join(errs...), errs, events.All())
	require.Contains(t, text, "device=true")
	require.Contains(t, text, "injected")
	for _, secret := range secrets {
		if secret != "" {
			assert.NotContains(t, text, secret)
		}
	}
}

// TestRememberAtOnce: devices remembered at once are all known, up to the policy's number, and a device of one subject is not
// in another's way.
func TestRememberAtOnce(t *testing.T) {
	vault := memoryVault(t, nil, nil)
	gate := newGate(t, vault, threeDevices)
	values := make([]string, 20)
	require.NoError(t, errors.Join(testkit.Crowd(20, func(i int) error {
		subject := civicpin.Subject(fmt.Sprint("CITIZEN ", i%2))
		value, err := gate.RememberDevice(t.Context(), key(subject))
		values[i] = value.Reveal()
		return err
	})...))
	for _, subject := range []civicpin.Subject{"CITIZEN 0", "CITIZEN 1"} {
		lockOpen(t, gate, subject)
	}
	in := 0
	for i, value := range values {
		if gate.Do(t.Context(), showing(civicpin.Subject(fmt.Sprint("CITIZEN ", i%2)), value), right) == nil {
			in++
		}
	}
	require.Equal(t, 6, in)
}

// A verify function is told whether the guess comes from a known device, also while that device's lane is locked.
func TestKnownDevice(t *testing.T) {
	clock := newClock()
	gate := newGate(t, memoryVault(t, clock.Now, nil), threeDevices)
	value := remember(t, gate, "CITIZEN", "")
	for _, tt := range []struct {
		name    string
		subject civicpin.Subject
		device  string
		known   bool
	}{
		{"no device", "CITIZEN", "", false},
		{"made up", "CITIZEN", value + "A", false},
		{"another subject's", "SOMEBODY", value, false},
		{"known", "CITIZEN", value, true},
	} {
		for _, locked := range []bool{false, true} {
			for range 5 {
				if locked && tt.known {
					_ = gate.Do(t.Context(), showing("CITIZEN", value), wrong)
				}
			}
			called := false
			err := gate.Do(t.Context(), showing(tt.subject, tt.device), func(ctx context.Context) (bool, error) {
				called = true
				assert.Equal(t, tt.known, lockout.KnownDevice(ctx), tt.name)
				return true, nil
			})
			require.NoError(t, err)
			require.True(t, called)
		}
	}
	require.False(t, lockout.KnownDevice(t.Context()), "outside of a verify function")
}

// TestRememberAfterLock: an operator who locks between a right guess and RememberDevice leaves no lane open past the lock,
// until the lock ends.
func TestRememberAfterLock(t *testing.T) {
	lock := func(g *lockout.Gate) error { return g.Lock(t.Context(), key("CITIZEN"), operator) }
	unlock := func(g *lockout.Gate) error { return g.Unlock(t.Context(), key("CITIZEN"), operator) }
	rebind := func(g *lockout.Gate) error { return g.Rebind(t.Context(), key("CITIZEN"), operator) }
	forget := func(g *lockout.Gate) error { return g.ForgetDevices(t.Context(), "CITIZEN", operator) }
	other := func(g *lockout.Gate) error {
		return g.Lock(t.Context(), lockout.Target{Subject: "CITIZEN", Lane: "x"}, operator)
	}
	strangers := func(g *lockout.Gate) error { lockOpen(t, g, "CITIZEN"); return nil }
	disable := func(g *lockout.Gate) error {
		for n := 0; n < 200 && !isDisabled(g.Do(t.Context(), key("CITIZEN"), wrong)); n++ {
			if err := g.Unlock(t.Context(), key("CITIZEN"), operator); err != nil {
				return err
			}
		}
		return nil
	}
	refused := func(act func(*lockout.Gate) error) func(*lockout.Gate) error {
		return func(g *lockout.Gate) error {
			require.ErrorIs(t, act(g), lockout.ErrLocked)
			return nil
		}
	}
	type acts []func(*lockout.Gate) error
	for name, tc := range map[string]struct {
		acts acts
		ok   bool
	}{
		"nothing":                     {acts{}, true},
		"locked":                      {acts{lock}, false},
		"locked twice":                {acts{lock, lock}, false},
		"locked and forgotten":        {acts{lock, forget}, false},
		"locked after strangers did":  {acts{strangers, lock}, false},
		"locked and unlocked":         {acts{lock, unlock}, true},
		"locked, unlocked, locked":    {acts{lock, unlock, lock}, false},
		"locked and rebound":          {acts{lock, rebind}, true},
		"strangers locked":            {acts{strangers}, true},
		"strangers locked, unlocked":  {acts{strangers, unlock}, true},
		"another lane is locked":      {acts{other}, true},
		"forgotten":                   {acts{forget}, true},
		"disabled":                    {acts{disable}, true},
		"disabled, locked":            {acts{disable, lock}, false},
		"disabled, locked, no unlock": {acts{disable, lock, refused(unlock)}, false},
		"disabled, locked, rebound":   {acts{disable, lock, rebind}, true},
	} {
		for _, known := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, known device %t", name, known), func(t *testing.T) {
				clock := newClock()
				vault := memoryVault(t, clock.Now, nil)
				gate := newGate(t, vault, threeDevices)
				shown := ""
				if known {
					shown = remember(t, gate, "CITIZEN", "")
				}
				require.NoError(t, gate.Do(t.Context(), showing("CITIZEN", shown), right))
				for _, act := range tc.acts {
					require.NoError(t, act(gate))
				}
				clock.Add(day) // a lock does not end by itself, nor what it says of devices
				_, err := vault.Purge(t.Context(), store.Pass{})
				require.NoError(t, err)
				value, err := gate.RememberDevice(t.Context(), showing("CITIZEN", shown))
				if !tc.ok {
					require.True(t, asLocked(t, err).Until.IsZero())
					require.True(t, value.IsZero())
					st, err := gate.Status(t.Context(), key("CITIZEN"))
					require.NoError(t, err)
					require.Zero(t, st.Devices)
					return
				}
				require.NoError(t, err)
				require.NoError(t, gate.Do(t.Context(), showing("CITIZEN", value.Reveal()), right))
			})
		}
	}
}

func isDisabled(err error) bool {
	return err != nil && err.Error() == (&lockout.LockedError{Disabled: true}).Error()
}

// TestRememberMeetsLock: whichever comes first, no device that is remembered at the same time gets in past an operator's lock.
func TestRememberMeetsLock(t *testing.T) {
	vault := memoryVault(t, nil, nil)
	gate := newGate(t, vault, threeDevices)
	for i := range 200 {
		subject := civicpin.Subject(fmt.Sprint("CITIZEN ", i))
		var value civicpin.Secret
		results := testkit.Crowd(2, func(n int) error {
			if n == 0 {
				return gate.Lock(t.Context(), key(subject), operator)
			}
			var err error
			value, err = gate.RememberDevice(t.Context(), key(subject))
			return err
		})
		require.NoError(t, results[0])
		if results[1] != nil {
			asLocked(t, results[1])
		}
		asLocked(t, gate.Do(t.Context(), showing(subject, value.Reveal()), never(t)))
		_, err := gate.RememberDevice(t.Context(), key(subject))
		asLocked(t, err)
	}
}

// TestLockFaults: a lock that the store fails opens nothing, and one that is done again shuts out as one that went well. The
// same of what ends it: it can be done again.
func TestLockFaults(t *testing.T) {
	acts := map[string]func(*lockout.Gate) error{
		"unlock": func(g *lockout.Gate) error { return g.Unlock(t.Context(), key("CITIZEN"), operator) },
		"rebind": func(g *lockout.Gate) error { return g.Rebind(t.Context(), key("CITIZEN"), operator) },
	}
	for name, end := range acts {
		for _, o := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost} {
			for k := 1; k <= 8; k++ {
				faults := storetest.NewFaults(store.NewMemory())
				gate := newGate(t, newVault(t, faults.Store(), newClock().Now, nil), threeDevices)
				value := remember(t, gate, "CITIZEN", "")
				again := func(act func(*lockout.Gate) error) {
					faults.Reset()
					faults.FailAt(k, o)
					if err := act(gate); err != nil {
						require.ErrorIs(t, err, storetest.ErrInjected)
						require.NoError(t, act(gate), "%s %d", name, k)
					}
					faults.Reset()
				}
				again(func(g *lockout.Gate) error { return g.Lock(t.Context(), key("CITIZEN"), operator) })
				asLocked(t, gate.Do(t.Context(), showing("CITIZEN", value), never(t)))
				_, err := gate.RememberDevice(t.Context(), showing("CITIZEN", value))
				asLocked(t, err)
				again(end)
				require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right))
				remember(t, gate, "CITIZEN", "")
			}
		}
	}
}

// TestLockMeetsUnlock has one operator lock at each store call of another one's unlock or rebinding, and the other way round.
// Whichever wins, no device becomes known while the lock is in force, no reserve is open, and a last unlock sets all right.
func TestLockMeetsUnlock(t *testing.T) {
	lock := func(g *lockout.Gate) error { return g.Lock(t.Context(), key("CITIZEN"), operator) }
	unlock := func(g *lockout.Gate) error { return g.Unlock(t.Context(), key("CITIZEN"), operator) }
	rebind := func(g *lockout.Gate) error { return g.Rebind(t.Context(), key("CITIZEN"), operator) }
	for name, tc := range map[string]struct {
		policy      lockout.Policy
		slow, quick func(*lockout.Gate) error
	}{
		"lock at unlock":        {threeDevices, unlock, lock},
		"lock at rebind":        {threeDevices, rebind, lock},
		"unlock at lock":        {threeDevices, lock, unlock},
		"rebind at lock":        {threeDevices, lock, rebind},
		"lock at unlock, shown": {reserved, unlock, lock},
		"lock at rebind, shown": {reserved, rebind, lock},
		"unlock at lock, shown": {reserved, lock, unlock},
		"rebind at lock, shown": {reserved, lock, rebind},
	} {
		t.Run(name, func(t *testing.T) {
			locked := 0
			for _, before := range []bool{false, true} {
				reached := true
				for k := 1; reached; k++ {
					memory, clock := store.NewMemory(), newClock()
					vault := newVault(t, memory, clock.Now, nil)
					quick := newGate(t, vault, tc.policy)
					faults := storetest.NewFaults(memory)
					slow := newGate(t, newVault(t, faults.Store(), clock.Now, nil), tc.policy)
					in := func() error {
						if tc.policy.Devices > 0 {
							return testkit.Err(quick.RememberDevice(t.Context(), key("CITIZEN")))
						}
						return quick.Do(t.Context(), proving(vault, "CITIZEN", "CITIZEN", shown.Login), right)
					}
					require.NoError(t, in())
					if before {
						require.NoError(t, lock(quick))
					}
					n := 0
					faults.Hook(func(string, string) error {
						if n++; n == k {
							require.NoError(t, tc.quick(quick))
						}
						return nil
					})
					require.NoError(t, tc.slow(slow))
					reached = n >= k
					st, err := quick.Status(t.Context(), key("CITIZEN"))
					require.NoError(t, err)
					if st.Locked != nil {
						locked++
						require.ErrorIs(t, in(), lockout.ErrLocked, "call %d", k)
						require.Zero(t, st.Devices)
					}
					require.NoError(t, unlock(quick))
					require.NoError(t, in())
				}
			}
			require.Positive(t, locked)
		})
	}
}

// Devices that became known since a time are forgotten, and the owner's older ones stay: also one that replaced an older one.
func TestForgetDevicesSince(t *testing.T) {
	clock := newClock()
	gate := newGate(t, memoryVault(t, clock.Now, nil), threeDevices)
	old := remember(t, gate, "CITIZEN", "")
	replaced := remember(t, gate, "CITIZEN", "")
	clock.Add(hour)
	since := clock.Now()
	replaced = remember(t, gate, "CITIZEN", replaced)
	late := remember(t, gate, "CITIZEN", "")
	for range 2 {
		require.NoError(t, gate.ForgetDevicesSince(t.Context(), "CITIZEN", since, civicpin.Citizen))
		for value, known := range map[string]bool{old: true, replaced: true, late: false} {
			id, err := gate.Device(t.Context(), showing("CITIZEN", value))
			require.NoError(t, err)
			require.Equal(t, known, id != "")
		}
	}
	require.NoError(t, gate.ForgetDevicesSince(t.Context(), "CITIZEN", time.Time{}, civicpin.Citizen))
	id, err := gate.Device(t.Context(), showing("CITIZEN", old))
	require.NoError(t, err)
	require.Empty(t, id)
	require.ErrorIs(t, gate.ForgetDevicesSince(t.Context(), "", since, civicpin.Citizen), civicpin.ErrInvalid)
}

// A deviceModel is the open lane and those of known devices, each as [model] has it.
type deviceModel struct {
	policy    lockout.Policy
	open      *model
	known     []*modelDevice // the one made last at the end
	forgotten int
	closed    bool // by an operator's lock
	flying    []modelFlight
}

type modelDevice struct {
	value string
	until time.Time
	lane  *model
}

// A modelFlight is a guess that is being verified, and where it was taken: a nil device is the open lane.
type modelFlight struct {
	h          *held
	device     *modelDevice
	deadline   time.Time
	forgotten  int
	generation int
}

// find returns the device that a value opens at now, nil if none.
func (m *deviceModel) find(value string, now time.Time) *modelDevice {
	for _, d := range m.known {
		if d.value == value && now.Before(d.until) {
			return d
		}
	}
	return nil
}

// first returns what is told of two lanes that are both locked: when the first one lets a guess in.
func first(a, b *lockout.LockedError, compared bool) string {
	return describe(lockout.Sooner(a, b), compared, start)
}

// begin says what a guess that shows a value is told at once, "" if it is verified, and in which device's lane.
func (m *deviceModel) begin(value string, now time.Time) (told string, d *modelDevice) {
	if d = m.find(value, now); d == nil {
		return m.open.begin(now), nil
	}
	told = d.lane.begin(now)
	if told == "" || told == "busy" {
		return told, d
	}
	told = m.open.begin(now)
	if strings.HasPrefix(told, "locked") {
		told = first(d.lane.Refusal(now), m.open.Refusal(now), false)
	}
	return told, nil
}

// end says what Do returns after the verification of a guess.
func (m *deviceModel) end(f modelFlight, outcome string, now time.Time) string {
	if f.device == nil {
		return m.open.end(f.h, outcome, now)
	}
	if d := m.find(f.device.value, now); d != nil {
		told := d.lane.end(f.h, outcome, now)
		locked := d.lane.Answers(now)
		if locked == nil || outcome != "wrong" {
			return told
		}
		if st := m.open.status(now); st.Locked == nil {
			return fmt.Sprintf("left %d", max(1, st.Left))
		} else {
			return first(locked, st.Locked, true)
		}
	}
	switch {
	case outcome == "broken":
		return "broken"
	case outcome == "wrong":
		return "left 1"
	case f.forgotten != m.forgotten || !now.Before(f.deadline):
		return "timeout"
	}
	return "ok"
}

// remember makes a device known in place of the one shown.
func (m *deviceModel) remember(shown, value string, now time.Time) {
	m.known = slices.DeleteFunc(m.known, func(d *modelDevice) bool { return d.value == shown || !now.Before(d.until) })
	lane := &model{Tally: testkit.Tally{Policy: m.policy, Device: true}}
	lane.Policy.Ceiling = max(m.policy.Limit, m.policy.Ceiling/(2*(m.policy.Devices+1)))
	m.known = append(m.known, &modelDevice{value, now.Add(m.policy.DeviceValid), lane})
	m.known = m.known[max(0, len(m.known)-m.policy.Devices):]
}

func (m *deviceModel) forget() { m.known, m.forgotten = nil, m.forgotten+1 }

// TestDeviceModel does random acts with devices and without, several guesses in flight at once, and compares every answer with
// the model's. Beside it, it counts what was compared since the last right guess, in all lanes.
func TestDeviceModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		clock := newClock()
		policy := drawPolicy(rt)
		policy.Devices = rapid.IntRange(1, 3).Draw(rt, "devices")
		policy.Ceiling = policy.Limit*(policy.Devices+2) + rapid.IntRange(0, 12).Draw(rt, "more for the ceiling of all")
		policy.DeviceValid = 3 * hour
		vault := memoryVault(t, clock.Now, nil)
		gates := []*lockout.Gate{newGate(t, vault, policy), newGate(t, vault, policy)}
		share := max(policy.Limit, policy.Ceiling/(2*(policy.Devices+1)))
		m := &deviceModel{policy: policy, open: &model{Tally: testkit.NewTally(policy)}}
		m.open.Policy.Ceiling -= (policy.Devices + 1) * share
		ctx := context.Background()
		defer func() {
			for _, f := range m.flying {
				_ = f.h.end(false, errBroken)
			}
		}()
		values := []string{"", "garbage", remember(t, gates[0], "ANOTHER", "")}
		// A generation ends with a right guess, or a new binding; inRow is what was compared of those begun in this one.
		generation, inRow := 0, 0
		mayRemember := true
		gate := func() *lockout.Gate { return gates[rapid.IntRange(0, 1).Draw(rt, "gate")] }
		value := func() string { return values[rapid.IntRange(0, len(values)-1).Draw(rt, "value")] }
		check := func(want, got string) {
			if want != got {
				rt.Fatalf("at %s: want %q, got %q", clock.Now().Sub(start), want, got)
			}
		}
		next := func() { generation, inRow = generation+1, 0 }
		rt.Repeat(map[string]func(*rapid.T){
			"begin": func(rt *rapid.T) {
				if len(m.flying) >= 6 {
					rt.Skip("enough in flight")
				}
				shown, now := value(), clock.Now()
				want, d := m.begin(shown, now)
				h, err := hold(ctx, gate(), showing("CITIZEN", shown))
				if h == nil {
					check(want, describe(err, false, start))
					return
				}
				check(want, "")
				lane := m.open
				if d != nil {
					lane = d.lane
				}
				lane.begun(h, now)
				g := lane.guesses[len(lane.guesses)-1]
				m.flying = append(m.flying, modelFlight{h, d, g.deadline, m.forgotten, generation})
				inRow++
			},
			"end": func(rt *rapid.T) {
				if len(m.flying) == 0 {
					rt.Skip("none in flight")
				}
				i := rapid.IntRange(0, len(m.flying)-1).Draw(rt, "which")
				f := m.flying[i]
				m.flying = slices.Delete(m.flying, i, i+1)
				outcome := rapid.SampledFrom([]string{"right", "wrong", "wrong", "wrong", "broken"}).Draw(rt, "outcome")
				want := m.end(f, outcome, clock.Now())
				var err error
				if outcome == "broken" {
					err = errBroken
				}
				got := describe(f.h.end(outcome == "right", err), true, start)
				check(want, got)
				switch {
				case got == "ok":
					next()
					mayRemember = true
				case outcome == "broken" && f.generation == generation && clock.Now().Before(f.deadline):
					inRow-- // given back
				}
			},
			"remember": func(rt *rapid.T) {
				if !mayRemember {
					rt.Skip("nobody guessed right")
				}
				shown := value()
				if m.closed {
					_, err := gate().RememberDevice(ctx, showing("CITIZEN", shown))
					require.ErrorIs(rt, err, lockout.ErrLocked)
					return
				}
				mayRemember = false
				fresh := remember(t, gate(), "CITIZEN", shown)
				m.remember(shown, fresh, clock.Now())
				values = append(values, fresh)
			},
			"forget": func(*rapid.T) {
				require.NoError(rt, gate().ForgetDevices(ctx, "CITIZEN", operator))
				m.forget()
			},
			"unlock": func(*rapid.T) {
				want := m.open.unlock(clock.Now())
				m.closed = m.closed && want != "ok"
				check(want, describe(gate().Unlock(ctx, key("CITIZEN"), operator), true, start))
			},
			"lock": func(*rapid.T) {
				m.forget()
				m.open.bury(clock.Now())
				m.open.Lock(clock.Now())
				m.closed = true
				require.NoError(rt, gate().Lock(ctx, key("CITIZEN"), operator))
			},
			"rebind": func(*rapid.T) {
				m.forget()
				m.open.bury(clock.Now())
				m.open.Rebind(clock.Now())
				m.closed = false
				next()
				require.NoError(rt, gate().Rebind(ctx, key("CITIZEN"), operator))
			},
			"time passes": func(rt *rapid.T) {
				clock.Add(rapid.SampledFrom([]time.Duration{
					1, second, 15 * second, 30 * second, minute, 10 * minute, hour, day,
				}).Draw(rt, "how long"))
			},
			"": func(rt *rapid.T) {
				now := clock.Now()
				st, err := gates[0].Status(ctx, key("CITIZEN"))
				require.NoError(rt, err)
				sum, known := 0, 0
				open := m.open.copy()
				open.bury(now)
				sum += open.Kept
				for _, d := range m.known {
					if now.Before(d.until) {
						known++
						lane := d.lane.copy()
						lane.bury(now)
						sum += lane.Kept
					}
				}
				require.Equal(rt, known, st.Devices)
				require.Equal(rt, open.Kept, st.Failures)
				require.LessOrEqual(rt, sum, policy.Ceiling, "counted in all lanes")
				require.LessOrEqual(rt, inRow, policy.Ceiling, "compared since the last right guess")
			},
		})
	})
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

// TestLeftBesideADevice: a guess that locks a device's lane is told what the open lane has left, and at least one.
func TestLeftBesideADevice(t *testing.T) {
	for left, open := range map[int]struct {
		failures int
		apart    time.Duration
	}{5: {}, 2: {failures: 3}, 1: {failures: 4}, 0: {52, 25 * hour}} { // the ceiling was reached, and does not show
		clock := newClock()
		gate := newGate(t, memoryVault(t, clock.Now, nil), threeDevices)
		for range open.failures {
			asRefused(t, gate.Do(t.Context(), key("CITIZEN"), wrong))
			clock.Add(open.apart)
		}
		st, err := gate.Status(t.Context(), key("CITIZEN"))
		require.NoError(t, err)
		require.Equal(t, []any{left, left == 0}, []any{st.Left, st.Hidden})
		value := remember(t, gate, "CITIZEN", "")
		for n := range 4 {
			require.Equal(t, 4-n, asRefused(t, gate.Do(t.Context(), showing("CITIZEN", value), wrong)).Left)
		}
		require.Equal(t, max(1, left), asRefused(t, gate.Do(t.Context(), showing("CITIZEN", value), wrong)).Left)
	}
	gate := newGate(t, memoryVault(t, newClock().Now, nil), threeDevices)
	h := mustHold(t, gate, showing("CITIZEN", remember(t, gate, "CITIZEN", "")))
	require.NoError(t, gate.ForgetDevices(t.Context(), "CITIZEN", operator))
	require.Equal(t, lockout.RefusedError{Left: 1}, *asRefused(t, h.end(false, nil)))
}

// TestGoneRecordStaysGone: a guess whose device's record was purged meanwhile leaves no record.
func TestGoneRecordStaysGone(t *testing.T) {
	clock, memory := newClock(), newMemory()
	vault := newVault(t, memory, clock.Now, nil)
	p := threeDevices
	p.DeviceValid = hour
	gate := newGate(t, vault, p)
	h := mustHold(t, gate, showing("CITIZEN", remember(t, gate, "CITIZEN", "")))
	clock.Add(3 * hour)
	require.Zero(t, purgeAll(t, vault, memory))
	require.ErrorIs(t, h.end(true, nil), lockout.ErrTimeout)
	require.Zero(t, purgeAll(t, vault, memory))
}

// TestRecordBesideEnds: the record of the lanes beside the open one goes when it says nothing any more.
func TestRecordBesideEnds(t *testing.T) {
	const ever = 3650 * day
	forget := func(t *testing.T, c *scene) { require.NoError(t, c.ForgetDevices(t.Context(), "CITIZEN", operator)) }
	unlock := func(t *testing.T, c *scene) { require.NoError(t, c.Unlock(t.Context(), c.open, operator)) }
	rebind := func(t *testing.T, c *scene) { require.NoError(t, c.Rebind(t.Context(), c.open, operator)) }
	guess := func(verify verifier) func(*testing.T, *scene) {
		return func(t *testing.T, c *scene) { _ = c.Do(t.Context(), c.who, verify) }
	}
	for name, tc := range map[string]struct {
		policy lockout.Policy
		acts   []func(*testing.T, *scene)
		good   time.Duration
	}{
		"a device":                 {threeDevices, nil, 180 * day},
		"a device that guesses":    {threeDevices, []func(*testing.T, *scene){guess(wrong), guess(right)}, 180 * day},
		"a forgotten device":       {threeDevices, []func(*testing.T, *scene){forget}, hour},
		"closed":                   {threeDevices, []func(*testing.T, *scene){closed}, ever},
		"closed and unlocked":      {threeDevices, []func(*testing.T, *scene){closed, unlock}, hour},
		"closed and rebound":       {threeDevices, []func(*testing.T, *scene){closed, rebind}, hour},
		"a login's failure":        {reserved, []func(*testing.T, *scene){failed(1)}, ever},
		"a login's right guess":    {reserved, []func(*testing.T, *scene){failed(1), guess(right)}, hour},
		"a login in the open lane": {reserved, []func(*testing.T, *scene){failed(5), guess(right)}, hour},
		"a login, rebound":         {reserved, []func(*testing.T, *scene){failed(5), rebind}, hour},
		"a login, given back":      {reserved, []func(*testing.T, *scene){guess(broken)}, hour},
	} {
		memory := newMemory()
		c := newScene(t, memory, tc.policy)
		for _, act := range tc.acts {
			act(t, c)
		}
		left := func(after time.Duration) int {
			c.clock.Set(start.Add(after))
			purgeAll(t, c.vault, memory)
			return len(values(t, memory, "devices.login/"))
		}
		assert.Equal(t, 1, left(tc.good+hour-1), name)
		if tc.good < ever {
			assert.Zero(t, left(tc.good+hour), name)
		}
	}
}

// TestDeviceAsWritten: a device's value is 33 bytes in base64url, of which the first is the version of the form.
func TestDeviceAsWritten(t *testing.T) {
	value := remember(t, newGate(t, memoryVault(t, nil, nil), threeDevices), "CITIZEN", "")
	raw, err := base64.RawURLEncoding.DecodeString(value)
	require.NoError(t, err)
	require.Len(t, raw, 33)
	require.EqualValues(t, 1, raw[0])
}
