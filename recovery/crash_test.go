package recovery_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
)

// TestWalks goes through every plan to its end.
func TestWalks(t *testing.T) {
	for _, w := range walks {
		t.Run(w.name, func(t *testing.T) {
			k := newKit(t)
			w.before(t, k)
			require.NoError(t, w.through(t.Context(), k, newSecret))
			w.holds(t, k, newSecret, nil)
		})
	}
}

// works reports whether a secret lets the subject in. Wrong guesses at it are few enough not to lock.
func (w walk) works(t *testing.T, k *kit, secret string) (pin.Verified, bool) {
	t.Helper()
	ok, err := k.pins.Verify(t.Context(), pin.Attempt{Subject: w.subject, Secret: civicpin.NewSecret(secret)})
	if err != nil {
		require.NotErrorIs(t, err, store.ErrUnreadable)
	}
	return ok, err == nil
}

// holds checks what must hold after a walk that ended with err, wherever it stopped.
func (w walk) holds(t *testing.T, k *kit, secret string, err error) {
	t.Helper()
	if w.unlocks() {
		if _, right := w.works(t, k, anaSecret); !right {
			require.Error(t, err, "an unlock that was acknowledged holds")
		}
		return
	}
	own, before := w.works(t, k, secret)
	old, after := w.works(t, k, anaSecret)
	require.False(t, before && after, "one secret at the most is right")
	if err == nil {
		require.True(t, before, "a secret that was acknowledged holds")
	}
	want := civicpin.Substantial
	if w.subject == luis {
		want = civicpin.Low
	}
	for _, v := range []pin.Verified{own, old} {
		require.LessOrEqual(t, v.Level, want, "a recovery never raises the level")
		if v.Level != civicpin.NoLevel {
			require.Equal(t, want, v.Level, "and keeps it")
		}
	}
}

// TestCrashPoints lets each store call of each plan go wrong in turn. Another process then finds a state from which the citizen
// can go through the plan to its end. Under the race detector and with -short it looks at every fifth call only; .ci/run runs it
// without either, too.
func TestCrashPoints(t *testing.T) {
	how := testkit.Crashes{Writes: true}
	if raced || testing.Short() {
		how.Every = 5
	}
	for _, w := range walks {
		t.Run(w.name, func(t *testing.T) {
			require.Greater(t, testkit.CrashPoints(t, how, w.crash), 10)
		})
	}
}

// crash goes through a plan, and once more after the crash.
func (w walk) crash(t *testing.T, c *testkit.Crash) {
	k := newKitOn(t, c.Store(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.enrolAna(t)
	w.before(t, k)
	err := c.During(t, func() error { return w.through(t.Context(), k, newSecret) })
	k.clock.Add(5 * time.Minute) // reservations and claims of the dead process run out
	after := newKitOn(t, c.Memory, k.clock, k.mail, k.events)
	w.holds(t, after, newSecret, err)
	if err != nil {
		_, isLocked := errors.AsType[*lockout.LockedError](err)
		require.False(t, isLocked, "a fault locks nobody")
	}

	// The citizen begins again, and gets there.
	again := "siete peces en la pecera"
	after.clock.Add(5 * time.Minute)
	if w.subject == luis {
		if _, done := w.works(t, after, newSecret); done {
			return // has a key now, and needs another plan for the next
		}
	}
	require.NoError(t, w.through(t.Context(), after, again), "beginning again")
	w.holds(t, after, again, nil)
}
