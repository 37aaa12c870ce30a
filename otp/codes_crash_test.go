package otp_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otp"
)

// A codeFlow is a call whose every store call may be the last one.
type codeFlow struct {
	name    string
	prepare func(t *testing.T, k *codeKit) // on a store without faults
	act     func(t *testing.T, k *codeKit) error
	// after looks at what another process finds, three minutes later. err is what act
	// returned.
	after func(t *testing.T, k *codeKit, err error)
}

// codeFlowState is the request of the flow that is running, which its steps share.
type codeFlowState struct {
	req  otp.Request
	sent string
}

// codeFlows returns the flows, over a state of their own.
func codeFlows() []codeFlow {
	var s codeFlowState
	prepare := func(t *testing.T, k *codeKit) { s.req, s.sent = k.asked(t) }
	// walk takes Ana from a request to its use: whatever was left behind, she can go on.
	walk := func(t *testing.T, k *codeKit) {
		req, sent := k.asked(t)
		require.NoError(t, k.verify(t, req.ID, sent))
		require.Zero(t, k.failures(t))
	}
	return []codeFlow{
		{
			name:    "request",
			prepare: func(*testing.T, *codeKit) {},
			act: func(t *testing.T, k *codeKit) (err error) {
				s.req, err = k.Request(t.Context(), ana, filing, toAna())
				return err
			},
			after: func(t *testing.T, k *codeKit, err error) {
				require.NoError(t, k.out.Flush(t.Context()))
				require.LessOrEqual(t, len(k.mail.Messages()), 1, "nothing is sent twice")
				if err == nil {
					require.Len(t, k.mail.Messages(), 1, "what was acknowledged is sent")
					pending, err := k.Pending(t.Context(), ana)
					require.NoError(t, err)
					require.Len(t, pending, 1, "and can be pulled")
					require.Equal(t, k.last(), pending[0].Code.Reveal())
					require.NoError(t, k.verify(t, s.req.ID, k.last()), "and is good")
				}
				walk(t, k)
			},
		},
		{
			name: "request one too many",
			prepare: func(t *testing.T, k *codeKit) {
				for range 3 {
					s.req, s.sent = k.asked(t)
				}
			},
			act: func(t *testing.T, k *codeKit) error {
				_, err := k.Request(t.Context(), ana, filing, toAna())
				return err
			},
			after: func(t *testing.T, k *codeKit, err error) {
				require.NoError(t, k.out.Flush(t.Context()))
				pending, pendingErr := k.Pending(t.Context(), ana)
				require.NoError(t, pendingErr)
				require.LessOrEqual(t, len(pending), 3)
				require.GreaterOrEqual(t, len(pending), 2, "at most the oldest has gone")
				if err == nil {
					require.Len(t, k.mail.Messages(), 4)
				}
				require.NoError(t, k.verify(t, s.req.ID, s.sent), "the others are good")
				walk(t, k)
			},
		},
		{
			name:    "verify right",
			prepare: prepare,
			act:     func(t *testing.T, k *codeKit) error { return k.verify(t, s.req.ID, s.sent) },
			after: func(t *testing.T, k *codeKit, err error) {
				failed := k.failures(t)
				require.LessOrEqual(t, failed, 1, "an attempt that died is one failure at most")
				again := k.verify(t, s.req.ID, s.sent)
				if err == nil {
					require.Zero(t, failed)
					require.ErrorIs(t, again, otp.ErrRefused, "what was accepted once is spent")
				}
				require.ErrorIs(t, k.verify(t, s.req.ID, s.sent), otp.ErrRefused, "and never good twice")
				walk(t, k)
			},
		},
		{
			name:    "verify wrong",
			prepare: prepare,
			act: func(t *testing.T, k *codeKit) error {
				err := k.verify(t, s.req.ID, otherThan(s.sent))
				require.Error(t, err)
				return err
			},
			after: func(t *testing.T, k *codeKit, err error) {
				if errors.Is(err, otp.ErrRefused) {
					require.Equal(t, 1, k.failures(t), "a guess that was answered is counted")
				}
				require.LessOrEqual(t, k.failures(t), 1)
				for k.failures(t) < 5 {
					require.Error(t, k.verify(t, s.req.ID, otherThan(s.sent)))
				}
				err = k.verify(t, s.req.ID, s.sent)
				require.Error(t, err, "locked after the fifth")
				require.NotErrorIs(t, err, otp.ErrRefused)
				require.NoError(t, k.Unlock(t.Context(), ana, desk))
				walk(t, k)
			},
		},
		{
			name:    "verify for another purpose",
			prepare: prepare,
			act: func(t *testing.T, k *codeKit) error {
				err := k.Verify(t.Context(), ana, paying, s.req.ID, civicpin.NewSecret(s.sent), home)
				require.Error(t, err)
				return err
			},
			after: func(t *testing.T, k *codeKit, err error) {
				if errors.Is(err, otp.ErrRefused) {
					require.Equal(t, 1, k.failures(t))
				}
				require.NoError(t, k.verify(t, s.req.ID, s.sent))
				walk(t, k)
			},
		},
		{
			name:    "verify what is not there",
			prepare: prepare,
			act: func(t *testing.T, k *codeKit) error {
				err := k.verify(t, badID, s.sent)
				require.Error(t, err)
				return err
			},
			after: func(t *testing.T, k *codeKit, err error) {
				if errors.Is(err, otp.ErrRefused) {
					require.Equal(t, 1, k.failures(t))
				}
				require.NoError(t, k.verify(t, s.req.ID, s.sent))
			},
		},
		{
			name:    "resend",
			prepare: prepare,
			act:     func(t *testing.T, k *codeKit) error { return k.Resend(t.Context(), ana, s.req.ID, home) },
			after: func(t *testing.T, k *codeKit, err error) {
				require.NoError(t, k.out.Flush(t.Context()))
				require.LessOrEqual(t, len(k.mail.Messages()), 2)
				if err == nil {
					require.Len(t, k.mail.Messages(), 2)
				}
				require.Equal(t, s.sent, k.last())
				require.NoError(t, k.verify(t, s.req.ID, s.sent))
				walk(t, k)
			},
		},
		{
			name:    "cancel",
			prepare: prepare,
			act:     func(t *testing.T, k *codeKit) error { return k.Cancel(t.Context(), ana, s.req.ID, civicpin.Citizen) },
			after: func(t *testing.T, k *codeKit, err error) {
				if err == nil {
					require.ErrorIs(t, k.verify(t, s.req.ID, s.sent), otp.ErrRefused, "what was acknowledged holds")
				}
				require.NoError(t, k.Cancel(t.Context(), ana, s.req.ID, civicpin.Citizen))
				require.ErrorIs(t, k.verify(t, s.req.ID, s.sent), otp.ErrRefused)
				walk(t, k)
			},
		},
		{
			name: "deliver",
			prepare: func(t *testing.T, k *codeKit) {
				var err error
				s.req, err = k.Request(t.Context(), ana, filing, toAna())
				require.NoError(t, err)
			},
			act: func(t *testing.T, k *codeKit) error { return k.out.Flush(t.Context()) },
			after: func(t *testing.T, k *codeKit, _ error) {
				for range 3 {
					k.clock.Add(2 * time.Minute) // claims run out
					require.NoError(t, k.out.Flush(t.Context()))
				}
				require.NotEmpty(t, k.mail.Messages())
				require.LessOrEqual(t, len(k.mail.Messages()), 2, "only what a crash hit between send and mark is sent twice")
				require.NoError(t, k.verify(t, s.req.ID, k.last()))
			},
		},
		{
			name:    "pull",
			prepare: prepare,
			act: func(t *testing.T, k *codeKit) error {
				_, err := k.Pending(t.Context(), ana)
				return err
			},
			after: func(t *testing.T, k *codeKit, _ error) { require.NoError(t, k.verify(t, s.req.ID, s.sent)) },
		},
	}
}

// TestCodeCrashPoints lets each store call of each flow go wrong in turn. Another process then finds a state from which the
// citizen can go on and nobody gained anything.
func TestCodeCrashPoints(t *testing.T) {
	for i, f := range codeFlows() {
		t.Run(f.name, func(t *testing.T) {
			calls := testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) {
				f := codeFlows()[i] // with a state of its own
				k := newCodeKitOn(t, c.Store(), sms(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
				f.prepare(t, k)
				err := c.During(t, func() error { return f.act(t, k) })
				k.clock.Add(3 * time.Minute) // reservations and claims of the dead process run out, and the code does not
				f.after(t, k.other(t, c.Memory), err)
			})
			require.Greater(t, calls, 1)
		})
	}
}
