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
	costs.Compare(t, "contact")
}
