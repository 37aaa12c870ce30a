package outbox_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

func TestUnprintableTexts(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	a := newAsking(t, faults.Store())
	l := a.limit("codes", outbox.Shown, civicpin.Rate{Limit: 1000, Window: daily.Window})
	announce := func(r outbox.Request) error {
		return a.out.Announce(t.Context(), r, func(context.Context) error { return nil })
	}
	ref := func(change func(*outbox.Ref)) outbox.Ref {
		r := a.clerk.ref("ana", "m")
		change(&r)
		return r
	}
	refs := func(change func(*outbox.Ref)) error {
		r := ref(change)
		return announce(outbox.Request{Subject: r.Subject, Refs: []outbox.Ref{r}})
	}
	person := func(s string) civicpin.Subject { return civicpin.Subject(s) }
	testkit.Refuses(t, faults, map[string]func(string) error{
		"Announce, subject":      func(s string) error { return announce(outbox.Request{Subject: person(s), Limit: l, Others: 1}) },
		"Announce, operator":     func(s string) error { return announce(outbox.Request{Subject: "ana", By: civicpin.Operator(s)}) },
		"Announce, ref, subject": func(s string) error { return refs(func(r *outbox.Ref) { r.Subject = person(s) }) },
		"Announce, ref, id":      func(s string) error { return refs(func(r *outbox.Ref) { r.ID = s }) },
		"Announce, ref, owner":   func(s string) error { return refs(func(r *outbox.Ref) { r.Owner = s }) },
		"Announce, ref, former":  func(s string) error { return refs(func(r *outbox.Ref) { r.Replaces = s }) },
		"Take, subject":          func(s string) error { return l.Take(t.Context(), outbox.Request{Subject: person(s), Others: 1}) },
		"Take, operator": func(s string) error {
			return l.Take(t.Context(), outbox.Request{Subject: "ana", By: civicpin.Operator(s), Others: 1})
		},
		"Retry, id":     func(s string) error { return a.out.Retry(t.Context(), ref(func(r *outbox.Ref) { r.ID = s })) },
		"Held, subject": func(s string) error { return testkit.Err(a.out.Held(t.Context(), person(s))) },
		"Export, subject": func(s string) error {
			return testkit.Err(a.vault.Export(t.Context(), nowhere{}, person(s), store.Pass{}))
		},
		"Erase, subject": func(s string) error { return testkit.Err(a.vault.Erase(t.Context(), person(s+s), store.Pass{})) },
	})
}

// nowhere is a writer that keeps nothing.
type nowhere struct{}

func (nowhere) Write(b []byte) (int, error) { return len(b), nil }

// A provider's id of a message that is not printable is none.
func TestUnprintableReceipt(t *testing.T) {
	for receipt, want := range map[string]string{"SM-7 ñ": "SM-7 ñ", "SM\u202e7": "", "SM7\n": "", "SM\xff": ""} {
		a := newAsking(t, store.NewMemory())
		to := civicpin.NotifierFunc(func(context.Context, civicpin.Message) (string, error) { return receipt, nil })
		out, err := outbox.New(a.vault, to, &outbox.Options{Limits: testkit.Limits()})
		require.NoError(t, err)
		require.NoError(t, out.Register("clerk", a.clerk))
		r := a.clerk.ref("ana", "m")
		require.NoError(t, a.clerk.post(t.Context(), out, r, letter{To: mail("a@example.org")}))
		require.NoError(t, out.Flush(t.Context()))
		e, err := a.clerk.letters.Get(t.Context(), a.clerk.key(r))
		require.NoError(t, err)
		require.Equal(t, "accepted", e.Value.State)
		require.Equal(t, want, e.Value.Receipt)
	}
}

// An operator's limit counts one operator, however the id is spelt. The event names the operator as the caller does.
func TestOneOperatorInThreeSpellings(t *testing.T) {
	log := new(testkit.Recorder)
	vault, err := store.OpenVault(t.Context(), store.NewMemory(), keys(t), &store.Options{Recorder: log, Now: newClock().Now})
	require.NoError(t, err)
	limits := testkit.Limits()
	limits.Operator = civicpin.Rate{Limit: 3, Window: daily.Window}
	out, err := outbox.New(vault, new(sink), &outbox.Options{Limits: limits})
	require.NoError(t, err)
	l, err := out.Limit("codes", outbox.Shown, daily)
	require.NoError(t, err)
	take := func(id string) error {
		return l.Take(t.Context(), outbox.Request{Subject: "ana", By: civicpin.Operator(id), Others: 1})
	}
	for _, id := range []string{"José.1", "JOSÉ.1", "jose\u0301.1"} {
		require.NoError(t, take(id))
	}
	require.ErrorAs(t, take("José.1"), new(*lockout.LockedError))
	require.NoError(t, take("jose.1"), "another operator")
	require.Equal(t, civicpin.Operator("José.1"), log.Of("lockout.slowed")[0].By)
}
