package lockout_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
)

// locks are the policies with a limit of five whose locks outlast a test.
var locks = map[string]lockout.Policy{
	"until unlocked": {Limit: 5, Lock: lockout.UntilUnlocked},
	"timed":          {Limit: 5, Lock: lockout.Timed, For: hour},
}

// TestConcurrentGuesses: of a thousand wrong guesses at once, exactly as many as the limit are compared.
func TestConcurrentGuesses(t *testing.T) {
	const n = 1000
	for name, policy := range locks {
		for _, retry := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, retried %t", name, retry), func(t *testing.T) {
				vault := memoryVault(t, nil, nil)
				// Two gates of one name count together, as two processes do.
				gates := []*lockout.Gate{newGate(t, vault, policy), newGate(t, vault, policy)}
				var compared, busy atomic.Int32
				results := testkit.Crowd(n, func(i int) error {
					for {
						err := gates[i%2].Do(t.Context(), key("CITIZEN"), func(context.Context) (bool, error) {
							compared.Add(1)
							// Until one has been told that others are in flight.
							for began := time.Now(); busy.Load() == 0 && time.Since(began) < 5*time.Second; {
								time.Sleep(time.Millisecond)
							}
							return false, nil
						})
						if !errors.Is(err, lockout.ErrBusy) {
							return err
						}
						busy.Add(1)
						if !retry {
							return err
						}
						time.Sleep(200*time.Millisecond + rand.N(200*time.Millisecond)) // or a thousand spin
					}
				})
				assert.EqualValues(t, 5, compared.Load())
				refused, locked := 0, 0
				for _, err := range results {
					switch _, isLocked := errors.AsType[*lockout.LockedError](err); {
					case errors.Is(err, lockout.ErrRefused):
						refused++
					case isLocked:
						locked++
					default:
						require.ErrorIs(t, err, lockout.ErrBusy)
						require.False(t, retry)
					}
				}
				assert.Equal(t, 4, refused, "the fifth is told that it locked")
				if retry {
					assert.Equal(t, n-4, locked)
				}
				assert.Positive(t, busy.Load(), "no guess met another: the test shows nothing")
				asLocked(t, gates[0].Do(t.Context(), key("CITIZEN"), never(t)))
				st, err := gates[1].Status(t.Context(), key("CITIZEN"))
				require.NoError(t, err)
				assert.Equal(t, 5, st.Failures)
			})
		}
	}
}

// TestConcurrentSource: many guesses at many subjects from one source.
func TestConcurrentSource(t *testing.T) {
	const n, most = 1000, 40
	vault := memoryVault(t, newClock().Now, nil)
	gate := newGate(t, vault, lockout.Policy{
		Limit: 5, Lock: lockout.UntilUnlocked, Source: civicpin.Rate{Limit: most, Window: hour},
	})
	var compared atomic.Int32
	results := testkit.Crowd(n, func(i int) error {
		k := from(civicpin.Subject(fmt.Sprintf("CITIZEN %d", i)), fmt.Sprintf("2001:db8::%x", i))
		return gate.Do(t.Context(), k, func(context.Context) (bool, error) {
			compared.Add(1)
			return false, lockout.ErrNoSubject
		})
	})
	assert.EqualValues(t, most, compared.Load())
	for _, err := range results {
		if !errors.Is(err, lockout.ErrRefused) {
			require.Equal(t, lockout.ScopeSource, asLocked(t, err).Scope)
		}
	}
	require.NoError(t, gate.Do(t.Context(), from("CITIZEN 1", "192.0.2.1"), right), "another source is not limited")
}

// TestConcurrentLogins: an owner's right guesses at once are never locked out, and all wait their turn.
func TestConcurrentLogins(t *testing.T) {
	gate := newGate(t, memoryVault(t, nil, nil), lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked})
	results := testkit.Crowd(60, func(int) error {
		for {
			err := gate.Do(t.Context(), key("CITIZEN"), right)
			if !errors.Is(err, lockout.ErrBusy) {
				return err
			}
			time.Sleep(time.Millisecond)
		}
	})
	require.NoError(t, errors.Join(results...))
	st, err := gate.Status(t.Context(), key("CITIZEN"))
	require.NoError(t, err)
	require.Equal(t, lockout.Status{Left: 3}, st)
}

// TestInFlight: guesses in flight use up the limit, lock nobody, and cause no notice.
func TestInFlight(t *testing.T) {
	var events testkit.Recorder
	vault := memoryVault(t, newClock().Now, &events)
	gate := newGate(t, vault, lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked})
	var all []*held
	for range 3 {
		all = append(all, mustHold(t, gate, key("CITIZEN")))
	}
	require.ErrorIs(t, gate.Do(t.Context(), key("CITIZEN"), never(t)), lockout.ErrInFlight)
	st, err := gate.Status(t.Context(), key("CITIZEN"))
	require.NoError(t, err)
	require.Equal(t, lockout.Status{Left: 3}, st)
	require.NoError(t, all[0].end(true, nil))
	require.ErrorIs(t, all[1].end(false, errBroken), errBroken)
	require.NoError(t, all[2].end(true, nil))
	require.Empty(t, codes(&events))
}

// TestDelayInParallel: guesses at once do not get around the delays between them.
func TestDelayInParallel(t *testing.T) {
	for _, after := range []int{1, 3} {
		gate := newGate(t, memoryVault(t, newClock().Now, nil), lockout.Policy{
			Limit: 50, Lock: lockout.UntilUnlocked, DelayAfter: after, Delay: minute,
		})
		var all []*held
		for range 50 {
			h, err := hold(t.Context(), gate, key("CITIZEN"))
			if err != nil {
				require.ErrorIs(t, err, lockout.ErrBusy)
				break
			}
			all = append(all, h)
		}
		require.Len(t, all, after)
		for _, h := range all {
			require.ErrorIs(t, h.end(false, nil), lockout.ErrRefused)
		}
		require.Equal(t, start.Add(minute), asLocked(t, gate.Do(t.Context(), key("CITIZEN"), never(t))).Until.UTC())
	}
}

// TestLanes: what happens in one lane leaves the others alone.
func TestLanes(t *testing.T) {
	gate := newGate(t, memoryVault(t, nil, nil), lockout.Policy{Limit: 1, Lock: lockout.UntilUnlocked})
	open, known := key("CITIZEN"), lockout.Target{Subject: "CITIZEN", Lane: "known device 1"}
	asLocked(t, gate.Do(t.Context(), open, wrong))
	require.NoError(t, gate.Do(t.Context(), known, right))
	asLocked(t, gate.Do(t.Context(), open, never(t)))
	asLocked(t, gate.Do(t.Context(), known, wrong))
	require.NoError(t, gate.Unlock(t.Context(), open, operator))
	asLocked(t, gate.Do(t.Context(), known, never(t)))
	require.NoError(t, gate.Do(t.Context(), open, right))
	require.NoError(t, gate.Do(t.Context(), key("ANOTHER"), right))
}

// TestNames: gates of one name share counts, gates of others do not, whatever their names look like.
func TestNames(t *testing.T) {
	vault := memoryVault(t, nil, nil)
	p := lockout.Policy{Limit: 2, Lock: lockout.UntilUnlocked}
	one, same := newNamed(t, vault, "a", p), newNamed(t, vault, "a", p)
	other := newNamed(t, vault, "a.b", p)
	require.Equal(t, 1, asRefused(t, one.Do(t.Context(), key("CITIZEN"), wrong)).Left)
	asLocked(t, same.Do(t.Context(), key("CITIZEN"), wrong))
	asLocked(t, one.Do(t.Context(), key("CITIZEN"), never(t)))
	require.NoError(t, other.Do(t.Context(), key("CITIZEN"), right))
	require.NoError(t, one.Do(t.Context(), key("citizen"), right), "subjects are compared byte for byte")
}
