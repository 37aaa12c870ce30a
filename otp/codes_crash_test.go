package otp_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
)

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
		After: func(t *testing.T, k *codeCrash, err error) {
			if errors.Is(err, otp.ErrRefused) {
				require.Equal(t, 1, k.failures(t))
			}
			require.NoError(t, k.verify(t, k.req.ID, k.sent))
			k.walk(t)
		},
	},
	{
		Name:    "verify what is not there",
		Prepare: askedBefore,
		Act: func(t *testing.T, k *codeCrash) error {
			err := k.verify(t, badID, k.sent)
			require.Error(t, err)
			return err
		},
		After: func(t *testing.T, k *codeCrash, err error) {
			if errors.Is(err, otp.ErrRefused) {
				require.Equal(t, 1, k.failures(t))
			}
			require.NoError(t, k.verify(t, k.req.ID, k.sent))
		},
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
