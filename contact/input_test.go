package contact_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// FuzzContactTokens brings texts in the place of tokens and codes: unless it is the very one, nothing comes of it.
func FuzzContactTokens(f *testing.F) {
	for _, seed := range []string{
		"", ".", "c", "c" + strings.Repeat("A", 26) + "AA." + strings.Repeat("A", 43), "u" + strings.Repeat("A", 26) + "AQ." + strings.Repeat("_", 43),
		strings.Repeat("c", 73), "ABCD EFGH", "\xff\xfe", strings.Repeat("W", 300),
	} {
		f.Add(seed)
	}
	k := newBookKit(f, bookConfig())
	k.enrolled(f)
	k.asks(f, byNewMail)
	proof := k.post.Last(newMail, proveKind)
	k.asks(f, byThief)
	k.proves(f, thiefMail)
	undo := k.post.Last(rosaMail, changedKind).Link
	for _, m := range []civicpin.Secret{proof.Link, undo} {
		text := m.Reveal()
		f.Add(text[:len(text)-1])
		f.Add(strings.ToUpper(text))
		f.Add(text + "\n")
		f.Add("u" + text[1:])
		f.Add("c" + text[1:])
	}
	before, err := contact.PlainBooks(f.Context(), k.Service)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		if text == proof.Link.Reveal() || text == undo.Reveal() {
			t.Skip("the very one")
		}
		s := civicpin.NewSecret(text)
		require.ErrorIs(t, k.Prove(t.Context(), s, bookHome), contact.ErrGone)
		require.ErrorIs(t, k.Undo(t.Context(), s, bookHome), contact.ErrGone)
		_, err := k.Inspect(t.Context(), s)
		require.ErrorIs(t, err, contact.ErrGone)
		after, err := contact.PlainBooks(t.Context(), k.Service)
		require.NoError(t, err)
		require.Equal(t, before, after)
	})
}

// FuzzContactMail brings names of messages to the outbox's owner: a name that no book has written leads to no message and
// changes nothing.
func FuzzContactMail(f *testing.F) {
	k := newBookKit(f, bookConfig())
	p, err := k.Add(f.Context(), rosa, byMail, civicpin.Citizen, bookHome)
	require.NoError(f, err)
	name := p.ID + ".1"
	for _, seed := range []string{"", "b.", "b", name, name + "0", name[2:], "b." + name, "b." + p.ID, "b." + p.ID + ".01"} {
		f.Add(seed)
	}
	before, err := contact.PlainBooks(f.Context(), k.Service)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, id string) {
		sent, err := contact.ConfirmMail(t.Context(), k.Service, rosa, id)
		if id == name {
			require.NoError(t, err)
			require.Equal(t, byMail, sent.To)
			return
		}
		require.Error(t, err)
		require.Zero(t, sent)
		require.NoError(t, contact.SettleMail(t.Context(), k.Service, rosa, id))
		after, err := contact.PlainBooks(t.Context(), k.Service)
		require.NoError(t, err)
		require.Equal(t, before, after)
	})
}

func TestUnprintableTexts(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	k := newBookKitOn(t, faults.Store(), bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	_, mail := k.enrolled(t)
	ctx := t.Context()
	add := func(subject civicpin.Subject, to civicpin.Contact, by civicpin.Actor, from civicpin.Source) error {
		return testkit.Err(k.Add(ctx, subject, to, by, from))
	}
	change := func(subject civicpin.Subject, to civicpin.Contact, by civicpin.Actor, from civicpin.Source) error {
		return testkit.Err(k.Change(ctx, subject, mail.ID, to, by, from))
	}
	adopt := func(subject civicpin.Subject, to civicpin.Contact, by civicpin.Actor, from civicpin.Source) error {
		return k.Adopt(ctx, subject, []civicpin.Contact{to}, by, from)
	}
	remove := func(subject civicpin.Subject, _ civicpin.Contact, by civicpin.Actor, from civicpin.Source) error {
		return k.Remove(ctx, subject, mail.ID, by, from)
	}
	primary := func(subject civicpin.Subject, _ civicpin.Contact, by civicpin.Actor, from civicpin.Source) error {
		return k.MakePrimary(ctx, subject, mail.ID, by, from)
	}
	calls := map[string]func(string) error{
		"Notify, subject": func(s string) error { return k.tells(ctx, civicpin.Subject(s), "pin.changed", nil) },
		"Notify, kind":    func(s string) error { return k.tells(ctx, rosa, civicpin.MessageKind(s), nil) },
		"Notify, parameter": func(s string) error {
			return k.tells(ctx, rosa, "pin.changed", map[string]string{"when": s})
		},
		"Notify, parameter's name": func(s string) error {
			return k.tells(ctx, rosa, "pin.changed", map[string]string{s: "now"})
		},
		"ProveCode, subject": func(s string) error {
			return k.ProveCode(ctx, civicpin.Subject(s), civicpin.NewSecret("ABCD2345"), bookHome)
		},
		"ProveCode, source": func(s string) error {
			return k.ProveCode(ctx, rosa, civicpin.NewSecret("ABCD2345"), civicpin.Source{Address: s})
		},
		"Prove, source": func(s string) error { return k.Prove(ctx, civicpin.Secret{}, civicpin.Source{Address: s}) },
		"Undo, source":  func(s string) error { return k.Undo(ctx, civicpin.Secret{}, civicpin.Source{Address: s}) },
		"List, subject": func(s string) error {
			_, _, err := k.List(ctx, civicpin.Subject(s))
			return err
		},
		"Dispute, subject": func(s string) error { return testkit.Err(k.Dispute(ctx, civicpin.Subject(s))) },
	}
	for name, act := range map[string]func(civicpin.Subject, civicpin.Contact, civicpin.Actor, civicpin.Source) error{
		"Add": add, "Change": change, "Adopt": adopt, "Remove": remove, "MakePrimary": primary,
	} {
		calls[name+", subject"] = func(s string) error { return act(civicpin.Subject(s), byNewMail, bookClerk, bookHome) }
		calls[name+", operator"] = func(s string) error { return act(rosa, byNewMail, civicpin.Operator(s), bookHome) }
		calls[name+", source"] = func(s string) error { return act(rosa, byNewMail, bookClerk, civicpin.Source{Address: s}) }
		if name == "Remove" || name == "MakePrimary" {
			continue
		}
		calls[name+", address"] = func(s string) error {
			return act(rosa, civicpin.Contact{Channel: civicpin.Email, Address: s + "@example.org"}, bookClerk, bookHome)
		}
		calls[name+", locale"] = func(s string) error {
			return act(rosa, civicpin.Contact{Channel: civicpin.Email, Address: newMail, Locale: s}, bookClerk, bookHome)
		}
	}
	testkit.Refuses(t, faults, calls)
}

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
	k.flush(t)
	require.NoError(t, k.Undo(ctx, k.post.Last(rosaPhone, changedKind).Link, nowhere))
	k.flush(t)
	via := k.contact(t, rosaPhone).ID
	count("EndDispute", "the proof by SMS", func() error { return testkit.Err(k.EndDispute(ctx, rosa, nil, via, nowhere)) })
	k.flush(t)
	code = k.post.Last(rosaPhone, proveKind).Secret
	count("ProveCode", "right, a dispute between two contacts", func() error { return k.ProveCode(ctx, rosa, code, nowhere) })
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
