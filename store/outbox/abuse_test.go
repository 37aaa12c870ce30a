package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// fourNotices posts four notices to an address that gets one a day: the first is sent, and the others wait together.
func fourNotices(t *testing.T) (*rig, []outbox.Ref) {
	t.Helper()
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Notice = civicpin.Rate{Limit: 1, Window: 24 * time.Hour}
	}))
	to := mail("ana@example.org")
	var refs []outbox.Ref
	for i := range 4 {
		refs = append(refs, r.posted(t, outbox.Notice, "ANA", fmt.Sprint(i), to, time.Time{}))
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(time.Second)
	}
	return r, refs
}

// Notices that go with one that becomes a dead letter are not lost with it.
func TestRetryForgetsMerged(t *testing.T) {
	r, refs := fourNotices(t)
	r.sink.then(func(context.Context, civicpin.Message) error { return fmt.Errorf("no: %w", civicpin.ErrUndeliverable) })
	r.clock.Add(2 * time.Hour)
	require.NoError(t, r.out.Flush(t.Context()))
	dead := 0
	for _, err := range r.out.DeadLetters(t.Context()) {
		require.NoError(t, err)
		dead++
	}
	for _, ref := range refs {
		t.Log(ref.ID, r.clerk.state(t, ref))
	}
	require.Equal(t, 3, dead, "three notices did not arrive")
}

// Within a subject first come, first served, also where a cron job calls Flush every two hours.
func TestOrderUnderACronJob(t *testing.T) {
	r := hourly(t, newMemory())
	to := mail("shared@example.org")
	for i := range 8 {
		r.posted(t, outbox.Typed, "A", fmt.Sprint(i), to, time.Time{})
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(time.Second)
	}
	for range 30 {
		r.clock.Add(2 * time.Hour)
		require.NoError(t, r.out.Flush(t.Context()))
	}
	require.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6", "7"}, r.sink.texts())
}

// A queue record that was spoilt does not keep notices to the address from being sent.
func TestSpoiltQueueSilencesAnAddress(t *testing.T) {
	s := newMemory()
	r := newRig(t, s, newClock(), nil)
	to := mail("ana@example.org")
	r.posted(t, outbox.Notice, "ANA", "first", to, time.Time{})
	require.NoError(t, r.out.Flush(t.Context()))
	for item, err := range s.List(t.Context(), "quota.address/", "") {
		require.NoError(t, err)
		rec := item.Record
		rec.Value[len(rec.Value)-1] ^= 1
		_, err = s.Put(t.Context(), item.Key, rec)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(item.Key, "quota.address/"))
	}
	stolen := r.posted(t, outbox.Notice, "ANA", "stolen", to, time.Time{})
	before := len(r.log.All())
	for range 7 * 24 * 4 {
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(15 * time.Minute)
	}
	dead := 0
	for range r.out.DeadLetters(t.Context()) {
		dead++
	}
	t.Log("after a week: ", r.clerk.state(t, stolen), ", dead letters ", dead, ", events ", len(r.log.All())-before)
	require.True(t, r.clerk.state(t, stolen) == "accepted" || dead > 0 || len(r.log.All()) > before)
}

// Notices are told of though the dispatchers were down for a day while they waited.
func TestMergedNoticesLostByAnOutage(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Notice.Limit, l.Notice.Window = 1, 24*time.Hour
	}))
	to := mail("ana@example.org")
	for i := range 4 {
		r.posted(t, outbox.Notice, "ANA", string(rune('0'+i)), to, time.Time{})
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(time.Second)
	}
	r.clock.Add(26 * time.Hour)
	require.NoError(t, r.out.Flush(t.Context()))
	r.hours(t, 3)
	told := len(r.sink.messages())
	for _, m := range r.sink.messages() {
		n, _ := strconv.Atoi(m.Params["more"])
		told += n
	}
	require.Equal(t, 4, told)
}

// Three thousand typed messages to as many mailboxes wait for a slow gateway, more than a Run keeps in memory: a notice goes
// before them.
func TestNoticeBehindTypedFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inBubble(t, nil)
		r.out.Shrink(100, 1000)
		r.sink.then(func(context.Context, civicpin.Message) error { time.Sleep(200 * time.Millisecond); return nil })
		r.run(t)
		for i := range 3000 {
			r.posted(t, outbox.Typed, fmt.Sprint("MADE UP ", i), "x", mail(fmt.Sprintf("a%d@example.org", i)), time.Time{})
		}
		time.Sleep(time.Second)
		began := time.Now()
		n := r.posted(t, outbox.Notice, "ANA", "stolen", mail("ana@example.org"), time.Time{})
		for r.clerk.state(t, n) != "accepted" && time.Since(began) < time.Hour {
			time.Sleep(time.Second)
		}
		require.LessOrEqual(t, time.Since(began), time.Minute)
	})
}

// A notice that goes for others says so, also if the gateway refuses the first try.
func TestMergedNoticesLostByARetry(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Notice = civicpin.Rate{Limit: 1, Window: 24 * time.Hour}
	}))
	to := mail("ana@example.org")
	for i := range 4 {
		r.posted(t, outbox.Notice, "ANA", fmt.Sprint(i), to, time.Time{})
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(time.Second)
	}
	once := true
	r.sink.then(func(_ context.Context, m civicpin.Message) error {
		if once {
			once = false
			return errors.New("gateway is down for a moment")
		}
		return nil
	})
	for range 12 {
		r.clock.Add(10 * time.Minute)
		require.NoError(t, r.out.Flush(t.Context()))
	}
	got := r.sink.messages()
	for _, m := range got {
		t.Log(m.Secret.Reveal(), m.Params)
	}
	require.Equal(t, "2", got[len(got)-1].Params["more"], "the two merged ones were settled as accepted")
}

// The notices that merged into one that cannot be sent were told accepted, and only one dead letter is left.
func TestMergedNoticesDieWithTheirLeader(t *testing.T) {
	r, refs := fourNotices(t)
	// The owner withdraws the one that the others wait with.
	require.NoError(t, r.clerk.write(t.Context(), refs[1], letter{State: "replaced"}))
	for range 12 {
		r.clock.Add(10 * time.Minute)
		require.NoError(t, r.out.Flush(t.Context()))
	}
	require.Len(t, r.sink.messages(), 2, "2 and 3 are %s and %s, and nobody was told", r.clerk.state(t, refs[2]), r.clerk.state(t, refs[3]))
}

// A program that sends by Flush from a cron job has the cap, too.
func TestNoCapWithFlush(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Typed = civicpin.Rate{Limit: 1, Window: 24 * time.Hour}
	}))
	r.out.SetMaxTyped(50)
	var err error
	for i := 0; i < 200 && err == nil; i++ {
		ref := r.clerk.ref(fmt.Sprint("S", i), "x")
		err = r.clerk.post(t.Context(), r.out, ref, letter{Text: "x", To: mail(fmt.Sprintf("a%d@example.org", i/20))})
		if err == nil {
			require.NoError(t, r.out.Flush(t.Context()))
		}
	}
	var b outbox.Backlog
	r.recount(t, &b)
	require.ErrorIs(t, err, outbox.ErrBusy, "wait: %d", b.ByClass[outbox.Typed].Held)
}

// smallRig has room for 50 typed messages.
func smallRig(t *testing.T, s store.Store, clock *testkit.Clock) *rig {
	r := newRig(t, s, clock, nil)
	r.out.SetMaxTyped(50)
	return r
}

// fill posts as many typed messages as there is room for.
func (r *rig) fill(t *testing.T) {
	t.Helper()
	for i := range 50 {
		r.posted(t, outbox.Typed, fmt.Sprint("S", i), "x", mail(fmt.Sprintf("a%d@example.org", i)), time.Time{})
	}
}

// noteLoad runs, while nothing can be sent, until it has written down how many messages wait.
func (r *rig) noteLoad(t *testing.T) {
	t.Helper()
	r.sink.then(func(context.Context, civicpin.Message) error { return errors.New("not now") })
	stop := r.run(t)
	require.Eventually(t, func() bool { return r.count(t, "quota.load") == 1 }, 5*time.Second, time.Millisecond)
	stop()
}

// refused returns how many of 200 messages there is no room for.
func (r *rig) refused(t *testing.T) (n int) {
	t.Helper()
	for i := range 200 {
		err := r.clerk.post(t.Context(), r.out, r.clerk.ref(fmt.Sprint("T", i), "x"),
			letter{Text: "x", To: mail(fmt.Sprintf("b%d@example.org", i))})
		if errors.Is(err, outbox.ErrBusy) {
			n++
		}
	}
	return n
}

// That too many messages waited is forgotten once they do not, whichever dispatcher wrote it.
func TestLoadGoesStale(t *testing.T) {
	s, clock := newMemory(), newClock()
	r := smallRig(t, s, clock)
	r.fill(t)
	r.noteLoad(t)
	// The gateway is up again; the dispatcher of the next deployment finds it all sent by a cron job, or by Flush at start.
	next := smallRig(t, s, clock)
	clock.Add(time.Minute)
	require.NoError(t, next.out.Flush(t.Context()))
	var b outbox.Backlog
	next.recount(t, &b)
	require.Zero(t, b.Due+b.Held+b.Later)
	next.run(t)
	time.Sleep(300 * time.Millisecond) // several rounds of the new dispatcher
	clock.Add(100 * time.Minute)
	require.Zero(t, smallRig(t, s, clock).refused(t), "nothing waits")
}

// The number of a dispatcher whose clock was ahead is not believed until that day.
func TestLoadOfAWrongClock(t *testing.T) {
	s, clock := newMemory(), newClock()
	ahead := testkit.NewClock(clock.Now().Add(5 * 365 * 24 * time.Hour))
	r := smallRig(t, s, clock)
	r.fill(t)
	smallRig(t, s, ahead).noteLoad(t)
	clock.Add(24 * time.Hour)
	require.NoError(t, r.out.Flush(t.Context()))
	clock.Add(30 * 24 * time.Hour)
	require.Zero(t, smallRig(t, s, clock).refused(t), "a month later nothing waits")
}

// The fifth is of the life of the message, not of what was left when it asked its country.
func TestLifeBeginsAnewAtTheCountry(t *testing.T) {
	r := onMemoryWith(t, limited(func(l *outbox.Limits) {
		l.Home = civicpin.Rate{Limit: 1, Window: 30 * time.Minute}
	}))
	r.posted(t, outbox.Typed, "A", "first", sms("+593990000001"), time.Time{})
	require.NoError(t, r.out.Flush(t.Context()))
	ends := r.clock.Now().Add(33 * time.Minute) // its turn comes after 30, 9 percent before its end
	r.posted(t, outbox.Typed, "B", "late", sms("+593990000002"), ends)
	r.clock.Add(20 * time.Minute)
	for range 30 {
		require.NoError(t, r.out.Flush(t.Context()))
		r.clock.Add(30 * time.Second)
	}
	require.Equal(t, []string{"first"}, r.sink.texts())
}

// trace notes each call to a store, with the length of what is written.
type trace struct {
	*store.Memory
	mu    sync.Mutex
	calls []string
}

func (s *trace) note(method, key string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, _, _ := strings.Cut(key, "/")
	if kind == "test.clerk" {
		return // the owner's own
	}
	s.calls = append(s.calls, method+" "+kind+" "+strings.Repeat("#", n))
}

func (s *trace) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.calls
	s.calls = nil
	return out
}

func (s *trace) Get(ctx context.Context, key string) (store.Record, error) {
	s.note("get", key, 0)
	return s.Memory.Get(ctx, key)
}

func (s *trace) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	s.note("put", key, len(r.Value))
	return s.Memory.Put(ctx, key, r)
}

func (s *trace) Delete(ctx context.Context, key string, v store.Version) error {
	s.note("delete", key, 0)
	return s.Memory.Delete(ctx, key, v)
}

func (s *trace) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	s.note("list", prefix, 0)
	return s.Memory.List(ctx, prefix, after)
}

// A stranger's request makes the same calls, and entries of the same length, as a citizen's, when it is made and when it is
// dispatched; nothing is sent, and no event names the stranger.
func TestADecoyIsTheSameWork(t *testing.T) {
	s := &trace{Memory: newMemory()}
	r := newRig(t, s, newClock(), nil)
	citizen, stranger := r.clerk.ref("AAAA", "1234"), r.clerk.ref("BBBB", "1234")
	require.NoError(t, r.out.Flush(t.Context())) // the first looks how much waits
	s.take()                                     // that, and the vault's own

	require.NoError(t, r.out.Add(t.Context(), citizen))
	add := s.take()
	require.NoError(t, r.clerk.write(t.Context(), citizen, letter{State: "wanted", Text: "x", To: mail("a@example.org")}))
	require.NoError(t, r.out.Commit(t.Context(), citizen))
	commit := s.take()
	require.NoError(t, r.out.Flush(t.Context()))
	flush := s.take()
	require.Len(t, r.sink.messages(), 1)
	require.Len(t, slices.DeleteFunc(slices.Clone(flush), func(c string) bool { return !strings.HasPrefix(c, "put") }), 2)

	require.NoError(t, r.out.AddDecoy(t.Context(), stranger))
	require.Equal(t, add, s.take())
	require.NoError(t, r.out.Commit(t.Context(), stranger))
	require.Equal(t, commit, s.take())
	before := len(r.log.All())
	require.NoError(t, r.out.Flush(t.Context()))
	require.Equal(t, flush, s.take())
	require.Len(t, r.log.All(), before)

	r.clock.Add(time.Hour)
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.sink.messages(), 1)
	require.Zero(t, r.count(t, "outbox.entry"))
}

func TestADecoyNeverTakesThePlaceOfATrueEntry(t *testing.T) {
	r := onMemory(t)
	ref := r.clerk.ref("A", "1")
	l := letter{State: "wanted", Text: "x", To: mail("a@example.org")}
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, l))
	require.NoError(t, r.out.AddDecoy(t.Context(), ref))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.sink.messages(), 1)

	// And a true entry takes the place of a decoy.
	ref = r.clerk.ref("A", "2")
	require.NoError(t, r.out.AddDecoy(t.Context(), ref))
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, l))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Len(t, r.sink.messages(), 2)
}

// Even if the record wants something sent under that name, a decoy sends nothing.
func TestADecoyIsNotSentEvenIfConfirmed(t *testing.T) {
	r := onMemory(t)
	ref := r.clerk.ref("A", "1")
	require.NoError(t, r.clerk.write(t.Context(), ref, letter{State: "wanted", Text: "x", To: mail("a@example.org")}))
	require.NoError(t, r.out.AddDecoy(t.Context(), ref))
	require.NoError(t, r.out.Flush(t.Context()))
	require.Empty(t, r.sink.messages())
	require.Zero(t, r.count(t, "outbox.entry"))
	require.Equal(t, "wanted", r.clerk.state(t, ref))
}
