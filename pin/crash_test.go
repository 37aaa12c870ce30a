package pin_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/proof"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

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
			_, before := k.works(t, chosen)
			_, now := k.works(t, changed)
			require.NotEqual(t, before, now, "exactly one of the two is right")
			if err == nil {
				require.True(t, now)
			}
			require.NoError(t, testkit.Err(k.Change(t.Context(), try(chosen), civicpin.NewSecret(changed))), "the same once more")
			_, now = k.works(t, changed)
			require.True(t, now)
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
			_, before := k.works(t, chosen)
			_, now := k.works(t, changed)
			require.NotEqual(t, before, now, "exactly one of the two is right")
			if err == nil {
				require.True(t, now)
			}
			require.NoError(t, testkit.Err(k.Set(t.Context(), k.grant, civicpin.NewSecret(changed), civicpin.Source{})), "the same once more")
			_, now = k.works(t, changed)
			require.True(t, now)
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
