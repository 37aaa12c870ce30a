package contact_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// Locks, which strangers can cause, do not use up what an address gets of other notices, and do not hold them.
func TestNoticesOfLocksAreApart(t *testing.T) {
	vault, err := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), nil)
	require.NoError(t, err)
	mail := &testkit.Mailbox{}
	out, err := outbox.New(vault, mail, nil)
	require.NoError(t, err)
	contacts, err := contact.New(out, contact.Policy{}, nil)
	require.NoError(t, err)
	const shared = "shared@example.org"
	tell := func(subject civicpin.Subject, kind civicpin.MessageKind) {
		_, err := contacts.Notify(t.Context(), subject, kind, nil)
		require.NoError(t, err)
		require.NoError(t, out.Flush(t.Context()))
	}
	for i := range 30 {
		subject := civicpin.Subject(fmt.Sprint("S", i))
		to := []civicpin.Contact{{Channel: civicpin.Email, Address: shared}}
		require.NoError(t, contacts.Adopt(t.Context(), subject, to, civicpin.Operator("7"), civicpin.Source{}))
		tell(subject, pin.NoticeLocked)
	}
	require.Len(t, mail.To(shared, pin.NoticeLocked), 3)
	tell("S0", "pin.changed")
	require.Len(t, mail.To(shared, "pin.changed"), 1)
}
