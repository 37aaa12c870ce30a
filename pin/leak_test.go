package pin_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

// TestNobodyElseLearnsIt walks through good and bad ways with a log of everything, a faulty store and a gateway that
// quotes what it was given, and looks for secrets in every error, event, log line and stored byte.
func TestNobodyElseLearnsIt(t *testing.T) {
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
	var mu sync.Mutex // channels are served side by side
	mail := &testkit.Mailbox{}
	gateway := civicpin.NotifierFunc(func(ctx context.Context, m civicpin.Message) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		secrets = append(secrets, m.Secret.Reveal())
		if len(secrets) == 2 {
			return "", fmt.Errorf("gateway refuses %q to %s", m.Secret.Reveal(), m.To.Address)
		}
		return mail.Notify(ctx, m)
	})
	out, err := outbox.New(vault, gateway, nil)
	require.NoError(t, err)
	p := pin.INPS()
	p.History = 3
	pins, err := pin.NewCheap(vault, out, p)
	require.NoError(t, err)
	ctx := t.Context()
	note := func(err error) {
		if err != nil {
			fmt.Fprintf(&log, "%v %+v %#v\n", err, err, err)
		}
	}

	_, err = pins.Issue(ctx, maria, inps())
	note(err)
	for range 3 {
		note(out.Flush(ctx))
		clock.Add(time.Hour)
	}
	code := mail.Last(phone, "").Secret.Reveal() + mail.Last(email, "").Secret.Reveal()
	secrets = append(secrets, chosen, changed, wrong, code, "MN6B3VCX")
	for k := 1; k < 8; k++ {
		for _, o := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost} {
			faults.FailAt(k, o)
			_, err = pins.Verify(ctx, try(wrong))
			note(err)
			faults.FailAt(k, o)
			note(testkit.Err(pins.Exchange(ctx, try(code), civicpin.NewSecret(code[:8]))))
			clock.Add(time.Hour)
		}
	}
	note(pins.Unlock(ctx, maria, clerk))
	clock.Add(time.Hour)
	require.NoError(t, testkit.Err(pins.Exchange(ctx, try(code), civicpin.NewSecret(chosen))))
	note(testkit.Err(pins.Exchange(ctx, try(code), civicpin.NewSecret(chosen))))
	note(testkit.Err(pins.Change(ctx, try(chosen), civicpin.NewSecret(chosen))))
	require.NoError(t, testkit.Err(pins.Change(ctx, try(chosen), civicpin.NewSecret(changed))))
	note(testkit.Err(pins.Change(ctx, try(changed), civicpin.NewSecret(chosen))))
	note(pins.Import(ctx, maria, civicpin.NewSecret("MN6B3VCX"), pin.ImportOptions{By: clerk}))
	clock.Add(100 * day)
	_, err = pins.Verify(ctx, try(changed))
	note(err)
	st, err := pins.Status(ctx, maria)
	note(err)
	fmt.Fprintf(&log, "%+v %+v", st, try(changed))
	note(pins.Revoke(ctx, maria, "end", clerk))

	holds := func(text, what string) bool { return strings.Contains(text, what) } // without printing it all
	require.True(t, holds(log.String(), "pin.refused"))
	require.True(t, holds(log.String(), "gateway refuses"))
	stored := testkit.Stored(t, memory)
	for _, secret := range secrets {
		require.False(t, holds(log.String(), secret), "a secret in the log")
		require.False(t, holds(stored, secret), "a secret in the store")
	}
	for _, personal := range []string{string(maria), phone, email} {
		require.False(t, holds(stored, personal), personal)
	}
}
