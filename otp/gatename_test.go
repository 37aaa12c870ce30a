package otp_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
)

// The names of the gates are stored: under another one, failures would be forgotten and locks would end.
func TestGateNames(t *testing.T) {
	memory, clock, events := store.NewMemory(), newClock(), &testkit.Recorder{}
	vault := testkit.Vault(t, memory, clock, events)
	wrong := civicpin.NewSecret("000000")
	for name, guess := range map[string]func(context.Context) error{
		"totp.a": func(ctx context.Context) error {
			return totpOn(t, memory, otp.TOTPPolicy{Name: "a"}, clock, events).Verify(ctx, ana, wrong, home)
		},
		"hotp.a": func(ctx context.Context) error {
			return hotpOn(t, memory, otp.HOTPPolicy{Name: "a"}, clock, events).Verify(ctx, ana, wrong, home)
		},
		"backup.a": func(ctx context.Context) error {
			return newBackupKitOn(t, memory, otp.BackupPolicy{Name: "a"}, clock, events).Verify(ctx, ana, wrong, home)
		},
		"code.sms": func(ctx context.Context) error {
			codes := newCodeKitOn(t, memory, otp.SMS(), clock, &testkit.Mailbox{}, events)
			req, err := codes.Request(ctx, ana, paying, otp.RequestOptions{Source: home})
			require.NoError(t, err)
			return codes.Verify(ctx, ana, paying, req.ID, wrong, home)
		},
	} {
		require.ErrorIs(t, guess(t.Context()), otp.ErrRefused, name)
		gate, err := lockout.New(vault, name, lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked})
		require.NoError(t, err)
		st, err := gate.Status(t.Context(), lockout.Target{Subject: ana})
		require.NoError(t, err)
		require.Equal(t, 1, st.Failures, name)
	}
}
