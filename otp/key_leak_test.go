package otp_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// TestKeyNobodyElseLearnsIt walks through good and bad ways with a log of everything and a faulty store, and looks for seeds
// and codes in every error, event, log line and stored byte.
func TestKeyNobodyElseLearnsIt(t *testing.T) {
	var log bytes.Buffer
	memory := store.NewMemory()
	faults := storetest.NewFaults(memory)
	clock := newClock()
	vault := fobVault(t, faults.Store(), clock, civicpin.SlogRecorder(slog.New(slog.NewTextHandler(&log, nil))))
	totp, err := otp.NewTOTP(vault, otp.TOTPPolicy{Issuer: "Agency", Digits: 8})
	require.NoError(t, err)
	hotp, err := otp.NewHOTP(vault, otp.HOTPPolicy{Issuer: "Agency", Digits: 8})
	require.NoError(t, err)
	ctx := t.Context()
	var secrets []string
	note := func(err error) {
		if err != nil {
			fmt.Fprintf(&log, "%v %+v %#v\n", err, err, err)
		}
	}
	learn := func(k otp.Key) {
		seed := k.Seed.Reveal()
		secrets = append(secrets, seed, k.Secret().Reveal(), fmt.Sprintf("%x", seed))
		fmt.Fprintf(&log, "%v %+v %v %v\n", k, k, k.URI(), k.Secret())
	}
	code := func(k otp.Key, n uint64) civicpin.Secret {
		text := codeAt(k, n)
		secrets = append(secrets, text)
		return civicpin.NewSecret(text)
	}

	tk, err := totp.Enrol(ctx, ada)
	require.NoError(t, err)
	learn(tk)
	hk, err := hotp.Enrol(ctx, ada)
	require.NoError(t, err)
	learn(hk)
	now := func() uint64 { return uint64(clock.Now().Unix() / 30) }
	require.NoError(t, totp.Verify(ctx, ada, code(tk, now()), fobSource))
	note(totp.Verify(ctx, ada, code(tk, now()), fobSource))
	require.NoError(t, hotp.Verify(ctx, ada, code(hk, 0), fobSource))
	clock.Add(time.Hour)
	for call := 1; call < 8; call++ {
		for _, o := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost} {
			faults.FailAt(call, o)
			note(totp.Verify(ctx, ada, code(tk, now()), fobSource))
			faults.FailAt(call, o)
			note(totp.Verify(ctx, ada, code(tk, now()-50), fobSource))
			faults.FailAt(call, o)
			note(hotp.Verify(ctx, ada, code(hk, uint64(call)), fobSource))
			faults.FailAt(call, o)
			note(hotp.Resync(ctx, ada, code(hk, 500), code(hk, 501), fobSource))
			faults.Reset()
			clock.Add(time.Hour)
		}
	}
	second, err := totp.Enrol(ctx, ada)
	require.NoError(t, err)
	learn(second)
	note(totp.Import(ctx, ada, tk, fobClerk))
	note(totp.Import(ctx, ada, otp.Key{Seed: tk.Seed}, fobClerk))
	st, err := totp.Enrolled(ctx, ada)
	require.NoError(t, err)
	fmt.Fprintf(&log, "%+v %#v", st, totp.Policy())
	_, err = otp.ParseKey(civicpin.NewSecret(tk.URI().Reveal() + "&x=" + tk.Secret().Reveal()))
	note(err)
	third, err := totp.Rebind(ctx, ada, inPerson)
	require.NoError(t, err)
	learn(third)
	note(totp.Remove(ctx, ada, fobClerk))

	holds := func(text, what string) bool { return strings.Contains(text, what) } // without printing it all
	for _, event := range []string{"otp.activated", "otp.verified", "otp.refused", "otp.enrolled", "otp.removed"} {
		require.True(t, holds(log.String(), event), event)
	}
	stored := testkit.Stored(t, memory)
	for _, secret := range secrets {
		require.False(t, holds(log.String(), secret), "a secret in the log")
		require.False(t, holds(stored, secret), "a secret in the store")
	}
	require.False(t, holds(stored, string(ada)))
}

// Under the seal the seed is there, and only there: what the vault protects is what there is to protect.
func TestKeySeedsAreSealed(t *testing.T) {
	f := newTOTP(t, otp.TOTPPolicy{})
	f.enrolled(t)
	plain, err := otp.PlainKeys(t.Context(), f.TOTP)
	require.NoError(t, err)
	require.Contains(t, plain, `"seed":"`)
	second := f.enrol(t)
	require.Equal(t, fobAccepted, f.verify(t, f.shown(second, 0)))
	plain, err = otp.PlainKeys(t.Context(), f.TOTP)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(plain, `"seed":"`), "nothing is left of a displaced key")
	require.NoError(t, f.Remove(t.Context(), ada, fobClerk))
	plain, err = otp.PlainKeys(t.Context(), f.TOTP)
	require.NoError(t, err)
	require.NotContains(t, plain, "seed", "nothing is left of a removed key")
}
