package otp_test

import (
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// modelKey is what a key should be, told as simply as can be.
type modelKey struct {
	key   otp.Key
	used  map[int64]bool // steps or counters whose codes were accepted
	last  int64          // the greatest of them, -1 for none
	drift int64
	until time.Time // of a pending key
}

// keyModel is a citizen's keys and guesses.
type keyModel struct {
	active, pending *modelKey
	wrong, round    int
	locks           int
	lockedTo        time.Time
	disabled        bool
	forgetAt        time.Time // when the count of somebody without a key is dropped; zero for never
}

const (
	modelLimit   = 3
	modelCeiling = 8
	modelFor     = time.Minute
	modelMax     = time.Hour
)

var modelLocks = lockout.Policy{Limit: modelLimit, Lock: lockout.Timed, For: modelFor, Max: modelMax, Ceiling: modelCeiling}

// fatalFob makes testify's message that of the failure; rapid would say only that there was one.
type fatalFob struct{ *rapid.T }

// Errorf fails at once.
func (f fatalFob) Errorf(format string, args ...any) { f.T.Fatalf(format, args...) }

// newModelKey is a key that was never used, or a token that begins at a counter.
func newModelKey(k otp.Key) *modelKey {
	return &modelKey{key: k, used: map[int64]bool{}, last: int64(k.Counter) - 1}
}

// accepts returns the step whose code is accepted at a step of the server's clock, if this is it.
func (k *modelKey) acceptsTOTP(code string, now int64) (int64, bool) {
	for _, around := range []int64{0, k.drift} {
		for s := now + around - 1; s <= now+around+1; s++ {
			if s > k.last && codeAt(k.key, uint64(s)) == code {
				return s, true
			}
		}
	}
	return 0, false
}

func (k *modelKey) acceptsHOTP(code string) (int64, bool) {
	for c := k.last + 1; c <= k.last+10; c++ {
		if codeAt(k.key, uint64(c)) == code {
			return c, true
		}
	}
	return 0, false
}

func (k *modelKey) acceptsPair(first, second string) (int64, bool) {
	for c := k.last + 1; c <= k.last+101; c++ {
		if codeAt(k.key, uint64(c)) == first && codeAt(k.key, uint64(c+1)) == second {
			return c + 1, true
		}
	}
	return 0, false
}

// guess tells the model about an attempt and returns what should come of it.
func (m *keyModel) guess(t rapid.TB, now time.Time, accepts func(*modelKey) (int64, bool), drift func(int64) int64) string {
	if m.disabled || now.Before(m.lockedTo) {
		return fobLocked
	}
	for _, k := range []*modelKey{m.active, m.pending} {
		if k == nil {
			continue
		}
		at, ok := accepts(k)
		if !ok {
			continue
		}
		require.False(fatalFob{t.(*rapid.T)}, k.used[at], "the model accepts twice")
		k.used[at], k.last, k.drift = true, at, drift(at)
		if k == m.pending {
			m.active, m.pending = k, nil
		}
		m.wrong, m.round, m.locks = 0, 0, 0
		m.forgetAt = time.Time{}
		return fobAccepted
	}
	m.wrong++
	m.round++
	came := fobRefused
	switch {
	case m.wrong >= modelCeiling:
		m.disabled = true
		came = fobLocked
	case m.round >= modelLimit:
		m.lockedTo = now.Add(min(modelMax, modelFor<<m.locks))
		m.locks++
		m.round = 0
		came = fobLocked
	}
	m.forgetAt = time.Time{}
	if m.active == nil && m.pending == nil {
		m.forgetAt = later(now, m.lockedTo).Add(30 * 24 * time.Hour)
	}
	return came
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// rebound is what a new binding leaves of the guesses.
func (m *keyModel) rebound() {
	m.wrong, m.round, m.locks, m.disabled, m.lockedTo, m.forgetAt = 0, 0, 0, false, time.Time{}, time.Time{}
}

// pass lets what ends by time end.
func (m *keyModel) pass(now time.Time) {
	if m.pending != nil && !now.Before(m.pending.until) {
		m.pending = nil
	}
	if !m.forgetAt.IsZero() && !now.Before(m.forgetAt) {
		m.rebound()
	}
}

// keyMachine drives a service and the model side by side.
type keyMachine struct {
	f      *fob
	faults *storetest.Faults
	m      keyModel
	seen   []string // codes that were typed before
}

// lose lets the answer to one of the next writes get lost, which makes no difference.
func (s *keyMachine) lose(rt *rapid.T) {
	s.faults.Reset()
	if rapid.Bool().Draw(rt, "lose a reply") {
		s.faults.FailAt(rapid.IntRange(1, 3).Draw(rt, "put"), storetest.ReplyLost, storetest.Put)
	}
}

// typed draws what somebody types: a code of one of the keys near where it is, one that was typed before, or nonsense.
func (s *keyMachine) typed(rt *rapid.T, near func(*modelKey) int64, spread int64) string {
	var keys []*modelKey
	for _, k := range []*modelKey{s.m.active, s.m.pending} {
		if k != nil {
			keys = append(keys, k)
		}
	}
	what := rapid.IntRange(0, 9).Draw(rt, "what")
	switch {
	case what == 0 || len(keys) == 0:
		return "12345678"
	case what <= 2 && len(s.seen) > 0:
		return rapid.SampledFrom(s.seen).Draw(rt, "seen")
	}
	k := rapid.SampledFrom(keys).Draw(rt, "key")
	at := max(0, near(k)+rapid.Int64Range(-spread, spread).Draw(rt, "offset"))
	code := codeAt(k.key, uint64(at))
	s.seen = append(s.seen, code)
	return code
}

// common are the actions that both sorts have. made tells the model of a key that was made.
func (s *keyMachine) common(t *testing.T) map[string]func(*rapid.T) {
	ctx := t.Context()
	keys := s.f
	pend := func(k otp.Key) {
		s.m.pending = newModelKey(k)
		s.m.pending.until = s.f.clock.Now().Add(time.Hour)
	}
	return map[string]func(*rapid.T){
		"enrol": func(rt *rapid.T) {
			s.lose(rt)
			k, err := keys.Enrol(ctx, ada)
			require.NoError(fatalFob{rt}, err)
			pend(k)
		},
		"rebind": func(rt *rapid.T) {
			s.lose(rt)
			k, err := keys.Rebind(ctx, ada, inPerson)
			require.NoError(fatalFob{rt}, err)
			s.m.active = nil
			pend(k)
			s.m.rebound()
		},
		"import": func(rt *rapid.T) {
			s.lose(rt)
			k := otp.Key{Account: "ada", Seed: civicpin.NewSecret(rfcSeed), Algorithm: otp.SHA256, Digits: 8, Period: step}
			if s.f.HOTP != nil {
				k.Period, k.Counter = 0, 77
			}
			err := keys.Import(ctx, ada, k, fobClerk)
			if s.m.active != nil {
				if s.m.active.key.Account == "ada" && len(s.m.active.used) == 0 {
					require.NoError(fatalFob{rt}, err)
					s.m.pending = nil
					s.m.rebound()
					return
				}
				require.ErrorIs(fatalFob{rt}, err, otp.ErrWrongState)
				return
			}
			require.NoError(fatalFob{rt}, err)
			s.m.active, s.m.pending = newModelKey(k), nil
			s.m.rebound()
		},
		"remove": func(rt *rapid.T) {
			s.lose(rt)
			err := keys.Remove(ctx, ada, civicpin.Citizen)
			if s.m.active == nil && s.m.pending == nil {
				require.ErrorIs(fatalFob{rt}, err, otp.ErrNotEnrolled)
				return
			}
			require.NoError(fatalFob{rt}, err)
			s.m.active, s.m.pending = nil, nil
		},
		"unlock": func(rt *rapid.T) {
			s.lose(rt)
			err := keys.Unlock(ctx, ada, fobClerk)
			if s.m.disabled {
				require.Error(fatalFob{rt}, err)
				return
			}
			require.NoError(fatalFob{rt}, err)
			s.m.lockedTo, s.m.round, s.m.forgetAt = time.Time{}, 0, time.Time{}
		},
		"time passes": func(rt *rapid.T) {
			s.f.clock.Add(rapid.SampledFrom([]time.Duration{
				time.Second, step, 45 * time.Second, time.Minute, 59 * time.Minute, time.Hour, 40 * 24 * time.Hour,
			}).Draw(rt, "for"))
			s.m.pass(s.f.clock.Now())
		},
		"": func(rt *rapid.T) {
			s.faults.Reset()
			st, err := keys.Enrolled(ctx, ada)
			require.NoError(fatalFob{rt}, err)
			require.Equal(fatalFob{rt}, s.m.active != nil, st.Active)
			require.Equal(fatalFob{rt}, s.m.pending != nil, st.Pending)
			require.Equal(fatalFob{rt}, s.m.wrong, st.Lockout.Failures)
			if s.m.active != nil && s.f.HOTP != nil {
				require.EqualValues(fatalFob{rt}, s.m.active.last+1, st.Counter)
			}
			if s.m.active != nil && s.f.TOTP != nil {
				require.Equal(fatalFob{rt}, time.Duration(s.m.active.drift)*step, st.Drift)
			}
		},
	}
}

// TestTOTPModel drives random sequences of calls, clock moves and lost replies, and holds every answer against the model.
func TestTOTPModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cryptotest.SetGlobalRandom(t, rapid.Uint64().Draw(rt, "seed")) // or no failure could be played again
		faults := storetest.NewFaults(store.NewMemory())
		c := otp.TOTPPolicy{Digits: 8, Lockout: modelLocks}
		s := &keyMachine{f: totpOn(t, faults.Store(), c, newClock(), &testkit.Recorder{}), faults: faults}
		actions := s.common(t)
		actions["verify"] = func(rt *rapid.T) {
			s.lose(rt)
			now := s.f.clock.Now().Unix() / 30
			typed := s.typed(rt, func(k *modelKey) int64 { return now + k.drift }, 4)
			want := s.m.guess(rt, s.f.clock.Now(), func(k *modelKey) (int64, bool) { return k.acceptsTOTP(typed, now) },
				func(at int64) int64 { return max(-2, min(2, at-now)) })
			require.Equal(fatalFob{rt}, want, s.f.verify(t, typed))
		}
		rt.Repeat(actions)
	})
}

// TestHOTPModel is the same for counters and buttons.
func TestHOTPModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cryptotest.SetGlobalRandom(t, rapid.Uint64().Draw(rt, "seed"))
		faults := storetest.NewFaults(store.NewMemory())
		c := otp.HOTPPolicy{Digits: 8, Lockout: modelLocks}
		s := &keyMachine{f: hotpOn(t, faults.Store(), c, newClock(), &testkit.Recorder{}), faults: faults}
		actions := s.common(t)
		none := func(int64) int64 { return 0 }
		actions["verify"] = func(rt *rapid.T) {
			s.lose(rt)
			typed := s.typed(rt, func(k *modelKey) int64 { return k.last + 4 }, 8)
			want := s.m.guess(rt, s.f.clock.Now(), func(k *modelKey) (int64, bool) { return k.acceptsHOTP(typed) }, none)
			require.Equal(fatalFob{rt}, want, s.f.verify(t, typed))
		}
		actions["resync"] = func(rt *rapid.T) {
			s.lose(rt)
			var first, second string
			if k := s.m.active; k != nil && rapid.Bool().Draw(rt, "right") {
				at := uint64(max(0, k.last+rapid.Int64Range(-5, 110).Draw(rt, "ahead")))
				first, second = codeAt(k.key, at), codeAt(k.key, at+1)
			} else {
				first = s.typed(rt, func(k *modelKey) int64 { return k.last + 4 }, 8)
				second = s.typed(rt, func(k *modelKey) int64 { return k.last + 4 }, 8)
			}
			want := s.m.guess(rt, s.f.clock.Now(), func(k *modelKey) (int64, bool) { return k.acceptsPair(first, second) }, none)
			require.Equal(fatalFob{rt}, want, s.f.resync(t, first, second))
		}
		rt.Repeat(actions)
	})
}
