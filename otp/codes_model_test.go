package otp_test

import (
	"errors"
	"slices"
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

// modelCode is what a code should be, told as simply as can be.
type modelCode struct {
	id, own, sent string
	purpose       string
	expires       time.Time
	gone          string // used, or cancelled
	wrong, sends  int
}

// modelOfCodes is what the codes of one subject should be.
type modelOfCodes struct {
	p        otp.CodePolicy
	codes    []*modelCode
	wrong    int // in a row, since the last success
	round    int // of those, since the last lock
	locks    int
	lockedTo time.Time
	disabled bool
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
		if old := m.codes[i]; now.Before(old.expires) {
			if n++; n > m.p.MaxPending && old.gone == "" {
				old.gone = "cancelled"
			}
		}
	}
}

func (m *modelOfCodes) isLocked(now time.Time) bool { return m.disabled || now.Before(m.lockedTo) }

// guess tells the model about a guess at one of the codes, or at none, and returns what should come of it.
func (m *modelOfCodes) guess(c *modelCode, purpose, typed string, now time.Time) string {
	if m.isLocked(now) {
		return "locked"
	}
	if c != nil && now.Before(c.expires.Add(time.Hour)) && c.gone == "" && c.wrong < m.p.Tries {
		if purpose == c.purpose && typed == c.own+c.sent {
			if !now.Before(c.expires) {
				return "expired"
			}
			c.gone = "used"
			m.wrong, m.round, m.locks = 0, 0, 0
			return "right"
		}
		c.wrong++
	}
	m.wrong++
	m.round++
	switch {
	case m.wrong >= m.p.Lockout.Ceiling:
		m.disabled = true
	case m.round >= m.p.Lockout.Limit:
		m.lockedTo = now.Add(min(m.p.Lockout.Max, m.p.Lockout.For<<m.locks))
		m.locks++
		m.round = 0
	default:
		return "refused"
	}
	return "locked"
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
		p.Lockout.Limit, p.Lockout.Ceiling, p.MaxPending = 4, 14, 2
		faults := storetest.NewFaults(store.NewMemory())
		k := newCodeKitOn(t, faults.Store(), p, newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
		m := &modelOfCodes{p: p}
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
		lose := func(rt *rapid.T) { // a lost reply is looked up and makes no difference
			faults.Reset()
			if rapid.Bool().Draw(rt, "lose a reply") {
				faults.FailAt(rapid.IntRange(1, 4).Draw(rt, "put"), storetest.ReplyLost, storetest.Put)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"request": func(rt *rapid.T) {
				lose(rt)
				now := k.clock.Now()
				c := &modelCode{own: rapid.SampledFrom([]string{"", "AB12", "2222"}).Draw(rt, "own"), purpose: purpose(rt), sends: 1}
				o := toAna()
				o.Joined = civicpin.NewSecret(c.own)
				req, err := k.Request(ctx, ana, purposes[c.purpose], o)
				if m.disabled || !m.lockedTo.Before(now.Add(p.Valid)) {
					require.Equal(atOnce{rt}, "locked", cameOf(err))
					return
				}
				require.NoError(atOnce{rt}, err)
				c.id, c.expires = req.ID, now.Add(p.Valid)
				m.add(c, now)
				faults.Reset()
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
				want := m.guess(c, act, typed, k.clock.Now())
				require.Equal(atOnce{rt}, want, cameOf(k.Verify(ctx, ana, purposes[act], id, civicpin.NewSecret(typed), home)))
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
				if m.disabled {
					require.Equal(atOnce{rt}, "locked", cameOf(err))
					return
				}
				require.NoError(atOnce{rt}, err)
				m.lockedTo, m.round = time.Time{}, 0
			},
			"rebind": func(rt *rapid.T) {
				lose(rt)
				if rapid.IntRange(0, 3).Draw(rt, "really") > 0 {
					rt.Skip("seldom")
				}
				require.NoError(atOnce{rt}, k.Rebind(ctx, ana, desk))
				m.wrong, m.round, m.locks, m.lockedTo, m.disabled = 0, 0, 0, time.Time{}, false
			},
			"time passes": func(rt *rapid.T) {
				k.clock.Add(rapid.SampledFrom([]time.Duration{
					time.Second, time.Minute, 9 * time.Minute, time.Hour, 25 * time.Hour,
				}).Draw(rt, "for"))
			},
			"": func(rt *rapid.T) {
				faults.Reset()
				now := k.clock.Now()
				pulled, err := k.Pending(ctx, ana)
				require.NoError(atOnce{rt}, err)
				var ids []string
				for _, c := range pulled {
					ids = append(ids, c.ID)
				}
				require.Equal(atOnce{rt}, m.pending(now), ids)
				require.LessOrEqual(atOnce{rt}, len(ids), p.MaxPending)
				if len(m.codes) == 0 {
					return // nobody knows her yet, and her count may be forgotten
				}
				st, err := k.Status(ctx, ana)
				require.NoError(atOnce{rt}, err)
				require.Equal(atOnce{rt}, m.wrong, st.Failures)
				require.Equal(atOnce{rt}, m.isLocked(now), st.Locked != nil)
				require.LessOrEqual(atOnce{rt}, st.Failures, p.Lockout.Ceiling)
			},
		})
	})
}
