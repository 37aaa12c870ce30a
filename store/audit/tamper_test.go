package audit_test

import (
	"context"
	"encoding/json"
	"fmt"
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
		require.LessOrEqual(t, faults.Calls(storetest.Get), 4+2*7+3, n)
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
