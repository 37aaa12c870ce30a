package otp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store/storetest"
)

// TestNobodyElseLearnsCodes walks through good and bad ways with a faulty store and a gateway that quotes what it was given,
// and looks for secrets in every error, event, log line and stored byte. The policy's codes are long, so that none turns up
// by chance.
func TestNobodyElseLearnsCodes(t *testing.T) {
	const own, guess, digest = "MYPART77", "ZZZZZZZZZZZZZZZZYYYY", "a digest that stands for a payment"
	w := testkit.NewWitness()
	w.Quotes(func(int) bool { return true })
	w.Secret(own, guess)
	w.Personal(string(ana), mobile, digest, "personal words")
	p := unlimited(otp.ClavePIN())
	p.Length, p.Joined, p.Tries, p.Lockout.Limit = 12, 8, 20, 20
	k := newCodeKitOn(t, w.Store(), p, newClock(), w.Mail, w.Events)
	backup := newBackupKitOn(t, w.Store(), paper, k.clock, w.Events)
	ctx := t.Context()

	purpose := otp.Purpose{Act: "pay", Digest: []byte(digest)}
	o := toAna()
	o.Joined, o.Params = civicpin.NewSecret(own), map[string]string{"act": "personal words"}
	var set []civicpin.Secret
	pulled := 0
	for call := 1; call < 14; call++ {
		for _, outcome := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost} {
			w.Faults.FailAt(call, outcome)
			req, err := k.Request(ctx, ana, purpose, o)
			w.Say(req, err, k.out.Flush(ctx))
			if req.ID == "" {
				w.Faults.Reset()
				req, err = k.Request(ctx, ana, purpose, o)
				require.NoError(t, err)
			}
			pending, err := k.Pending(ctx, ana)
			w.Say(err)
			for _, p := range pending {
				pulled++
				w.Secret(p.Code.Reveal())
				w.Say(p)
			}
			for _, typed := range []string{guess, own, own + guess[:12]} {
				w.Faults.FailAt(call, outcome)
				w.Say(k.Verify(ctx, ana, purpose, req.ID, civicpin.NewSecret(typed), home))
			}
			w.Faults.FailAt(call, outcome)
			w.Say(k.Resend(ctx, ana, req.ID, home), k.Cancel(ctx, luis, req.ID, desk))
			issued, err := backup.Issue(ctx, ana, civicpin.Citizen)
			if err == nil {
				set = issued
			}
			w.Say(err, issued)
			w.Faults.FailAt(call, outcome)
			w.Say(backup.use(t, civicpin.NewSecret(guess)))
			if set != nil {
				w.Secret(set[0].Reveal())
				w.Say(backup.use(t, set[0]))
			}
			w.Faults.Reset()
			w.Say(k.Rebind(ctx, ana, desk), backup.Rebind(ctx, ana, desk))
			k.clock.Add(time.Minute)
		}
	}
	w.Say(o, k.Codes, backup.BackupCodes)
	require.Greater(t, pulled, 25)
	w.LeaksNothing(t, "otp.code_refused", "otp.backup_used", "gateway refuses")

	// Of backup codes there are only hashes, even under the seal.
	plain, err := otp.PlainBackup(ctx, backup.BackupCodes)
	require.NoError(t, err)
	for _, code := range set {
		testkit.LeaksNothing(t, map[string]string{"the plain records": plain}, code.Reveal())
	}
}
