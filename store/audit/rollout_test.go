package audit_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/audit"
)

// logUnder opens the log of one process, whose vault has sealing keys of these ids, the one in front first.
func logUnder(t *testing.T, s store.Store, ids ...string) (*audit.Log, *alarm) {
	t.Helper()
	v, err := store.OpenVault(t.Context(), s, keys(t, ids...), nil)
	require.NoError(t, err)
	a := &alarm{told: make(map[string]error)}
	l, err := audit.New(v, audit.Config{Chains: 1, Failed: a.failed})
	require.NoError(t, err)
	return l, a
}

// TestRollout: two processes record in turn while a new sealing key is rolled out behind the first, then in front, and the old
// one is removed, one process after the other. Nothing fails, and the log is whole.
func TestRollout(t *testing.T) {
	memory := store.NewMemory()
	n := 0
	var processes [2]*audit.Log
	var alarms [2]*alarm
	record := func() {
		for range 3 {
			for i, l := range processes {
				l.Record(t.Context(), civicpin.Event{Code: "test.done", Ref: strconv.Itoa(n)})
				n++
				require.Zero(t, alarms[i].count())
			}
		}
	}
	restart := func(ids ...string) {
		for i := range processes {
			processes[i], alarms[i] = logUnder(t, memory, ids...)
			if processes[1] != nil {
				record()
			}
		}
	}
	restart("k1")
	restart("k1", "k2")
	restart("k2", "k1")
	v, err := store.OpenVault(t.Context(), memory, keys(t, "k2", "k1"), nil)
	require.NoError(t, err)
	for range 2 {
		_, err = v.Reseal(t.Context(), store.Pass{})
		require.NoError(t, err)
	}
	restart("k2")
	r, events := verify(t, processes[0])
	assert.Empty(t, r.Faults)
	assert.Len(t, events, n)
}

// TestRolloutInTheWrongOrder: with a new key in front at once, a process without it cannot open what the other wrote. That
// is told apart from tampering.
func TestRolloutInTheWrongOrder(t *testing.T) {
	memory := store.NewMemory()
	old, _ := logUnder(t, memory, "k1")
	old.Record(t.Context(), civicpin.Event{Ref: "0"})
	young, _ := logUnder(t, memory, "k2", "k1")
	young.Record(t.Context(), civicpin.Event{Ref: "1"})
	old.Record(t.Context(), civicpin.Event{Ref: "2"})
	young.Record(t.Context(), civicpin.Event{Ref: "3"})

	r, events := verify(t, young)
	assert.Equal(t, []audit.Fault{{Seq: 2, What: audit.Unlinked}}, r.Faults)
	assert.Len(t, events, 4)
	r, _ = verify(t, old)
	assert.Equal(t, []audit.Fault{{What: audit.NoKey}, {Seq: 1, What: audit.NoKey}, {Seq: 3, What: audit.NoKey}}, r.Faults)
}
