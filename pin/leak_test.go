package pin_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store/storetest"
)

// TestNobodyElseLearnsIt walks through good and bad ways with a faulty store and a gateway that quotes what it was given, and
// looks for secrets in every error, event, log line and stored byte.
func TestNobodyElseLearnsIt(t *testing.T) {
	w := testkit.NewWitness()
	w.Quotes(func(n int) bool { return n == 2 })
	p := pin.INPS()
	p.History = 3
	k := newKitOn(t, w.Store(), p, newClock(), w.Mail, w.Events)
	ctx := t.Context()

	w.Say(testkit.Err(k.Issue(ctx, maria, inps())))
	for range 3 {
		w.Say(k.out.Flush(ctx))
		k.clock.Add(time.Hour)
	}
	code := k.last(phone) + k.last(email)
	require.Len(t, code, 16)
	w.Secret(chosen, changed, wrong, code, "MN6B3VCX")
	w.Personal(string(maria), phone, email)
	for call := 1; call < 8; call++ {
		for _, o := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost} {
			w.Faults.FailAt(call, o)
			w.Say(testkit.Err(k.Verify(ctx, try(wrong))))
			w.Faults.FailAt(call, o)
			w.Say(testkit.Err(k.Exchange(ctx, try(code), civicpin.NewSecret(code[:8]))))
			k.clock.Add(time.Hour)
		}
	}
	w.Say(k.Unlock(ctx, maria, clerk))
	k.clock.Add(time.Hour)
	require.NoError(t, testkit.Err(k.Exchange(ctx, try(code), civicpin.NewSecret(chosen))))
	w.Say(testkit.Err(k.Exchange(ctx, try(code), civicpin.NewSecret(chosen))))
	w.Say(testkit.Err(k.Change(ctx, try(chosen), civicpin.NewSecret(chosen))))
	require.NoError(t, testkit.Err(k.Change(ctx, try(chosen), civicpin.NewSecret(changed))))
	w.Say(testkit.Err(k.Change(ctx, try(changed), civicpin.NewSecret(chosen))))
	w.Say(k.Import(ctx, maria, civicpin.NewSecret("MN6B3VCX"), pin.ImportOptions{By: clerk}))
	k.clock.Add(100 * day)
	w.Say(testkit.Err(k.Verify(ctx, try(changed))))
	st, err := k.Status(ctx, maria)
	w.Say(err, st, try(changed), k.Service)
	w.Say(k.Revoke(ctx, maria, "end", clerk))
	w.LeaksNothing(t, "pin.refused", "gateway refuses")
}
