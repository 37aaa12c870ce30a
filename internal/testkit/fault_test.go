package testkit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// writes returns a flow that writes two records, the second whatever became of the first.
func writes(t *testing.T, s store.Store) func() error {
	return func() error {
		_, err := s.Put(t.Context(), "kind/first", store.Record{Value: []byte("one")})
		_, err2 := s.Put(t.Context(), "kind/second", store.Record{Value: []byte("two")})
		if err == nil {
			err = err2
		}
		return err
	}
}

// A fault that does nothing would let every crash test pass.
func TestFaults(t *testing.T) {
	left := map[string]string{
		"not written/stop=true":    "",
		"not written/stop=false":   "kind/secondtwo",
		"reply lost/stop=true":     "kind/firstone",
		"reply lost/stop=false":    "kind/firstonekind/secondtwo",
		"written later/stop=true":  "kind/firstone",
		"written later/stop=false": "kind/firstonekind/secondtwo",
	}
	require.Len(t, testkit.Faults(), len(left))
	for _, fault := range testkit.Faults() {
		want, ok := left[fault.String()]
		require.True(t, ok, fault)
		memory := store.NewMemory()
		faults := storetest.NewFaults(memory)
		reached, err := fault.During(t, faults, writes(t, faults.Store()))
		require.True(t, reached, fault)
		require.ErrorIs(t, err, storetest.ErrInjected, fault)
		require.Equal(t, want, testkit.Stored(t, memory), fault)
		_, err = faults.Store().Get(t.Context(), "kind/third")
		require.ErrorIs(t, err, store.ErrNotFound, "%s: the store works again", fault)
	}
}

// A flow that does not come as far as the call ends well, and says so; calls are counted from where it begins.
func TestFaultNotReached(t *testing.T) {
	for _, fault := range testkit.Faults() {
		faults := storetest.NewFaults(store.NewMemory())
		_, _ = faults.Store().Get(t.Context(), "kind/before")
		fault.Call = 3
		reached, err := fault.During(t, faults, writes(t, faults.Store()))
		require.NoError(t, err)
		require.False(t, reached)
		fault.Call = 1
		reached, err = fault.During(t, faults, writes(t, faults.Store()), storetest.Delete)
		require.ErrorIs(t, err, store.ErrConflict, "those are there")
		require.False(t, reached, "of this method there is none")
	}
}

// Calls that it did not see would make everybody look alike.
func TestCalls(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	do := writes(t, faults.Store())
	require.Equal(t, []string{"Put kind", "Put kind"}, testkit.Calls(faults, func() { require.NoError(t, do()) }))
	require.Empty(t, testkit.Calls(faults, func() {}))
}
