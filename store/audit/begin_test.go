package audit_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/audit"
)

// meanwhile is a store whose process looks for the head of a chain, and then others act.
type meanwhile struct {
	store.Store
	act func() // before the first read of an entry
	put func(key string) error
}

func (m *meanwhile) Get(ctx context.Context, key string) (store.Record, error) {
	if act := m.act; act != nil && strings.HasPrefix(key, "audit.log/") {
		m.act = nil
		act()
	}
	return m.Store.Get(ctx, key)
}

func (m *meanwhile) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	if m.put != nil {
		if err := m.put(key); err != nil {
			return 0, err
		}
	}
	return m.Store.Put(ctx, key, r)
}

// TestBegun: three processes begin a chain at once. That each looked for its head before there was one is no sign that
// entries were cut off.
func TestBegun(t *testing.T) {
	t.Parallel()
	memory := store.NewMemory()
	begin := func(act func()) {
		l, a := open(t, &meanwhile{Store: memory, act: act}, audit.Config{Chains: 1})
		write(t, l, 1)
		require.Zero(t, a.count())
	}
	begin(func() { begin(func() { begin(nil) }) })
	l, _ := open(t, memory, audit.Config{Chains: 1})
	r, _ := verify(t, l)
	assert.Empty(t, r.Faults)
	assert.Equal(t, 3, r.Events)
}

// TestHeadBeforeTheSecond: the process that wrote the first entry dies, and another that knew of none goes on: behind a head.
// Else the next process would take two entries without one for what is left of more.
func TestHeadBeforeTheSecond(t *testing.T) {
	t.Parallel()
	memory := store.NewMemory()
	dies := &meanwhile{Store: memory, put: func(key string) error {
		if strings.HasPrefix(key, "audit-head.log/") {
			return errors.New("died")
		}
		return nil
	}}
	other := &meanwhile{Store: memory}
	first := func() {
		l, a := open(t, dies, audit.Config{Chains: 1})
		write(t, l, 1)
		require.Equal(t, 1, a.count())
	}
	var order []string
	other.put = func(key string) error {
		if first != nil && strings.HasPrefix(key, "audit.log/") {
			first()
			first = nil
		}
		order = append(order, key[:strings.Index(key, "/")])
		return nil
	}
	l, a := open(t, other, audit.Config{Chains: 1})
	order = nil
	write(t, l, 1)
	require.Zero(t, a.count())
	assert.Equal(t, []string{"audit.log", "audit-head.log", "audit.log", "audit-head.log"}, order)
}
