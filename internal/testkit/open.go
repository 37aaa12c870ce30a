package testkit

import (
	"testing"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// Vault returns a vault over a store, which may be one that cannot list. The recorder may be nil.
func Vault(t testing.TB, s store.Store, c *Clock, r civicpin.Recorder) *store.Vault {
	t.Helper()
	_, lists := s.(store.Lister)
	vault, err := store.OpenVault(t.Context(), s, Keys(), &store.Options{Now: c.Now, Recorder: r, Adopt: !lists})
	if err != nil {
		t.Fatal(err)
	}
	return vault
}

// Open returns a vault over a store, and an outbox in it with [Limits]. The recorder may be nil.
func Open(t testing.TB, s store.Store, c *Clock, n civicpin.Notifier, r civicpin.Recorder) (*store.Vault, *outbox.Outbox) {
	t.Helper()
	vault := Vault(t, s, c, r)
	return vault, Outbox(t, vault, n, Limits())
}

// Outbox returns an outbox in a vault.
func Outbox(t testing.TB, vault *store.Vault, n civicpin.Notifier, limits outbox.Limits) *outbox.Outbox {
	t.Helper()
	out, err := outbox.New(vault, n, &outbox.Options{Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Addresses returns the addresses of contacts, in their order: an empty list for none.
func Addresses[C any](contacts []C, address func(C) string) []string {
	list := make([]string, 0, len(contacts))
	for _, c := range contacts {
		list = append(list, address(c))
	}
	return list
}
