package testkit

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/civicpin/civicpin/store"
)

// Stored returns every byte that a store holds, keys and sealed values, in which a test looks for what must not be there.
func Stored(t testing.TB, s store.Lister) string {
	t.Helper()
	var all strings.Builder
	for item, err := range s.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(item.Key)
		all.Write(item.Value)
	}
	return all.String()
}

// Copy puts the records of a store into another, which is empty.
func Copy(t testing.TB, to store.Store, from store.Lister) {
	t.Helper()
	for item, err := range from.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		item.Version = 0
		if _, err := to.Put(t.Context(), item.Key, item.Record); err != nil {
			t.Fatal(err)
		}
	}
}

// Plain returns all records of a kind as they are before they are sealed.
func Plain[T any](ctx context.Context, kind store.Kind[T]) (string, error) {
	var all strings.Builder
	for e, err := range kind.All(ctx) {
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(e.Value)
		if err != nil {
			return "", err
		}
		all.Write(text)
	}
	return all.String(), nil
}
