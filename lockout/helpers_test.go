package lockout_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

const operator = civicpin.Actor("operator:7")

// start is where the clocks of these tests begin.
var start = time.Date(2026, time.March, 1, 9, 0, 0, 0, time.UTC)

// A clock is set by hand.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: start} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// A recorder keeps what it is told.
type recorder struct {
	mu     sync.Mutex
	events []civicpin.Event
}

func (r *recorder) Record(_ context.Context, e civicpin.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// codes returns the codes since the last call.
func (r *recorder) codes() (codes []civicpin.EventCode) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		codes = append(codes, e.Code)
	}
	r.events = nil
	return codes
}

// testKeys are the same each time, so that several vaults read one store.
func testKeys(tb testing.TB) store.Keys {
	tb.Helper()
	sealer, err := store.XChaCha20Poly1305(civicpin.NewSecret(strings.Repeat("s", 32)))
	require.NoError(tb, err)
	return store.Keys{
		Index:   civicpin.NewSecret(strings.Repeat("i", 32)),
		Sealing: []store.SealingKey{{ID: "k1", Sealer: sealer}},
	}
}

// newVault returns a vault over s by the clock now; nil means the real one.
func newVault(tb testing.TB, s store.Store, now func() time.Time, r civicpin.Recorder) *store.Vault {
	tb.Helper()
	v, err := store.NewVault(s, testKeys(tb), &store.Options{Now: now, Recorder: r})
	require.NoError(tb, err)
	return v
}

func newGate(tb testing.TB, v *store.Vault, p lockout.Policy) *lockout.Gate {
	tb.Helper()
	if p.Name == "" {
		p.Name = "login"
	}
	g, err := lockout.New(v, p)
	require.NoError(tb, err)
	return g
}

// key returns the key of a subject's open lane.
func key(subject civicpin.Subject) lockout.Key { return lockout.Key{Subject: subject} }

// from returns the same with a source address.
func from(subject civicpin.Subject, address string) lockout.Key {
	return lockout.Key{Subject: subject, Source: civicpin.Source{Address: address}}
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
func hold(ctx context.Context, g *lockout.Gate, k lockout.Key) (*held, error) {
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
func mustHold(tb testing.TB, g *lockout.Gate, k lockout.Key) *held {
	tb.Helper()
	h, err := hold(context.Background(), g, k)
	require.NoError(tb, err)
	return h
}

// end lets the verification return and returns what Do did.
func (h *held) end(ok bool, err error) error {
	h.verdict <- verdict{ok, err}
	return <-h.done
}
