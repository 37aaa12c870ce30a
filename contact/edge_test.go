package contact_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

// skipping is a caller's Credentials that has nothing to lower.
type skipping struct{}

func (skipping) LowerLevel(context.Context, civicpin.Subject, civicpin.Level, time.Time, string, civicpin.Actor) error {
	return store.ErrSkip
}

func (skipping) Stop(context.Context, civicpin.Subject, string, civicpin.Actor) error { return nil }

// What Credentials return is an error of the call. It must not pass for a change that came about.
func TestCredentialsThatSkip(t *testing.T) {
	k := newBookKit(t, bookConfig())
	k.enrolled(t)
	out := testkit.Outbox(t, testkit.Vault(t, store.NewMemory(), k.clock, k.events), k.post, outbox.Limits{})
	policy := bookConfig()
	policy.LowerTo = new(civicpin.Low)
	svc, err := contact.New(out, policy, skipping{})
	require.NoError(t, err)
	require.NoError(t, svc.Adopt(t.Context(), rosa, []civicpin.Contact{bySMS}, bookClerk, bookHome))
	k.events.Take()
	err = svc.Adopt(t.Context(), rosa, []civicpin.Contact{byMail}, civicpin.Citizen, bookHome)
	list, _, err2 := svc.List(t.Context(), rosa)
	require.NoError(t, err2)
	if len(list) == 1 {
		require.Error(t, err, "nothing was written")
		require.Empty(t, k.events.Of("contact.changed"), "nothing was changed")
	}
}

// nil credentials are allowed; a nil *pin.Service is what a portal without pins passes by mistake.
func TestNilPins(t *testing.T) {
	k := newBookKit(t, bookConfig())
	var pins *pin.Service
	require.NotPanics(t, func() { _, _ = contact.New(k.out, bookConfig(), pins) })
}

func TestDecoyOfNoChannel(t *testing.T) {
	k := newBookKit(t, bookConfig())
	require.NotPanics(t, func() { k.Decoy(rosa) })
}

// An undo that loses races leaves no entries of messages that nobody will ever send: at 6c1446d all tries had the same names.
func TestUndoThatLosesRaces(t *testing.T) {
	memory := store.NewMemory()
	k := newBookKitOn(t, memory, bookConfig(), newBookClock(), &testkit.Mailbox{}, &testkit.Recorder{})
	k.enrolled(t)
	k.asks(t, byNewMail)
	k.proves(t, newMail)
	k.flush(t)
	tok := k.post.Last(rosaMail, changedKind).Link

	faults := storetest.NewFaults(memory)
	o := newBookKitOn(t, faults.Store(), bookConfig(), k.clock, k.post, k.events)
	before, lost := entries(t, memory), 0
	faults.Hook(func(method, key string) error {
		if method == "Put" && len(key) > 12 && key[:12] == "contact.book" && lost < 20 {
			lost++
			return store.ErrConflict
		}
		return nil
	})
	require.NoError(t, o.Undo(t.Context(), tok, bookHome))
	require.Equal(t, 20, lost)
	t.Log(entries(t, memory) - before)
	require.LessOrEqual(t, entries(t, memory)-before, 3, "entries in the outbox")
}

func entries(t *testing.T, s store.Lister) int {
	t.Helper()
	n := 0
	for _, err := range s.List(t.Context(), "outbox.entry", "") {
		require.NoError(t, err)
		n++
	}
	return n
}

// What a visitor is shown of a decoy does not change when the agency adds an example to its policy.
func TestDecoyAfterAChangeOfPolicy(t *testing.T) {
	k := newBookKit(t, bookConfig())
	policy := bookConfig()
	policy.Decoys = []civicpin.Contact{{Channel: civicpin.SMS, Address: "+593990000000"}}
	before := k.Decoy(rosa, civicpin.SMS)
	later := newBookKitOn(t, store.NewMemory(), policy, k.clock, k.post, k.events)
	require.True(t, later.IsDecoy(rosa, before), "a run under way would show %s, masked", before.Address)
}
