package testkit

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/civicpin/civicpin/store"
)

// An Act is a call of a service, with what is around it, K.
type Act[K any] struct {
	Name    string
	Prepare func(t *testing.T, k K)
	Do      func(ctx context.Context, k K) error
	// Lines are all that it records: see [Recorder.Lines].
	Lines []string
	// Despite names the store calls without which it goes on, each as the method and the kind of record: "Put pin.inps".
	Despite []string
}

// Check does the act over a store without faults, and holds what it records against Lines, and Despite against [Swallowed].
// Open makes what is around the act over a store, with its recorder.
func (a Act[K]) Check(t *testing.T, open func(t *testing.T, s store.Store) (K, *Recorder)) {
	t.Helper()
	k, events := open(t, store.NewMemory())
	a.Prepare(t, k)
	before := len(events.All())
	_ = a.Do(t.Context(), k)
	if got, want := strings.Join(events.Lines()[before:], "\n"), strings.Join(a.Lines, "\n"); got != want {
		t.Errorf("the act records\n%s\nand not\n%s", got, want)
	}
	swallowed := Swallowed(t, func(t *testing.T, s store.Store) K {
		t.Helper()
		k, _ := open(t, s)
		a.Prepare(t, k)
		return k
	}, func(ctx context.Context, k K) (any, error) { return nil, a.Do(ctx, k) })
	if got, want := distinct(swallowed), distinct(a.Despite); !slices.Equal(got, want) {
		t.Errorf("the act goes on without %q, want %q", got, want)
	}
}

// distinct returns texts in order, each once.
func distinct(texts []string) []string { return slices.Compact(slices.Sorted(slices.Values(texts))) }
