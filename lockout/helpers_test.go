package lockout_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

const operator = civicpin.Actor("operator:7")

// start is where the clocks of these tests begin.
var start = time.Date(2026, time.March, 1, 9, 0, 0, 0, time.UTC)

func newClock() *testkit.Clock { return testkit.NewClock(start) }

// codes returns the codes of the events since the last call.
func codes(r *testkit.Recorder) (codes []civicpin.EventCode) {
	for _, e := range r.Take() {
		codes = append(codes, e.Code)
	}
	return codes
}

// newVault returns a vault over s by the clock now; nil means the real one.
func newVault(tb testing.TB, s store.Store, now func() time.Time, r civicpin.Recorder) *store.Vault {
	tb.Helper()
	v, err := store.OpenVault(tb.Context(), s, testkit.Keys(), &store.Options{Now: now, Recorder: r})
	require.NoError(tb, err)
	return v
}

// memoryVault returns a vault over a store of its own.
func memoryVault(tb testing.TB, now func() time.Time, r civicpin.Recorder) *store.Vault {
	tb.Helper()
	return newVault(tb, store.NewMemory(), now, r)
}

func newGate(tb testing.TB, v *store.Vault, p lockout.Policy) *lockout.Gate {
	tb.Helper()
	return newNamed(tb, v, "login", p)
}

// newNamed returns a gate that shows visitors what is left.
func newNamed(tb testing.TB, v *store.Vault, name string, p lockout.Policy) *lockout.Gate {
	tb.Helper()
	p.ShowLeft = true
	g, err := lockout.New(v, name, p)
	require.NoError(tb, err)
	return g
}

func newMemory() *store.Memory { return store.NewMemory() }

// citizen returns one of any number of subjects.
func citizen(n int) civicpin.Subject { return civicpin.Subject(fmt.Sprint("CITIZEN ", n)) }

// key returns the key of a subject's open lane.
func key(subject civicpin.Subject) lockout.Target { return lockout.Target{Subject: subject} }

// from returns the same with a source address.
func from(subject civicpin.Subject, address string) lockout.Target {
	return lockout.Target{Subject: subject, Source: civicpin.Source{Address: address}}
}

func right(context.Context) (bool, error)    { return true, nil }
func wrong(context.Context) (bool, error)    { return false, nil }
func stranger(context.Context) (bool, error) { return false, lockout.ErrNoSubject }

var errBroken = errors.New("the hash service is down")

func broken(context.Context) (bool, error) { return false, errBroken }

// never is a verify function for guesses that must not be compared.
func never(tb testing.TB) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) {
		tb.Error("compared, and should not have been")
		return true, nil
	}
}

// asLocked returns the error as a lock.
func asLocked(tb testing.TB, err error) *lockout.LockedError {
	tb.Helper()
	locked, ok := errors.AsType[*lockout.LockedError](err)
	require.True(tb, ok, "%v is no lock", err)
	return locked
}

// asRefused returns the error as a refusal.
func asRefused(tb testing.TB, err error) *lockout.RefusedError {
	tb.Helper()
	refused, ok := errors.AsType[*lockout.RefusedError](err)
	require.True(tb, ok, "%v is no refusal", err)
	return refused
}

// A held is a guess whose verification waits for the test.
type held struct {
	entered chan struct{}
	verdict chan verdict
	done    chan error
}

type verdict struct {
	ok  bool
	err error
}

// hold begins a guess and returns when it is being verified. If nothing is compared, it returns what Do did, and no guess.
func hold(ctx context.Context, g *lockout.Gate, k lockout.Target) (*held, error) {
	h := &held{entered: make(chan struct{}), verdict: make(chan verdict), done: make(chan error, 1)}
	go func() {
		h.done <- g.Do(ctx, k, func(context.Context) (bool, error) {
			close(h.entered)
			v := <-h.verdict
			return v.ok, v.err
		})
	}()
	select {
	case <-h.entered:
		return h, nil
	case err := <-h.done:
		return nil, err
	}
}

// mustHold is hold for a guess that must be let in.
func mustHold(tb testing.TB, g *lockout.Gate, k lockout.Target) *held {
	tb.Helper()
	h, err := hold(context.Background(), g, k)
	require.NoError(tb, err)
	return h
}

// holdAll begins guesses at a subject until as many are in flight as may be.
func holdAll(tb testing.TB, g *lockout.Gate, k lockout.Target) (all []*held) {
	tb.Helper()
	for {
		h, err := hold(tb.Context(), g, k)
		if err != nil {
			require.ErrorIs(tb, err, lockout.ErrBusy)
			return all
		}
		all = append(all, h)
	}
}

// end lets the verification return and returns what Do did.
func (h *held) end(ok bool, err error) error {
	h.verdict <- verdict{ok, err}
	return <-h.done
}
