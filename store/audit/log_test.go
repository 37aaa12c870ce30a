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
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
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
		"a negative pause":   {Failed: failed, KeepEvery: -1},
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

// forged is an entry as somebody with the keys can write it.
type forged struct {
	Chain  int             `json:"chain"`
	Seq    uint64          `json:"seq"`
	Prev   []byte          `json:"prev"`
	Events json.RawMessage `json:"events"`
	Sum    []byte          `json:"sum"`
}

type forgedHead struct {
	Seq uint64 `json:"seq"`
	Sum []byte `json:"sum"`
}

// A thief has the table, and perhaps the keys.
type thief struct {
	t       *testing.T
	memory  *store.Memory
	vault   *store.Vault
	entries store.Kind[forged]
	heads   store.Kind[forgedHead]
	keys    []string // the storage keys of the entries, by number
	head    string
	heads0  store.Record // the head as it was after six entries
}

// breakIn records ten events in one chain, and looks where each is stored.
func breakIn(t *testing.T) (*audit.Log, *thief) {
	t.Helper()
	memory := store.NewMemory()
	l, _ := open(t, memory, audit.Config{Chains: 1})
	th := &thief{t: t, memory: memory, vault: vault(t, memory)}
	seen := make(map[string]bool)
	for i := range 10 {
		l.Record(t.Context(), civicpin.Event{Code: "test.done", Ref: strconv.Itoa(i)})
		for item, err := range memory.List(t.Context(), "", "") {
			require.NoError(t, err)
			switch {
			case item.Key == "vault/canary":
			case item.Key[:len("audit-head")] == "audit-head":
				th.head = item.Key
				if i == 5 {
					th.heads0 = item.Record
				}
			case !seen[item.Key]:
				seen[item.Key] = true
				th.keys = append(th.keys, item.Key)
			}
		}
	}
	require.Len(t, th.keys, 10)
	var errs [2]error
	th.entries, errs[0] = store.NewKind[forged](th.vault, "audit.log")
	th.heads, errs[1] = store.NewKind[forgedHead](th.vault, "audit-head.log")
	require.NoError(t, errs[0])
	require.NoError(t, errs[1])
	return l, th
}

func (th *thief) get(key string) store.Record {
	th.t.Helper()
	r, err := th.memory.Get(th.t.Context(), key)
	require.NoError(th.t, err)
	return r
}

func (th *thief) put(key string, value []byte) {
	th.t.Helper()
	r, _ := th.memory.Get(th.t.Context(), key)
	_, err := th.memory.Put(th.t.Context(), key, store.Record{Value: value, Version: r.Version})
	require.NoError(th.t, err)
}

func (th *thief) remove(seqs ...int) {
	th.t.Helper()
	for _, seq := range seqs {
		require.NoError(th.t, th.memory.Delete(th.t.Context(), th.keys[seq], th.get(th.keys[seq]).Version))
	}
}

func (th *thief) removeHead() {
	th.t.Helper()
	require.NoError(th.t, th.memory.Delete(th.t.Context(), th.head, th.get(th.head).Version))
}

// flip changes a bit of an entry.
func (th *thief) flip(seq int) {
	v := th.get(th.keys[seq]).Value
	v[len(v)-1] ^= 1
	th.put(th.keys[seq], v)
}

// rewrite changes an entry with the keys, and gives it a right sum.
func (th *thief) rewrite(seq int, change func(*forged)) {
	th.t.Helper()
	_, err := th.entries.Update(th.t.Context(), store.Key{ID: "0/" + strconv.Itoa(seq)}, func(e *store.Entry[forged]) error {
		change(&e.Value)
		v := &e.Value
		sum := th.vault.Hash("audit.entry", "log", strconv.Itoa(v.Chain), strconv.FormatUint(v.Seq, 10), string(v.Prev), string(v.Events))
		v.Sum = sum[:]
		return nil
	})
	require.NoError(th.t, err)
}

func (th *thief) read(seq int) forged {
	th.t.Helper()
	e, err := th.entries.Get(th.t.Context(), store.Key{ID: "0/" + strconv.Itoa(seq)})
	require.NoError(th.t, err)
	return e.Value
}

func (th *thief) setHead(seq int) {
	th.t.Helper()
	_, err := th.heads.Update(th.t.Context(), store.Key{ID: "0"}, func(e *store.Entry[forgedHead]) error {
		e.Value = forgedHead{Seq: uint64(seq), Sum: th.read(seq).Sum}
		return nil
	})
	require.NoError(th.t, err)
}

func at(seq uint64, w audit.What) audit.Fault { return audit.Fault{Seq: seq, What: w} }

// TestTampering: what was done to the log is found, with its place. Each case but the marked ones is found without a head that
// was kept elsewhere; with one, all are.
func TestTampering(t *testing.T) {
	const unseen = "seen with a kept head only"
	for name, c := range map[string]struct {
		do        func(th *thief)
		want      []audit.Fault
		withHeads []audit.Fault // nil: the same
	}{
		"nothing":           {do: func(*thief) {}},
		"one removed":       {do: func(th *thief) { th.remove(4) }, want: []audit.Fault{at(4, audit.Removed)}},
		"the first removed": {do: func(th *thief) { th.remove(0) }, want: []audit.Fault{at(0, audit.Removed)}},
		"several removed": {
			do:   func(th *thief) { th.remove(2, 3, 7) },
			want: []audit.Fault{at(2, audit.Removed), at(3, audit.Removed), at(7, audit.Removed)},
		},
		"the last removed":           {do: func(th *thief) { th.remove(9) }, want: []audit.Fault{at(9, audit.Truncated)}},
		"the last three removed":     {do: func(th *thief) { th.remove(7, 8, 9) }, want: []audit.Fault{at(7, audit.Truncated)}},
		"one and the last removed":   {do: func(th *thief) { th.remove(5, 9) }, want: []audit.Fault{at(5, audit.Removed), at(9, audit.Truncated)}},
		"all removed but the head":   {do: func(th *thief) { th.remove(0, 1, 2, 3, 4, 5, 6, 7, 8, 9) }, want: []audit.Fault{at(0, audit.Truncated)}},
		"a bit changed":              {do: func(th *thief) { th.flip(3) }, want: []audit.Fault{at(3, audit.Changed)}},
		"the last one's bit changed": {do: func(th *thief) { th.flip(9) }, want: []audit.Fault{at(9, audit.Changed)}},
		"rows exchanged": {
			do: func(th *thief) {
				a, b := th.get(th.keys[2]).Value, th.get(th.keys[6]).Value
				th.put(th.keys[2], b)
				th.put(th.keys[6], a)
			},
			want: []audit.Fault{at(2, audit.Changed), at(6, audit.Changed)},
		},
		"a row copied behind the end": {
			do: func(th *thief) {
				key := store.Key{ID: "0/10"}
				require.NoError(th.t, th.entries.Put(th.t.Context(), &store.Entry[forged]{Key: key, Value: th.read(9)}))
			},
			want: []audit.Fault{at(10, audit.Changed)},
		},
		"the head removed": {
			do: func(th *thief) {
				require.NoError(th.t, th.memory.Delete(th.t.Context(), th.head, th.get(th.head).Version))
			},
			want: []audit.Fault{at(0, audit.BadHead)},
		},
		"the head changed": {do: func(th *thief) { th.put(th.head, []byte("junk")) }, want: []audit.Fault{at(0, audit.BadHead)}},
		"an older head, and a gap": {
			do:   func(th *thief) { th.put(th.head, th.heads0.Value); th.remove(6) },
			want: []audit.Fault{at(6, audit.Removed)},
		},
		"cut off, with an older head: " + unseen: {
			do:        func(th *thief) { th.put(th.head, th.heads0.Value); th.remove(6, 7, 8, 9) },
			withHeads: []audit.Fault{at(6, audit.Truncated)},
		},
		"everything gone: " + unseen: {
			do: func(th *thief) {
				th.remove(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
				require.NoError(th.t, th.memory.Delete(th.t.Context(), th.head, th.get(th.head).Version))
			},
			withHeads: []audit.Fault{at(0, audit.Truncated)},
		},

		// With the keys.
		"an event changed, its sum with it": {
			do:   func(th *thief) { th.rewrite(4, func(e *forged) { e.Events = json.RawMessage(`[]`) }) },
			want: []audit.Fault{at(5, audit.Displaced)},
		},
		"an event changed, its sum not": {
			do: func(th *thief) {
				sum := th.read(4).Sum
				th.rewrite(4, func(e *forged) { e.Events = json.RawMessage(`[]`) })
				_, err := th.entries.Update(th.t.Context(), store.Key{ID: "0/4"}, func(e *store.Entry[forged]) error {
					e.Value.Sum = sum
					return nil
				})
				require.NoError(th.t, err)
			},
			want: []audit.Fault{at(4, audit.Changed)},
		},
		"two entries exchanged": {
			do: func(th *thief) {
				a, b := th.read(3).Events, th.read(4).Events
				th.rewrite(3, func(e *forged) { e.Events = b })
				th.rewrite(4, func(e *forged) { e.Events = a; e.Prev = th.read(3).Sum })
			},
			want: []audit.Fault{at(5, audit.Displaced)},
		},
		"an event that is no list": {
			do: func(th *thief) {
				th.rewrite(9, func(e *forged) { e.Events = json.RawMessage(`{}`) })
				th.setHead(9)
			},
			want: []audit.Fault{at(9, audit.Changed)},
		},
		"another last event, the head not": {
			do:        func(th *thief) { th.rewrite(9, func(e *forged) { e.Events = json.RawMessage(`[]`) }) },
			want:      []audit.Fault{at(0, audit.BadHead)},
			withHeads: []audit.Fault{at(9, audit.Changed), at(0, audit.BadHead)},
		},
		"everything rewritten from 5 on: " + unseen: {
			do: func(th *thief) {
				for seq := 5; seq < 10; seq++ {
					th.rewrite(seq, func(e *forged) { e.Prev, e.Events = th.read(seq-1).Sum, json.RawMessage(`[]`) })
				}
				th.setHead(9)
			},
			withHeads: []audit.Fault{at(9, audit.Changed)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, th := breakIn(t)
			r, _ := verify(t, l)
			require.Empty(t, r.Faults)
			kept, err := json.Marshal(r.Heads)
			require.NoError(t, err)
			c.do(th)
			fresh, _ := open(t, th.memory, audit.Config{Chains: 1})
			r, _ = verify(t, fresh)
			assert.Equal(t, c.want, r.Faults)
			var heads []audit.Head
			require.NoError(t, json.Unmarshal(kept, &heads))
			if c.withHeads == nil {
				c.withHeads = c.want
			}
			r, _ = verify(t, fresh, heads...)
			assert.Equal(t, c.withHeads, r.Faults)
			for _, f := range r.Faults {
				assert.Contains(t, f.String(), fmt.Sprintf("entry %d: %s", f.Seq, f.What))
			}
		})
	}
}

// TestTamperingGoesOn: a log that was tampered with is recorded in all the same, and what was done stays visible.
func TestTamperingGoesOn(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(th *thief)
		want []audit.Fault
	}{
		"cut off": {func(th *thief) { th.remove(8, 9) }, []audit.Fault{at(8, audit.Removed), at(9, audit.Removed)}},
		"the last one under an unknown name": {
			func(th *thief) { th.put(th.keys[9], append([]byte("\x01\x02k9"), make([]byte, 99)...)) },
			[]audit.Fault{at(9, audit.NoKey)},
		},
		"the last one spoilt": {func(th *thief) { th.put(th.keys[9], []byte("junk")) }, []audit.Fault{at(9, audit.Changed)}},
		"a gap, an older head": {
			func(th *thief) { th.put(th.head, th.heads0.Value); th.remove(6) }, // the gap is filled, and what follows does not fit
			[]audit.Fault{at(7, audit.Displaced)},
		},
		"a spoilt head": {
			func(th *thief) { th.put(th.head, []byte("junk")) }, []audit.Fault{at(0, audit.BadHead), at(10, audit.Resumed)},
		},
		"cut off, a spoilt head": {
			func(th *thief) { th.put(th.head, []byte("junk")); th.remove(8, 9) },
			[]audit.Fault{at(0, audit.BadHead), at(8, audit.Resumed)},
		},
		"cut off, without a head": {
			func(th *thief) { th.removeHead(); th.remove(8, 9) }, []audit.Fault{at(8, audit.Resumed)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, th := breakIn(t)
			c.do(th)
			l, a := open(t, th.memory, audit.Config{Chains: 1})
			l.Record(t.Context(), civicpin.Event{Ref: "one"})
			l.Record(t.Context(), civicpin.Event{Ref: "two"})
			assert.Zero(t, a.count())
			r, events := verify(t, l)
			assert.Equal(t, c.want, r.Faults)
			refs := make(map[string]int)
			for _, e := range events {
				refs[e.Ref]++
			}
			assert.Equal(t, 1, refs["one"])
			assert.Equal(t, 1, refs["two"])
		})
	}
}

// TestTellsOfFailure: an event that may not be there is told, with its error; the next one is recorded.
func TestTellsOfFailure(t *testing.T) {
	for _, outcome := range []storetest.Outcome{storetest.NotDone, storetest.DoneLater} {
		faults := storetest.NewFaults(store.NewMemory())
		l, a := open(t, faults.Store(), audit.Config{Chains: 1})
		write(t, l, 1)
		faults.FailAt(1, outcome, storetest.Put)
		l.Record(t.Context(), civicpin.Event{Subject: "ROSSI", Ref: "lost"})
		require.ErrorIs(t, a.told["lost"], storetest.ErrInjected)
		l.Record(t.Context(), civicpin.Event{Subject: "ROSSI", Ref: "kept"})
		faults.Deliver(t.Context()) // it comes too late: the number is taken
		r, events := verify(t, l)
		assert.Empty(t, r.Faults)
		require.Len(t, events, 2)
		assert.Equal(t, "kept", events[1].Ref)
		assert.Equal(t, 1, a.count())
	}
	// A lost answer is looked for, and is no failure.
	faults := storetest.NewFaults(store.NewMemory())
	l, a := open(t, faults.Store(), audit.Config{Chains: 1})
	faults.FailAt(1, storetest.ReplyLost, storetest.Put)
	write(t, l, 2)
	_, events := verify(t, l)
	assert.Len(t, events, 2)
	assert.Zero(t, a.count())
	// An event that is too long to be sealed is a failure, and harms no other.
	l.Record(t.Context(), civicpin.Event{Subject: "ROSSI", Ref: "long", Reason: strings.Repeat("x", 300<<10)})
	write(t, l, 1)
	assert.Error(t, a.told["long"])
	_, events = verify(t, l)
	assert.Len(t, events, 3)
}

// TestVisitorGone: the act has happened, so its event is written, though nobody waits for the page any more.
func TestVisitorGone(t *testing.T) {
	l, a := open(t, store.NewMemory(), audit.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l.Record(ctx, civicpin.Event{Code: "pin.verified"})
	_, events := verify(t, l)
	assert.Len(t, events, 1)
	assert.Zero(t, a.count())
}

// TestStoreHangs: after the timeout the event is told as failed, and whoever waits goes on.
func TestStoreHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, a := open(t, hanging{store.NewMemory()}, audit.Config{})
		start := time.Now()
		write(t, l, 1)
		assert.Equal(t, 5*time.Second, time.Since(start))
		require.ErrorIs(t, a.told["0"], context.DeadlineExceeded)
	})
}

// TestStoreHangsWithinTheDeadline: a log whose database hangs does not hold a request up beyond its deadline; the write goes on by
// itself, and what does not come through is told. A request without a deadline waits for two writes at most.
func TestStoreHangsWithinTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, a := open(t, hanging{store.NewMemory()}, audit.Config{Chains: 1})
		v, err := store.OpenVault(t.Context(), store.NewMemory(), keys(t, "k1"), &store.Options{Recorder: l})
		require.NoError(t, err)
		record := func(ctx context.Context, ref int) time.Duration {
			began := time.Now()
			v.Record(ctx, civicpin.Event{Code: "test.done", Ref: fmt.Sprint(ref)})
			return time.Since(began)
		}
		within, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		require.Equal(t, 3*time.Second, record(within, 0))
		require.LessOrEqual(t, record(within, 1), time.Second/10, "its deadline is over")
		time.Sleep(time.Minute)
		require.Equal(t, 2, a.count())
		var all sync.WaitGroup
		for i := range 2000 { // more than one entry holds
			all.Go(func() { assert.LessOrEqual(t, record(t.Context(), i), 10*time.Second) })
		}
		all.Wait()
		time.Sleep(time.Minute)
		require.Equal(t, 2000, a.count())
	})
}

// hanging is a store that does not answer.
type hanging struct{ store.Store }

func (h hanging) Get(ctx context.Context, key string) (store.Record, error) {
	if key == "vault/canary" {
		return h.Store.Get(ctx, key)
	}
	<-ctx.Done()
	return store.Record{}, ctx.Err()
}

// TestDies lets the process die at each store call, in two processes that take turns: what was not told as failed is there,
// the chain holds, and the next process goes on.
func TestDies(t *testing.T) {
	t.Parallel()
	calls := testkit.CrashPoints(t, testkit.Crashes{Stops: true}, func(t *testing.T, c *testkit.Crash) {
		l, a := open(t, c.Store(), audit.Config{Chains: 1})
		other, _ := open(t, c.Memory, audit.Config{Chains: 1})
		other.Record(t.Context(), civicpin.Event{Ref: "before"})
		_ = c.During(t, func() error {
			for i := range 3 {
				l.Record(t.Context(), civicpin.Event{Ref: fmt.Sprint(i)})
				if i == 0 {
					other.Record(t.Context(), civicpin.Event{Ref: "between"})
				}
			}
			return nil
		})
		again, _ := open(t, c.Memory, audit.Config{Chains: 1})
		again.Record(t.Context(), civicpin.Event{Ref: "after"})
		r, events := verify(t, again)
		require.Empty(t, r.Faults)
		seen := make(map[string]int)
		for _, e := range events {
			seen[e.Ref]++
		}
		for _, ref := range []string{"before", "between", "after", "0", "1", "2"} {
			if a.told[ref] == nil {
				require.Equal(t, 1, seen[ref], ref)
			}
			require.LessOrEqual(t, seen[ref], 1)
		}
	})
	assert.Greater(t, calls, 8)
}

// TestHeadLost: a process that cannot move the head says so; the next event moves it.
func TestHeadLost(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	l, a := open(t, faults.Store(), audit.Config{Chains: 1})
	write(t, l, 1)
	faults.FailAt(2, storetest.NotDone, storetest.Put)
	l.Record(t.Context(), civicpin.Event{Ref: "behind"})
	require.ErrorIs(t, a.told["behind"], storetest.ErrInjected)
	r, events := verify(t, l)
	assert.Empty(t, r.Faults)
	assert.Len(t, events, 2, "it is there all the same")
	write(t, l, 1)
	r, events = verify(t, l)
	assert.Empty(t, r.Faults)
	assert.Len(t, events, 3)
}

// TestHeadSpoilt: while a process runs, one event is told as failed, and the log goes on; so does the next process, for which
// the head in its new place holds.
func TestHeadSpoilt(t *testing.T) {
	l, th := breakIn(t)
	th.put(th.head, []byte("junk"))
	write(t, l, 3)
	want := []audit.Fault{at(0, audit.BadHead), at(11, audit.Resumed)}
	r, events := verify(t, l)
	require.Equal(t, want, r.Faults)
	require.Len(t, events, 14)
	again, a := open(t, th.memory, audit.Config{Chains: 1})
	write(t, again, 1)
	require.Zero(t, a.count())
	r, _ = verify(t, again)
	require.Equal(t, want, r.Faults)
	require.EqualValues(t, 14, r.Heads[0].Seq)
}

// TestLongChainWithoutHead: a process finds the end of a chain in few calls, wherever the head is, and meets it.
func TestLongChainWithoutHead(t *testing.T) {
	for n := range 70 {
		memory := store.NewMemory()
		l, _ := open(t, memory, audit.Config{Chains: 1})
		write(t, l, n)
		for item, err := range memory.List(t.Context(), "audit-head.", "") {
			require.NoError(t, err)
			require.NoError(t, memory.Delete(t.Context(), item.Key, item.Version))
		}
		faults := storetest.NewFaults(memory)
		again, a := open(t, faults.Store(), audit.Config{Chains: 1})
		faults.Reset()
		write(t, again, 1)
		require.Zero(t, a.count())
		require.LessOrEqual(t, faults.Calls(storetest.Get), 2*4+2*7+3, n)
		r, events := verify(t, again)
		require.GreaterOrEqual(t, len(events), n+1)
		if n < 2 {
			require.Empty(t, r.Faults)
		} else {
			require.Equal(t, []audit.Fault{at(uint64(n), audit.Resumed)}, r.Faults)
		}
	}
}

// TestHeadNeverGoesBack holds a process up between its entry and the head, until another has gone on: the head stays where that
// one put it, or what it wrote could be cut off unseen.
func TestHeadNeverGoesBack(t *testing.T) {
	memory := store.NewMemory()
	faults := storetest.NewFaults(memory)
	slow, a := open(t, faults.Store(), audit.Config{Chains: 1})
	write(t, slow, 1)
	quick, _ := open(t, memory, audit.Config{Chains: 1})
	faults.Hook(func(method, key string) error {
		if method == storetest.Put && strings.HasPrefix(key, "audit-head.") {
			faults.Hook(nil)
			write(t, quick, 2)
		}
		return nil
	})
	write(t, slow, 1)
	assert.Zero(t, a.count())
	heads, err := store.NewKind[forgedHead](vault(t, memory), "audit-head.log")
	require.NoError(t, err)
	h, err := heads.Get(t.Context(), store.Key{ID: "0"})
	require.NoError(t, err)
	assert.EqualValues(t, 3, h.Value.Seq)
}

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
