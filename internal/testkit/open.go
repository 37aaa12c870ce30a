package testkit

import (
	"testing"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// Open returns a vault over a store, and an outbox in it with [Limits]. The recorder may be nil.
func Open(t testing.TB, s store.Store, c *Clock, n civicpin.Notifier, r civicpin.Recorder) (*store.Vault, *outbox.Outbox) {
	t.Helper()
	vault, err := store.OpenVault(t.Context(), s, Keys(), &store.Options{Now: c.Now, Recorder: r})
	if err != nil {
		t.Fatal(err)
	}
	out, err := outbox.New(vault, n, &outbox.Options{Limits: Limits()})
	if err != nil {
		t.Fatal(err)
	}
	return vault, out
}

// Addresses returns the addresses of contacts, in their order: an empty list for none.
func Addresses[C any](contacts []C, address func(C) string) []string {
	list := make([]string, 0, len(contacts))
	for _, c := range contacts {
		list = append(list, address(c))
	}
	return list
}
