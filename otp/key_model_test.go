package otp_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/stretchr/testify/assert"
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
	tally           testkit.Tally
	lasts           bool      // the count is of a subject with a key, and is not dropped
	forgetAt        time.Time // when the count of a subject without a key is dropped; zero for never
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
	m.tally.Pass(now)
	if m.tally.Refusal(now) != nil {
		return fobLocked
	}
	for _, k := range []*modelKey{m.active, m.pending} {
		if k == nil {
			continue
		}
		at, ok := accepts(k)
		if !ok || m.tally.Hidden() {
			continue
		}
		require.False(fatalFob{t.(*rapid.T)}, k.used[at], "the model accepts twice")
		k.used[at], k.last, k.drift = true, at, drift(at)
		if k == m.pending {
			m.active, m.pending = k, nil
		}
		m.tally.Right()
		m.lasts, m.forgetAt = m.tally.Kept > 0, time.Time{}
		return fobAccepted
	}
	came := m.tally.Guess(now, false)
	m.lasts = m.lasts || m.active != nil || m.pending != nil
	m.keep(now)
	return came
}

// rebound is what a new binding leaves of the guesses.
func (s *keyMachine) rebound() {
	s.m.tally.Rebind(s.f.clock.Now())
	s.m.lasts, s.m.forgetAt = false, time.Time{}
}

// keep says until when the count is kept.
func (m *keyModel) keep(now time.Time) {
	m.forgetAt = time.Time{}
	if !m.lasts {
		m.forgetAt = m.tally.ForgetAt(now)
	}
}

// pass lets what ends by time end.
func (m *keyModel) pass(now time.Time) {
	if m.pending != nil && !now.Before(m.pending.until) {
		m.pending = nil
	}
	if !m.forgetAt.IsZero() && !now.Before(m.forgetAt) {
		m.tally, m.lasts, m.forgetAt = testkit.NewTally(modelLocks), false, time.Time{}
	}
}

// keyMachine drives a service and the model side by side.
type keyMachine struct {
	f    *fob
	m    keyModel
	seen []string // codes that were typed before
}

// lose lets the answer to one of the next writes get lost, which makes no difference.
func (s *keyMachine) lose(rt *rapid.T) {
	s.f.faults.Reset()
	if rapid.Bool().Draw(rt, "lose a reply") {
		s.f.faults.FailAt(rapid.IntRange(1, 3).Draw(rt, "put"), storetest.ReplyLost, storetest.Put)
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
			s.rebound()
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
					s.rebound()
					return
				}
				require.ErrorIs(fatalFob{rt}, err, otp.ErrWrongState)
				return
			}
			require.NoError(fatalFob{rt}, err)
			s.m.active, s.m.pending = newModelKey(k), nil
			s.rebound()
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
			if !s.m.tally.Unlock(s.f.clock.Now()) {
				require.Error(fatalFob{rt}, err)
				return
			}
			require.NoError(fatalFob{rt}, err)
			s.m.keep(s.f.clock.Now())
		},
		"time passes": func(rt *rapid.T) {
			s.f.clock.Add(rapid.SampledFrom([]time.Duration{
				time.Second, step, 45 * time.Second, time.Minute, 59 * time.Minute, time.Hour, 40 * 24 * time.Hour,
			}).Draw(rt, "for"))
			s.m.pass(s.f.clock.Now())
		},
		"": func(rt *rapid.T) {
			s.f.faults.Reset()
			st, err := keys.Enrolled(ctx, ada)
			require.NoError(fatalFob{rt}, err)
			require.Equal(fatalFob{rt}, s.m.active != nil, st.Active)
			require.Equal(fatalFob{rt}, s.m.pending != nil, st.Pending)
			require.Equal(fatalFob{rt}, s.m.tally.Kept, st.Lockout.Failures)
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
		s := &keyMachine{f: newTOTP(t, otp.TOTPPolicy{Digits: 8, Lockout: modelLocks})}
		s.m.tally = testkit.NewTally(modelLocks)
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
		s := &keyMachine{f: newHOTP(t, otp.HOTPPolicy{Digits: 8, Lockout: modelLocks})}
		s.m.tally = testkit.NewTally(modelLocks)
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

// roomy lets many attempts be under way at once, so that they meet at the record and not at the gate.
var roomy = testkit.Until(100)

// Two hundred uses of one code at once, over four services: one wins, and the others count as wrong until that locks.
func TestKeyOneWinner(t *testing.T) {
	for _, policy := range []lockout.Policy{roomy, {}} {
		first := newTOTP(t, otp.TOTPPolicy{Lockout: policy})
		key := first.enrolled(t)
		services := []*fob{first}
		for range 3 {
			services = append(services, totpOn(t, first.memory, otp.TOTPPolicy{Lockout: policy}, first.clock, first.events))
		}
		code := civicpin.NewSecret(first.shown(key, 0))
		counts := crowd(t, 200, func(i int) error { return services[i%4].TOTP.Verify(t.Context(), ada, code, fobSource) })
		assert.Equal(t, 1, counts[fobAccepted], counts)
		assert.Equal(t, 199, counts[fobRefused]+counts[fobLocked], counts)
	}
	first := newHOTP(t, otp.HOTPPolicy{Lockout: testkit.Until(50)})
	key := first.enrolled(t)
	code, next := civicpin.NewSecret(codeAt(key, 1)), civicpin.NewSecret(codeAt(key, 2))
	counts := crowd(t, 200, func(i int) error {
		if i%2 == 0 {
			return first.HOTP.Verify(t.Context(), ada, code, fobSource)
		}
		return first.HOTP.Resync(t.Context(), ada, code, next, fobSource)
	})
	assert.Equal(t, 1, counts[fobAccepted], counts)
}

// Many attempts that have all read the record, and compared, before any writes: one write succeeds.
func TestKeyOneWriteWins(t *testing.T) {
	const n = 50
	f := newTOTP(t, otp.TOTPPolicy{Lockout: roomy})
	key := f.enrolled(t)
	var waiting atomic.Int32
	all := make(chan struct{})
	f.faults.Hook(func(method, key string) error {
		if method == storetest.Put && len(key) > 10 && key[:10] == "totp.totp/" {
			if waiting.Add(1) == n {
				close(all)
			}
			<-all
		}
		return nil
	})
	code := civicpin.NewSecret(f.shown(key, 0))
	counts := crowd(t, n, func(int) error { return f.Verify(t.Context(), ada, code, fobSource) })
	assert.Equal(t, map[string]int{fobAccepted: 1, fobRefused: n - 1}, counts)
	assert.EqualValues(t, n, waiting.Load(), "the losers found the code spent and wrote nothing")
	assert.LessOrEqual(t, f.status(t).Lockout.Failures, n-1)
}

// A thousand wrong codes at once, limit 5: five are compared.
func TestKeyLimitIsExact(t *testing.T) {
	for name, subject := range map[string]civicpin.Subject{"known": ada, "unknown": "NOBODY"} {
		policy := testkit.Until(5)
		one := newTOTP(t, otp.TOTPPolicy{Lockout: policy})
		two := totpOn(t, one.memory, otp.TOTPPolicy{Lockout: policy}, one.clock, one.events)
		key := one.enrolled(t)
		one.told()
		typed := civicpin.NewSecret(one.wrongCode(key))
		counts := crowd(t, 1000, func(i int) error {
			return []*fob{one, two}[i%2].TOTP.Verify(t.Context(), subject, typed, fobSource)
		})
		assert.Equal(t, map[string]int{fobRefused: 4, fobLocked: 996}, counts, name)
		compared := 0
		for _, e := range one.told() {
			if e == "otp.refused: wrong" || e == "otp.refused: unknown" {
				compared++
			}
		}
		assert.Equal(t, 5, compared, name)
	}
}

// A code that is right, while the keys are managed at the same time, is accepted at most once, and the record stays sound.
func TestKeyManagedMeanwhile(t *testing.T) {
	f := newTOTP(t, otp.TOTPPolicy{Lockout: roomy})
	key := f.enrolled(t)
	code := civicpin.NewSecret(f.shown(key, 0))
	var accepted atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 8 {
				switch err := f.Verify(context.Background(), ada, code, fobSource); {
				case err == nil:
					accepted.Add(1)
				case !errors.Is(err, otp.ErrRefused) && !errors.Is(err, otp.ErrBusy):
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 8 {
				if _, err := f.Enrol(context.Background(), ada); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, 1, accepted.Load())
	last, err := f.Enrol(t.Context(), ada)
	require.NoError(t, err)
	assert.Equal(t, fobAccepted, f.verify(t, f.shown(last, 0)))
}

// A keyFlow is a call whose every store call may be the last one.
type keyFlow struct {
	name    string
	make    func(t *testing.T, s store.Store, clock *testkit.Clock) *fob
	prepare func(t *testing.T, f *fob) otp.Key // on a store without faults
	act     func(t *testing.T, f *fob, k otp.Key) error
	// after looks at what another process finds five minutes later. err is what act returned.
	after func(t *testing.T, f *fob, k otp.Key, err error)
}

func totpFlow(t *testing.T, s store.Store, clock *testkit.Clock) *fob {
	t.Helper()
	return totpOn(t, s, otp.TOTPPolicy{}, clock, &testkit.Recorder{})
}

func hotpFlow(t *testing.T, s store.Store, clock *testkit.Clock) *fob {
	t.Helper()
	return hotpOn(t, s, otp.HOTPPolicy{}, clock, &testkit.Recorder{})
}

// walk takes Ada from nothing to a login: whatever was left behind, she can go on.
func (f *fob) walk(t *testing.T) {
	t.Helper()
	f.enrolled(t)
	require.True(t, f.status(t).Active)
}

// rfcTOTP is a key to import.
func rfcTOTP() otp.Key {
	k := rfcToken(0)
	k.Period = step
	return k
}

func (f *fob) verifyErr(t *testing.T, code string) error {
	t.Helper()
	return f.Verify(t.Context(), ada, civicpin.NewSecret(code), fobSource)
}

var keyFlows = []keyFlow{
	{
		name:    "enrol",
		make:    totpFlow,
		prepare: func(*testing.T, *fob) otp.Key { return otp.Key{} },
		act: func(t *testing.T, f *fob, _ otp.Key) error {
			key, err := f.Enrol(t.Context(), ada)
			require.Equal(t, err == nil, len(key.Seed.Reveal()) > 0, "no key that may not be there")
			return err
		},
		after: func(t *testing.T, f *fob, _ otp.Key, err error) {
			if err == nil {
				require.True(t, f.status(t).Pending)
			}
			require.False(t, f.status(t).Active)
			f.walk(t)
		},
	},
	{
		name:    "enrol beside an active key",
		make:    totpFlow,
		prepare: func(t *testing.T, f *fob) otp.Key { return f.enrolled(t) },
		act: func(t *testing.T, f *fob, _ otp.Key) error {
			_, err := f.Enrol(t.Context(), ada)
			return err
		},
		after: func(t *testing.T, f *fob, k otp.Key, _ error) {
			require.Equal(t, fobAccepted, f.verify(t, f.shown(k, 0)), "the active key goes on to count")
			f.walk(t)
		},
	},
	{
		name:    "verify",
		make:    totpFlow,
		prepare: func(t *testing.T, f *fob) otp.Key { return f.enrolled(t) },
		act:     func(t *testing.T, f *fob, k otp.Key) error { return f.verifyErr(t, f.shown(k, 0)) },
		after: func(t *testing.T, f *fob, k otp.Key, err error) {
			f.clock.Add(-5 * time.Minute)
			again := f.verify(t, f.shown(k, 0))
			if err == nil {
				require.Equal(t, fobRefused, again, "what was accepted is not accepted again")
			}
			f.clock.Add(5 * time.Minute)
			require.LessOrEqual(t, f.status(t).Lockout.Failures, 2, "an attempt that died is one failure at most")
			require.Equal(t, fobAccepted, f.verify(t, f.shown(k, 0)), "the next code counts")
			require.Zero(t, f.status(t).Lockout.Failures)
		},
	},
	{
		name:    "verify wrong",
		make:    totpFlow,
		prepare: func(t *testing.T, f *fob) otp.Key { return f.enrolled(t) },
		act: func(t *testing.T, f *fob, k otp.Key) error {
			err := f.verifyErr(t, f.wrongCode(k))
			require.Error(t, err)
			return err
		},
		after: func(t *testing.T, f *fob, k otp.Key, err error) {
			failures := f.status(t).Lockout.Failures
			require.LessOrEqual(t, failures, 1)
			if _, refused := fobIs(err); refused {
				require.Equal(t, 1, failures, "a guess that was answered is counted")
			}
			for range 5 - failures {
				f.verify(t, f.wrongCode(k))
			}
			require.Equal(t, fobLocked, f.verify(t, f.shown(k, 0)))
		},
	},
	{
		name: "activate",
		make: totpFlow,
		prepare: func(t *testing.T, f *fob) otp.Key {
			f.enrolled(t)
			key := f.enrol(t)
			return key
		},
		act: func(t *testing.T, f *fob, k otp.Key) error { return f.verifyErr(t, f.shown(k, 0)) },
		after: func(t *testing.T, f *fob, k otp.Key, err error) {
			st := f.status(t)
			require.True(t, st.Active)
			if err == nil {
				require.False(t, st.Pending)
			}
			require.Equal(t, fobAccepted, f.verify(t, f.shown(k, 0)), "active, or still pending")
			require.False(t, f.status(t).Pending)
		},
	},
	{
		name:    "import",
		make:    totpFlow,
		prepare: func(*testing.T, *fob) otp.Key { return rfcTOTP() },
		act:     func(t *testing.T, f *fob, k otp.Key) error { return f.Import(t.Context(), ada, k, fobClerk) },
		after: func(t *testing.T, f *fob, k otp.Key, err error) {
			if err == nil {
				require.True(t, f.status(t).Active)
			}
			require.NoError(t, f.Import(t.Context(), ada, k, fobClerk), "the operator does it again")
			require.Equal(t, fobAccepted, f.verify(t, f.shown(k, 0)))
		},
	},
	{
		name: "rebind a disabled key",
		make: totpFlow,
		prepare: func(t *testing.T, f *fob) otp.Key {
			key := f.enrolled(t)
			for range 100 {
				f.verify(t, f.wrongCode(key))
				f.clock.Add(25 * time.Hour)
			}
			require.True(t, f.status(t).Lockout.Hidden)
			return key
		},
		act: func(t *testing.T, f *fob, _ otp.Key) error {
			key, err := f.Rebind(t.Context(), ada, inPerson)
			require.Equal(t, err == nil, len(key.Seed.Reveal()) > 0)
			return err
		},
		after: func(t *testing.T, f *fob, k otp.Key, err error) {
			st := f.status(t)
			if st.Active {
				require.True(t, st.Lockout.Hidden, "no fresh guesses at the old key")
			}
			if err == nil {
				require.False(t, st.Lockout.Hidden)
			}
			key, err := f.Rebind(t.Context(), ada, inPerson)
			require.NoError(t, err)
			require.Equal(t, fobRefused, f.verify(t, f.shown(k, 0)))
			require.Equal(t, fobAccepted, f.verify(t, f.shown(key, 0)))
		},
	},
	{
		name:    "remove",
		make:    totpFlow,
		prepare: func(t *testing.T, f *fob) otp.Key { return f.enrolled(t) },
		act:     func(t *testing.T, f *fob, _ otp.Key) error { return f.Remove(t.Context(), ada, fobClerk) },
		after: func(t *testing.T, f *fob, k otp.Key, err error) {
			if err == nil {
				require.False(t, f.status(t).Active)
			}
			if f.status(t).Active {
				require.NoError(t, f.Remove(t.Context(), ada, fobClerk))
			}
			require.Equal(t, fobRefused, f.verify(t, f.shown(k, 0)))
			f.walk(t)
		},
	},
	{
		name:    "HOTP verify",
		make:    hotpFlow,
		prepare: func(t *testing.T, f *fob) otp.Key { return f.enrolled(t) },
		act:     func(t *testing.T, f *fob, k otp.Key) error { return f.verifyErr(t, codeAt(k, 3)) },
		after: func(t *testing.T, f *fob, k otp.Key, err error) {
			counter := f.status(t).Counter
			require.Contains(t, []uint64{1, 4}, counter)
			if err == nil {
				require.EqualValues(t, 4, counter)
			}
			require.Equal(t, counter == 1, f.verify(t, codeAt(k, 3)) == fobAccepted)
			require.Equal(t, fobAccepted, f.verify(t, codeAt(k, 4)), "the next code counts")
			require.Zero(t, f.status(t).Lockout.Failures)
		},
	},
	{
		name:    "HOTP resync",
		make:    hotpFlow,
		prepare: func(t *testing.T, f *fob) otp.Key { return f.enrolled(t) },
		act: func(t *testing.T, f *fob, k otp.Key) error {
			return f.HOTP.Resync(t.Context(), ada, civicpin.NewSecret(codeAt(k, 50)), civicpin.NewSecret(codeAt(k, 51)), fobSource)
		},
		after: func(t *testing.T, f *fob, k otp.Key, err error) {
			counter := f.status(t).Counter
			require.Contains(t, []uint64{1, 52}, counter)
			if err == nil {
				require.EqualValues(t, 52, counter)
			}
			require.Equal(t, counter == 1, f.resync(t, codeAt(k, 50), codeAt(k, 51)) == fobAccepted)
			require.Equal(t, fobAccepted, f.resync(t, codeAt(k, 52), codeAt(k, 53)), "two further ones do")
			require.Zero(t, f.status(t).Lockout.Failures)
		},
	},
}

// fobIs reports whether an error is nothing, and whether it is a refusal.
func fobIs(err error) (none, refused bool) {
	return err == nil, err != nil && err.Error() == otp.ErrRefused.Error()
}

// TestKeyCrashPoints lets each store call of each flow go wrong in turn. Another process then finds a state from which the
// citizen can go on.
func TestKeyCrashPoints(t *testing.T) {
	for _, flow := range keyFlows {
		t.Run(flow.name, func(t *testing.T) {
			testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) {
				f := flow.make(t, c.Store(), newClock())
				key := flow.prepare(t, f)
				err := c.During(t, func() error { return flow.act(t, f, key) })
				f.clock.Add(5 * time.Minute) // reservations of the dead process run out
				flow.after(t, flow.make(t, c.Memory, f.clock), key, err)
			})
		})
	}
}
