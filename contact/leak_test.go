package contact_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

// TestContactsLeakNothing walks through good and bad ways with a log of everything, a faulty store and a gateway that quotes
// what it was given, and looks for codes and tokens in every error, event, log line and stored byte.
func TestContactsLeakNothing(t *testing.T) {
	var log bytes.Buffer
	memory := store.NewMemory()
	faults := storetest.NewFaults(memory)
	clock := newBookClock()
	vault, err := store.OpenVault(t.Context(), faults.Store(), testkit.Keys(), &store.Options{
		Now: clock.Now, Recorder: civicpin.SlogRecorder(slog.New(slog.NewTextHandler(&log, nil))),
	})
	require.NoError(t, err)
	var mu sync.Mutex // channels are served side by side
	var secrets []string
	post := &testkit.Mailbox{}
	quotes := true
	gateway := civicpin.NotifierFunc(func(ctx context.Context, m civicpin.Message) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		for _, s := range []string{m.Secret.Reveal(), m.Link.Reveal()} {
			if s != "" {
				secrets = append(secrets, s)
			}
		}
		if quotes = !quotes; quotes {
			return "", fmt.Errorf("gateway refuses %q and %q to %s", m.Secret.Reveal(), m.Link.Reveal(), m.To.Address)
		}
		return post.Notify(ctx, m)
	})
	out, err := outbox.New(vault, gateway, nil)
	require.NoError(t, err)
	svc, err := contact.New(out, bookConfig(), nil)
	require.NoError(t, err)
	k := &bookKit{Service: svc, clock: clock, post: post, events: &testkit.Recorder{}, vault: vault, out: out}
	ctx := t.Context()
	note := func(err error) {
		if err != nil {
			fmt.Fprintf(&log, "%v %+v %#v\n", err, err, err)
		}
	}
	flush := func() {
		for range 3 {
			note(out.Flush(ctx))
			clock.Add(bookDay / 24)
		}
	}

	k.enrolled(t)
	_, err = k.Add(ctx, rosa, byNewMail, civicpin.Citizen, bookHome)
	require.NoError(t, err)
	flush()
	proof := post.Last(newMail, proveKind)
	require.False(t, proof.Link.IsZero())
	for call := 1; call < 10; call++ {
		for _, o := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost} {
			faults.FailAt(call, o, storetest.Get)
			note(k.ProveCode(ctx, rosa, civicpin.NewSecret("WWWWWWWW"), bookHome))
			note(k.ProveCode(ctx, rosa, civicpin.NewSecret(proof.Link.Reveal()), bookHome))
			note(k.Prove(ctx, civicpin.NewSecret(proof.Link.Reveal()+"A"), bookHome))
			note(k.Undo(ctx, proof.Link, bookHome))
			faults.Reset()
		}
	}
	faults.FailAt(3, storetest.NotDone)
	note(k.Prove(ctx, proof.Link, bookHome))
	faults.Reset()
	require.NoError(t, k.Prove(ctx, proof.Link, bookHome))
	note(k.Prove(ctx, proof.Link, bookHome))
	_, err = k.Inspect(ctx, proof.Link)
	note(err)
	flush()
	proved, pending, err := k.List(ctx, rosa)
	note(err)
	fmt.Fprintf(&log, "%+v %#v", proof, pending)
	require.Len(t, proved, 3)
	undo := post.Last(rosaMail, changedKind).Link
	look, err := k.Inspect(ctx, undo)
	note(err)
	fmt.Fprintf(&log, "%+v", look)
	require.NoError(t, k.Undo(ctx, undo, bookHome))
	note(k.Undo(ctx, undo, bookHome))
	flush()

	holds := func(text, what string) bool { return strings.Contains(text, what) } // without printing it all
	require.True(t, holds(log.String(), "contact.changed"))
	require.True(t, holds(log.String(), "gateway refuses"))
	stored := testkit.Stored(t, memory)
	require.Greater(t, len(secrets), 4)
	for _, secret := range secrets {
		_, verifier, _ := strings.Cut(secret, ".")
		for _, s := range []string{secret, verifier} {
			if s != "" {
				require.False(t, holds(log.String(), s), "a secret in the log")
				require.False(t, holds(stored, s), "a secret in the store")
			}
		}
	}
	for _, personal := range []string{string(rosa), rosaPhone, rosaMail, newMail} {
		require.False(t, holds(stored, personal), personal)
	}
}
