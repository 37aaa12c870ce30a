package otp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store/storetest"
)

// TestKeyNobodyElseLearnsIt walks through good and bad ways with a faulty store, and looks for seeds and codes in every error,
// event, log line and stored byte.
func TestKeyNobodyElseLearnsIt(t *testing.T) {
	w := testkit.NewWitness()
	w.Personal(string(ada))
	clock := newClock()
	totp := totpOn(t, w.Store(), otp.TOTPPolicy{Digits: 8}, clock, w.Events).TOTP
	hotp := hotpOn(t, w.Store(), otp.HOTPPolicy{Digits: 8}, clock, w.Events).HOTP
	ctx := t.Context()
	learn := func(k otp.Key, err error) otp.Key {
		require.NoError(t, err)
		w.Secret(k.Seed.Reveal(), k.Secret().Reveal())
		w.Say(k, k.URI(), k.Secret())
		return k
	}
	code := func(k otp.Key, n uint64) civicpin.Secret {
		text := codeAt(k, n)
		w.Secret(text)
		return civicpin.NewSecret(text)
	}
	now := func() uint64 { return uint64(clock.Now().Unix() / 30) }

	tk := learn(totp.Enrol(ctx, ada))
	hk := learn(hotp.Enrol(ctx, ada))
	require.NoError(t, totp.Verify(ctx, ada, code(tk, now()), fobSource))
	w.Say(totp.Verify(ctx, ada, code(tk, now()), fobSource))
	require.NoError(t, hotp.Verify(ctx, ada, code(hk, 0), fobSource))
	clock.Add(time.Hour)
	for call := 1; call < 8; call++ {
		for _, o := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost} {
			for _, do := range []func() error{
				func() error { return totp.Verify(ctx, ada, code(tk, now()), fobSource) },
				func() error { return totp.Verify(ctx, ada, code(tk, now()-50), fobSource) },
				func() error { return hotp.Verify(ctx, ada, code(hk, uint64(call)), fobSource) },
				func() error { return hotp.Resync(ctx, ada, code(hk, 500), code(hk, 501), fobSource) },
			} {
				w.Faults.FailAt(call, o)
				w.Say(do())
			}
			w.Faults.Reset()
			clock.Add(time.Hour)
		}
	}
	learn(totp.Enrol(ctx, ada))
	w.Say(totp.Import(ctx, ada, tk, fobClerk), totp.Import(ctx, ada, otp.Key{Seed: tk.Seed}, fobClerk))
	st, err := totp.Enrolled(ctx, ada)
	require.NoError(t, err)
	w.Say(st, totp.Policy(), totp, hotp)
	w.Say(testkit.Err(otp.ParseKey(civicpin.NewSecret(tk.URI().Reveal() + "&x=" + tk.Secret().Reveal()))))
	learn(totp.Rebind(ctx, ada, inPerson))
	w.Say(totp.Remove(ctx, ada, fobClerk))
	w.LeaksNothing(t, "otp.activated", "otp.verified", "otp.refused", "otp.enrolled", "otp.removed")
}

// Under the seal the seed is there, and only there: what the vault protects is what there is to protect.
func TestKeySeedsAreSealed(t *testing.T) {
	f := newTOTP(t, otp.TOTPPolicy{})
	f.enrolled(t)
	plain := func() string {
		text, err := otp.PlainKeys(t.Context(), f.TOTP)
		require.NoError(t, err)
		return text
	}
	require.Contains(t, plain(), `"seed":"`)
	second := f.enrol(t)
	require.Equal(t, fobAccepted, f.verify(t, f.shown(second, 0)))
	require.Equal(t, 1, strings.Count(plain(), `"seed":"`), "nothing is left of a displaced key")
	require.NoError(t, f.Remove(t.Context(), ada, fobClerk))
	require.NotContains(t, plain(), "seed", "nothing is left of a removed key")
}
