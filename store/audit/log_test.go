package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/audit"
	"github.com/civicpin/civicpin/store/storetest"
)

func TestNewRefuses(t *testing.T) {
	v, failed := vault(t, store.NewMemory()), func(context.Context, civicpin.Event, error) {}
	for name, o := range map[string]audit.Config{
		"nobody to tell":     {},
		"a name with slash":  {Failed: failed, Name: "a/b"},
		"a long name":        {Failed: failed, Name: strings.Repeat("x", 41)},
		"no chain":           {Failed: failed, Chains: -1},
		"too many chains":    {Failed: failed, Chains: 257},
		"a negative timeout": {Failed: failed, Timeout: -1},
	} {
		_, err := audit.New(v, o)
		assert.Error(t, err, name)
	}
	_, err := audit.New(nil, audit.Config{Failed: failed})
	require.Error(t, err)
	for _, o := range []audit.Config{{Failed: failed, Name: strings.Repeat("x", 40), Chains: 256}, {Failed: failed}} {
		_, err := audit.New(v, o)
		require.NoError(t, err)
	}
}

// TestDefaults pins the name and the number of chains.
func TestDefaults(t *testing.T) {
	memory := store.NewMemory()
	l, _ := open(t, memory, audit.Config{})
	for i := range 100 {
		l.Record(t.Context(), civicpin.Event{Subject: civicpin.Subject(fmt.Sprint(i))})
	}
	named, _ := open(t, memory, audit.Config{Name: "log", Chains: 4})
	r, events := verify(t, named)
	assert.Len(t, r.Heads, 4)
	assert.Len(t, events, 100)
	other, _ := open(t, memory, audit.Config{Name: "2027"})
	_, events = verify(t, other)
	assert.Empty(t, events)
}

// TestRecords: what is recorded comes back, in the order of its subject, but for the device value.
func TestRecords(t *testing.T) {
	memory := store.NewMemory()
	l, a := open(t, memory, audit.Config{})
	full := civicpin.Event{
		At: noon.Add(time.Nanosecond).In(time.FixedZone("", 3600)), Code: "pin.attested", Subject: "ROSSI", By: civicpin.Operator("7"),
		Source: civicpin.Source{Address: "192.0.2.1", Device: civicpin.NewSecret("signed-device-value")}, Ref: "issue-1", Level: civicpin.High,
		Reason: "<seen> & \"heard\"\u2028 \xff",
	}
	l.Record(t.Context(), full)
	l.Record(t.Context(), civicpin.Event{Code: "pin.refused", Subject: "ROSSI"})
	l.Record(t.Context(), civicpin.Event{Code: "outbox.unknown_owner"})
	r, events := verify(t, l)
	assert.Empty(t, r.Faults)
	assert.Zero(t, a.count())
	require.Len(t, events, 3)
	var rossi []civicpin.Event
	for _, e := range events {
		if e.Subject != "" {
			rossi = append(rossi, e)
		}
	}
	full.At, full.Source.Device, full.Reason = full.At.UTC(), civicpin.NewSecret(""), strings.ToValidUTF8(full.Reason, "\uFFFD")
	assert.Equal(t, []civicpin.Event{full, {At: noon, Code: "pin.refused", Subject: "ROSSI"}}, rossi)
	for item, err := range memory.List(t.Context(), "", "") {
		require.NoError(t, err)
		assert.NotContains(t, item.Key+string(item.Value), "ROSSI", "sealed like all else")
		assert.True(t, item.ExpiresAt.IsZero())
	}
}

// TestManyAtOnce has goroutines of four processes record at the same time: every event is there once, those of one subject in
// their order, and all chains hold.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	const processes, workers, each = 4, 8, 40
	memory := store.NewMemory()
	var wg sync.WaitGroup
	var alarms []*alarm
	for p := range processes {
		l, a := open(t, memory, audit.Config{Chains: 3})
		alarms = append(alarms, a)
		for w := range workers {
			wg.Go(func() {
				for i := range each {
					l.Record(t.Context(), civicpin.Event{Subject: civicpin.Subject(fmt.Sprint(p, w)), Ref: strconv.Itoa(i)})
				}
			})
		}
	}
	wg.Wait()
	for _, a := range alarms {
		require.Empty(t, a.told)
	}
	l, _ := open(t, memory, audit.Config{Chains: 3})
	r, events := verify(t, l)
	assert.Empty(t, r.Faults)
	next := make(map[civicpin.Subject]int)
	for _, e := range events {
		require.Equal(t, strconv.Itoa(next[e.Subject]), e.Ref)
		next[e.Subject]++
	}
	require.Len(t, next, processes*workers)
	for subject, n := range next {
		assert.Equal(t, each, n, subject)
	}
	t.Logf("%d events in %d entries", r.Events, r.Entries)
}

// TestTogether: what comes while an entry is being written goes into one entry, or several if it does not fit; none is lost.
func TestTogether(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ length, entries int }{{10, 2}, {20 << 10, 8}} {
		faults := storetest.NewFaults(store.NewMemory())
		l, a := open(t, faults.Store(), audit.Config{Chains: 1})
		hold, entered := make(chan struct{}), make(chan struct{}, 1)
		faults.Hook(func(method, _ string) error {
			if method == storetest.Put {
				select {
				case entered <- struct{}{}:
				default:
				}
				<-hold
			}
			return nil
		})
		var wg sync.WaitGroup
		record := func() { l.Record(t.Context(), civicpin.Event{Reason: strings.Repeat("x", c.length)}) }
		wg.Go(record)
		<-entered
		for range 20 {
			wg.Go(record)
		}
		for l.Waiting(0) < 20 {
			time.Sleep(time.Millisecond)
		}
		close(hold)
		wg.Wait()
		r, events := verify(t, l)
		assert.Len(t, events, 21)
		assert.Equal(t, c.entries, r.Entries)
		assert.Zero(t, a.count())
	}
}

func TestVerifyErrors(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	l, _ := open(t, faults.Store(), audit.Config{Chains: 1})
	write(t, l, 2)
	faults.Reset()
	for k := 1; ; k++ {
		faults.FailAt(k, storetest.NotDone)
		_, err := l.Verify(t.Context(), audit.Check{})
		if err == nil {
			assert.Equal(t, 9, k, "a list, the four places of the head, two entries, and the end")
			faults.Reset()
			break
		}
		require.ErrorIs(t, err, storetest.ErrInjected)
		faults.Reset()
	}
	own := errors.New("own")
	_, err := l.Verify(t.Context(), audit.Check{Each: func(int, uint64, civicpin.Event) error { return own }})
	require.ErrorIs(t, err, own)
	for _, chain := range []int{-1, 1} {
		_, err = l.Verify(t.Context(), audit.Check{Since: []audit.Head{{Chain: chain}}})
		require.ErrorIs(t, err, civicpin.ErrInvalid)
	}
}

func BenchmarkRecord(b *testing.B) {
	for _, chains := range []int{1, 4} {
		l, _ := open(b, store.NewMemory(), audit.Config{Chains: chains})
		b.Run(fmt.Sprintf("chains=%d", chains), func(b *testing.B) {
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					l.Record(b.Context(), civicpin.Event{Code: "pin.verified", Subject: civicpin.Subject(fmt.Sprint(i % 1000))})
				}
			})
		})
	}
}

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
