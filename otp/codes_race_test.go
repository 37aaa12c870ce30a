package otp_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
)

// Two hundred uses of one code at once, over four processes: one is let in.
func TestCodeHasOneWinner(t *testing.T) {
	m := store.NewMemory()
	p := sms()
	p.Lockout.Limit = 20 // so many are looked at together
	k := newCodeKitOn(t, m, p, newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	req, sent := k.asked(t)
	others := []*codeKit{k, k.other(t, m), k.other(t, m), k.other(t, m)}
	var in, refused, locked atomic.Int64
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			err := testkit.Persist(otp.ErrBusy, func() error {
				return others[i%4].Verify(t.Context(), ana, filing, req.ID, civicpin.NewSecret(sent), civicpin.Source{})
			})
			switch {
			case err == nil:
				in.Add(1)
			case errors.As(err, new(*lockout.LockedError)):
				locked.Add(1)
			case errors.Is(err, otp.ErrRefused):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, in.Load())
	require.EqualValues(t, 199, refused.Load()+locked.Load())
	require.Equal(t, compared(k.events), reasons(k.events, civicpin.EventCode("otp.code_refused"))["spent"])
}

// A thousand wrong guesses at once, limit 5: five are compared, whoever the subject is, however many codes are asked for
// meanwhile.
func TestOnlyFiveCodesAreCompared(t *testing.T) {
	for name, to := range map[string][]civicpin.Contact{"citizen": {bySMS}, "stranger": nil} {
		t.Run(name, func(t *testing.T) {
			m := store.NewMemory()
			p := sms()
			p.Tries = 100
			k := newCodeKitOn(t, m, p, newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
			req, err := k.Request(t.Context(), ana, filing, otp.RequestOptions{To: to})
			require.NoError(t, err)
			var ids [8]atomic.Value // requests made meanwhile
			for i := range ids {
				ids[i].Store(req.ID)
			}
			others := []*codeKit{k, k.other(t, m), k.other(t, m), k.other(t, m)}
			var locked atomic.Int64
			var wg sync.WaitGroup
			for i := range 1000 {
				if i%100 == 0 {
					wg.Go(func() {
						req, err := k.Request(t.Context(), ana, filing, otp.RequestOptions{To: to})
						if err == nil {
							ids[i/100%8].Store(req.ID)
						} else if !errors.As(err, new(*lockout.LockedError)) {
							t.Error(err)
						}
					})
				}
				wg.Go(func() {
					err := testkit.Persist(otp.ErrBusy, func() error {
						id := ids[i%8].Load().(string)
						return others[i%4].Verify(t.Context(), ana, filing, id, civicpin.NewSecret("wrong"), civicpin.Source{})
					})
					if errors.As(err, new(*lockout.LockedError)) {
						locked.Add(1)
					} else if !errors.Is(err, otp.ErrRefused) {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			require.Equal(t, 5, compared(k.events))
			require.EqualValues(t, 996, locked.Load(), "all but four, who were told how many are left")
		})
	}
}

// The tries of one code are exact, too, though several guesses are let through at once.
func TestTriesAreExact(t *testing.T) {
	m := store.NewMemory()
	p := sms()
	p.Tries, p.Lockout.Limit = 3, 20
	k := newCodeKitOn(t, m, p, newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	req, sent := k.asked(t)
	other := k.other(t, m)
	var wg sync.WaitGroup
	for i := range 19 {
		wg.Go(func() {
			c := k
			if i%2 == 0 {
				c = other
			}
			_ = testkit.Persist(otp.ErrBusy, func() error {
				return c.Verify(t.Context(), ana, filing, req.ID, civicpin.NewSecret(otherThan(sent)), civicpin.Source{})
			})
		})
	}
	wg.Wait()
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
