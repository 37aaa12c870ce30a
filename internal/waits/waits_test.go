package waits_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin/internal/waits"
)

// The page in docs/ is written from the table: CIVICPIN_WRITE_WAITS=1 writes it.
func TestPage(t *testing.T) {
	const page = "../../docs/waits.md"
	if os.Getenv("CIVICPIN_WRITE_WAITS") != "" {
		require.NoError(t, os.WriteFile(page, []byte(waits.Page()), 0o644))
	}
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, string(text), waits.Page())
}

// The table has a cell for each thing and act, and an act that it does not know ends everything.
func TestTable(t *testing.T) {
	require.Len(t, waits.Table(), 15)
	for _, r := range waits.Table() {
		require.Len(t, r.Cells, len(waits.Columns()), r.Thing)
		for i, act := range waits.Columns() {
			require.Equal(t, r.Cells[i], waits.Of(r.Thing, act))
		}
		require.Equal(t, waits.Ends, waits.Of(r.Thing, "other"))
	}
}

var began = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// A past is acts at days since the beginning.
func past(list ...any) (a waits.Acts) {
	for i := 0; i < len(list); i += 2 {
		a = a.Did(list[i].(waits.Act), began.Add(time.Duration(list[i+1].(int))*day))
	}
	return a
}

// What was asked for ends with the acts of its row since, and with a record that began anew.
func TestEnded(t *testing.T) {
	then := past(waits.Exchange, 0, waits.Change, 0)
	for _, tc := range []struct {
		name  string
		now   waits.Acts
		thing waits.Thing
		want  bool
	}{
		{"nothing since", then, waits.Asked, false},
		{"a change since", then.Did(waits.Change, began), waits.Asked, true},
		{"an unlock since", then.Did(waits.Unlock, began), waits.Asked, false},
		{"a change, and staff asked", then.Did(waits.Change, began), waits.ByStaff, false},
		{"a revocation, and staff asked", then.Did(waits.Revoke, began), waits.ByStaff, true},
		{"the record is another one", past(waits.Exchange, 9), waits.Asked, true},
		{"the record went", nil, waits.Asked, true},
		{"a second issue by staff", then.Did(waits.Seen, began), waits.ByStaff, true},
		{"other credentials", waits.Parse("2"), waits.Asked, true},
	} {
		require.Equal(t, tc.want, tc.now.Ended(tc.thing, "", then.Stamp()), tc.name)
	}
	one, other := waits.Parse("one"), waits.Parse("other")
	require.False(t, one.Ended(waits.Asked, "", one.Stamp()))
	require.True(t, other.Ended(waits.Asked, "", one.Stamp()))
	require.False(t, waits.Acts(nil).Ended(waits.Asked, "", nil))
	own := then.DidBy(waits.Seen, "operator:a", began)
	require.False(t, own.Ended(waits.ByStaff, "operator:a", then.Stamp()), "asked for, and then issued")
	require.True(t, own.Ended(waits.ByStaff, "operator:b", then.Stamp()))
	require.True(t, own.DidBy(waits.Seen, "operator:a", began).Ended(waits.ByStaff, "operator:a", then.Stamp()), "and issued again")
}

// A contact cools down for ten days from day 0, and anew for ten days from a recovery.
func TestCooled(t *testing.T) {
	for _, tc := range []struct {
		name  string
		acts  waits.Acts
		until int
		alive bool
	}{
		{"nothing since", nil, 10, true},
		{"a change", past(waits.Change, 3), 10, true},
		{"a revocation", past(waits.Revoke, 3), 10, false},
		{"a revocation afterwards", past(waits.Revoke, 10), 10, true},
		{"a recovery", past(waits.Recovery, 3), 13, true},
		{"a recovery, and a revocation while it cools down anew", past(waits.Recovery, 3, waits.Revoke, 12), 13, false},
		{"a revocation, and a recovery afterwards", past(waits.Revoke, 12, waits.Recovery, 13), 10, true},
		{"a revocation before it, and one afterwards, of which both are kept", past(waits.Seen, 3, waits.Revoke, 40), 10, false},
		{"more than are kept", past(
			waits.Revoke, 11, waits.Revoke, 12, waits.Revoke, 13, waits.Revoke, 14, waits.Revoke, 15), 10, false},
	} {
		until, alive := tc.acts.Cooled(began.Add(10*day), nil, 10*day)
		require.Equal(t, tc.alive, alive, tc.name)
		if alive {
			require.Equal(t, began.Add(time.Duration(tc.until)*day), until, tc.name)
		}
	}
	_, alive := past(waits.Change, 1).Cooled(time.Time{}, nil, day)
	require.True(t, alive, "one that counts at once")
	_, alive = past(waits.Revoke, 1000).Cooled(time.Time{}, nil, day)
	require.False(t, alive, "and is not settled, however late")
	_, alive = waits.Acts(nil).Cooled(began, past(waits.Revoke, 0).Stamp(), day)
	require.False(t, alive, "the record went")
}

// A text is read as it was written, and acts are never taken back.
func TestText(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var a waits.Acts
		for _, act := range rapid.SliceOfN(rapid.SampledFrom(waits.Columns()), 0, 20).Draw(rt, "acts") {
			before := a
			a = a.Did(act, began)
			require.Equal(rt, before[act].N+1, a[act].N)
			require.Equal(rt, waits.Of(waits.Grant, act).Ends(), a.Ended(waits.Grant, "", before.Stamp()))
		}
		require.Equal(rt, a, waits.Parse(a.Text()))
		e := waits.Epochs{Run: 1, Proved: 2, Approved: 3}
		for i, as := range []waits.Thing{waits.Run, waits.Proved, waits.Approved} {
			require.Equal(rt, uint64(i+1), e.Of(as))
		}
		require.Equal(rt, e.Run, e.Of("other"))
	})
	require.Empty(t, waits.Acts(nil).Text())
}
