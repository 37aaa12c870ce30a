package lockout_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin/lockout"
)

// A model is what a lane should be like, told as plainly as possible: no versions, no store, one act after the other.
type model struct {
	policy   lockout.Policy
	total    int // failures since the last success
	round    int // failures since the last success, unlock, or end of a lock
	reached  int // limits reached since the last success
	lockedBy string
	until    time.Time // of a lock by the limit that ends
	wait     time.Time // of a delay
	disabled bool
	locks    int // ever set
	guesses  []modelGuess
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

// locked reports whether a soft lock holds at a time.
func (m *model) locked(at time.Time) bool {
	return m.lockedBy == "operator" || m.lockedBy == "limit" && (m.until.IsZero() || at.Before(m.until))
}

func (m *model) clearLock() { m.lockedBy, m.until, m.round = "", time.Time{}, 0 }

func (m *model) failure(at time.Time) {
	if m.disabled {
		return
	}
	m.total++
	if m.total >= m.policy.Ceiling {
		m.disabled = true
		m.locks++
	}
	if m.locked(at) {
		return
	}
	if m.lockedBy != "" {
		m.clearLock()
	}
	m.round++
	if after := m.policy.DelayAfter; after > 0 && m.total >= after {
		d := m.policy.Delay
		for range m.total - after {
			d = min(2*d, m.policy.DelayMax)
		}
		m.wait = at.Add(d)
	}
	if m.round >= m.policy.Limit && !m.disabled {
		m.lockedBy, m.until = "limit", time.Time{}
		if m.policy.Lock == lockout.Timed {
			d := m.policy.For
			for range m.reached {
				d = min(2*d, m.policy.Max)
			}
			m.until = at.Add(d)
		}
		m.reached++
		m.locks++
	}
}

// bury lets guesses fail whose deadline has passed, the oldest first.
func (m *model) bury(now time.Time) {
	slices.SortStableFunc(m.guesses, func(a, b modelGuess) int { return a.deadline.Compare(b.deadline) })
	for len(m.guesses) > 0 && !m.guesses[0].deadline.After(now) {
		at := m.guesses[0].deadline
		m.guesses = m.guesses[1:]
		m.failure(at)
	}
}

func (m *model) left() int { return min(m.policy.Limit-m.round, m.policy.Ceiling-m.total) }

// refusal is what a guess is told at now that is not let in, without "locked" or "locks"; nil if it is let in.
func (m *model) refusal(now time.Time) *string {
	since := func(t time.Time) *string { return new(" to " + t.Sub(start).String()) }
	switch {
	case m.disabled:
		return new(" for good")
	case m.locked(now) && m.until.IsZero():
		return new("")
	case m.locked(now):
		return since(m.until)
	case now.Before(m.wait):
		return since(m.wait)
	}
	return nil
}

// begin says what a new guess is told at once, "" if it is verified.
func (m *model) begin(now time.Time) string {
	m.bury(now)
	if r := m.refusal(now); r != nil {
		return "locked" + *r
	}
	fresh := m.copy()
	if fresh.lockedBy != "" {
		fresh.clearLock()
	}
	flying := len(m.guesses)
	after := m.policy.DelayAfter
	if flying >= fresh.left() || after > 0 && flying > 0 && m.total+flying >= after {
		return "busy"
	}
	*m = *fresh
	return ""
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
		if g.locks == m.locks {
			m.total, m.round, m.reached, m.wait = 0, 0, 0, time.Time{}
			m.clearLock()
			return "ok"
		}
		if r := m.refusal(now); r != nil {
			return "locks" + *r
		}
		return "ok"
	}
	if i >= 0 {
		m.failure(now)
	}
	if r := m.refusal(now); r != nil && (m.disabled || m.lockedBy != "") {
		return "locks" + *r
	}
	text := fmt.Sprintf("left %d", max(1, m.left()))
	if !m.wait.IsZero() {
		text += ", next at " + m.wait.Sub(start).String()
	}
	return text
}

func (m *model) status(now time.Time) lockout.Status {
	c := m.copy()
	c.bury(now)
	st := lockout.Status{Failures: c.total}
	if c.refusal(now) == nil {
		if c.lockedBy != "" {
			c.clearLock()
		}
		st.Left = c.left()
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
		m := &model{policy: policy}
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
				m.guesses = append(m.guesses, modelGuess{h, now.Add(45 * second), m.locks})
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
				case got == "ok" && m.total == 0: // reset: only what is in flight remains
					sinceReset, sinceUnlock = len(m.guesses), len(m.guesses)
				case outcome != "wrong" && alive: // given back
					sinceReset--
					sinceUnlock--
				}
			},
			"unlock": func(*rapid.T) {
				c := m.copy()
				c.bury(clock.Now())
				want := "locks for good"
				if !c.disabled {
					c.wait = time.Time{}
					c.clearLock()
					m, want = c, "ok"
					sinceUnlock = len(m.guesses)
				}
				check(want, operate(func(ctx context.Context, k lockout.Target) error { return gate().Unlock(ctx, k, operator) }))
			},
			"lock": func(*rapid.T) {
				m.bury(clock.Now())
				m.lockedBy, m.until = "operator", time.Time{}
				m.locks++
				check("ok", operate(func(ctx context.Context, k lockout.Target) error { return gate().Lock(ctx, k, operator) }))
			},
			"rebind": func(*rapid.T) {
				m.bury(clock.Now())
				m = &model{policy: m.policy, locks: m.locks, guesses: m.guesses}
				sinceReset, sinceUnlock = len(m.guesses), len(m.guesses)
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
				want := m.status(now)
				locked := st.Locked
				st.Locked = nil
				require.Equal(rt, want, st)
				c := m.copy()
				c.bury(now)
				if r := c.refusal(now); r != nil {
					require.NotNil(rt, locked)
					check("locked"+*r, describe(locked, false, start))
				} else {
					require.Nil(rt, locked)
				}
				require.LessOrEqual(rt, sinceReset, policy.Ceiling, "compared since the last success or rebinding")
				if policy.Lock == lockout.UntilUnlocked {
					require.LessOrEqual(rt, sinceUnlock, policy.Limit, "compared since the last success, rebinding or unlock")
				}
			},
		})
	})
}
