package contact_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store/storetest"
)

// TestContactsLeakNothing walks through good and bad ways with a faulty store and a gateway that quotes what it was given, and
// looks for codes and tokens in every error, event, log line and stored byte.
func TestContactsLeakNothing(t *testing.T) {
	w := testkit.NewWitness()
	w.Quotes(func(n int) bool { return n%2 == 0 })
	w.Personal(string(rosa), rosaPhone, rosaMail, newMail)
	k := newBookKitOn(t, w.Store(), bookConfig(), newBookClock(), w.Mail, w.Events)
	ctx := t.Context()
	flush := func() {
		for range 3 {
			w.Say(k.out.Flush(ctx))
			k.clock.Add(bookDay / 24)
		}
	}

	k.enrolled(t)
	require.NoError(t, testkit.Err(k.Add(ctx, rosa, byNewMail, civicpin.Citizen, bookHome)))
	flush()
	proof := w.Mail.Last(newMail, proveKind)
	require.False(t, proof.Link.IsZero())
	for call := 1; call < 10; call++ {
		for _, o := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost} {
			w.Faults.FailAt(call, o, storetest.Get)
			w.Say(k.ProveCode(ctx, rosa, civicpin.NewSecret("WWWWWWWW"), bookHome))
			w.Say(k.ProveCode(ctx, rosa, civicpin.NewSecret(proof.Link.Reveal()), bookHome))
			w.Say(k.Prove(ctx, civicpin.NewSecret(proof.Link.Reveal()+"A"), bookHome))
			w.Say(k.Undo(ctx, proof.Link, bookHome))
			w.Faults.Reset()
		}
	}
	w.Faults.FailAt(3, storetest.NotDone)
	w.Say(k.Prove(ctx, proof.Link, bookHome))
	w.Faults.Reset()
	require.NoError(t, k.Prove(ctx, proof.Link, bookHome))
	w.Say(k.Prove(ctx, proof.Link, bookHome), testkit.Err(k.Inspect(ctx, proof.Link)))
	flush()
	proved, pending, err := k.List(ctx, rosa)
	w.Say(err, proof, pending)
	require.Len(t, proved, 3)
	undo := w.Mail.Last(rosaMail, changedKind).Link
	look, err := k.Inspect(ctx, undo)
	w.Say(err, look)
	require.NoError(t, k.Undo(ctx, undo, bookHome))
	w.Say(k.Undo(ctx, undo, bookHome))
	flush()
	require.Greater(t, len(w.Mail.Messages()), 3)
	w.LeaksNothing(t, "contact.changed", "gateway refuses")
}
