package pin_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/proof"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// model is what a credential should be, told as simply as can be.
type model struct {
	state     string // "", provisional, active, revoked
	suspended bool
	owned     bool // a secret was chosen or revoked
	secret    string
	replaced  string // by the secret
	exchanged bool   // the replaced one was issued
	level     civicpin.Level
	issued    time.Time
	changed   time.Time
	usedFrom  time.Time // the last use was noted at some time from here
	usedTo    time.Time // to here
	tally     testkit.Tally
	evidence  bool
	forgetAt  time.Time // when the count of a stranger is dropped; zero for never
}

// machine drives a service and the model side by side.
type machine struct {
	k      *kit
	faults *storetest.Faults
	m      model
	serial int
}

// guess tells the model about a guess and returns what should come of it: "locked", "refused", "expired X" or "right".
func (s *machine) guess(secret string) string {
	m, now, p := &s.m, s.k.clock.Now(), s.k.policy
	m.tally.Pass(now)
	known := m.tally.Kept > 0 && m.forgetAt.IsZero()
	right := (m.state == "provisional" || m.state == "active") && !m.suspended && secret == m.secret
	locked := m.tally.Refusal(now) != nil
	if came := m.tally.Guess(now, right); came != "right" {
		if !locked {
			m.forgetAt = time.Time{}
			if m.state == "" && !known {
				m.forgetAt = m.tally.ForgetAt(now)
			}
		}
		return came
	}
	switch {
	case m.state == "provisional" && !now.Before(m.issued.Add(7*day)):
		return "expired issue"
	case m.state == "active" && !now.Before(m.usedFrom.Add(p.MaxUnused)) && !now.Before(m.usedTo.Add(p.MaxUnused)):
		return "expired use"
	case m.state == "active" && !now.Before(m.usedFrom.Add(p.MaxUnused)):
		return "perhaps" // a use within a day of one that was noted need not be noted
	case m.state == "active" && !now.Before(m.changed.Add(p.MaxAge)):
		return "expired change"
	}
	return "right"
}

// came says in the model's words what came of a call.
func came(err error) string {
	if err == nil {
		return "right"
	}
	if expired, ok := errors.AsType[*pin.ExpiredError](err); ok {
		return "expired " + string(expired.Since)
	}
	if _, ok := errors.AsType[*lockout.LockedError](err); ok {
		return "locked"
	}
	if errors.Is(err, pin.ErrRefused) {
		return "refused"
	}
	return err.Error()
}

func (s *machine) used(now time.Time) {
	if now.Sub(s.m.usedFrom) >= day {
		s.m.usedFrom = now
	}
	s.m.usedTo = now
}

// fresh returns a secret that nobody has used and that breaks no rule.
func (s *machine) fresh() string {
	s.serial++
	const consonants = "BCDFGHJKMNPQRTVWX"
	n := len(consonants)
	return "W7" + string(consonants[s.serial%n]) + "4" + string(consonants[s.serial/n%n]) + "9" + string(consonants[s.serial/n/n%n]) + "K"
}

// fatal makes testify's message that of the failure; rapid would say only that there was one.
type fatal struct{ *rapid.T }

// Errorf fails at once.
func (f fatal) Errorf(format string, args ...any) { f.T.Fatalf(format, args...) }

// TestModel drives random sequences of calls, clock moves and lost replies, and holds every answer against the model.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cryptotest.SetGlobalRandom(t, rapid.Uint64().Draw(rt, "seed")) // or no failure could be played again
		p := pin.INPS()
		p.Sends = civicpin.Rate{Limit: 100_000, Window: time.Hour}
		p.Lockout.Ceiling, p.Lockout.Devices = 12, 0 // one lane, which is soon disabled
		faults := storetest.NewFaults(store.NewMemory())
		s := &machine{k: newKitOn(t, faults.Store(), p, newClock(), &testkit.Mailbox{}, &testkit.Recorder{}), faults: faults}
		s.m.tally = testkit.NewTally(p.Lockout)
		ctx := t.Context()
		pick := func(rt *rapid.T) string {
			return rapid.SampledFrom([]string{s.m.secret, s.m.secret, wrong, s.m.secret + "A", ""}).Draw(rt, "secret")
		}
		lose := func(rt *rapid.T) { // a lost reply is looked up and makes no difference
			s.faults.Reset()
			if rapid.Bool().Draw(rt, "lose a reply") {
				s.faults.FailAt(rapid.IntRange(1, 3).Draw(rt, "put"), storetest.ReplyLost, storetest.Put)
			}
		}
		issue := func(rt *rapid.T, o pin.IssueOptions) {
			now := s.k.clock.Now()
			unused := s.m.state == "active" && !now.Before(s.m.usedTo.Add(p.MaxUnused))
			if s.m.state == "active" && !unused && !now.Before(s.m.usedFrom.Add(p.MaxUnused)) {
				rt.Skip("within the day in which a use need not be noted")
			}
			_, err := s.k.Issue(ctx, maria, o)
			locked := s.m.tally.Refusal(now)
			disabled := locked != nil && locked.Disabled || s.m.tally.Hidden() && o.By.IsOperator()
			if disabled && o.Evidence.Method == "" {
				require.Equal(fatal{rt}, "locked", came(err))
				return
			}
			onLine := o.By == civicpin.Citizen
			good := s.m.state == "provisional" && now.Before(s.m.issued.Add(7*day))
			if s.m.suspended || s.m.state == "active" && !unused || onLine && s.m.owned && !good {
				require.ErrorIs(fatal{rt}, err, pin.ErrWrongState)
				return
			}
			require.NoError(fatal{rt}, err)
			if onLine && good {
				return // the same parts once more
			}
			s.k.clock.Add(10 * time.Minute) // or the outbox would send no more to one address
			require.NoError(fatal{rt}, s.k.out.Flush(ctx))
			s.m.state, s.m.secret = "provisional", s.k.last(phone)+s.k.last(email)
			s.m.level, s.m.issued, s.m.evidence = max(o.Level, civicpin.Low), now, o.Evidence.Method != ""
			if o.Evidence.Method != "" {
				s.m.tally.Rebind(now)
			}
		}
		choose := func(rt *rapid.T, state string, call func(*testing.T, pin.Attempt, civicpin.Secret) error) {
			typed, mine := pick(rt), s.fresh()
			want := s.guess(typed)
			err := call(t, try(typed), civicpin.NewSecret(mine))
			switch {
			case want == "perhaps":
				rt.Skip("within the day in which a use need not be noted")
			case want == "right" || want == "expired change":
				if s.m.state != state {
					require.ErrorIs(fatal{rt}, err, pin.ErrWrongState)
					return
				}
				require.NoError(fatal{rt}, err)
				now := s.k.clock.Now()
				s.m.replaced, s.m.exchanged = typed, state == "provisional"
				s.m.state, s.m.secret, s.m.changed, s.m.usedFrom, s.m.usedTo = "active", mine, now, now, now
				s.m.owned = true
			case s.m.state != state && want != "locked" && want != "refused":
				require.ErrorIs(fatal{rt}, err, pin.ErrWrongState)
			default:
				require.Equal(fatal{rt}, want, came(err))
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"verify": func(rt *rapid.T) {
				lose(rt)
				typed := pick(rt)
				want := s.guess(typed)
				ok, err := s.k.Verify(ctx, try(typed))
				if want == "perhaps" {
					rt.Skip("within the day in which a use need not be noted")
				}
				require.Equal(fatal{rt}, want, came(err))
				if err != nil {
					require.Zero(fatal{rt}, ok)
					return
				}
				require.Equal(fatal{rt}, s.m.state == "provisional", ok.MustExchange)
				if ok.MustExchange {
					require.Equal(fatal{rt}, civicpin.NoLevel, ok.Level)
				} else {
					require.Equal(fatal{rt}, s.m.level, ok.Level)
					s.used(s.k.clock.Now())
				}
			},
			"exchange": func(rt *rapid.T) {
				lose(rt)
				choose(rt, "provisional", func(_ *testing.T, a pin.Attempt, c civicpin.Secret) error {
					return testkit.Err(s.k.Exchange(ctx, a, c))
				})
			},
			"change": func(rt *rapid.T) {
				lose(rt)
				choose(rt, "active", func(_ *testing.T, a pin.Attempt, c civicpin.Secret) error { return testkit.Err(s.k.Change(ctx, a, c)) })
			},
			"the same choice once more": func(rt *rapid.T) {
				lose(rt)
				if s.m.state != "active" {
					rt.Skip("nothing was chosen")
				}
				now, want := s.k.clock.Now(), "right"
				if s.m.suspended || now.Sub(s.m.changed) >= 10*time.Minute || (s.m.tally.Refusal(now) != nil || s.m.tally.Hidden()) {
					want = s.guess(s.m.replaced)
				} else {
					s.m.tally.Right()
				}
				call := s.k.Change
				if s.m.exchanged {
					call = s.k.Exchange
				}
				ok, err := call(ctx, try(s.m.replaced), civicpin.NewSecret(s.m.secret))
				require.Equal(fatal{rt}, want, came(err))
				if err == nil {
					require.Equal(fatal{rt}, s.m.level, ok.Level)
				}
			},
			"issue": func(rt *rapid.T) { s.faults.Reset(); issue(rt, inps()) },
			"issue at the desk": func(rt *rapid.T) {
				s.faults.Reset()
				o := inps()
				o.By, o.Level, o.Evidence = clerk, civicpin.Substantial, civicpin.Evidence{Method: civicpin.InPerson, By: clerk}
				issue(rt, o)
			},
			"attest": func(rt *rapid.T) {
				lose(rt)
				err := s.k.Attest(ctx, maria, civicpin.Evidence{Method: civicpin.Video, By: clerk})
				if s.m.state == "" || s.m.state == "revoked" {
					require.ErrorIs(fatal{rt}, err, pin.ErrNoCredential)
					return
				}
				require.NoError(fatal{rt}, err)
				s.m.level, s.m.evidence = max(s.m.level, civicpin.Substantial), true
			},
			"revoke": func(rt *rapid.T) {
				lose(rt)
				err := s.k.Revoke(ctx, maria, state.Ended, "", clerk)
				if s.m.state == "" {
					require.ErrorIs(fatal{rt}, err, pin.ErrNoCredential)
					return
				}
				require.NoError(fatal{rt}, err)
				s.m.state, s.m.suspended, s.m.owned = "revoked", false, true
			},
			"suspend or resume": func(rt *rapid.T) {
				lose(rt)
				to := rapid.Bool().Draw(rt, "suspend")
				var err error
				if to {
					err = s.k.Suspend(ctx, maria, "", clerk)
				} else {
					err = s.k.Resume(ctx, maria, civicpin.Evidence{}, "", clerk)
				}
				switch s.m.state {
				case "":
					require.ErrorIs(fatal{rt}, err, pin.ErrNoCredential)
				case "revoked":
					require.ErrorIs(fatal{rt}, err, pin.ErrWrongState)
				default:
					require.NoError(fatal{rt}, err)
					s.m.suspended = to
				}
			},
			"unlock": func(rt *rapid.T) {
				lose(rt)
				err := s.k.Unlock(ctx, maria, clerk)
				if !s.m.tally.Unlock(s.k.clock.Now()) {
					require.Equal(fatal{rt}, "locked", came(err))
					return
				}
				require.NoError(fatal{rt}, err)
				if !s.m.forgetAt.IsZero() {
					s.m.forgetAt = s.m.tally.ForgetAt(s.k.clock.Now())
				}
			},
			"time passes": func(rt *rapid.T) {
				s.k.clock.Add(rapid.SampledFrom([]time.Duration{
					time.Second, 15 * time.Minute, day, 6 * day, 89 * day, 181 * day,
				}).Draw(rt, "for"))
				if now := s.k.clock.Now(); !s.m.forgetAt.IsZero() && !now.Before(s.m.forgetAt) {
					s.m.tally, s.m.forgetAt = testkit.NewTally(s.m.tally.Policy), time.Time{}
				}
			},
			"": func(rt *rapid.T) {
				s.faults.Reset()
				st, err := s.k.Status(ctx, maria)
				if s.m.state == "" {
					require.ErrorIs(fatal{rt}, err, pin.ErrNoCredential)
					return
				}
				if errors.Is(err, pin.ErrNoCredential) && s.m.state == "provisional" {
					s.m.state, s.m.suspended = "", false // dropped, a month after its expiry
					return
				}
				require.NoError(fatal{rt}, err)
				require.EqualValues(fatal{rt}, s.m.state, st.State)
				require.Equal(fatal{rt}, s.m.suspended, st.Suspended)
				require.Equal(fatal{rt}, s.m.tally.Kept, st.Lockout.Failures)
				require.LessOrEqual(fatal{rt}, st.Lockout.Failures, p.Lockout.Ceiling)
			},
		})
	})
}

// A thousand wrong guesses at once, limit 5: five are compared. Those that were told that it is busy come again.
func TestOnlyFiveAreCompared(t *testing.T) {
	for name, subject := range map[string]civicpin.Subject{"known": maria, "unknown": "NOBODY"} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t, pin.INPS())
			m := k.memory
			k.exchanged(t)
			others := []*kit{k, k.other(t, m), k.other(t, m), k.other(t, m)}
			before := int64(0)
			for _, o := range others {
				before += pin.Hashes(o.Service)
			}
			var locked atomic.Int64
			var wg sync.WaitGroup
			for i := range 1000 {
				wg.Go(func() {
					for {
						a := try(wrong)
						a.Subject = subject
						_, err := others[i%4].Verify(t.Context(), a)
						if errors.Is(err, pin.ErrBusy) {
							time.Sleep(rand.N(20 * time.Millisecond)) // spinning, they would keep those inside from getting on
							continue
						}
						if errors.As(err, new(*lockout.LockedError)) {
							locked.Add(1)
						} else if !errors.Is(err, pin.ErrRefused) {
							t.Error(err)
						}
						return
					}
				})
			}
			wg.Wait()
			compared := -before
			for _, o := range others {
				compared += pin.Hashes(o.Service)
			}
			require.EqualValues(t, 5, compared)
			require.EqualValues(t, 996, locked.Load(), "all but four, who were told how many are left")
		})
	}
}

// Refused for want of room, nobody loses a try.
func TestBusyCostsNoTry(t *testing.T) {
	p := pin.INPS()
	p.Hashing.Permits, p.Hashing.Wait = 1, time.Nanosecond
	k := newKit(t, p)
	k.exchanged(t)
	release := pin.Occupy(k.Service, 1)
	for range 20 {
		_, err := k.Verify(t.Context(), try(wrong))
		require.ErrorIs(t, err, pin.ErrBusy)
		require.ErrorIs(t, testkit.Err(k.Change(t.Context(), try(chosen), civicpin.NewSecret(changed))), pin.ErrBusy)
		_, err = k.Issue(t.Context(), maria, inps())
		require.ErrorIs(t, err, pin.ErrBusy)
	}
	release()
	require.Zero(t, k.failures(t))
	_, right := k.works(t, chosen)
	require.True(t, right)
}

// Owners who log in while others do the same, and while their credential is managed, get in.
func TestParallelLogins(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 20 {
				_, err := k.Verify(t.Context(), try(chosen))
				if err != nil && !errors.Is(err, pin.ErrBusy) {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 50 {
			if err := k.Attest(t.Context(), maria, civicpin.Evidence{Method: civicpin.Video, By: clerk}); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	require.Zero(t, k.failures(t))
}

const changed = "HJ4N8RTX"

// works reports whether a secret is right, and fails the test if it is neither right nor refused.
func (k *kit) works(t *testing.T, secret string) (pin.Verified, bool) {
	t.Helper()
	ok, err := k.Verify(t.Context(), try(secret))
	if err != nil {
		require.ErrorIs(t, err, pin.ErrRefused)
	}
	return ok, err == nil
}

// failures is how many wrong guesses are counted against Maria.
func (k *kit) failures(t *testing.T) int {
	t.Helper()
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	return st.Lockout.Failures
}

// walk takes Maria to a login by way of the desk: whatever was left behind, she can go on.
func (k *kit) walk(t *testing.T) {
	t.Helper()
	k.anew(t)
	_, ok := k.works(t, anew)
	require.True(t, ok)
}

// oneOfTwo checks that either the chosen or the changed secret is right after an act that ended with err, and the changed one
// after it is done again.
func (k *kit) oneOfTwo(t *testing.T, err error, again func() error) {
	t.Helper()
	_, before := k.works(t, chosen)
	_, now := k.works(t, changed)
	require.NotEqual(t, before, now, "exactly one of the two is right")
	if err == nil {
		require.True(t, now)
	}
	require.NoError(t, again(), "the same once more")
	_, now = k.works(t, changed)
	require.True(t, now)
}

// flows are all calls that write.
var flows = []testkit.Flow[*kit]{
	{
		Name:    "issue",
		Prepare: func(*testing.T, *kit) {},
		Act: func(t *testing.T, k *kit) error {
			_, err := k.Issue(t.Context(), maria, inps())
			return err
		},
		After: func(t *testing.T, k *kit, err error) {
			require.NoError(t, k.out.Flush(t.Context()))
			first, second := k.last(phone), k.last(email)
			require.Equal(t, first == "", second == "", "both parts or none")
			if err == nil {
				require.NotEmpty(t, first, "an issue that was acknowledged is sent")
			}
			if first != "" {
				ok, right := k.works(t, first+second)
				require.True(t, right, "what was sent is right")
				require.True(t, ok.MustExchange)
			}
			require.LessOrEqual(t, len(k.mail.Messages()), 2, "nothing is sent twice")
			k.walk(t)
		},
	},
	{
		Name:    "issue again",
		Prepare: func(t *testing.T, k *kit) { k.issued(t) },
		Act:     func(t *testing.T, k *kit) error { return k.atDesk(t) },
		After: func(t *testing.T, k *kit, err error) {
			require.NoError(t, k.out.Flush(t.Context()))
			if err == nil {
				require.Len(t, k.mail.Messages(), 4)
			}
			ok, right := k.works(t, k.last(phone)+k.last(email))
			require.True(t, right, "the parts that came last belong together and are right")
			require.True(t, ok.MustExchange)
			k.walk(t)
		},
	},
	{
		Name:    "ask again",
		Prepare: func(t *testing.T, k *kit) { k.issued(t); k.clock.Add(time.Hour) },
		Act:     func(t *testing.T, k *kit) error { return testkit.Err(k.Issue(t.Context(), maria, inps())) },
		After: func(t *testing.T, k *kit, err error) {
			code := k.last(phone) + k.last(email)
			require.NoError(t, k.out.Flush(t.Context()))
			if err == nil {
				require.Len(t, k.mail.Messages(), 4)
			}
			require.Equal(t, code, k.last(phone)+k.last(email))
			_, right := k.works(t, code)
			require.True(t, right)
			k.walk(t)
		},
	},
	{
		Name:    "resend",
		Prepare: func(t *testing.T, k *kit) { k.issued(t) },
		Act:     func(t *testing.T, k *kit) error { return k.Resend(t.Context(), maria, 0, civicpin.Source{}) },
		After: func(t *testing.T, k *kit, err error) {
			require.NoError(t, k.out.Flush(t.Context()))
			if err == nil {
				require.Len(t, k.mail.Messages(), 3)
			}
			_, right := k.works(t, k.last(phone)+k.last(email))
			require.True(t, right)
			k.walk(t)
		},
	},
	{
		Name: "deliver",
		Prepare: func(t *testing.T, k *kit) {
			_, err := k.Issue(t.Context(), maria, inps())
			require.NoError(t, err)
		},
		Act: func(t *testing.T, k *kit) error { return k.out.Flush(t.Context()) },
		After: func(t *testing.T, k *kit, _ error) {
			for range 3 {
				k.clock.Add(time.Hour)
				require.NoError(t, k.out.Flush(t.Context()))
			}
			_, right := k.works(t, k.last(phone)+k.last(email))
			require.True(t, right, "both parts arrive")
			require.LessOrEqual(t, len(k.mail.Messages()), 4, "only what a crash hit between send and mark is sent twice")
			st, err := k.Status(t.Context(), maria)
			require.NoError(t, err)
			for _, p := range st.Parts {
				require.Equal(t, state.Accepted, p.State)
				require.NoError(t, k.Receipt(t.Context(), p.Receipt, state.Delivered))
			}
			k.walk(t)
		},
	},
	{
		Name:    "verify right",
		Prepare: func(t *testing.T, k *kit) { k.exchanged(t); k.clock.Add(48 * time.Hour) },
		Act: func(t *testing.T, k *kit) error {
			_, err := k.Verify(t.Context(), try(chosen))
			return err
		},
		After: func(t *testing.T, k *kit, err error) {
			require.LessOrEqual(t, k.failures(t), 1, "an attempt that died is one failure at most")
			if err == nil {
				require.Zero(t, k.failures(t))
			}
			_, right := k.works(t, chosen)
			require.True(t, right)
			require.Zero(t, k.failures(t))
		},
	},
	{
		Name:    "verify wrong",
		Prepare: func(t *testing.T, k *kit) { k.exchanged(t) },
		Act: func(t *testing.T, k *kit) error {
			_, err := k.Verify(t.Context(), try(wrong))
			require.Error(t, err)
			return err
		},
		After: func(t *testing.T, k *kit, err error) {
			if errors.Is(err, pin.ErrRefused) {
				require.Equal(t, 1, k.failures(t), "a guess that was answered is counted")
			}
			require.LessOrEqual(t, k.failures(t), 1)
			for i := k.failures(t); i < 5; i++ {
				_, err := k.Verify(t.Context(), try(wrong))
				require.Error(t, err)
			}
			require.Equal(t, 5, k.failures(t))
			_, err = k.Verify(t.Context(), try(chosen))
			require.NotErrorIs(t, err, pin.ErrRefused)
			require.Error(t, err, "locked after the fifth")
		},
	},
	{
		Name:    "exchange",
		Prepare: func(t *testing.T, k *kit) { k.issued(t) },
		Act: func(t *testing.T, k *kit) error {
			return testkit.Err(k.Exchange(t.Context(), try(k.last(phone)+k.last(email)), civicpin.NewSecret(chosen)))
		},
		After: func(t *testing.T, k *kit, err error) {
			code := k.last(phone) + k.last(email)
			ok, issued := k.works(t, code)
			_, own := k.works(t, chosen)
			require.NotEqual(t, issued, own, "exactly one of the two is right")
			if err == nil {
				require.True(t, own)
			}
			if issued {
				require.True(t, ok.MustExchange)
			}
			require.NoError(t, testkit.Err(k.Exchange(t.Context(), try(code), civicpin.NewSecret(chosen))), "the same once more")
			require.NotContains(t, k.plain(t), k.last(phone), "no text is left after the exchange")
			_, own = k.works(t, chosen)
			require.True(t, own)
		},
	},
	{
		Name:    "change",
		Prepare: func(t *testing.T, k *kit) { k.exchanged(t) },
		Act: func(t *testing.T, k *kit) error {
			return testkit.Err(k.Change(t.Context(), try(chosen), civicpin.NewSecret(changed)))
		},
		After: func(t *testing.T, k *kit, err error) {
			k.oneOfTwo(t, err, func() error {
				return testkit.Err(k.Change(t.Context(), try(chosen), civicpin.NewSecret(changed)))
			})
		},
	},
	{
		Name:    "attest",
		Prepare: func(t *testing.T, k *kit) { k.exchanged(t) },
		Act: func(t *testing.T, k *kit) error {
			return k.Attest(t.Context(), maria, civicpin.Evidence{Method: civicpin.InPerson, By: clerk})
		},
		After: func(t *testing.T, k *kit, err error) {
			ok, right := k.works(t, chosen)
			require.True(t, right)
			st, statusErr := k.Status(t.Context(), maria)
			require.NoError(t, statusErr)
			require.Equal(t, ok.Level == civicpin.Substantial, len(st.Evidence) == 1, "no level without evidence")
			if err == nil {
				require.Equal(t, civicpin.Substantial, ok.Level)
			}
		},
	},
	{
		Name:    "revoke",
		Prepare: func(t *testing.T, k *kit) { k.exchanged(t) },
		Act:     func(t *testing.T, k *kit) error { return k.Revoke(t.Context(), maria, state.Ended, "lost", clerk) },
		After: func(t *testing.T, k *kit, err error) {
			if _, right := k.works(t, chosen); right {
				require.Error(t, err, "a revocation that was acknowledged holds")
			}
			require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "lost", clerk))
			_, right := k.works(t, chosen)
			require.False(t, right)
			k.walk(t)
		},
	},
	{
		Name:    "grant",
		Prepare: func(t *testing.T, k *kit) { k.exchanged(t) },
		Act: func(t *testing.T, k *kit) error {
			m, err := k.Mark(t.Context(), maria)
			if err == nil {
				k.grant, err = k.Complete(t.Context(), proof.New(proof.Completed{
					Subject: maria, Run: "run", Epoch: m.Epoch, Valid: time.Hour,
				}))
			}
			return err
		},
		After: func(t *testing.T, k *kit, err error) {
			_, right := k.works(t, chosen)
			require.True(t, right, "a grant alone takes nothing away")
			g := k.granted(t) // whatever became of the other one, the citizen can begin again
			require.NoError(t, testkit.Err(k.Set(t.Context(), g, civicpin.NewSecret(changed), civicpin.Source{})))
		},
	},
	{
		Name:    "set",
		Prepare: func(t *testing.T, k *kit) { k.exchanged(t); k.grant = k.granted(t) },
		Act: func(t *testing.T, k *kit) error {
			return testkit.Err(k.Set(t.Context(), k.grant, civicpin.NewSecret(changed), civicpin.Source{}))
		},
		After: func(t *testing.T, k *kit, err error) {
			k.oneOfTwo(t, err, func() error {
				return testkit.Err(k.Set(t.Context(), k.grant, civicpin.NewSecret(changed), civicpin.Source{}))
			})
		},
	},
	{
		Name:    "reissue",
		Prepare: func(t *testing.T, k *kit) { k.exchanged(t); k.grant = k.granted(t, inps().Parts...) },
		Act: func(t *testing.T, k *kit) error {
			_, err := k.Reissue(t.Context(), k.grant, civicpin.Source{})
			return err
		},
		After: func(t *testing.T, k *kit, err error) {
			sent := len(k.mail.Messages())
			require.NoError(t, k.out.Flush(t.Context()))
			_, before := k.works(t, chosen)
			if before {
				require.Error(t, err)
				require.Len(t, k.mail.Messages(), sent, "nothing is sent of what never was")
				_, err := k.Reissue(t.Context(), k.grant, civicpin.Source{})
				require.NoError(t, err, "the grant is still good")
				require.NoError(t, k.out.Flush(t.Context()))
			}
			ok, right := k.works(t, k.last(phone)+k.last(email))
			require.True(t, right, "both parts arrive")
			require.True(t, ok.MustExchange)
		},
	},
	{
		Name: "issue with evidence over a disabled credential",
		Prepare: func(t *testing.T, k *kit) {
			k.exchanged(t)
			for range 50 {
				_, err := k.Verify(t.Context(), try(wrong))
				require.Error(t, err)
				k.clock.Add(25 * time.Hour)
			}
			require.NoError(t, k.Revoke(t.Context(), maria, state.Ended, "disabled", clerk))
		},
		Act: func(t *testing.T, k *kit) error { return k.atDesk(t) },
		After: func(t *testing.T, k *kit, err error) {
			if err != nil {
				require.NoError(t, k.atDesk(t))
			}
			require.NoError(t, k.out.Flush(t.Context()))
			ok, right := k.works(t, k.last(phone)+k.last(email))
			require.True(t, right, "identity proved again lifts the disablement")
			require.True(t, ok.MustExchange)
		},
	},
}

// atDesk issues to Maria with evidence.
func (k *kit) atDesk(t *testing.T) error {
	t.Helper()
	o := inps()
	o.By, o.Level, o.Evidence = clerk, civicpin.Substantial, civicpin.Evidence{Method: civicpin.InPerson, By: clerk}
	_, err := k.Issue(t.Context(), maria, o)
	return err
}

// TestCrashPoints lets each store call of each flow go wrong in turn. Another process then finds a state from which the citizen
// can go on. With -short it looks at every third call only.
func TestCrashPoints(t *testing.T) {
	how := testkit.Crashes{}
	if testing.Short() {
		how.Every = 3
	}
	for _, f := range flows {
		f.CrashPoints(t, how, func(t *testing.T, s store.Store) *kit {
			return newKitOn(t, s, pin.INPS(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
		}, func(t *testing.T, k *kit, s store.Store) *kit {
			k.clock.Add(5 * time.Minute) // reservations and claims of the dead process run out
			return k.other(t, s)
		})
	}
}

// plain returns all that the store holds of credentials, unsealed.
func (k *kit) plain(t *testing.T) string {
	t.Helper()
	st, err := pin.Plain(t.Context(), k.Service)
	require.NoError(t, err)
	return st
}

// TestPausedIssue holds an issue up just before its record is written, for so long that dispatchers drop the entries that
// no record confirms. When it goes on and is acknowledged, its parts are sent all the same.
func TestPausedIssue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := store.NewMemory()
		faults := storetest.NewFaults(memory)
		k := newKitOn(t, faults.Store(), pin.INPS(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
		other := k.other(t, memory)
		paused := false
		faults.Hook(func(method, key string) error {
			if method != storetest.Put || !strings.HasPrefix(key, "pin.inps/") || paused {
				return nil
			}
			paused = true
			for range 5 {
				k.clock.Add(time.Hour)
				require.NoError(t, other.out.Flush(t.Context()))
			}
			for item, err := range memory.List(t.Context(), "outbox.entry/", "") {
				require.NoError(t, err)
				require.Fail(t, "an entry without a record is dropped", item.Key)
			}
			return nil
		})
		_, err := k.Issue(t.Context(), maria, inps())
		require.NoError(t, err)
		require.True(t, paused)
		for range 3 {
			require.NoError(t, other.out.Flush(t.Context()))
			k.clock.Add(time.Hour)
		}
		_, right := other.works(t, k.last(phone)+k.last(email))
		require.True(t, right)
		require.Len(t, k.mail.Messages(), 2)
	})
}

// home is where Maria sits, without a device.
var home = civicpin.Source{Address: "192.0.2.7"}

// An act is one whose fields are written without their names.
type act testkit.Act[*kit]

// The store calls without which acts go on: what is given back to a source, what is counted of all, and what a login renews.
var (
	refund       = []string{"Put quota.sources.pin.inps"}
	refundAndUse = []string{"Put quota.sources.pin.inps", "Put pin.inps"}
	count        = []string{"Put quota.global.pin.inps"}
	grantRefund  = []string{"Put quota.grant.pin.inps"}
)

func says(lines ...string) []string { return lines }

// acts are the exported methods that use the store, in the cases that differ.
var acts = []act{
	{
		"Issue by staff", nothing, issues(clerk, inps()),
		says("pin.issued|RSSMRA85T10A562S|operator:bianchi|192.0.2.7|#1|low|"), nil,
	},
	{
		"Issue on line", nothing, issues(civicpin.Citizen, inps()),
		says("pin.issued|RSSMRA85T10A562S|citizen|192.0.2.7|#1|low|"), nil,
	},
	{"Issue on evidence", nothing, func(ctx context.Context, k *kit) error {
		o := inps()
		o.By, o.Level, o.Evidence = clerk, civicpin.Substantial, inPerson
		return testkit.Err(k.Issue(ctx, maria, o))
	}, []string{
		"lockout.rebound|RSSMRA85T10A562S|operator:bianchi|||none|",
		"pin.issued|RSSMRA85T10A562S|operator:bianchi||#1|substantial|",
	}, nil},
	{
		"Issue again", issuedBefore, issues(civicpin.Citizen, inps()),
		says("pin.resent|RSSMRA85T10A562S|citizen|192.0.2.7|#1|low|"), nil,
	},
	{
		"Issue at once", func(t *testing.T, k *kit) { k.issued(t) }, issues(civicpin.Citizen, inps()),
		says("pin.nothing_issued|RSSMRA85T10A562S|citizen|192.0.2.7|#1|low|nothing to send, or sent just now"), nil,
	},
	{
		"Issue aside", issuedBefore, issues(civicpin.Citizen, byLetter()),
		says("pin.issued_aside|RSSMRA85T10A562S|citizen|192.0.2.7|#4|low|"), nil,
	},
	{
		"Issue to an owner", active, issues(civicpin.Citizen, inps()),
		says("pin.nothing_issued|RSSMRA85T10A562S|citizen|192.0.2.7||none|refused"), nil,
	},
	{
		"Resend", issuedBefore, func(ctx context.Context, k *kit) error { return k.Resend(ctx, maria, 1, home) },
		says("pin.resent|RSSMRA85T10A562S|visitor|192.0.2.7|#1|none|"), nil,
	},
	{
		"Resend nothing", nothing, func(ctx context.Context, k *kit) error { return k.Resend(ctx, maria, 1, home) },
		says("pin.nothing_issued|RSSMRA85T10A562S|visitor|192.0.2.7||none|nothing to send, or sent just now"), nil,
	},
	{
		"Reprint", printed, func(ctx context.Context, k *kit) error { return testkit.Err(k.Reprint(ctx, maria, clerk)) },
		says("pin.resent|RSSMRA85T10A562S|operator:bianchi||#1|none|"), nil,
	},
	{
		"RequestCode", revoked, func(ctx context.Context, k *kit) error { return testkit.Err(k.RequestCode(ctx, maria, clerk)) },
		says("pin.request_code|RSSMRA85T10A562S|operator:bianchi||#1|none|"), nil,
	},
	{
		"Receipt", issuedBefore, func(ctx context.Context, k *kit) error { return k.Receipt(ctx, "receipt-2", state.Delivered) },
		says("pin.part_delivered|RSSMRA85T10A562S|||#1|none|reported by the provider"), nil,
	},
	{
		"Receipt of a failure", issuedBefore,
		func(ctx context.Context, k *kit) error { return k.Receipt(ctx, "receipt-2", state.Failed) },
		says("pin.part_failed|RSSMRA85T10A562S|||#1|none|reported by the provider"), nil,
	},

	{"Verify", active, verifies(chosen), says("pin.verified|RSSMRA85T10A562S|citizen|192.0.2.1|#1|low|"), refund},
	{
		"Verify after a day", aDayLater, verifies(chosen),
		says("pin.verified|RSSMRA85T10A562S|citizen|192.0.2.1|#1|low|"), refundAndUse,
	},
	{
		"Verify what was imported", imported, verifies("4711"),
		says("pin.verified|RSSMRA85T10A562S|citizen|192.0.2.1||low|"), refundAndUse,
	},
	{
		"Verify what was issued", issuedBefore, func(ctx context.Context, k *kit) error { return verifies(k.code())(ctx, k) },
		says("pin.verified|RSSMRA85T10A562S|citizen|192.0.2.1|#1|low|"), refund,
	},
	{
		"Verify too late", func(t *testing.T, k *kit) { k.exchanged(t); k.clock.Add(90 * day) }, verifies(chosen),
		says("pin.expired|RSSMRA85T10A562S|citizen|192.0.2.1|#1|low|change"), refund,
	},
	{"Verify a wrong one", active, verifies(wrong), says("pin.refused|RSSMRA85T10A562S|visitor|192.0.2.1|#1|low|wrong"), count},
	{
		"Verify of a stranger", nothing, verifies(wrong),
		says("pin.refused|RSSMRA85T10A562S|visitor|192.0.2.1||none|unknown"), count,
	},
	{"Exchange", issuedBefore, exchanges, says("pin.exchanged|RSSMRA85T10A562S|citizen|192.0.2.1|#1|low|"), refund},
	{"Exchange again", active, exchanges, says("pin.verified|RSSMRA85T10A562S|citizen|192.0.2.1|#1|low|again"), refund},
	{"Change", active, changes(chosen), says("pin.changed|RSSMRA85T10A562S|citizen|192.0.2.1|#1|low|"), refund},
	{
		"Change again", changedBefore, changes(chosen),
		says("pin.verified|RSSMRA85T10A562S|citizen|192.0.2.1|#1|low|again"), refund,
	},
	{
		"Change of a wrong one", active, changes(wrong),
		says("pin.refused|RSSMRA85T10A562S|visitor|192.0.2.1|#1|low|wrong"), count,
	},
	{"RememberDevice", active, func(ctx context.Context, k *kit) error {
		return testkit.Err(k.RememberDevice(ctx, k.ok))
	}, says("lockout.device_remembered|RSSMRA85T10A562S|citizen|192.0.2.1|#4|none|device"), nil},
	{"Shown", device, func(ctx context.Context, k *kit) error { return testkit.Err(k.Shown(ctx, maria, k.source)) }, nil, nil},
	{"Epoch", active, func(ctx context.Context, k *kit) error { return testkit.Err(k.Epoch(ctx, maria)) }, nil, nil},
	{"Acts", active, func(ctx context.Context, k *kit) error { return testkit.Err(k.Acts(ctx, maria)) }, nil, nil},
	{"Status", active, func(ctx context.Context, k *kit) error { return testkit.Err(k.Status(ctx, maria)) }, nil, nil},

	{"Mark", active, func(ctx context.Context, k *kit) error { return testkit.Err(k.Mark(ctx, maria)) }, nil, nil},
	{"Complete", active, completes(nil), says("pin.granted|RSSMRA85T10A562S|citizen|192.0.2.7|#1|low|plan run"), nil},
	{
		"Complete a beginning", nothing, completes(func(p *proof.Completed) { p.Creates = true }),
		says("pin.granted|RSSMRA85T10A562S|citizen|192.0.2.7||none|plan run"), nil,
	},
	{
		"Complete an unlock", active, completes(func(p *proof.Completed) { p.Unlock = true }),
		says("lockout.unlocked|RSSMRA85T10A562S|citizen|||none|"), nil,
	},
	{"Set", granted(), sets(changed), []string{
		"pin.recovered|RSSMRA85T10A562S|citizen|192.0.2.7|#1|low|",
		"lockout.devices_forgotten|RSSMRA85T10A562S|citizen|||none|",
		"lockout.rebound|RSSMRA85T10A562S|citizen|||none|",
	}, grantRefund},
	{"Set again", func(t *testing.T, k *kit) {
		granted()(t, k)
		require.NoError(t, sets(changed)(t.Context(), k))
	}, sets(changed), []string{
		"pin.verified|RSSMRA85T10A562S|citizen||#1|low|again",
		"lockout.rebound|RSSMRA85T10A562S|citizen|||none|",
	}, grantRefund},
	{"Set a former one", granted(), sets(chosen), nil, grantRefund},
	{
		"Set under a made-up one", func(t *testing.T, k *kit) { granted()(t, k); k.grant = forgedGrant(t) }, sets(changed),
		says("pin.grant_refused|RSSMRA85T10A562S|visitor|192.0.2.7||none|"), nil,
	},
	{"Reissue", granted(inps().Parts...), func(ctx context.Context, k *kit) error {
		return testkit.Err(k.Reissue(ctx, k.grant, home))
	}, []string{
		"pin.recovered|RSSMRA85T10A562S|citizen|192.0.2.7|#5|low|",
		"lockout.devices_forgotten|RSSMRA85T10A562S|citizen|||none|",
		"lockout.rebound|RSSMRA85T10A562S|citizen|||none|",
	}, grantRefund},
	{
		"Repudiated", func(t *testing.T, k *kit) {
			granted()(t, k)
			require.NoError(t, sets(changed)(t.Context(), k))
		}, func(ctx context.Context, k *kit) error { return k.Repudiated(ctx, repudiated(nil)) },
		says("pin.repudiated|RSSMRA85T10A562S|citizen||#1|none|repudiated by a contact"), nil,
	},

	{
		"Attest", active, func(ctx context.Context, k *kit) error { return k.Attest(ctx, maria, inPerson) },
		says("pin.attested|RSSMRA85T10A562S|operator:bianchi||#1|substantial|in-person"), nil,
	},
	{"LowerLevel", active, func(ctx context.Context, k *kit) error {
		return k.LowerLevel(ctx, maria, civicpin.Low, k.clock.Now().Add(time.Hour), "moved", clerk)
	}, says("pin.lowered|RSSMRA85T10A562S|operator:bianchi||#1|low|moved"), nil},
	{
		"EndSessions", active, func(ctx context.Context, k *kit) error { return k.EndSessions(ctx, maria, civicpin.Citizen) },
		says("pin.sessions_ended|RSSMRA85T10A562S|citizen||#1|low|"), nil,
	},
	{"Suspend", device, func(ctx context.Context, k *kit) error { return k.Suspend(ctx, maria, "lost", clerk) }, []string{
		"pin.suspended|RSSMRA85T10A562S|operator:bianchi||#1|low|lost",
		"lockout.devices_forgotten|RSSMRA85T10A562S|operator:bianchi|||none|",
	}, nil},
	{
		"Resume", func(t *testing.T, k *kit) {
			k.exchanged(t)
			require.NoError(t, k.Suspend(t.Context(), maria, "lost", civicpin.Citizen))
		}, func(ctx context.Context, k *kit) error { return k.Resume(ctx, maria, inPerson, "found", clerk) },
		says("pin.resumed|RSSMRA85T10A562S|operator:bianchi||#1|substantial|found"), nil,
	},
	{"Stop", device, func(ctx context.Context, k *kit) error { return k.Stop(ctx, maria, "undone", civicpin.Citizen) }, []string{
		"pin.suspended|RSSMRA85T10A562S|citizen||#1|low|undone",
		"lockout.devices_forgotten|RSSMRA85T10A562S|citizen|||none|",
	}, nil},
	{"Revoke", device, func(ctx context.Context, k *kit) error {
		return k.Revoke(ctx, maria, state.Fraud, "sold", clerk)
	}, []string{
		"pin.revoked|RSSMRA85T10A562S|operator:bianchi||#1|none|sold",
		"lockout.devices_forgotten|RSSMRA85T10A562S|operator:bianchi|||none|",
	}, nil},
	{
		"Unlock", active, func(ctx context.Context, k *kit) error { return k.Unlock(ctx, maria, clerk) },
		says("lockout.unlocked|RSSMRA85T10A562S|operator:bianchi|||none|"), nil,
	},
	{"Import", revoked, func(ctx context.Context, k *kit) error {
		return k.Import(ctx, maria, civicpin.NewSecret(bcrypt4711), pin.ImportOptions{By: clerk})
	}, []string{
		"lockout.rebound|RSSMRA85T10A562S|operator:bianchi|||none|",
		"pin.imported|RSSMRA85T10A562S|operator:bianchi|||low|bcrypt(2a,4)",
	}, nil},
	{"ContactsWent", issuedBefore, func(ctx context.Context, k *kit) error {
		return k.ContactsWent(ctx, maria, inps().Parts[:1], k.clock.Now().Add(-day), civicpin.Citizen)
	}, nil, nil},
	{
		"Sweep", func(t *testing.T, k *kit) { k.issued(t); k.clock.Add(7 * day) },
		func(ctx context.Context, k *kit) error { return testkit.Err(k.Sweep(ctx, 10)) }, nil, nil,
	},
}

// bcrypt4711 is a hash of "4711".
const bcrypt4711 = "$2a$04$rVFSXhNrqQ6KM4quy.HsK.tj70bYavwHXc6549VTryDfYpgIm8b.a"

var inPerson = civicpin.Evidence{Method: civicpin.InPerson, Document: "CA12345AA", By: clerk}

func nothing(*testing.T, *kit) {}

func revoked(t *testing.T, k *kit) { k.exchanged(t); k.revoked(t) }

func imported(t *testing.T, k *kit) { k.imported(t, "4711") }

// active is a credential in use, of a login.
func active(t *testing.T, k *kit) {
	k.exchanged(t)
	var err error
	k.ok, err = k.Verify(t.Context(), try(chosen))
	require.NoError(t, err)
}

func aDayLater(t *testing.T, k *kit) { k.exchanged(t); k.clock.Add(day) }

func issuedBefore(t *testing.T, k *kit) { k.issued(t); k.clock.Add(time.Hour) }

func changedBefore(t *testing.T, k *kit) {
	k.exchanged(t)
	require.NoError(t, changes(chosen)(t.Context(), k))
}

// printed is an issue of which one part is printed.
func printed(t *testing.T, k *kit) {
	o := inps()
	o.Parts[1] = civicpin.Contact{Channel: civicpin.HandedOver}
	require.NoError(t, issues(clerk, o)(t.Context(), k))
}

// device is a credential in use, of a subject with a known device.
func device(t *testing.T, k *kit) {
	k.exchanged(t)
	k.source = civicpin.Source{Address: home.Address, Device: civicpin.NewSecret(k.remembered(t, ""))}
}

func granted(parts ...civicpin.Contact) func(*testing.T, *kit) {
	return func(t *testing.T, k *kit) { device(t, k); k.grant = k.granted(t, parts...) }
}

// forgedGrant is a grant of Maria's that no service gave.
func forgedGrant(t *testing.T) pin.Grant {
	return parsed(t, "g1.UlNTTVJBODVUMTBBNTYyUw."+strings.Repeat("A", 43))
}

func issues(by civicpin.Actor, o pin.IssueOptions) func(context.Context, *kit) error {
	o.By, o.Source = by, home
	return func(ctx context.Context, k *kit) error { return testkit.Err(k.Issue(ctx, maria, o)) }
}

func verifies(secret string) func(context.Context, *kit) error {
	return func(ctx context.Context, k *kit) error { return testkit.Err(k.Verify(ctx, try(secret))) }
}

func exchanges(ctx context.Context, k *kit) error {
	return testkit.Err(k.Exchange(ctx, try(k.code()), civicpin.NewSecret(chosen)))
}

func changes(from string) func(context.Context, *kit) error {
	return func(ctx context.Context, k *kit) error {
		return testkit.Err(k.Change(ctx, try(from), civicpin.NewSecret(changed)))
	}
}

func sets(choice string) func(context.Context, *kit) error {
	return func(ctx context.Context, k *kit) error {
		return testkit.Err(k.Set(ctx, k.grant, civicpin.NewSecret(choice), home))
	}
}

func completes(change func(*proof.Completed)) func(context.Context, *kit) error {
	return func(ctx context.Context, k *kit) error {
		m, err := k.Mark(ctx, maria)
		if err != nil {
			return err
		}
		p := proof.Completed{Subject: maria, Plan: "plan", Run: "run", Source: home, Epoch: m.Epoch, Valid: time.Hour}
		if change != nil {
			change(&p)
		}
		return testkit.Err(k.Complete(ctx, proof.New(p)))
	}
}

// code is the issued secret that came last.
func (k *kit) code() string { return k.last(phone) + k.last(email) }

// TestActs: each act records what the table says, and returns each store call that fails, but where it goes on without it.
func TestActs(t *testing.T) {
	for _, a := range acts {
		t.Run(a.Name, func(t *testing.T) {
			testkit.Act[*kit](a).Check(t, func(t *testing.T, s store.Store) (*kit, *testkit.Recorder) {
				p := withDevices()
				p.History = 3
				k := newKitOn(t, s, p, newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
				return k, k.events
			})
		})
	}
}

// An operator whose issue was overtaken is told the state that the other act left.
func TestIssueOvertaken(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.faults.Hook(func(method, key string) error {
		if method == storetest.Put && strings.HasPrefix(key, "pin.inps/") {
			k.faults.Hook(nil)
			k.other(t, k.memory).imported(t, "4711")
		}
		return nil
	})
	err := issues(clerk, inps())(t.Context(), k)
	require.ErrorIs(t, err, pin.ErrWrongState)
	require.ErrorContains(t, err, "the citizen's own secret is set")
	require.Equal(t, "pin.nothing_issued|"+string(maria)+"|operator:bianchi|192.0.2.7||none|refused", k.events.Lines()[2])
	require.NoError(t, k.out.Flush(t.Context()))
	require.Empty(t, k.mail.Messages())
}

// A credential that goes while Sweep looks at it stays away.
func TestSweepOvertaken(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.issued(t)
	k.clock.Add(7 * day)
	key := ""
	k.faults.Hook(func(method, of string) error {
		if method == storetest.Get && strings.HasPrefix(of, "pin.inps/") {
			key = of
			r, err := k.memory.Get(t.Context(), of)
			require.NoError(t, err)
			require.NoError(t, k.memory.Delete(t.Context(), of, r.Version))
		}
		return nil
	})
	require.NoError(t, testkit.Err(k.Sweep(t.Context(), 10)))
	require.NotEmpty(t, key)
	require.ErrorIs(t, testkit.Err(k.memory.Get(t.Context(), key)), store.ErrNotFound)
}

// Contacts that did not go cost no store call.
func TestNoContactsWent(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.faults.FailAt(1, storetest.NotDone)
	require.NoError(t, k.ContactsWent(t.Context(), maria, nil, time.Time{}, civicpin.Citizen))
}

// What is opened for a subject without a credential is what an issue on evidence and an exchange leave, but for what was drawn.
func TestDecoyIsLikeACredential(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.atDeskSent(t)
	require.NoError(t, exchanges(t.Context(), k))
	decoy, err := json.Marshal(pin.PlainDecoy(k.Service))
	require.NoError(t, err)
	like := func(text string) string {
		for _, drawn := range []string{
			`"receipt":"[^"]*"`, "[A-Z0-9]{26}", `"[A-Z0-9]{13}"`, "[A-Za-z0-9+/]{22}\\$[A-Za-z0-9+/]{43}", "operator:[a-z]*",
			`"channel":"[^"]*","address":"[^"]*"`, `"class":\d`,
		} {
			text = regexp.MustCompile(drawn).ReplaceAllString(text, "...")
		}
		return text
	}
	require.Equal(t, like(k.plain(t)), like(string(decoy)))
	require.Contains(t, string(decoy), `"receipt":"`+strings.Repeat("A", 26)+`"`)
	require.Contains(t, string(decoy), `"issue":"`+strings.Repeat("A", 26)+`"`)
}

// A secret whose contacts went is over at once: for Status, for Sweep, and for its subject.
func TestContactsThatWentEndTheSecret(t *testing.T) {
	k := newKit(t, pin.INPS())
	issuedBefore(t, k)
	code := k.code()
	before := k.plain(t)
	others := []civicpin.Contact{{Channel: civicpin.SMS, Address: visitors}}
	for subject, went := range map[civicpin.Subject][]civicpin.Contact{maria: others, "NOBODY": inps().Parts} {
		require.NoError(t, k.ContactsWent(t.Context(), subject, went, time.Time{}, civicpin.Citizen))
	}
	require.Equal(t, before, k.plain(t), "of others nothing ends, and nothing begins")
	require.NoError(t, k.ContactsWent(t.Context(), maria, inps().Parts[1:], time.Time{}, civicpin.Citizen))
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	require.Equal(t, []any{k.clock.Now(), state.SinceIssue}, []any{st.ExpiresAt, st.Expired})
	require.ErrorIs(t, verifies(code)(t.Context(), k), pin.ErrExpired)
	n, err := k.Sweep(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.NotContains(t, k.plain(t), code[:8])
}

// Half of what Sends allows, and at least one, may be sent again, whoever the subject is.
func TestResendsAreHalf(t *testing.T) {
	for sends, want := range map[int]int{1: 1, 10: 5} {
		p := pin.INPS()
		p.Sends = civicpin.Rate{Limit: sends, Window: day}
		k := newKit(t, p)
		n := 0
		for k.Resend(t.Context(), "NOBODY", 0, civicpin.Source{}) == nil {
			n++
		}
		require.Equal(t, want, n)
	}
}
