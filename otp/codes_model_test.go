package otp_test

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// modelCode is what a code should be, told as simply as can be.
type modelCode struct {
	id, own, sent string
	purpose       string
	expires       time.Time
	shown         bool   // asked for by a caller who had shown something
	gone          string // used, or cancelled
	wrong, sends  int
}

// modelOfCodes is what the codes of one subject should be.
type modelOfCodes struct {
	p     otp.CodePolicy
	codes []*modelCode
	tally testkit.Tally                 // of the open lane
	own   map[shown.Kind]*testkit.Tally // of those who have shown something; nothing else has one
}

// newModelOfCodes shares out the ceiling.
func newModelOfCodes(p otp.CodePolicy) *modelOfCodes {
	m := &modelOfCodes{p: p, tally: testkit.NewTally(p.Lockout), own: make(map[shown.Kind]*testkit.Tally)}
	for _, proof := range []shown.Kind{shown.Device, shown.Login} {
		own := testkit.NewTally(p.Lockout)
		own.Device, own.Policy.Ceiling, own.Policy.Limit = true, p.Lockout.Reserve, min(p.Lockout.Limit, p.Lockout.Reserve)
		m.own[proof] = &own
		m.tally.Policy.Ceiling -= p.Lockout.Reserve
	}
	return m
}

// lane returns where a guess counts by what it shows, and whether that is the open lane in place of a locked one.
func (m *modelOfCodes) lane(proof shown.Kind, now time.Time) (t *testkit.Tally, instead bool) {
	own := m.own[proof]
	if own == nil {
		return &m.tally, false
	}
	if own.Pass(now); own.Refusal(now) == nil {
		return own, false
	}
	return &m.tally, true
}

func (m *modelOfCodes) live(c *modelCode, now time.Time) bool {
	return c.gone == "" && c.wrong < m.p.Tries && now.Before(c.expires)
}

// pending are the ids of the codes that can be pulled, oldest first.
func (m *modelOfCodes) pending(now time.Time) []string {
	var ids []string
	for _, c := range m.codes {
		if m.live(c, now) {
			ids = append(ids, c.id)
		}
	}
	return ids
}

// add is a request: the oldest of those that have not run out makes room, whatever became of it.
func (m *modelOfCodes) add(c *modelCode, now time.Time) {
	m.codes = append(m.codes, c)
	n := 0
	for i := len(m.codes) - 1; i >= 0; i-- {
		if old := m.codes[i]; now.Before(old.expires) && old.shown == c.shown {
			if n++; n > m.p.MaxPending && old.gone == "" {
				old.gone = "cancelled"
			}
		}
	}
}

// barredFor reports whether a lock outlasts a code that is asked for now.
func (m *modelOfCodes) barredFor(proof shown.Kind, now time.Time, valid time.Duration) bool {
	barred := func(t *testkit.Tally) bool {
		t.Pass(now)
		locked := t.Refusal(now)
		return locked != nil && (locked.Until.IsZero() || !locked.Until.Before(now.Add(valid)))
	}
	return barred(&m.tally) && (m.own[proof] == nil || barred(m.own[proof]))
}

// guess tells the model about a guess at one of the codes, or at none, and returns what should come of it.
func (m *modelOfCodes) guess(proof shown.Kind, c *modelCode, purpose, typed string, now time.Time) string {
	m.tally.Pass(now)
	lane, instead := m.lane(proof, now)
	if lane.Refusal(now) != nil {
		return "locked"
	}
	right := false
	if c != nil && now.Before(c.expires.Add(time.Hour)) && c.gone == "" && c.wrong < m.p.Tries {
		if right = !lane.Hidden() && purpose == c.purpose && typed == c.own+c.sent; !right {
			c.wrong++
		} else if !now.Before(c.expires) {
			return "expired"
		} else {
			c.gone = "used"
		}
	}
	told := lane.Guess(now, right)
	switch {
	case instead && told == "right":
		m.own[proof].Right()
	case lane != &m.tally && told == "locked" && m.tally.Refusal(now) == nil:
		return "refused" // the next guess goes to the open lane
	}
	return told
}

// cameOf says in the model's words what came of a call.
func cameOf(err error) string {
	switch {
	case err == nil:
		return "right"
	case errors.As(err, new(*lockout.LockedError)):
		return "locked"
	case errors.Is(err, otp.ErrExpired):
		return "expired"
	case errors.Is(err, otp.ErrRefused):
		return "refused"
	case errors.Is(err, otp.ErrWrongState):
		return "state"
	}
	return err.Error()
}

// atOnce makes testify's message that of the failure; rapid would say only that there was one.
type atOnce struct{ *rapid.T }

// Errorf fails at once.
func (f atOnce) Errorf(format string, args ...any) { f.T.Fatalf(format, args...) }

// TestCodesModel drives random sequences of calls, clock moves and lost replies, and holds every answer against the model.
func TestCodesModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cryptotest.SetGlobalRandom(t, rapid.Uint64().Draw(rt, "seed")) // or no failure could be played again
		p := unlimited(otp.ClavePIN())
		p.Lockout.Limit, p.Lockout.Ceiling, p.Lockout.Reserve, p.MaxPending = 4, 24, 5, 2
		k := newCodeKit(t, p)
		m := newModelOfCodes(p)
		ctx := t.Context()
		purposes := map[string]otp.Purpose{"file": filing, "pay": paying}
		purpose := func(rt *rapid.T) string {
			return rapid.SampledFrom([]string{"file", "file", "pay"}).Draw(rt, "purpose")
		}
		pick := func(rt *rapid.T) *modelCode {
			if len(m.codes) == 0 {
				return nil
			}
			back := rapid.IntRange(0, min(len(m.codes), 4)).Draw(rt, "which")
			if back == 0 {
				return nil
			}
			return m.codes[len(m.codes)-back]
		}
		shows := func(rt *rapid.T) (shown.Kind, civicpin.Source) {
			proof := rapid.SampledFrom([]shown.Kind{
				shown.Nothing, shown.Nothing, shown.Nothing, shown.Facts, shown.Device, shown.Run, shown.Login, shown.Login,
			}).Draw(rt, "shown")
			return proof, k.showing(proof)
		}
		lose := func(rt *rapid.T) { // a lost reply is looked up and makes no difference
			k.faults.Reset()
			if rapid.Bool().Draw(rt, "lose a reply") {
				k.faults.FailAt(rapid.IntRange(1, 4).Draw(rt, "put"), storetest.ReplyLost, storetest.Put)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"request": func(rt *rapid.T) {
				lose(rt)
				now := k.clock.Now()
				c := &modelCode{own: rapid.SampledFrom([]string{"", "AB12", "2222"}).Draw(rt, "own"), purpose: purpose(rt), sends: 1}
				o, proof := toAna(), shown.Nothing
				o.Joined = civicpin.NewSecret(c.own)
				proof, o.Source = shows(rt)
				c.shown = proof > shown.Facts
				req, err := k.Request(ctx, ana, purposes[c.purpose], o)
				if m.barredFor(proof, now, p.Valid) {
					require.Equal(atOnce{rt}, "locked", cameOf(err))
					return
				}
				require.NoError(atOnce{rt}, err)
				c.id, c.expires = req.ID, now.Add(p.Valid)
				m.add(c, now)
				k.faults.Reset()
				pulled, err := k.Pending(ctx, ana)
				require.NoError(atOnce{rt}, err)
				c.sent = pulled[len(pulled)-1].Code.Reveal()
				if rapid.Bool().Draw(rt, "send it") {
					n := len(k.mail.Messages())
					k.clock.Add(time.Minute) // or the outbox would send no more to one address
					require.NoError(atOnce{rt}, k.out.Flush(ctx))
					for _, sent := range k.mail.Messages()[n:] {
						good := slices.ContainsFunc(m.codes, func(c *modelCode) bool {
							return c.sent == sent.Secret.Reveal() && m.live(c, k.clock.Now())
						})
						require.True(atOnce{rt}, good, "a message with a code that is no good")
					}
				}
			},
			"verify": func(rt *rapid.T) {
				lose(rt)
				c := pick(rt)
				id, typed := badID, "ABC"
				if c != nil {
					id = c.id
					typed = rapid.SampledFrom([]string{c.own + c.sent, c.own + c.sent, c.sent, c.own + otherThan(c.sent), ""}).Draw(rt, "typed")
				}
				for _, older := range m.codes { // or somebody else's
					if rapid.IntRange(0, 30).Draw(rt, "of another") == 0 {
						typed = older.own + older.sent
					}
				}
				act := purpose(rt)
				proof, source := shows(rt)
				want := m.guess(proof, c, act, typed, k.clock.Now())
				require.Equal(atOnce{rt}, want, cameOf(k.Verify(ctx, ana, purposes[act], id, civicpin.NewSecret(typed), source)))
			},
			"cancel": func(rt *rapid.T) {
				lose(rt)
				if c := pick(rt); c != nil {
					require.NoError(atOnce{rt}, k.Cancel(ctx, ana, c.id, civicpin.Citizen))
					if c.gone == "" {
						c.gone = "cancelled"
					}
				}
			},
			"resend": func(rt *rapid.T) {
				lose(rt)
				if c := pick(rt); c != nil {
					want := "state"
					if m.live(c, k.clock.Now()) && c.sends < 5 {
						want = "right"
						c.sends++
					}
					require.Equal(atOnce{rt}, want, cameOf(k.Resend(ctx, ana, c.id, home)))
				}
			},
			"unlock": func(rt *rapid.T) {
				lose(rt)
				err := k.Unlock(ctx, ana, desk)
				if !m.tally.Unlock(k.clock.Now()) {
					require.Equal(atOnce{rt}, "locked", cameOf(err))
					return
				}
				require.NoError(atOnce{rt}, err)
				for _, own := range m.own {
					own.Unlock(k.clock.Now())
				}
			},
			"rebind": func(rt *rapid.T) {
				lose(rt)
				if rapid.IntRange(0, 3).Draw(rt, "really") > 0 {
					rt.Skip("seldom")
				}
				require.NoError(atOnce{rt}, k.Rebind(ctx, ana, seenAtDesk))
				m.tally.Rebind(k.clock.Now())
				for _, own := range m.own {
					own.Right()
				}
			},
			"time passes": func(rt *rapid.T) {
				k.clock.Add(rapid.SampledFrom([]time.Duration{
					time.Second, time.Minute, 9 * time.Minute, time.Hour, 25 * time.Hour,
				}).Draw(rt, "for"))
			},
			"": func(rt *rapid.T) {
				k.faults.Reset()
				now := k.clock.Now()
				pulled, err := k.Pending(ctx, ana)
				require.NoError(atOnce{rt}, err)
				var ids []string
				for _, c := range pulled {
					ids = append(ids, c.ID)
				}
				require.Equal(atOnce{rt}, m.pending(now), ids)
				require.LessOrEqual(atOnce{rt}, len(ids), 2*p.MaxPending)
				if len(m.codes) == 0 {
					return // nobody knows her yet, and her count may be forgotten
				}
				st, err := k.Status(ctx, ana)
				require.NoError(atOnce{rt}, err)
				require.Equal(atOnce{rt}, m.tally.Kept, st.Failures)
				m.tally.Pass(now)
				require.Equal(atOnce{rt}, m.tally.Refusal(now) != nil, st.Locked != nil)
				sum := st.Failures
				for proof, own := range m.own {
					own.Pass(now)
					_, instead := m.lane(proof, now)
					st, err := otp.GateOfCodes(k.Codes).Status(ctx, lockout.Target{Subject: ana, Source: k.showing(proof)})
					require.NoError(atOnce{rt}, err)
					if !instead {
						require.Equal(atOnce{rt}, own.Kept, st.Failures, proof)
						require.Nil(atOnce{rt}, st.Locked)
					}
					sum += own.Kept
				}
				require.LessOrEqual(atOnce{rt}, sum, p.Lockout.Ceiling)
			},
		})
	})
}

// The push is lost; the app asks.
func TestPull(t *testing.T) {
	k := newCodeKit(t, unlimited(otp.ClavePIN()))
	none, err := k.Pending(t.Context(), ana)
	require.NoError(t, err)
	require.Empty(t, none)
	k.mail.Fail = func(civicpin.Message) error { return errors.New("lost") }
	o := otp.RequestOptions{
		To: []civicpin.Contact{byApp}, Joined: civicpin.NewSecret("ab12"), Params: map[string]string{"act": "filing"},
	}
	req, err := k.Request(t.Context(), ana, filing, o)
	require.NoError(t, err)
	second, err := k.Request(t.Context(), ana, paying, o)
	require.NoError(t, err)
	require.NoError(t, k.out.Flush(t.Context()))
	pending, err := k.Pending(t.Context(), ana)
	require.NoError(t, err)
	require.Len(t, pending, 2)
	require.Equal(t, []string{req.ID, second.ID}, []string{pending[0].ID, pending[1].ID})
	require.Equal(t, []otp.Purpose{filing, paying}, []otp.Purpose{pending[0].Purpose, pending[1].Purpose})
	require.True(t, pending[0].ExpiresAt.Equal(req.ExpiresAt))
	require.Equal(t, o.Params, pending[0].Params)
	require.Equal(t, map[string]int{"": 2}, reasons(k.events, civicpin.EventCode("otp.code_pulled")))
	require.NoError(t, k.verify(t, req.ID, "ab12"+pending[0].Code.Reveal()))

	pending, err = k.Pending(t.Context(), ana)
	require.NoError(t, err)
	require.Len(t, pending, 1, "what was used is not pending")
	require.NoError(t, k.Cancel(t.Context(), ana, second.ID, civicpin.Citizen))
	for range 2 {
		pending, err = k.Pending(t.Context(), ana)
		require.NoError(t, err)
		require.Empty(t, pending, "nor what was cancelled")
		_, err = k.Request(t.Context(), ana, filing, o)
		require.NoError(t, err)
		k.clock.Add(10 * time.Minute) // nor what has expired
	}
	foreign, err := k.Pending(t.Context(), luis)
	require.NoError(t, err)
	require.Empty(t, foreign)
}

func TestPullGivesNoDecoys(t *testing.T) {
	k := newCodeKit(t, sms())
	_, err := k.Request(t.Context(), "NOBODY", filing, otp.RequestOptions{})
	require.NoError(t, err)
	pending, err := k.Pending(t.Context(), "NOBODY")
	require.NoError(t, err)
	require.Empty(t, pending)
}

func TestCancel(t *testing.T) {
	k := newCodeKit(t, sms())
	req, err := k.Request(t.Context(), ana, filing, toAna())
	require.NoError(t, err)
	pending, err := k.Pending(t.Context(), ana)
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, k.Cancel(t.Context(), ana, req.ID, civicpin.Citizen))
	}
	require.NoError(t, k.Cancel(t.Context(), ana, badID, civicpin.Citizen))
	require.NoError(t, k.Cancel(t.Context(), luis, req.ID, civicpin.Citizen))
	require.Equal(t, map[string]int{"": 1}, reasons(k.events, civicpin.EventCode("otp.code_cancelled")))
	require.NoError(t, k.out.Flush(t.Context()))
	require.Empty(t, k.mail.Messages(), "what was not sent yet is not")
	require.ErrorIs(t, k.verify(t, req.ID, pending[0].Code.Reveal()), otp.ErrRefused)
	require.ErrorIs(t, k.Resend(t.Context(), ana, req.ID, home), otp.ErrWrongState)

	req, sent := k.asked(t)
	require.NoError(t, k.verify(t, req.ID, sent))
	require.NoError(t, k.Cancel(t.Context(), ana, req.ID, civicpin.Citizen), "what was used stays used")
	require.ErrorIs(t, k.verify(t, req.ID, sent), otp.ErrRefused)
	require.Equal(t, map[string]int{"cancelled": 1, "spent": 1}, reasons(k.events, civicpin.EventCode("otp.code_refused")))
}

// One more than MaxPending takes the place of the oldest.
func TestMaxPending(t *testing.T) {
	k := newCodeKit(t, sms())
	var ids, codes []string
	for range 4 {
		req, sent := k.asked(t)
		ids, codes = append(ids, req.ID), append(codes, sent)
	}
	pending, err := k.Pending(t.Context(), ana)
	require.NoError(t, err)
	require.Len(t, pending, 3)
	require.Equal(t, map[string]int{"too many pending": 1}, reasons(k.events, civicpin.EventCode("otp.code_cancelled")))
	require.ErrorIs(t, k.verify(t, ids[0], codes[0]), otp.ErrRefused)
	for i := range 3 {
		require.NoError(t, k.verify(t, ids[i+1], codes[i+1]), "an older message may come late")
	}
}

func TestResendCode(t *testing.T) {
	k := newCodeKit(t, sms())
	req, sent := k.asked(t)
	for i := range 4 {
		k.clock.Add(time.Minute)
		require.NoError(t, k.Resend(t.Context(), ana, req.ID, home))
		require.NoError(t, k.out.Flush(t.Context()))
		require.Len(t, k.mail.Messages(), i+2)
		m := k.mail.Messages()[i+1]
		require.Equal(t, sent, m.Secret.Reveal(), "the same code")
		require.Equal(t, bySMS, m.To, "to the same address")
		require.True(t, req.ExpiresAt.Equal(m.ExpiresAt), "good for no longer")
		require.NotEqual(t, k.mail.Messages()[0].ID, m.ID)
	}
	require.ErrorIs(t, k.Resend(t.Context(), ana, req.ID, home), otp.ErrWrongState, "often enough")
	require.ErrorIs(t, k.Resend(t.Context(), ana, badID, home), otp.ErrWrongState)
	require.ErrorIs(t, k.Resend(t.Context(), luis, req.ID, home), otp.ErrWrongState)
	require.NoError(t, k.verify(t, req.ID, sent))
	req, _ = k.asked(t)
	k.clock.Add(10 * time.Minute)
	require.ErrorIs(t, k.Resend(t.Context(), ana, req.ID, home), otp.ErrWrongState, "too late")
}

// A dispatcher that comes late sends neither what was used nor what has expired, and what was replaced once only.
func TestWhatIsNotSentAnyMore(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, k *codeKit, req otp.Request){
		"used": func(t *testing.T, k *codeKit, req otp.Request) {
			pending, err := k.Pending(t.Context(), ana)
			require.NoError(t, err)
			require.NoError(t, k.verify(t, req.ID, pending[0].Code.Reveal()))
		},
		"expired": func(_ *testing.T, k *codeKit, _ otp.Request) { k.clock.Add(10 * time.Minute) },
		"worn": func(t *testing.T, k *codeKit, req otp.Request) {
			pending, err := k.Pending(t.Context(), ana)
			require.NoError(t, err)
			for range 5 {
				require.Error(t, k.verify(t, req.ID, otherThan(pending[0].Code.Reveal())))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newCodeKit(t, sms())
			req, err := k.Request(t.Context(), ana, filing, toAna())
			require.NoError(t, err)
			change(t, k, req)
			require.NoError(t, k.out.Flush(t.Context()))
			require.Empty(t, k.mail.Messages())
		})
	}
	k := newCodeKit(t, sms())
	req, err := k.Request(t.Context(), ana, filing, toAna())
	require.NoError(t, err)
	require.NoError(t, k.Resend(t.Context(), ana, req.ID, home))
	require.NoError(t, k.out.Flush(t.Context()))
	require.Len(t, k.mail.Messages(), 1, "the first message was never sent, and is not wanted any more")
}

// What cannot be delivered can be tried again by an operator while the code is good.
func TestUndeliverableCode(t *testing.T) {
	k := newCodeKit(t, sms())
	k.mail.Fail = func(civicpin.Message) error { return civicpin.ErrUndeliverable }
	req, err := k.Request(t.Context(), ana, filing, toAna())
	require.NoError(t, err)
	require.NoError(t, k.out.Flush(t.Context()))
	k.mail.Fail = nil
	n := 0
	for letter, err := range k.out.DeadLetters(t.Context()) {
		require.NoError(t, err)
		require.NoError(t, k.out.Retry(t.Context(), letter.Ref))
		n++
	}
	require.Equal(t, 1, n)
	require.NoError(t, k.out.Flush(t.Context()))
	require.NoError(t, k.verify(t, req.ID, k.last()))
}

// Two hundred uses of one code at once, over four processes: one is let in.
func TestCodeHasOneWinner(t *testing.T) {
	p := sms()
	p.Lockout.Limit = 20 // so many are looked at together
	k := newCodeKit(t, p)
	req, sent := k.asked(t)
	others := []*codeKit{k, k.other(t, k.memory), k.other(t, k.memory), k.other(t, k.memory)}
	outcomes := crowd(t, 200, func(i int) error {
		return others[i%4].Verify(t.Context(), ana, filing, req.ID, civicpin.NewSecret(sent), civicpin.Source{})
	})
	require.Equal(t, 1, outcomes[fobAccepted])
	require.Equal(t, 199, outcomes[fobRefused]+outcomes[fobLocked])
	require.Equal(t, compared(k.events), reasons(k.events, civicpin.EventCode("otp.code_refused"))["spent"])
}

// A thousand wrong guesses at once, limit 5: five are compared, whoever the subject is, however many codes are asked for
// meanwhile.
func TestOnlyFiveCodesAreCompared(t *testing.T) {
	for name, to := range map[string][]civicpin.Contact{"citizen": {bySMS}, "stranger": nil} {
		t.Run(name, func(t *testing.T) {
			p := sms()
			p.Tries = 100
			k := newCodeKit(t, p)
			req, err := k.Request(t.Context(), ana, filing, otp.RequestOptions{To: to})
			require.NoError(t, err)
			var ids [8]atomic.Value // requests made meanwhile
			for i := range ids {
				ids[i].Store(req.ID)
			}
			others := []*codeKit{k, k.other(t, k.memory), k.other(t, k.memory), k.other(t, k.memory)}
			outcomes := crowd(t, 1010, func(i int) error {
				if i%101 == 0 { // ten of them ask for a code, or are told of the lock
					req, err := k.Request(t.Context(), ana, filing, otp.RequestOptions{To: to})
					if err == nil {
						ids[i/101%8].Store(req.ID)
					} else if !errors.As(err, new(*lockout.LockedError)) {
						t.Error(err)
					}
					return nil
				}
				id := ids[i%8].Load().(string)
				return others[i%4].Verify(t.Context(), ana, filing, id, civicpin.NewSecret("wrong"), civicpin.Source{})
			})
			require.Equal(t, 5, compared(k.events))
			require.Equal(t, map[string]int{fobAccepted: 10, fobRefused: 4, fobLocked: 996}, outcomes, "four are told how many are left")
		})
	}
}

// The tries of one code are exact, too, though several guesses are let through at once.
func TestTriesAreExact(t *testing.T) {
	p := sms()
	p.Tries, p.Lockout.Limit = 3, 20
	k := newCodeKit(t, p)
	req, sent := k.asked(t)
	both := []*codeKit{k.other(t, k.memory), k}
	crowd(t, 19, func(i int) error {
		return both[i%2].Verify(t.Context(), ana, filing, req.ID, civicpin.NewSecret(otherThan(sent)), civicpin.Source{})
	})
	require.Equal(t, map[string]int{"wrong": 3, "exhausted": 16}, withoutBusy(reasons(k.events, civicpin.EventCode("otp.code_refused"))))
}

func withoutBusy(reasons map[string]int) map[string]int {
	delete(reasons, "busy")
	return reasons
}

// Use and cancel, resend and dispatch at the same time: whatever wins, the record ends in one state.
func TestCodeUseMeetsOtherCalls(t *testing.T) {
	for range 30 {
		k := newCodeKit(t, sms())
		req, sent := k.asked(t)
		var used, cancelled error
		var wg sync.WaitGroup
		wg.Go(func() { used = k.verify(t, req.ID, sent) })
		wg.Go(func() { cancelled = k.Cancel(t.Context(), ana, req.ID, civicpin.Citizen) })
		wg.Go(func() { _ = k.Resend(t.Context(), ana, req.ID, home) })
		wg.Go(func() { _ = k.out.Flush(t.Context()) })
		wg.Wait()
		require.NoError(t, cancelled)
		if used != nil {
			require.ErrorIs(t, used, otp.ErrRefused)
		}
		n := len(reasons(k.events, civicpin.EventCode("otp.code_verified"))) + len(reasons(k.events, civicpin.EventCode("otp.code_cancelled")))
		require.Equal(t, 1, n, "used or cancelled, not both")
		require.ErrorIs(t, k.verify(t, req.ID, sent), otp.ErrRefused)
	}
}

// codeCrash is a kit with the request that a flow is about.
type codeCrash struct {
	*codeKit
	req  otp.Request
	sent string
}

// askedBefore has Ana ask for a code.
func askedBefore(t *testing.T, k *codeCrash) { k.req, k.sent = k.asked(t) }

// walk takes Ana from a request to its use: whatever was left behind, she can go on.
func (k *codeCrash) walk(t *testing.T) {
	t.Helper()
	req, sent := k.asked(t)
	require.NoError(t, k.verify(t, req.ID, sent))
	require.Zero(t, k.failures(t))
}

// stillGood checks after a refused guess that it is counted, and that the code that was sent is good.
func stillGood(t *testing.T, k *codeCrash, err error) {
	if errors.Is(err, otp.ErrRefused) {
		require.Equal(t, 1, k.failures(t))
	}
	require.NoError(t, k.verify(t, k.req.ID, k.sent))
	k.walk(t)
}

var codeFlows = []testkit.Flow[*codeCrash]{
	{
		Name:    "request",
		Prepare: func(*testing.T, *codeCrash) {},
		Act: func(t *testing.T, k *codeCrash) (err error) {
			k.req, err = k.Request(t.Context(), ana, filing, toAna())
			return err
		},
		After: func(t *testing.T, k *codeCrash, err error) {
			require.NoError(t, k.out.Flush(t.Context()))
			require.LessOrEqual(t, len(k.mail.Messages()), 1, "nothing is sent twice")
			if err == nil {
				require.Len(t, k.mail.Messages(), 1, "what was acknowledged is sent")
				pending, err := k.Pending(t.Context(), ana)
				require.NoError(t, err)
				require.Len(t, pending, 1, "and can be pulled")
				require.Equal(t, k.last(), pending[0].Code.Reveal())
				require.NoError(t, k.verify(t, k.req.ID, k.last()), "and is good")
			}
			k.walk(t)
		},
	},
	{
		Name: "request one too many",
		Prepare: func(t *testing.T, k *codeCrash) {
			for range 3 {
				k.req, k.sent = k.asked(t)
			}
		},
		Act: func(t *testing.T, k *codeCrash) error {
			_, err := k.Request(t.Context(), ana, filing, toAna())
			return err
		},
		After: func(t *testing.T, k *codeCrash, err error) {
			require.NoError(t, k.out.Flush(t.Context()))
			pending, pendingErr := k.Pending(t.Context(), ana)
			require.NoError(t, pendingErr)
			require.LessOrEqual(t, len(pending), 3)
			require.GreaterOrEqual(t, len(pending), 2, "at most the oldest has gone")
			if err == nil {
				require.Len(t, k.mail.Messages(), 4)
			}
			require.NoError(t, k.verify(t, k.req.ID, k.sent), "the others are good")
			k.walk(t)
		},
	},
	{
		Name:    "verify right",
		Prepare: askedBefore,
		Act:     func(t *testing.T, k *codeCrash) error { return k.verify(t, k.req.ID, k.sent) },
		After: func(t *testing.T, k *codeCrash, err error) {
			failed := k.failures(t)
			require.LessOrEqual(t, failed, 1, "an attempt that died is one failure at most")
			again := k.verify(t, k.req.ID, k.sent)
			if err == nil {
				require.Zero(t, failed)
				require.ErrorIs(t, again, otp.ErrRefused, "what was accepted once is spent")
			}
			require.ErrorIs(t, k.verify(t, k.req.ID, k.sent), otp.ErrRefused, "and never good twice")
			k.walk(t)
		},
	},
	{
		Name:    "verify wrong",
		Prepare: askedBefore,
		Act: func(t *testing.T, k *codeCrash) error {
			err := k.verify(t, k.req.ID, otherThan(k.sent))
			require.Error(t, err)
			return err
		},
		After: func(t *testing.T, k *codeCrash, err error) {
			if errors.Is(err, otp.ErrRefused) {
				require.Equal(t, 1, k.failures(t), "a guess that was answered is counted")
			}
			require.LessOrEqual(t, k.failures(t), 1)
			for k.failures(t) < 5 {
				require.Error(t, k.verify(t, k.req.ID, otherThan(k.sent)))
			}
			err = k.verify(t, k.req.ID, k.sent)
			require.Error(t, err, "locked after the fifth")
			require.NotErrorIs(t, err, otp.ErrRefused)
			require.NoError(t, k.Unlock(t.Context(), ana, desk))
			k.walk(t)
		},
	},
	{
		Name:    "verify for another purpose",
		Prepare: askedBefore,
		Act: func(t *testing.T, k *codeCrash) error {
			err := k.Verify(t.Context(), ana, paying, k.req.ID, civicpin.NewSecret(k.sent), home)
			require.Error(t, err)
			return err
		},
		After: stillGood,
	},
	{
		Name:    "verify what is not there",
		Prepare: askedBefore,
		Act: func(t *testing.T, k *codeCrash) error {
			err := k.verify(t, badID, k.sent)
			require.Error(t, err)
			return err
		},
		After: stillGood,
	},
	{
		Name:    "resend",
		Prepare: askedBefore,
		Act:     func(t *testing.T, k *codeCrash) error { return k.Resend(t.Context(), ana, k.req.ID, home) },
		After: func(t *testing.T, k *codeCrash, err error) {
			require.NoError(t, k.out.Flush(t.Context()))
			require.LessOrEqual(t, len(k.mail.Messages()), 2)
			if err == nil {
				require.Len(t, k.mail.Messages(), 2)
			}
			require.Equal(t, k.sent, k.last())
			require.NoError(t, k.verify(t, k.req.ID, k.sent))
			k.walk(t)
		},
	},
	{
		Name:    "cancel",
		Prepare: askedBefore,
		Act:     func(t *testing.T, k *codeCrash) error { return k.Cancel(t.Context(), ana, k.req.ID, civicpin.Citizen) },
		After: func(t *testing.T, k *codeCrash, err error) {
			if err == nil {
				require.ErrorIs(t, k.verify(t, k.req.ID, k.sent), otp.ErrRefused, "what was acknowledged holds")
			}
			require.NoError(t, k.Cancel(t.Context(), ana, k.req.ID, civicpin.Citizen))
			require.ErrorIs(t, k.verify(t, k.req.ID, k.sent), otp.ErrRefused)
			k.walk(t)
		},
	},
	{
		Name: "deliver",
		Prepare: func(t *testing.T, k *codeCrash) {
			var err error
			k.req, err = k.Request(t.Context(), ana, filing, toAna())
			require.NoError(t, err)
		},
		Act: func(t *testing.T, k *codeCrash) error { return k.out.Flush(t.Context()) },
		After: func(t *testing.T, k *codeCrash, _ error) {
			for range 3 {
				k.clock.Add(2 * time.Minute) // claims run out
				require.NoError(t, k.out.Flush(t.Context()))
			}
			require.NotEmpty(t, k.mail.Messages())
			require.LessOrEqual(t, len(k.mail.Messages()), 2, "only what a crash hit between send and mark is sent twice")
			require.NoError(t, k.verify(t, k.req.ID, k.last()))
		},
	},
	{
		Name:    "pull",
		Prepare: askedBefore,
		Act: func(t *testing.T, k *codeCrash) error {
			_, err := k.Pending(t.Context(), ana)
			return err
		},
		After: func(t *testing.T, k *codeCrash, _ error) { require.NoError(t, k.verify(t, k.req.ID, k.sent)) },
	},
}

// TestCodeCrashPoints lets each store call of each flow go wrong in turn. Another process then finds a state from which the
// citizen can go on and nobody gained anything.
func TestCodeCrashPoints(t *testing.T) {
	for _, f := range codeFlows {
		f.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, s store.Store) *codeCrash {
			return &codeCrash{codeKit: newCodeKitOn(t, s, sms(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})}
		}, func(t *testing.T, k *codeCrash, s store.Store) *codeCrash {
			k.clock.Add(3 * time.Minute) // reservations and claims of the dead process run out, and the code does not
			k.codeKit = k.other(t, s)
			return k
		})
	}
}
