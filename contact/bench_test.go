package contact_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// TestStoreCalls counts what docs/costs.md says.
func TestStoreCalls(t *testing.T) {
	const nobody = civicpin.Subject("NOBODY")
	ctx, nowhere := t.Context(), civicpin.Source{}
	f := storetest.NewFaults(store.NewMemory())
	k := newBookKitOn(t, f.Store(), bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	var costs testkit.Costs
	count := func(call, when string, do func() error) {
		t.Helper()
		costs.Count(t, call, when, f, nil, func() { require.NoError(t, do()) })
	}
	refused := func(call, when string, do func() error) {
		t.Helper()
		count(call, when, func() error { require.Error(t, do()); return nil })
	}

	count("Adopt", "two first contacts", func() error {
		return k.Adopt(ctx, rosa, []civicpin.Contact{bySMS, byMail}, bookClerk, nowhere)
	})
	k.mailID = k.contact(t, rosaMail).ID
	for _, subject := range []civicpin.Subject{rosa, nobody} {
		count("List", "", func() error { _, _, err := k.List(ctx, subject); return err })
		count("Snapshot", "", func() error { return testkit.Err(k.Snapshot(ctx, subject)) })
		count("Add", "the proof by e-mail", func() error {
			to := map[civicpin.Subject]civicpin.Contact{rosa: byNewMail, nobody: byThief}[subject]
			return testkit.Err(k.Add(ctx, subject, to, civicpin.Citizen, nowhere))
		})
		count("Add", "the proof by e-mail, source", func() error {
			to := civicpin.Contact{Channel: civicpin.Email, Address: "a@example.com"}
			return testkit.Err(k.Add(ctx, subject, to, civicpin.Citizen, bookHome))
		})
		for range 5 {
			refused("ProveCode", "wrong", func() error { return k.ProveCode(ctx, subject, civicpin.NewSecret("WRONG"), nowhere) })
		}
		refused("ProveCode", "locked", func() error { return k.ProveCode(ctx, subject, civicpin.NewSecret("WRONG"), nowhere) })
	}
	k.flush(t)

	proof := k.post.Last(newMail, proveKind)
	count("Inspect", "a link that proves", func() error { return testkit.Err(k.Inspect(ctx, proof.Link)) })
	count("Prove", "two other contacts", func() error { return k.Prove(ctx, proof.Link, nowhere) })
	k.flush(t)
	count("MakePrimary", "three contacts", func() error { return k.MakePrimary(ctx, rosa, k.mailID, civicpin.Citizen, nowhere) })
	k.flush(t)
	undo := k.post.Last(rosaPhone, changedKind)
	count("Inspect", "a link that undoes", func() error { return testkit.Err(k.Inspect(ctx, undo.Link)) })
	count("Undo", "three contacts", func() error { return k.Undo(ctx, undo.Link, nowhere) })
	k.flush(t)
	newID := k.contact(t, newMail).ID
	count("Remove", "a contact, of three", func() error { return k.Remove(ctx, rosa, newID, civicpin.Citizen, nowhere) })
	k.flush(t)
	count("Notify", "two contacts, and one removed lately", func() error { return k.tells(ctx, rosa, "pin.changed", nil) })
	k.clock.Add(bookDay) // the lock of wrong codes is over
	count("Change", "the proof by e-mail", func() error {
		return testkit.Err(k.Change(ctx, rosa, k.mailID, byNewMail, civicpin.Citizen, nowhere))
	})
	k.flush(t)
	code := k.post.Last(newMail, proveKind).Secret
	count("ProveCode", "right, two other contacts", func() error { return k.ProveCode(ctx, rosa, code, nowhere) })
	costs.Compare(t, "contact")
}

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
