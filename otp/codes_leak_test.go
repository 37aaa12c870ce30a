package otp_test

import (
	"bytes"
	"context"
	"encoding/base64"
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
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

// TestNobodyElseLearnsCodes walks through good and bad ways with a log of everything, a faulty store and a gateway that
// quotes what it was given, and looks for secrets in every error, event, log line and stored byte. The policy's codes are long,
// so that none turns up by chance.
func TestNobodyElseLearnsCodes(t *testing.T) {
	var log bytes.Buffer
	memory := store.NewMemory()
	faults := storetest.NewFaults(memory)
	clock := newClock()
	vault, err := store.OpenVault(t.Context(), faults.Store(), testkit.Keys(), &store.Options{
		Now:      clock.Now,
		Recorder: civicpin.SlogRecorder(slog.New(slog.NewTextHandler(&log, nil))),
	})
	require.NoError(t, err)
	var secrets []string
	gateway := civicpin.NotifierFunc(func(_ context.Context, m civicpin.Message) (string, error) {
		secrets = append(secrets, m.Secret.Reveal())
		return "", fmt.Errorf("gateway refuses %q to %s", m.Secret.Reveal(), m.To.Address)
	})
	out, err := outbox.New(vault, gateway, &outbox.Options{Workers: 1, Limits: testkit.Limits()})
	require.NoError(t, err)
	p := unlimited(otp.ClavePIN())
	p.Length, p.Joined, p.Tries, p.Lockout.Limit = 12, 8, 20, 20
	codes, err := otp.NewCodes(out, p)
	require.NoError(t, err)
	paper, err := otp.NewCheapBackup(vault, otp.BackupPolicy{Name: "paper"})
	require.NoError(t, err)
	ctx := t.Context()
	note := func(err error) {
		if err != nil {
			fmt.Fprintf(&log, "%v %+v %#v\n", err, err, err)
		}
	}

	const own, guess = "MYPART77", "ZZZZZZZZZZZZZZZZYYYY"
	digest := "a digest that stands for a payment"
	purpose := otp.Purpose{Act: "pay", Digest: []byte(digest)}
	o := toAna()
	o.Joined, o.Params = civicpin.NewSecret(own), map[string]string{"act": "personal words"}
	var set []civicpin.Secret
	for k := 1; k < 14; k++ {
		for _, outcome := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost} {
			faults.FailAt(k, outcome)
			req, err := codes.Request(ctx, ana, purpose, o)
			note(err)
			fmt.Fprintf(&log, "%+v\n", req)
			note(out.Flush(ctx))
			if req.ID == "" {
				faults.Reset()
				req, err = codes.Request(ctx, ana, purpose, o)
				require.NoError(t, err)
			}
			pending, err := codes.Pending(ctx, ana)
			note(err)
			for _, p := range pending {
				secrets = append(secrets, p.Code.Reveal())
				fmt.Fprintf(&log, "%+v\n", p)
			}
			for _, typed := range []string{guess, own, own + guess[:12]} {
				faults.FailAt(k, outcome)
				note(codes.Verify(ctx, ana, purpose, req.ID, civicpin.NewSecret(typed), home))
			}
			faults.FailAt(k, outcome)
			note(codes.Resend(ctx, ana, req.ID, home))
			note(codes.Cancel(ctx, luis, req.ID, desk))
			if issued, err := paper.Issue(ctx, ana, civicpin.Citizen); err == nil {
				set = issued
				fmt.Fprintf(&log, "%+v\n", set)
			} else {
				note(err)
			}
			faults.FailAt(k, outcome)
			note(paper.Verify(ctx, ana, civicpin.NewSecret(guess), home))
			if set != nil {
				secrets = append(secrets, set[0].Reveal(), strings.ReplaceAll(set[0].Reveal(), " ", ""))
				note(paper.Verify(ctx, ana, set[0], home))
			}
			faults.Reset()
			note(codes.Rebind(ctx, ana, desk))
			note(paper.Rebind(ctx, ana, desk))
			clock.Add(time.Minute)
		}
	}
	fmt.Fprintf(&log, "%+v %#v %+v", o, o, codes)

	holds := func(text, what string) bool { return strings.Contains(text, what) } // without printing it all
	require.True(t, holds(log.String(), string(civicpin.EventCode("otp.code_refused"))))
	require.True(t, holds(log.String(), string(civicpin.EventCode("otp.backup_used"))))
	require.True(t, holds(log.String(), "gateway refuses"))
	require.Greater(t, len(secrets), 50)
	stored := testkit.Stored(t, memory)
	for _, secret := range append(secrets, own, guess) {
		require.NotEmpty(t, secret)
		require.False(t, holds(log.String(), secret), "a secret in the log")
		require.False(t, holds(stored, secret), "a secret in the store")
	}
	for _, personal := range []string{string(ana), mobile, digest, "personal words"} {
		require.False(t, holds(stored, personal), personal)
	}
	plain, err := otp.PlainBackup(ctx, paper)
	require.NoError(t, err)
	for _, code := range set {
		text := strings.ReplaceAll(code.Reveal(), " ", "")
		require.False(t, holds(plain, text), "only hashes, even under the seal")
		require.False(t, holds(plain, base64.StdEncoding.EncodeToString([]byte(text))), "as JSON writes bytes")
	}
}
