package audit_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/audit"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// keys returns keys whose first sealing key has the given id.
func keys(t testing.TB, ids ...string) store.Keys {
	t.Helper()
	k := store.Keys{Index: civicpin.NewSecret(strings.Repeat("i", 32))}
	for _, id := range ids {
		s, err := store.XChaCha20Poly1305(civicpin.NewSecret((id + strings.Repeat("s", 32))[:32]))
		require.NoError(t, err)
		k.Sealing = append(k.Sealing, store.SealingKey{ID: id, Sealer: s})
	}
	return k
}

func vault(t testing.TB, s store.Store) *store.Vault {
	t.Helper()
	v, err := store.OpenVault(t.Context(), s, keys(t, "k1"), &store.Options{Now: func() time.Time { return noon }, Adopt: true})
	require.NoError(t, err)
	return v
}

// alarm keeps what it is told of failures.
type alarm struct {
	mu   sync.Mutex
	told map[string]error // by the event's Ref
}

func (a *alarm) failed(_ context.Context, e civicpin.Event, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.told == nil {
		a.told = make(map[string]error)
	}
	a.told[e.Ref] = err
}

func (a *alarm) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.told)
}

func open(t testing.TB, s store.Store, o audit.Config) (*audit.Log, *alarm) {
	t.Helper()
	a := &alarm{}
	if o.Failed == nil {
		o.Failed = a.failed
	}
	l, err := audit.New(vault(t, s), o)
	require.NoError(t, err)
	return l, a
}

// write records n events of one subject, one after the other.
func write(t testing.TB, l *audit.Log, n int) {
	t.Helper()
	for i := range n {
		l.Record(t.Context(), civicpin.Event{Code: "test.done", Subject: "ROSSI", Ref: fmt.Sprint(i), Reason: "as before"})
	}
}

// verify returns a report, and the events in it.
func verify(t testing.TB, l *audit.Log, since ...audit.Head) (audit.Report, []civicpin.Event) {
	t.Helper()
	var events []civicpin.Event
	r, err := l.Verify(t.Context(), audit.Check{Since: since, Each: func(_ int, _ uint64, e civicpin.Event) error {
		events = append(events, e)
		return nil
	}})
	require.NoError(t, err)
	require.Equal(t, len(events), r.Events)
	return r, events
}
