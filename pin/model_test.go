package pin_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
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
	right := (m.state == "provisional" || m.state == "active") && !m.suspended && secret == m.secret
	locked := m.tally.Refusal(now) != nil
	if came := m.tally.Guess(now, right); came != "right" {
		if !locked {
			m.forgetAt = time.Time{}
			if m.state == "" {
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
		p.Lockout.Ceiling = 12
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
			if locked := s.m.tally.Refusal(now); locked != nil && locked.Disabled && o.Evidence.Method == "" {
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
				s.m.forgetAt = time.Time{}
			},
			"time passes": func(rt *rapid.T) {
				s.k.clock.Add(rapid.SampledFrom([]time.Duration{
					time.Second, 15 * time.Minute, day, 6 * day, 89 * day, 181 * day,
				}).Draw(rt, "for"))
				if now := s.k.clock.Now(); !s.m.forgetAt.IsZero() && !now.Before(s.m.forgetAt) {
					s.m.tally = testkit.NewTally(s.m.tally.Policy)
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
	p.Hashing.Permits, p.Hashing.Queue = 1, 1
	k := newKit(t, p)
	k.exchanged(t)
	release := pin.Occupy(k.Service, 2)
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
