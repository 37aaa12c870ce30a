package audit_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/audit"
	"github.com/civicpin/civicpin/store/storetest"
)

// pages reads all pages of a query. Before each but the first, between is called.
func pages(
	t require.TestingT, ctx context.Context, l *audit.Log, q audit.Query, between func(),
) (refs []string, faults []audit.Fault) {
	for {
		p, err := l.Read(ctx, q)
		require.NoError(t, err)
		for _, e := range p.Events {
			require.Equal(t, q.Subject, e.Subject)
			refs = append(refs, e.Ref)
		}
		faults = append(faults, p.Faults...)
		if p.Next == nil {
			return refs, faults
		}
		q.From = p.Next
		between()
	}
}

// TestRead: whatever the sizes of the pages, all events of a subject come, in their order, once, and none of another's. What is
// recorded meanwhile comes with the oldest first.
func TestRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		memory := store.NewMemory()
		chains := rapid.IntRange(1, 3).Draw(rt, "chains")
		processes := make([]*audit.Log, 2)
		for i := range processes {
			processes[i], _ = open(t, memory, audit.Config{Chains: chains})
		}
		var want, back []string // the refs of the subject, oldest and newest first
		record := func() {
			subject := rapid.SampledFrom([]civicpin.Subject{"ROSSI", "BIANCHI", "VERDI", ""}).Draw(rt, "subject")
			ref := fmt.Sprint(subject, len(want))
			if subject == "ROSSI" {
				want, back = append(want, ref), append([]string{ref}, back...)
			}
			rapid.SampledFrom(processes).Draw(rt, "process").Record(t.Context(), civicpin.Event{Subject: subject, Ref: ref})
		}
		for range rapid.IntRange(0, 20).Draw(rt, "before") {
			record()
		}
		q := audit.Query{
			Subject: "ROSSI", Events: rapid.IntRange(0, 3).Draw(rt, "events"), Entries: rapid.IntRange(0, 4).Draw(rt, "entries"),
		}
		before := back
		refs, faults := pages(rt, t.Context(), processes[0], q, record)
		require.Empty(rt, faults)
		require.Equal(rt, fmt.Sprint(before), fmt.Sprint(refs))
		q.OldestFirst = true
		most := 10
		refs, faults = pages(rt, t.Context(), processes[1], q, func() {
			if most--; most > 0 {
				record()
			}
		})
		require.Empty(rt, faults)
		require.Equal(rt, fmt.Sprint(want), fmt.Sprint(refs))
	})
}

// TestReadCosts: a page reads the entries that it says, and what finds the end of the chain.
func TestReadCosts(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	l, _ := open(t, faults.Store(), audit.Config{Chains: 1})
	write(t, l, 40)
	for _, c := range []struct{ events, entries, gets, got int }{{0, 5, 5, 5}, {3, 0, 3, 3}, {0, 0, 40, 40}} {
		faults.Reset()
		p, err := l.Read(t.Context(), audit.Query{Subject: "ROSSI", Events: c.events, Entries: c.entries})
		require.NoError(t, err)
		require.Len(t, p.Events, c.got)
		require.Equal(t, "39", p.Events[0].Ref)
		require.Equal(t, c.gets+4+1, faults.Calls(storetest.Get), "the head's places, and what is behind it")
		require.Zero(t, faults.Calls(storetest.Put, storetest.Delete, storetest.List))
	}
}

// TestReadSpoilt: entries that are gone or altered are told, and hide no other; the head is not believed alone.
func TestReadSpoilt(t *testing.T) {
	memory := store.NewMemory()
	l, _ := open(t, memory, audit.Config{Chains: 1})
	entries, err := store.NewKind[forged](vault(t, memory), "audit.log")
	require.NoError(t, err)
	write(t, l, 6)
	for seq, spoil := range map[int]func(e *store.Entry[forged]){
		2: func(e *store.Entry[forged]) { e.Drop = true },
		3: func(e *store.Entry[forged]) { e.Value.Events = []byte(`[{"code":"forged","subject":"ROSSI"}]`) },
	} {
		_, err := entries.Update(t.Context(), store.Key{ID: fmt.Sprint("0/", seq)}, func(e *store.Entry[forged]) error {
			spoil(e)
			return nil
		})
		require.NoError(t, err)
	}
	refs, faults := pages(t, t.Context(), l, audit.Query{Subject: "ROSSI", OldestFirst: true}, nil)
	require.Equal(t, []string{"0", "1", "4", "5"}, refs)
	require.Equal(t, []audit.Fault{at(2, audit.Removed), at(3, audit.Changed)}, faults)
}

// TestReadWithoutHead: on each page a reader is told that no head says how far the chain went; and afterwards, once, by the entry
// of the next writer. One entry may be there before its head is.
func TestReadWithoutHead(t *testing.T) {
	for n := range 5 {
		memory := store.NewMemory()
		l, _ := open(t, memory, audit.Config{Chains: 1})
		heads, err := store.NewKind[forgedHead](vault(t, memory), "audit-head.log")
		require.NoError(t, err)
		write(t, l, n)
		_, err = heads.Update(t.Context(), store.Key{ID: "0"}, func(e *store.Entry[forgedHead]) error {
			e.Drop = true
			return nil
		})
		require.NoError(t, err)
		q, want := audit.Query{Subject: "ROSSI", OldestFirst: true, Entries: 2}, []audit.Fault(nil)
		for range (n + 1) / 2 {
			if n > 1 {
				want = append(want, at(0, audit.BadHead))
			}
		}
		refs, faults := pages(t, t.Context(), l, q, func() {})
		require.Len(t, refs, n)
		require.Equal(t, want, faults, n)

		again, _ := open(t, memory, audit.Config{Chains: 1})
		write(t, again, 1)
		_, faults = pages(t, t.Context(), l, q, func() {})
		if n > 1 {
			want = []audit.Fault{at(uint64(n), audit.Resumed)}
		}
		require.Equal(t, want, faults, n)
	}
}

// TestReadSpoiltHead: a head that does not open is told, as Verify does, and where the next writer went on.
func TestReadSpoiltHead(t *testing.T) {
	l, th := breakIn(t)
	th.put(th.head, []byte("junk"))
	q := audit.Query{Subject: "ROSSI"}
	_, faults := pages(t, t.Context(), l, q, nil)
	require.Equal(t, []audit.Fault{at(0, audit.BadHead)}, faults)
	write(t, l, 3)
	r, _ := verify(t, l)
	_, faults = pages(t, t.Context(), l, q, nil)
	require.Equal(t, r.Faults, faults)
}

func TestReadErrors(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	l, _ := open(t, faults.Store(), audit.Config{Chains: 1})
	write(t, l, 1)
	for name, q := range map[string]audit.Query{
		"no subject":       {},
		"negative events":  {Subject: "ROSSI", Events: -1},
		"many events":      {Subject: "ROSSI", Events: 10_001},
		"negative entries": {Subject: "ROSSI", Entries: -1},
		"many entries":     {Subject: "ROSSI", Entries: 1_000_001},
	} {
		_, err := l.Read(t.Context(), q)
		require.ErrorIs(t, err, civicpin.ErrInvalid, name)
	}
	for k := range 6 {
		faults.Reset()
		faults.FailAt(k+1, storetest.NotDone)
		_, err := l.Read(t.Context(), audit.Query{Subject: "ROSSI"})
		require.ErrorIs(t, err, storetest.ErrInjected)
	}
	for _, from := range []uint64{1, 2, 1 << 63} {
		p, err := l.Read(t.Context(), audit.Query{Subject: "ROSSI", From: &from, OldestFirst: true})
		require.NoError(t, err)
		require.Equal(t, audit.Page{}, p)
	}
}

// keeper keeps heads elsewhere.
type keeper struct {
	now   time.Time
	heads []audit.Head
	err   error
}

func (k *keeper) keep(_ context.Context, h audit.Head) error {
	k.heads = append(k.heads, h)
	return k.err
}

func (k *keeper) log(t *testing.T, s store.Store, every time.Duration) (*audit.Log, *alarm) {
	t.Helper()
	k.now = noon
	v, err := store.OpenVault(t.Context(), s, keys(t, "k1"), &store.Options{Now: func() time.Time { return k.now }})
	require.NoError(t, err)
	a := &alarm{}
	l, err := audit.New(v, audit.Config{Failed: a.failed, Chains: 1, Keep: k.keep, KeepEvery: every})
	require.NoError(t, err)
	return l, a
}

// TestKeep: a head is handed over behind the first entry, and then when one is due; a clock that was put back holds up none.
func TestKeep(t *testing.T) {
	for every, is := range map[time.Duration]time.Duration{0: time.Minute, time.Minute: time.Minute, time.Hour: time.Hour} {
		var k keeper
		l, _ := k.log(t, store.NewMemory(), every)
		for _, step := range []time.Duration{0, is - 1, 1, 0, time.Second, -time.Minute} {
			k.now = k.now.Add(step)
			write(t, l, 1)
		}
		var seqs []uint64
		for _, h := range k.heads {
			seqs = append(seqs, h.Seq)
		}
		require.Equal(t, []uint64{0, 2, 5}, seqs)
		r, _ := verify(t, l, k.heads...)
		require.Empty(t, r.Faults)
		require.Equal(t, r.Heads[0], k.heads[2], "what a verification returns")
	}
}

// TestKeepFails: the event is recorded, and told of; the place that is down is asked again only when a head is due.
func TestKeepFails(t *testing.T) {
	k := keeper{err: storetest.ErrInjected}
	l, a := k.log(t, store.NewMemory(), 0)
	write(t, l, 3)
	require.ErrorIs(t, a.told["0"], k.err)
	require.Equal(t, 1, a.count())
	require.Len(t, k.heads, 1)
	_, events := verify(t, l)
	require.Len(t, events, 3)
}

// TestInvisible: a chain that is deleted with its head, or all of it but the first entry, shows only against heads that were
// kept elsewhere.
func TestInvisible(t *testing.T) {
	for _, left := range []int{0, 1} {
		memory := store.NewMemory()
		var k keeper
		l, _ := k.log(t, memory, time.Nanosecond)
		write(t, l, 1)
		k.now = k.now.Add(time.Minute)
		first, err := store.NewKind[forged](vault(t, memory), "audit.log")
		require.NoError(t, err)
		kept, err := first.Get(t.Context(), store.Key{ID: "0/0"})
		require.NoError(t, err)
		write(t, l, 4)
		for _, prefix := range []string{"audit-head.", "audit."} {
			for item, err := range memory.List(t.Context(), prefix, "") {
				require.NoError(t, err)
				require.NoError(t, memory.Delete(t.Context(), item.Key, item.Version))
			}
		}
		if left == 1 {
			again := store.Entry[forged]{Key: kept.Key, Value: kept.Value}
			require.NoError(t, first.Put(t.Context(), &again))
		}
		r, _ := verify(t, l)
		require.Empty(t, r.Faults)
		require.Equal(t, left, r.Entries)
		r, _ = verify(t, l, k.heads...)
		require.Equal(t, []audit.Fault{at(uint64(left), audit.Truncated)}, r.Faults)
	}
}
