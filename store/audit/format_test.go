package audit_test

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/audit"
)

// TestStoredFormat reads a log that the first release wrote, under the keys of these tests. The file is never written anew:
// what a later release writes goes into another.
func TestStoredFormat(t *testing.T) {
	text, err := os.ReadFile("testdata/log-1.json")
	require.NoError(t, err)
	var rows map[string][]byte
	require.NoError(t, json.Unmarshal(text, &rows))
	require.Len(t, rows, 3)
	memory := store.NewMemory()
	for key, value := range rows {
		_, err := memory.Put(t.Context(), key, store.Record{Value: value})
		require.NoError(t, err)
	}
	l, _ := open(t, memory, audit.Config{Chains: 2})
	r, events := verify(t, l)
	assert.Empty(t, r.Faults)
	assert.ElementsMatch(t, []civicpin.Event{
		{
			At: noon, Code: "pin.attested", Subject: "ROSSI", By: civicpin.Operator("7"), Source: civicpin.Source{Address: "192.0.2.1"},
			Ref: "issue-1", Level: civicpin.High, Reason: "<seen> & \"heard\"",
		},
		{At: noon, Code: "pin.refused", Subject: "BIANCHI"},
	}, events)

	l.Record(t.Context(), civicpin.Event{Code: "pin.verified", Subject: "ROSSI"})
	l.Record(t.Context(), civicpin.Event{Code: "pin.verified", Subject: "BIANCHI"})
	r, _ = verify(t, l, r.Heads...)
	assert.Empty(t, r.Faults)
	assert.Equal(t, 4, r.Entries, "each behind its own")
}

// FuzzRecord: whatever an event holds, it is recorded, verifies, and reads back, but for bytes that are not UTF-8.
func FuzzRecord(f *testing.F) {
	f.Add("pin.verified", "ROSSI", "operator:7", "192.0.2.1", "d", "ref", 3, "why", int64(0))
	f.Add("", "", "", "", "", "", -1, "\xff\x00\u2028<&>\"\\", int64(-1)<<62)
	f.Fuzz(func(t *testing.T, code, subject, by, address, device, ref string, level int, reason string, at int64) {
		l, a := open(t, store.NewMemory(), audit.Config{Chains: 1})
		e := civicpin.Event{
			At: time.Unix(0, at).UTC(), Code: civicpin.EventCode(code), Subject: civicpin.Subject(subject), By: civicpin.Actor(by),
			Source: civicpin.Source{Address: address, Device: civicpin.NewSecret(device)}, Ref: ref, Level: civicpin.Level(level), Reason: reason,
		}
		l.Record(t.Context(), e)
		l.Record(t.Context(), civicpin.Event{Code: "next"})
		r, events := verify(t, l)
		if a.count() > 0 {
			require.NotContains(t, []civicpin.Level{civicpin.NoLevel, civicpin.Low, civicpin.Substantial, civicpin.High}, e.Level)
			return
		}
		require.Empty(t, r.Faults)
		require.Len(t, events, 2)
		text, err := json.Marshal(events[0])
		require.NoError(t, err)
		e.Source.Device = civicpin.NewSecret("")
		want, err := json.Marshal(e)
		require.NoError(t, err)
		var plain civicpin.Event // what JSON makes of bytes that are not UTF-8
		require.NoError(t, json.Unmarshal(want, &plain))
		again, err := json.Marshal(plain)
		require.NoError(t, err)
		require.JSONEq(t, string(again), string(text))
	})
}
