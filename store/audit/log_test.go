package audit_test

import (
	"context"
	"errors"
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
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/audit"
	"github.com/civicpin/civicpin/store/storetest"
)

func TestNewRefuses(t *testing.T) {
	v, failed := vault(t, store.NewMemory()), func(context.Context, civicpin.Event, error) {}
	for name, o := range map[string]audit.Options{
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
	_, err := audit.New(nil, audit.Options{Failed: failed})
	require.Error(t, err)
	for _, o := range []audit.Options{{Failed: failed, Name: strings.Repeat("x", 40), Chains: 256}, {Failed: failed}} {
		_, err := audit.New(v, o)
		require.NoError(t, err)
	}
}

// TestDefaults pins the name and the number of chains.
func TestDefaults(t *testing.T) {
	memory := store.NewMemory()
	l, _ := open(t, memory, audit.Options{})
	for i := range 100 {
		l.Record(t.Context(), civicpin.Event{Subject: civicpin.Subject(fmt.Sprint(i))})
	}
	named, _ := open(t, memory, audit.Options{Name: "log", Chains: 4})
	r, events := verify(t, named)
	assert.Len(t, r.Heads, 4)
	assert.Len(t, events, 100)
	other, _ := open(t, memory, audit.Options{Name: "2027"})
	_, events = verify(t, other)
	assert.Empty(t, events)
}

// TestRecords: what is recorded comes back, in the order of its subject, but for the device value.
func TestRecords(t *testing.T) {
	memory := store.NewMemory()
	l, a := open(t, memory, audit.Options{})
	full := civicpin.Event{
		At: noon.Add(time.Nanosecond).In(time.FixedZone("", 3600)), Code: "pin.attested", Subject: "ROSSI", By: civicpin.Operator("7"),
		Source: civicpin.Source{Address: "192.0.2.1", Device: "signed-device-value"}, Ref: "issue-1", Level: civicpin.High,
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
	full.At, full.Source.Device, full.Reason = full.At.UTC(), "", strings.ToValidUTF8(full.Reason, "\uFFFD")
	assert.Equal(t, []civicpin.Event{full, {At: noon, Code: "pin.refused", Subject: "ROSSI"}}, rossi)
	for item, err := range memory.List(t.Context(), "", "") {
		require.NoError(t, err)
		assert.NotContains(t, item.Key+string(item.Value), "ROSSI", "sealed like all else")
		assert.True(t, item.Expires.IsZero())
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
		l, a := open(t, memory, audit.Options{Chains: 3})
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
	l, _ := open(t, memory, audit.Options{Chains: 3})
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
		l, a := open(t, faults.Store(), audit.Options{Chains: 1})
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

// TestTellsOfFailure: an event that may not be there is told, with its error; the next one is recorded.
func TestTellsOfFailure(t *testing.T) {
	for _, outcome := range []storetest.Outcome{storetest.NotDone, storetest.DoneLater} {
		faults := storetest.NewFaults(store.NewMemory())
		l, a := open(t, faults.Store(), audit.Options{Chains: 1})
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
	l, a := open(t, faults.Store(), audit.Options{Chains: 1})
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
	l, a := open(t, store.NewMemory(), audit.Options{})
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
		l, a := open(t, hanging{store.NewMemory()}, audit.Options{})
		start := time.Now()
		write(t, l, 1)
		assert.Equal(t, 5*time.Second, time.Since(start))
		require.ErrorIs(t, a.told["0"], context.DeadlineExceeded)
	})
}

// hanging is a store that does not answer.
type hanging struct{ store.Store }

func (hanging) Get(ctx context.Context, _ string) (store.Record, error) {
	<-ctx.Done()
	return store.Record{}, ctx.Err()
}

// TestDies lets the process die at each store call, in two processes that take turns: what was not told as failed is there,
// the chain holds, and the next process goes on.
func TestDies(t *testing.T) {
	t.Parallel()
	for _, outcome := range []storetest.Outcome{storetest.NotDone, storetest.ReplyLost} {
		points := 0
		for k := 1; ; k++ {
			memory := store.NewMemory()
			faults := storetest.NewFaults(memory)
			l, a := open(t, faults.Store(), audit.Options{Chains: 1})
			other, _ := open(t, memory, audit.Options{Chains: 1})
			other.Record(t.Context(), civicpin.Event{Ref: "before"})
			faults.StopAt(k, outcome)
			for i := range 3 {
				l.Record(t.Context(), civicpin.Event{Ref: fmt.Sprint(i)})
				if i == 0 {
					other.Record(t.Context(), civicpin.Event{Ref: "between"})
				}
			}
			calls := faults.Calls()
			again, _ := open(t, memory, audit.Options{Chains: 1})
			again.Record(t.Context(), civicpin.Event{Ref: "after"})
			r, events := verify(t, again)
			require.Empty(t, r.Faults, "died at %d", k)
			seen := make(map[string]int)
			for _, e := range events {
				seen[e.Ref]++
			}
			for _, ref := range []string{"before", "between", "after", "0", "1", "2"} {
				if a.told[ref] == nil {
					require.Equal(t, 1, seen[ref], "%s, died at %d", ref, k)
				}
				require.LessOrEqual(t, seen[ref], 1)
			}
			if calls < k {
				break
			}
			points++
		}
		assert.Greater(t, points, 8)
	}
}

// TestHeadLost: a process that cannot move the head says so; the next event moves it.
func TestHeadLost(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	l, a := open(t, faults.Store(), audit.Options{Chains: 1})
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

// TestHeadNeverGoesBack holds a process up between its entry and the head, until another has gone on: the head stays where that one put
// it, or what it wrote could be cut off unseen.
func TestHeadNeverGoesBack(t *testing.T) {
	memory := store.NewMemory()
	faults := storetest.NewFaults(memory)
	slow, a := open(t, faults.Store(), audit.Options{Chains: 1})
	write(t, slow, 1)
	quick, _ := open(t, memory, audit.Options{Chains: 1})
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

func TestVerifyErrors(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	l, _ := open(t, faults.Store(), audit.Options{Chains: 1})
	write(t, l, 2)
	faults.Reset()
	for k := 1; ; k++ {
		faults.FailAt(k, storetest.NotDone)
		_, err := l.Verify(t.Context(), audit.Check{})
		if err == nil {
			assert.Equal(t, 6, k, "a list, the head, two entries, and the end")
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
		l, _ := open(b, store.NewMemory(), audit.Options{Chains: chains})
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
