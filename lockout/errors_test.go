package lockout_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
