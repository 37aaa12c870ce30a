package lockout_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/blind"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// A model is what a lane should be like: a tally, and the guesses that are being verified.
type model struct {
	testkit.Tally
	guesses []modelGuess
}

type modelGuess struct {
	h        *held
	deadline time.Time
	locks    int
}

func (m *model) copy() *model {
	c := *m
	c.guesses = slices.Clone(m.guesses)
	return &c
}

// bury lets guesses fail whose deadline has passed, the oldest first.
func (m *model) bury(now time.Time) {
	slices.SortStableFunc(m.guesses, func(a, b modelGuess) int { return a.deadline.Compare(b.deadline) })
	for len(m.guesses) > 0 && !m.guesses[0].deadline.After(now) {
		at := m.guesses[0].deadline
		m.guesses = m.guesses[1:]
		m.Fail(at, true)
	}
	m.Pass(now)
}

// begin says what a new guess is told at once, "" if it is verified.
func (m *model) begin(now time.Time) string {
	m.bury(now)
	barred := m.Refusal(now)
	switch {
	case barred != nil:
		return describe(barred, false, start)
	case !m.Room(len(m.guesses)):
		return "busy"
	case m.Kept+len(m.guesses) < m.Policy.Ceiling:
		return ""
	}
	m.Fail(now, false)
	return describe(m.answer(now), false, start)
}

// begun notes a guess that is being verified.
func (m *model) begun(h *held, now time.Time) {
	m.guesses = append(m.guesses, modelGuess{h, now.Add(45 * second), m.Locks})
}

// end says what Do returns after a verification.
func (m *model) end(h *held, outcome string, now time.Time) string {
	m.bury(now)
	i := slices.IndexFunc(m.guesses, func(g modelGuess) bool { return g.h == h })
	var g modelGuess
	if i >= 0 {
		g = m.guesses[i]
		m.guesses = slices.Delete(m.guesses, i, i+1)
	}
	switch outcome {
	case "broken":
		return "broken"
	case "right":
		if i < 0 {
			return "timeout"
		}
		if g.locks == m.Locks {
			m.Right()
		} else if r := m.Refusal(now); r != nil {
			return describe(r, true, start)
		}
		return "ok"
	}
	if i >= 0 {
		m.Fail(now, true)
	}
	return describe(m.answer(now), true, start)
}

// answer is what a wrong guess is told.
func (m *model) answer(now time.Time) error {
	if r := m.Answers(now); r != nil {
		return r
	}
	return &lockout.RefusedError{Left: max(1, m.Left()), NextAt: m.Waits()}
}

// unlock is an operator's. It returns what the operator is told.
func (m *model) unlock(now time.Time) string {
	c := m.copy()
	c.bury(now)
	if !c.Unlock(now) {
		return "locks for good"
	}
	*m = *c
	return "ok"
}

func (m *model) status(now time.Time) lockout.Status {
	c := m.copy()
	c.bury(now)
	st := lockout.Status{Failures: c.Kept, Locked: c.Refusal(now), Hidden: c.Hidden()}
	if st.Locked == nil && !st.Hidden {
		st.Left = min(c.Left(), m.Policy.Ceiling-c.Kept)
	}
	return st
}

func drawPolicy(rt *rapid.T) lockout.Policy {
	p := lockout.Policy{
		Limit:   rapid.IntRange(1, 4).Draw(rt, "limit"),
		Lock:    rapid.SampledFrom([]lockout.Lock{lockout.Timed, lockout.UntilUnlocked}).Draw(rt, "lock"),
		Timeout: 30 * second,
		Forget:  3650 * day, // these tables have no strangers
	}
	p.Ceiling = p.Limit + rapid.IntRange(0, 6).Draw(rt, "more for the ceiling")
	if p.Lock == lockout.Timed {
		p.For = minute
		p.Max = rapid.SampledFrom([]time.Duration{minute, 5 * minute, hour}).Draw(rt, "max")
	}
	if rapid.Bool().Draw(rt, "delays") {
		p.DelayAfter = rapid.IntRange(1, min(3, p.Ceiling)).Draw(rt, "after")
		p.Delay, p.DelayMax = 30*second, 3*minute
	}
	return p
}

// TestModel does random acts, several guesses in flight at once, and compares every answer with the model's. Beside the
// model it keeps the two counts that matter by themselves: what was compared and not given back.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		clock := newClock()
		latest := start
		policy := drawPolicy(rt)
		vault := memoryVault(t, clock.Now, nil)
		gates := []*lockout.Gate{newGate(t, vault, policy), newGate(t, vault, policy)}
		m := &model{Tally: testkit.NewTally(policy)}
		ctx := context.Background()
		who := key("CITIZEN")
		var flying []*held
		defer func() {
			for _, h := range flying {
				_ = h.end(false, errBroken)
			}
		}()
		// What was compared since the last success or rebinding, and since the last of these or unlock: failed, or in
		// flight before its deadline.
		sinceReset, sinceUnlock := 0, 0
		unlocked := start // when sinceUnlock began
		unlock := func() { sinceUnlock, unlocked = len(m.guesses), clock.Now() }
		gate := func() *lockout.Gate { return gates[rapid.IntRange(0, 1).Draw(rt, "gate")] }
		check := func(want, got string) {
			if want != got {
				rt.Fatalf("at %s: want %q, got %q", clock.Now().Sub(start), want, got)
			}
		}
		operate := func(f func(context.Context, lockout.Target) error) string {
			return describe(f(ctx, who), true, start)
		}
		rt.Repeat(map[string]func(*rapid.T){
			"begin": func(rt *rapid.T) {
				if len(flying) >= 6 {
					rt.Skip("enough in flight")
				}
				now := clock.Now()
				want := m.begin(now)
				h, err := hold(ctx, gate(), who)
				if h == nil {
					check(want, describe(err, false, start))
					return
				}
				check(want, "")
				m.begun(h, now)
				flying = append(flying, h)
				sinceReset++
				sinceUnlock++
			},
			"end": func(rt *rapid.T) {
				if len(flying) == 0 {
					rt.Skip("none in flight")
				}
				i := rapid.IntRange(0, len(flying)-1).Draw(rt, "which")
				h := flying[i]
				flying = slices.Delete(flying, i, i+1)
				m.bury(clock.Now())
				alive := slices.ContainsFunc(m.guesses, func(g modelGuess) bool { return g.h == h })
				outcome := rapid.SampledFrom([]string{"right", "wrong", "wrong", "wrong", "broken"}).Draw(rt, "outcome")
				want := m.end(h, outcome, clock.Now())
				var err error
				if outcome == "broken" {
					err = errBroken
				}
				got := describe(h.end(outcome == "right", err), true, start)
				check(want, got)
				switch {
				case got == "ok" && m.Kept == 0: // reset: only what is in flight remains
					sinceReset = len(m.guesses)
					unlock()
				case outcome != "wrong" && alive: // given back
					sinceReset--
					sinceUnlock--
				}
			},
			"unlock": func(*rapid.T) {
				want := m.unlock(clock.Now())
				if want == "ok" {
					unlock()
				}
				check(want, operate(func(ctx context.Context, k lockout.Target) error { return gate().Unlock(ctx, k, operator) }))
			},
			"lock": func(*rapid.T) {
				m.bury(clock.Now())
				m.Lock(clock.Now())
				check("ok", operate(func(ctx context.Context, k lockout.Target) error { return gate().Lock(ctx, k, operator) }))
			},
			"rebind": func(*rapid.T) {
				m.bury(clock.Now())
				m.Rebind(clock.Now())
				sinceReset = len(m.guesses)
				unlock()
				check("ok", operate(func(ctx context.Context, k lockout.Target) error { return gate().Rebind(ctx, k, operator) }))
			},
			"time passes": func(rt *rapid.T) {
				clock.Add(rapid.SampledFrom([]time.Duration{
					1, second, 15 * second, 30 * second, minute, 2 * minute, 10 * minute, day,
				}).Draw(rt, "how long"))
				if now := clock.Now(); now.After(latest) {
					latest = now
				}
			},
			"the clock jumps back": func(rt *rapid.T) {
				back := rapid.SampledFrom([]time.Duration{1, second, minute, 3 * minute}).Draw(rt, "how far")
				if clock.Now().Add(-back).Before(latest.Add(-5 * minute)) {
					rt.Skip("too far") // beyond, deadlines are cut: TestReservationOfAWrongClock
				}
				clock.Add(-back)
			},
			"": func(rt *rapid.T) {
				now := clock.Now()
				st, err := gates[0].Status(ctx, who)
				require.NoError(rt, err)
				require.Equal(rt, m.status(now), st)
				require.LessOrEqual(rt, sinceReset, policy.Ceiling, "compared since the last success or rebinding")
				if policy.Lock == lockout.UntilUnlocked {
					// A day without a failure forgives one. Clocks differ by five minutes at most.
					days := int((latest.Sub(unlocked) + 5*minute) / day)
					require.LessOrEqual(rt, sinceUnlock, policy.Limit+days, "compared since the last success, rebinding or unlock")
				}
			},
		})
	})
}

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
		Limit: 5, Lock: lockout.UntilUnlocked, Source: failing(most),
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

// values returns the sealed values of the records whose key begins with prefix.
func values(tb testing.TB, s *store.Memory, prefix string) map[string]string {
	tb.Helper()
	all := make(map[string]string)
	for item, err := range s.List(context.Background(), prefix, "") {
		require.NoError(tb, err)
		all[item.Key] = string(item.Value)
	}
	return all
}

// faultPolicies are those under which store calls go wrong.
func faultPolicies() map[string]lockout.Policy {
	return map[string]lockout.Policy{
		"plain": {Limit: 5, Lock: lockout.UntilUnlocked},
		"all limits": {
			Limit: 5, Lock: lockout.Timed, For: day,
			Source: failing(50), Global: civicpin.Rate{Limit: 50, Window: hour},
		},
	}
}

// TestFaults runs a short story with a fault at each store call in turn. Whatever happens, nothing is compared that was not
// reserved before, and the citizen gets in at the latest after the deadline.
func TestFaults(t *testing.T) {
	story := []func(context.Context) (bool, error){wrong, right, wrong, broken, wrong}
	for name, policy := range faultPolicies() {
		t.Run(name, func(t *testing.T) {
			calls := testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) {
				clock := newClock()
				gate := newGate(t, newVault(t, c.Store(), clock.Now, nil), policy)
				who := from("CITIZEN", "192.0.2.1")
				faulty := 0
				_ = c.During(t, func() (last error) {
					for _, verify := range story {
						if last = reservedGuess(t, c, gate, who, verify); errors.Is(last, storetest.ErrInjected) {
							faulty++
						}
					}
					return last
				})
				if !c.Stop {
					require.LessOrEqual(t, faulty, 1)
				}
				// The process is started anew. The citizen gets in, now or when the reservation has run out.
				gate = newGate(t, newVault(t, c.Memory, clock.Now, nil), policy)
				err := gate.Do(t.Context(), who, right)
				if err != nil {
					require.ErrorIs(t, err, lockout.ErrBusy)
					clock.Add(45 * second)
					err = gate.Do(t.Context(), who, right)
				}
				require.NoError(t, err)
			})
			require.GreaterOrEqual(t, calls, 3*len(story), "too few calls were tried")
		})
	}
}

// reservedGuess does one guess, and fails the test if it is compared without a reservation, or if its outcome is not what
// verify says.
func reservedGuess(
	t *testing.T, c *testkit.Crash, gate *lockout.Gate, who lockout.Target, verify func(context.Context) (bool, error),
) error {
	before := values(t, c.Memory, "lockout.login/")
	err := gate.Do(t.Context(), who, func(ctx context.Context) (bool, error) {
		require.False(t, maps.Equal(before, values(t, c.Memory, "lockout.login/")), "compared without a reservation")
		return verify(ctx)
	})
	switch ok, failed := verify(t.Context()); {
	case ok && err != nil:
		require.ErrorIs(t, err, storetest.ErrInjected, "a right guess is refused for that only")
	case failed != nil:
		require.Error(t, err)
	case !ok:
		require.Error(t, err, "a wrong guess was let in")
	}
	return err
}

// TestFaultsUnderAttack has an attacker guess on and on while a store call goes wrong, and afterwards: all in all no more than
// the limit is compared, and a fault costs one guess at most.
func TestFaultsUnderAttack(t *testing.T) {
	for name, policy := range faultPolicies() {
		t.Run(name, func(t *testing.T) {
			testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) {
				clock := newClock()
				compared := 0
				attack := func(gate *lockout.Gate) (last error) {
					for range 12 {
						last = gate.Do(t.Context(), from("ATTACKED", "192.0.2.2"), func(context.Context) (bool, error) {
							compared++
							return false, nil
						})
						require.Error(t, last)
						c.Faults.Deliver(t.Context())
						if errors.Is(last, lockout.ErrBusy) {
							clock.Add(45 * second)
						}
					}
					return last
				}
				gate := newGate(t, newVault(t, c.Store(), clock.Now, nil), policy)
				_ = c.During(t, func() error { return attack(gate) })
				gate = newGate(t, newVault(t, c.Memory, clock.Now, nil), policy)
				if c.Stop {
					_ = attack(gate)
				}
				require.LessOrEqual(t, compared, policy.Limit)
				require.GreaterOrEqual(t, compared, policy.Limit-1)
				asLocked(t, gate.Do(t.Context(), key("ATTACKED"), never(t)))
			})
		})
	}
}

// TestSettleFails: whatever the outcome, if it cannot be stored the caller is told the store's error and nobody gets in.
func TestSettleFails(t *testing.T) {
	for name, verify := range map[string]func(context.Context) (bool, error){
		"right": right, "wrong": wrong, "stranger": stranger, "broken": broken,
	} {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			faults := storetest.NewFaults(store.NewMemory())
			gate := newGate(t, newVault(t, faults.Store(), clock.Now, nil), lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked})
			faults.StopAt(3, storetest.NotDone)
			err := gate.Do(t.Context(), key("CITIZEN"), verify)
			require.ErrorIs(t, err, storetest.ErrInjected)
			require.NotErrorIs(t, err, lockout.ErrRefused)
			if name == "broken" {
				require.ErrorIs(t, err, errBroken, "both causes are told")
			}
			faults.Reset()
			require.Equal(t, 0, failures(t, gate, key("CITIZEN")))
			clock.Add(45 * second)
			require.Equal(t, 1, failures(t, gate, key("CITIZEN")))
			require.NoError(t, gate.Do(t.Context(), key("CITIZEN"), right))
		})
	}
}

// TestRefundFails: that a source's share could not be given back keeps nobody out.
func TestRefundFails(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	gate := newGate(t, newVault(t, faults.Store(), newClock().Now, nil), lockout.Policy{
		Limit: 3, Lock: lockout.UntilUnlocked, Source: failing(2),
	})
	who := from("CITIZEN", "192.0.2.1")
	faults.StopAt(6, storetest.NotDone)
	require.NoError(t, gate.Do(t.Context(), who, right))
	require.Greater(t, faults.Calls(), 5, "the refund was tried")
	faults.Reset()
	asRefused(t, gate.Do(t.Context(), who, wrong))
	require.Equal(t, lockout.ScopeSource, asLocked(t, gate.Do(t.Context(), who, never(t))).Scope, "it stays counted")
}

// TestUnreadableRecord: a record that does not open lets nobody in, and is not taken for one that is not there.
func TestUnreadableRecord(t *testing.T) {
	memory := store.NewMemory()
	gate := newGate(t, newVault(t, memory, nil, nil), lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked})
	asRefused(t, gate.Do(t.Context(), key("CITIZEN"), wrong))
	for item, err := range memory.List(t.Context(), "", "") {
		require.NoError(t, err)
		item.Value[len(item.Value)-1] ^= 1
		_, err = memory.Put(t.Context(), item.Key, item.Record)
		require.NoError(t, err)
	}
	require.ErrorIs(t, gate.Do(t.Context(), key("CITIZEN"), never(t)), store.ErrUnreadable)
	require.ErrorIs(t, gate.Unlock(t.Context(), key("CITIZEN"), operator), store.ErrUnreadable)
	_, err := gate.Status(t.Context(), key("CITIZEN"))
	require.ErrorIs(t, err, store.ErrUnreadable)
}

// Citizens and strangers cannot be told apart by what Do returns.
func TestWhatIsTold(t *testing.T) {
	gate := newGate(t, newVault(t, store.NewMemory(), newClock().Now, nil), lockout.Policy{
		Limit: 4, Lock: lockout.Timed, For: hour, DelayAfter: 3, Delay: second,
	})
	for range 6 {
		a := gate.Do(t.Context(), key("CITIZEN"), wrong)
		b := gate.Do(t.Context(), key("STRANGER"), stranger)
		require.Equal(t, a, b)
		require.False(t, strings.Contains(a.Error(), "CITIZEN"))
	}
}

// reserved has a limit of 5; of the ceiling of 100, 10 are for a login, 10 for a known device, and 80 for anybody.
var reserved = lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked, Reserve: 10}

// proofs are what has a lane under reserved.
var proofs = []shown.Kind{shown.Device, shown.Login}

// proving is a target of a subject's that shows a proof of a subject's, as fresh as can be.
func proving(v *store.Vault, subject, of civicpin.Subject, proof shown.Kind) lockout.Target {
	return lockout.Target{
		Subject: subject, Source: civicpin.Source{Shown: shown.New(v, of, shown.Value{Kind: proof, ID: "x"})},
	}
}

// TestReserves: strangers close the open lane and in the end disable it, and callers who have shown something get in. A lane
// bears the policy's limit, and no failure of one kind of caller counts against another's.
func TestReserves(t *testing.T) {
	vault := memoryVault(t, newClock().Now, nil)
	gate := newGate(t, vault, reserved)
	for n := 0; n < 200 && !isDisabled(gate.Do(t.Context(), key("CITIZEN"), wrong)); n++ {
		for _, proof := range proofs {
			require.NoError(t, gate.Do(t.Context(), proving(vault, "CITIZEN", "CITIZEN", proof), right))
		}
		if err := gate.Unlock(t.Context(), key("CITIZEN"), operator); err != nil {
			require.True(t, isDisabled(err))
		}
	}
	require.Equal(t, 80, failures(t, gate, key("CITIZEN")))
	login, device := proving(vault, "CITIZEN", "CITIZEN", shown.Login), proving(vault, "CITIZEN", "CITIZEN", shown.Device)
	for left := 4; left > 0; left-- {
		require.Equal(t, left, asRefused(t, gate.Do(t.Context(), login, wrong)).Left)
	}
	st, err := gate.Status(t.Context(), login)
	require.NoError(t, err)
	require.Equal(t, lockout.Status{Failures: 4, Left: 1}, st)
	asLocked(t, gate.Do(t.Context(), login, wrong))
	asLocked(t, gate.Do(t.Context(), login, never(t)))
	require.NoError(t, gate.Do(t.Context(), device, right))
}

// TestWhatOpensNoReserve: nothing but a fresh proof of the subject's that has a lane opens one. The rest is a stranger's guess,
// with the same answer after the same calls, whether or not there is such a subject.
func TestWhatOpensNoReserve(t *testing.T) {
	clock := newClock()
	memory := store.NewMemory()
	faults := storetest.NewFaults(memory)
	vault := newVault(t, faults.Store(), clock.Now, nil)
	foreign, err := store.OpenVault(t.Context(), store.NewMemory(), store.Keys{
		Index: civicpin.NewSecret(strings.Repeat("f", 32)), Sealing: testkit.Keys().Sealing,
	}, &store.Options{Now: clock.Now})
	require.NoError(t, err)
	gate, none := newGate(t, vault, reserved), newNamed(t, vault, "none", lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked})
	stale := proving(vault, "CITIZEN", "CITIZEN", shown.Login)
	clock.Add(15 * minute)
	good := proving(vault, "CITIZEN", "CITIZEN", shown.Login)
	bent := good
	bent.Source.Shown = civicpin.NewSecret(good.Source.Shown.Reveal()[1:])
	named := good
	named.Lane = "x"
	lockOpen(t, none, "CITIZEN")
	asLocked(t, none.Do(t.Context(), good, never(t)))
	for _, verify := range []func(context.Context) (bool, error){wrong, stranger} {
		for name, target := range map[string]lockout.Target{
			"another's": proving(vault, "CITIZEN", "ANOTHER", shown.Login), "stale": stale, "bent": bent,
			"facts": proving(vault, "CITIZEN", "CITIZEN", shown.Facts), "a run": proving(vault, "CITIZEN", "CITIZEN", shown.Run),
			"of another vault": proving(foreign, "CITIZEN", "CITIZEN", shown.Login),
		} {
			require.NoError(t, gate.Rebind(t.Context(), key("CITIZEN"), operator))
			for range 5 {
				faults.Reset()
				require.Error(t, gate.Do(t.Context(), target, verify))
				require.Equal(t, 3, faults.Calls(), name)
			}
			faults.Reset()
			asLocked(t, gate.Do(t.Context(), target, never(t)))
			require.Equal(t, 1, faults.Calls(), name)
			require.NoError(t, gate.Do(t.Context(), good, right), name)
		}
	}
	lock := lockout.Target{Subject: "CITIZEN", Lane: "x"}
	require.NoError(t, gate.Lock(t.Context(), lock, operator))
	asLocked(t, gate.Do(t.Context(), named, never(t)))
}

// TestBlindGuessBreaks: a guess that is verified for the work alone, and could not be, is told as one that is compared.
func TestBlindGuessBreaks(t *testing.T) {
	clock := newClock()
	gate := newGate(t, memoryVault(t, clock.Now, nil), lockout.Policy{Limit: 2, Lock: lockout.Timed, For: minute, Ceiling: 2})
	for range 2 {
		asRefused(t, gate.Do(t.Context(), key("CITIZEN"), wrong))
		clock.Add(day)
	}
	work := func(verify verifier) error { return gate.Do(blind.Allow(t.Context()), key("CITIZEN"), verify) }
	require.ErrorIs(t, work(broken), errBroken)
	asRefused(t, work(right))
}

// TestReservesShareTheCeiling: a thief of everything that can be shown, with staff who unlock at once, and years of time, has
// as many guesses compared as the ceiling says. Forgetting devices gives none back.
func TestReservesShareTheCeiling(t *testing.T) {
	clock := newClock()
	vault := memoryVault(t, clock.Now, nil)
	gate := newGate(t, vault, reserved)
	compared := 0
	for range 200 {
		for _, proof := range []shown.Kind{shown.Nothing, shown.Device, shown.Login} {
			_ = gate.Do(t.Context(), proving(vault, "CITIZEN", "CITIZEN", proof), func(context.Context) (bool, error) {
				compared++
				return false, nil
			})
		}
		_ = gate.Unlock(t.Context(), key("CITIZEN"), operator)
		require.NoError(t, gate.ForgetDevices(t.Context(), "CITIZEN", operator))
		clock.Add(20 * day)
		_, err := vault.Purge(t.Context(), store.Pass{})
		require.NoError(t, err)
	}
	require.Equal(t, 100, compared)
	for _, proof := range proofs {
		require.Error(t, gate.Do(t.Context(), proving(vault, "CITIZEN", "CITIZEN", proof), never(t)))
	}
	require.NoError(t, gate.Rebind(t.Context(), key("CITIZEN"), operator))
	for _, proof := range proofs {
		require.NoError(t, gate.Do(t.Context(), proving(vault, "CITIZEN", "CITIZEN", proof), right))
	}
}

// TestReserveComesBack: guesses of a caller whose lane is locked go to the open lane, and a right one there ends the row of
// failures in both. One that is wrong, or that an operator's lock overtakes, ends none.
func TestReserveComesBack(t *testing.T) {
	vault := memoryVault(t, newClock().Now, nil)
	gate := newGate(t, vault, reserved)
	login := proving(vault, "CITIZEN", "CITIZEN", shown.Login)
	for range 5 {
		asRefused(t, gate.Do(t.Context(), login, wrong))
	}
	asRefused(t, gate.Do(t.Context(), login, wrong))
	require.Equal(t, 1, failures(t, gate, key("CITIZEN")))
	require.NoError(t, gate.Do(t.Context(), login, right))
	lockOpen(t, gate, "CITIZEN")
	require.NoError(t, gate.Do(t.Context(), login, right))
	require.NoError(t, gate.Unlock(t.Context(), key("CITIZEN"), operator))

	for range 5 {
		asRefused(t, gate.Do(t.Context(), login, wrong))
	}
	late := mustHold(t, gate, login)
	require.NoError(t, gate.Lock(t.Context(), key("CITIZEN"), operator))
	asLocked(t, late.end(true, nil))
	asLocked(t, gate.Do(t.Context(), login, never(t)))
}

// TestOperatorsLockReserves: an operator's lock holds in every lane, also for a guess in flight. An unlock ends it, and does
// not give guesses back.
func TestOperatorsLockReserves(t *testing.T) {
	clock := newClock()
	vault := memoryVault(t, clock.Now, nil)
	for _, proof := range proofs {
		gate := newNamed(t, vault, proof.String(), reserved)
		proving := func() lockout.Target { return proving(vault, "CITIZEN", "CITIZEN", proof) }
		asRefused(t, gate.Do(t.Context(), proving(), wrong))
		right1, wrong1, open := mustHold(t, gate, proving()), mustHold(t, gate, proving()), mustHold(t, gate, key("CITIZEN"))
		require.NoError(t, gate.Lock(t.Context(), key("CITIZEN"), operator))
		asLocked(t, right1.end(true, nil))
		asLocked(t, wrong1.end(false, nil))
		asLocked(t, open.end(true, nil))
		asLocked(t, gate.Do(t.Context(), proving(), never(t)))
		clock.Add(500 * day) // the lock does not show any more
		_, err := vault.Purge(t.Context(), store.Pass{})
		require.NoError(t, err)
		require.Error(t, gate.Do(t.Context(), proving(), never(t)))
		require.Error(t, gate.Do(t.Context(), key("CITIZEN"), never(t)))
		require.NoError(t, gate.Unlock(t.Context(), key("CITIZEN"), operator))
		require.Equal(t, 2, failures(t, gate, proving()))
		require.NoError(t, gate.Do(t.Context(), proving(), right))
		require.Zero(t, failures(t, gate, proving()))
	}
}
