package attempt_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/internal/token"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

const (
	ana     civicpin.Subject   = "ANA"
	refused civicpin.EventCode = "test.refused"
	clerk   civicpin.Actor     = "operator:clerk"
	forget                     = 48 * time.Hour
)

var home = civicpin.Source{Address: "203.0.113.7"}

// kit is a guard over a gate that locks at the third failure, and over hashing with two places.
type kit struct {
	*attempt.Guard
	vault   *store.Vault
	gate    *lockout.Gate
	hashing *password.Gate
	faults  *storetest.Faults
	clock   *testkit.Clock
	events  *testkit.Recorder
}

func newKit(t *testing.T) *kit {
	t.Helper()
	events := &testkit.Recorder{}
	k := newKitWith(t, events)
	k.events = events
	return k
}

// newKitWith makes a kit whose events another recorder is told.
func newKitWith(t *testing.T, r civicpin.Recorder) *kit {
	t.Helper()
	k := &kit{
		faults: storetest.NewFaults(store.NewMemory()),
		clock:  testkit.NewClock(time.Date(2030, 5, 6, 7, 8, 9, 0, time.UTC)),
	}
	k.vault = testkit.Vault(t, k.faults.Store(), k.clock, r)
	var err error
	k.gate, err = lockout.New(k.vault, "test", lockout.Policy{Limit: 3, Lock: lockout.Timed, For: time.Hour, Forget: forget})
	require.NoError(t, err)
	k.hashing, err = password.NewGate(1, 20*time.Millisecond, 1)
	require.NoError(t, err)
	k.Guard = attempt.New(k.vault, k.gate, k.hashing, refused)
	k.faults.Reset()
	return k
}

func guess() *attempt.Guess {
	return &attempt.Guess{Target: lockout.Target{Subject: ana, Source: home}, Ref: "ref"}
}

// try makes a guess of which compare finds f.
func (k *kit) try(t *testing.T, f attempt.Finding, err error) error {
	t.Helper()
	return k.Do(t.Context(), guess(), func(context.Context) (attempt.Finding, error) { return f, err })
}

func (k *kit) failures(t *testing.T) int {
	t.Helper()
	st, err := k.gate.Status(t.Context(), guess().Target)
	require.NoError(t, err)
	return st.Failures
}

// reasons returns the reasons of the refusals since the last call.
func (k *kit) reasons() []string {
	var list []string
	for _, e := range k.events.Take() {
		if e.Code == refused {
			list = append(list, e.Reason)
		}
	}
	return list
}

var (
	right = attempt.Bytes(context.Background(), []byte("1234"), []byte("1234"))
	wrong = attempt.Bytes(context.Background(), []byte("1234"), []byte("1235"))
)

// What was found decides, and an error of compare gives the guess back whatever it found.
func TestFindings(t *testing.T) {
	errDown := errors.New("store: down")
	for _, tc := range []struct {
		name     string
		found    attempt.Finding
		err      error
		want     error // nil if the guess is right
		failures int
		reason   attempt.Refusal
	}{
		{"right", attempt.Found(right, true, attempt.Wrong), nil, nil, 0, ""},
		{"wrong", attempt.Found(wrong, true, attempt.Wrong), nil, lockout.ErrRefused, 1, attempt.Wrong},
		{"for another reason", attempt.Found(wrong, true, attempt.Suspended), nil, lockout.ErrRefused, 1, attempt.Suspended},
		{"unknown", attempt.Found(wrong, false, attempt.Unknown), nil, lockout.ErrRefused, 1, attempt.Unknown},
		{"unknown, and the decoy fits", attempt.Found(right, false, attempt.Unknown), nil, lockout.ErrRefused, 1, attempt.Unknown},
		{"no finding", attempt.Finding{}, nil, lockout.ErrRefused, 1, attempt.Unchecked},
		{"not compared", attempt.Finding{}, errDown, errDown, 0, attempt.Unchecked},
		{"right, and not used", attempt.Found(right, true, attempt.Wrong), errDown, errDown, 0, attempt.Unused},
		{"right, and overtaken", attempt.Found(right, true, attempt.Wrong), token.ErrGone, token.ErrGone, 0, attempt.Unused},
		{"right, and late", attempt.Found(right, true, attempt.Wrong), token.ErrExpired, token.ErrExpired, 0, attempt.Expired},
		{"right, and busy behind it", attempt.Found(right, true, ""), lockout.ErrBusy, lockout.ErrBusy, 0, attempt.Unused},
		{"an error, whatever was found", attempt.Found(wrong, true, attempt.Wrong), errDown, errDown, 0, attempt.Unchecked},
		{"an error, of a stranger", attempt.Found(wrong, false, attempt.Unknown), errDown, errDown, 0, attempt.Unchecked},
		{"late, by the error", attempt.Finding{}, token.ErrExpired, token.ErrExpired, 0, attempt.Expired},
		{"late, by the finding", attempt.Found(wrong, true, attempt.Expired), errDown, errDown, 0, attempt.Expired},
		{"hung up", attempt.Finding{}, context.Canceled, context.Canceled, 0, attempt.Unchecked},
		{"locked elsewhere", attempt.Finding{}, &lockout.LockedError{}, lockout.ErrLocked, 0, attempt.Locked},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := newKit(t)
			err := k.try(t, tc.found, tc.err)
			require.Equal(t, tc.failures, k.failures(t))
			if tc.want == nil {
				require.NoError(t, err)
				require.Empty(t, k.reasons())
				return
			}
			require.ErrorIs(t, err, tc.want)
			require.Equal(t, []string{string(tc.reason)}, k.reasons())
		})
	}
}

// The failures of an unknown subject are forgotten; those of a known one stay.
func TestStrangersAreForgotten(t *testing.T) {
	for known, want := range map[bool]int{true: 1, false: 0} {
		k := newKit(t)
		require.ErrorIs(t, k.try(t, attempt.Found(wrong, known, attempt.Wrong), nil), lockout.ErrRefused)
		k.clock.Add(forget + time.Second)
		require.Equal(t, want, k.failures(t), "known: %t", known)
	}
}

// The guess that locks was compared. The next one is not.
func TestLocked(t *testing.T) {
	k := newKit(t)
	for range 3 {
		_ = k.try(t, attempt.Found(wrong, true, attempt.Wrong), nil)
	}
	require.Equal(t, []string{"wrong", "wrong", "wrong"}, k.reasons())
	err := k.Do(t.Context(), guess(), func(context.Context) (attempt.Finding, error) {
		t.Error("compared")
		return attempt.Found(right, true, attempt.Wrong), nil
	})
	require.ErrorIs(t, err, lockout.ErrLocked)
	require.Equal(t, []string{"locked"}, k.reasons())
}

// A lock that is set while a right guess is compared refuses it. It was not wrong.
func TestLockedMeanwhile(t *testing.T) {
	k := newKit(t)
	err := k.Do(t.Context(), guess(), func(ctx context.Context) (attempt.Finding, error) {
		return attempt.Found(right, true, attempt.Wrong), k.gate.Lock(ctx, guess().Target, clerk)
	})
	require.ErrorIs(t, err, lockout.ErrLocked)
	require.Equal(t, []string{"unused"}, k.reasons())
}

// What is no guess is no event: it holds what would break the log.
func TestInvalidGuess(t *testing.T) {
	for name, at := range map[string]lockout.Target{
		"subject": {Subject: "a\nb"}, "lane": {Subject: ana, Lane: "a\nb"},
		"address": {Subject: ana, Source: civicpin.Source{Address: "a\nb"}},
	} {
		k := newKit(t)
		err := k.Do(t.Context(), &attempt.Guess{Target: at}, func(context.Context) (attempt.Finding, error) {
			t.Error("compared")
			return attempt.Found(right, true, attempt.Wrong), nil
		})
		require.ErrorIs(t, err, civicpin.ErrInvalid, name)
		require.Empty(t, k.events.Take(), name)
	}
}

// A guess beyond those that may still fail is not compared, and not counted.
func TestBusy(t *testing.T) {
	k := newKit(t)
	guard := attempt.New(k.vault, k.gate, nil, refused) // places are for TestAdmission
	var nested func(n int) error
	nested = func(n int) error {
		return guard.Do(t.Context(), guess(), func(context.Context) (attempt.Finding, error) {
			if n == 0 {
				t.Error("compared")
			}
			return attempt.Found(right, true, attempt.Wrong), nested(n - 1)
		})
	}
	require.ErrorIs(t, nested(3), lockout.ErrInFlight)
	require.Equal(t, []string{"busy", "unused", "unused", "unused"}, k.reasons(), "and what waited for it")
	require.Zero(t, k.failures(t))
}

// If the store does not say how it ended, the log does not say that the guess was wrong.
func TestNotSettled(t *testing.T) {
	for want, m := range map[string]attempt.Match{"unused": right, "not checked": wrong} {
		k := newKit(t)
		err := k.Do(t.Context(), guess(), func(context.Context) (attempt.Finding, error) {
			k.faults.StopAt(1, storetest.NotDone)
			return attempt.Found(m, true, attempt.Wrong), nil
		})
		require.ErrorIs(t, err, storetest.ErrInjected, want)
		require.Equal(t, []string{want}, k.reasons())
	}
}

// A guess that does not get a place costs nothing: no call, no try, no event.
func TestAdmission(t *testing.T) {
	k := newKit(t)
	release := testkit.Occupy(k.hashing, 2)
	compare := func(context.Context) (attempt.Finding, error) {
		t.Error("compared")
		return attempt.Finding{}, nil
	}
	require.ErrorIs(t, k.Do(t.Context(), guess(), compare), lockout.ErrOverloaded)
	_, _, err := k.Enter(t.Context())
	require.ErrorIs(t, err, lockout.ErrOverloaded)
	require.Zero(t, k.faults.Calls())
	require.Empty(t, k.events.Take())

	unhashed := attempt.New(k.vault, k.gate, nil, refused)
	err = unhashed.Do(t.Context(), guess(), func(context.Context) (attempt.Finding, error) {
		return attempt.Found(right, true, attempt.Wrong), nil
	})
	require.NoError(t, err, "a guess that is not hashed needs no place")
	release()
	require.Zero(t, k.failures(t))

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, k.Do(ended, guess(), compare), context.Canceled)
	require.Empty(t, k.events.Take())
}

// A place is held during a guess, is good for more than one, and is given back once.
func TestPlace(t *testing.T) {
	k := newKit(t)
	free := func() (n int) {
		for {
			_, leave, err := attempt.Enter(t.Context(), k.hashing)
			if err != nil {
				return n
			}
			defer leave()
			n++
		}
	}
	held := func(context.Context) (attempt.Finding, error) {
		require.Equal(t, 1, free())
		return attempt.Found(right, true, attempt.Wrong), nil
	}
	require.NoError(t, k.Do(t.Context(), guess(), held))
	require.Equal(t, 2, free())

	_, p, err := k.Enter(t.Context())
	require.NoError(t, err)
	require.NoError(t, p.Do(t.Context(), guess(), held))
	require.NoError(t, p.Do(t.Context(), guess(), held))
	require.Equal(t, 1, free(), "until it is left")
	_, other, err := k.Enter(t.Context())
	require.NoError(t, err)
	p.Leave()
	p.Leave()
	require.Equal(t, 1, free())
	other.Leave()
	require.Equal(t, 2, free())
}

// A comparison that panics is a failure. The panic goes on, and the place is given back.
func TestPanic(t *testing.T) {
	k := newKit(t)
	require.PanicsWithValue(t, "boom", func() {
		_ = k.Do(t.Context(), guess(), func(context.Context) (attempt.Finding, error) { panic("boom") })
	})
	require.Equal(t, 1, k.failures(t))
	require.Empty(t, k.reasons())
	release := testkit.Occupy(k.hashing, 2) // panics if a place is missing
	release()
}

// Staff are not limited by their office's address, nor asked for a challenge; visitors from there are, and are not held to account
// for what staff typed.
func TestOperatorsAreNoSource(t *testing.T) {
	k := newKit(t)
	p := lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked, Global: civicpin.Rate{Limit: 50, Window: time.Hour}}
	gate, err := lockout.New(k.vault, "office", p.WithRates())
	require.NoError(t, err)
	guard := attempt.New(k.vault, gate, nil, refused)
	wrongBy := func(i int, by civicpin.Actor) error {
		g := &attempt.Guess{By: by, Target: lockout.Target{Subject: civicpin.Subject("S" + strconv.Itoa(i)), Source: home}}
		return guard.Do(t.Context(), g, func(context.Context) (attempt.Finding, error) {
			return attempt.Found(wrong, true, attempt.Wrong), nil
		})
	}
	for i := range 40 {
		require.ErrorIs(t, wrongBy(i, civicpin.Operator("7")), lockout.ErrRefused)
	}
	for i := range 10 {
		require.ErrorIs(t, wrongBy(100+i, ""), lockout.ErrRefused)
	}
	require.ErrorIs(t, wrongBy(200, civicpin.Visitor), lockout.ErrChallenge, "fifty failures in all")
	for i := range 200 {
		require.ErrorIs(t, wrongBy(300+i, civicpin.Operator("7")), lockout.ErrRefused)
	}
	for _, e := range k.events.Take() {
		require.True(t, e.Code != refused || e.Source.Address == home.Address)
	}
}

func TestRefusalEvent(t *testing.T) {
	k := newKit(t)
	g := guess()
	g.Address = "198.51.100.1" // the target has one
	err := k.Do(t.Context(), g, func(context.Context) (attempt.Finding, error) {
		g.Ref, g.Level = "found", civicpin.Substantial
		return attempt.Found(wrong, true, attempt.Revoked), nil
	})
	require.ErrorIs(t, err, lockout.ErrRefused)
	require.Equal(t, []civicpin.Event{{
		At: k.clock.Now(), Code: refused, Subject: ana, By: civicpin.Visitor, Source: home, Ref: "found",
		Level: civicpin.Substantial, Reason: "revoked",
	}}, k.events.Take())

	g = &attempt.Guess{Target: lockout.Target{Subject: ana, Lane: "code"}, Address: "198.51.100.1"}
	err = k.Do(t.Context(), g, func(context.Context) (attempt.Finding, error) {
		return attempt.Found(wrong, true, attempt.Wrong), nil
	})
	require.ErrorIs(t, err, lockout.ErrRefused)
	require.Equal(t, []civicpin.Event{{
		At: k.clock.Now(), Code: refused, Subject: ana, By: civicpin.Visitor,
		Source: civicpin.Source{Address: "198.51.100.1"}, Reason: "wrong",
	}}, k.events.Take())
	require.Equal(t, 1, k.failures(t), "the lane has a count of its own")

	silent := attempt.New(k.vault, k.gate, nil, "")
	err = silent.Do(t.Context(), guess(), func(context.Context) (attempt.Finding, error) {
		return attempt.Found(wrong, true, attempt.Wrong), nil
	})
	require.ErrorIs(t, err, lockout.ErrRefused)
	require.Empty(t, k.events.Take(), "a guard without a code")
}

// No recorder is called while a place is held: one that is slow would keep the others out. The events come when the place is
// given back, in order.
func TestNoRecorderHoldsAPlace(t *testing.T) {
	var hashing *password.Gate
	var events testkit.Recorder
	slow := civicpin.RecorderFunc(func(ctx context.Context, e civicpin.Event) {
		testkit.Occupy(hashing, 2)() // panics if a place is missing
		events.Record(ctx, e)
	})
	k := newKitWith(t, slow)
	hashing = k.hashing
	for range 3 {
		require.Error(t, k.try(t, attempt.Found(wrong, true, attempt.Wrong), nil))
	}
	codes := func() (list []civicpin.EventCode) {
		for _, e := range events.Take() {
			list = append(list, e.Code)
		}
		return list
	}
	require.Equal(t, []civicpin.EventCode{refused, refused, "lockout.locked", refused}, codes())

	ctx, leave, err := attempt.Enter(t.Context(), k.hashing) // for a hash that is no guess
	require.NoError(t, err)
	k.vault.Record(ctx, civicpin.Event{Code: refused})
	require.Empty(t, codes())
	leave()
	require.Equal(t, []civicpin.EventCode{refused}, codes())
}
