package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
)

// listings is a store whose listings do what the test says before they show an item, the n-th behind a place, counted from
// zero.
type listings struct {
	*store.Memory
	mu   sync.Mutex
	do   func(ctx context.Context, key string, n int) error
	made []int // how many items each listing has shown
}

func (s *listings) then(do func(ctx context.Context, key string, n int) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.do = do
}

func (s *listings) shown() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.made)
}

func newListings() *listings { return &listings{Memory: newMemory()} }

func (s *listings) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		n := 0
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.made = append(s.made, n)
		}()
		for item, err := range s.Memory.List(ctx, prefix, after) {
			s.mu.Lock()
			do := s.do
			s.mu.Unlock()
			if err == nil && do != nil {
				err = do(ctx, item.Key, n)
			}
			if err != nil {
				yield(store.Item{}, err)
				return
			}
			n++
			if !yield(item, nil) {
				return
			}
		}
	}
}

// keys returns the places of what waits.
func (s *listings) keys(t require.TestingT) (keys []string) {
	for item, err := range s.Memory.List(context.Background(), "outbox.entry/", "") {
		require.NoError(t, err)
		keys = append(keys, item.Key)
	}
	return keys
}

// placed returns refs in the order of their places in a listing.
func placed(t require.TestingT, n int) (refs []outbox.Ref) {
	scratch := newListings()
	r := newRig(t, scratch, newClock(), nil)
	at := make(map[string]outbox.Ref)
	for i := range n {
		ref := r.clerk.ref("A", fmt.Sprint("placed-", i))
		require.NoError(t, r.out.Add(context.Background(), ref))
		key := scratch.keys(t)[0]
		at[key] = ref
		e, err := scratch.Get(context.Background(), key)
		require.NoError(t, err)
		require.NoError(t, scratch.Delete(context.Background(), key, e.Version))
	}
	for _, key := range slices.Sorted(maps.Keys(at)) {
		refs = append(refs, at[key])
	}
	return refs
}

// elsewhere queues a message in another process, so that it has to be found by a listing. It is due after d.
func elsewhere(t require.TestingT, s store.Store, ref outbox.Ref, d time.Duration) {
	c := testkit.NewClock(time.Now().Add(d))
	other := newRig(t, s, c, nil)
	require.NoError(t, other.clerk.post(context.Background(), other.out, ref, letter{Text: ref.ID, To: mail(ref.ID + "@example.org")}))
}

// Of ten thousand messages each listing looks at a few, and each message is sent once.
func TestManyMessagesInBoundedListings(t *testing.T) {
	for name, c := range map[string]struct {
		n, bound int
		dispatch func(*testing.T, *rig)
	}{
		"run": {10_000, 300, func(t *testing.T, r *rig) {
			stop := r.run(t)
			time.Sleep(time.Minute)
			stop()
		}},
		"flush": {2_000, 100, func(t *testing.T, r *rig) { require.NoError(t, r.out.Flush(t.Context())) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newListings()
				r := newRig(t, s, nil, &outbox.Options{Poll: time.Hour})
				r.out.Shrink(c.n, c.bound)
				o := &crowd{left: make(map[string]bool)}
				require.NoError(t, r.out.Register("crowd", o))
				for i := range c.n {
					ref := outbox.Ref{Owner: "crowd", Subject: "A", ID: fmt.Sprint("+39333", 10000000+i)}
					o.left[ref.ID] = true
					require.NoError(t, r.out.Add(t.Context(), ref))
				}
				c.dispatch(t, r)
				require.Zero(t, o.waiting())
				require.Len(t, r.sink.messages(), c.n)
				require.GreaterOrEqual(t, len(s.shown()), c.n/c.bound)
				require.LessOrEqual(t, slices.Max(s.shown()), c.bound+1, "one more shows that there is more")
			})
		})
	}
}

// What is due behind thousands of messages that are not is found within a round, and when the earliest of all of them is due,
// wherever it lies, there is a round, however long Poll is.
func TestDueBehindThousandsThatAreNot(t *testing.T) {
	refs := placed(t, 2001)
	for name, early := range map[string]int{"first": 0, "middle": 1000, "last": 2000} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newMemory()
				r := newRig(t, s, nil, &outbox.Options{Poll: time.Hour})
				r.out.Shrink(100, 20)
				late := newRig(t, s, testkit.NewClock(time.Now().Add(50*time.Minute)), nil)
				require.NoError(t, late.out.Add(t.Context(), slices.Delete(slices.Clone(refs), early, early+1)...))
				elsewhere(t, s, refs[early], 20*time.Minute)
				began := time.Now()
				r.run(t)
				// A hundred listings, ten milliseconds apart.
				time.Sleep(20*time.Minute - time.Second)
				require.Empty(t, r.sink.messages())
				time.Sleep(3 * time.Second)
				require.Equal(t, []string{refs[early].ID}, r.sink.texts())
				require.LessOrEqual(t, r.sink.times()[0].Sub(began), 20*time.Minute+2*time.Second)
			})
		})
	}
}

// Messages come while a round is under way: what lies before it is found in it, what lies behind it in the next, each once.
func TestMessagesThatComeDuringARound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newListings()
		r := newRig(t, s, nil, nil)
		r.out.Shrink(100, 10)
		refs := placed(t, 100)
		for _, ref := range refs[10:90] {
			elsewhere(t, s, ref, 0)
		}
		listed := 0
		s.then(func(_ context.Context, _ string, n int) error {
			if n == 3 {
				if listed++; listed == 4 {
					for _, ref := range append(refs[:10:10], refs[90:]...) {
						elsewhere(t, s.Memory, ref, 0)
					}
				}
			}
			return nil
		})
		began := time.Now()
		r.run(t)
		time.Sleep(time.Second)
		require.Len(t, r.sink.messages(), 90)
		require.Subset(t, r.sink.texts(), []string{refs[90].ID, refs[99].ID})
		time.Sleep(6 * time.Second)
		require.Len(t, r.sink.messages(), 100)
		require.LessOrEqual(t, r.sink.times()[99].Sub(began), 6*time.Second)
		time.Sleep(time.Hour)
		require.Len(t, r.sink.messages(), 100)
	})
}

// Under a load that takes every sender, and fills each room that a lane has with new messages, the longest due still goes
// first, wherever it lies; also if it was left in the store before because what was in the lane was due for longer.
func TestNoMessageStarves(t *testing.T) {
	for name, c := range map[string]struct {
		due  time.Duration
		most int
	}{
		"the longest due":  {-time.Minute, 10}, // a poll, and what is under way
		"behind a backlog": {0, 45},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newMemory()
				r := newRig(t, s, nil, &outbox.Options{Workers: 1})
				r.out.Shrink(10, 5)
				r.sink.then(func(context.Context, civicpin.Message) error { time.Sleep(time.Second); return nil })
				r.run(t)
				post := func(id string) {
					to := mail(id + "@example.org")
					require.NoError(t, r.clerk.post(t.Context(), r.out, r.clerk.ref("B", id), letter{Text: "new", To: to}))
				}
				time.Sleep(time.Second)
				for i := range 30 {
					post(fmt.Sprint("b", i))
				}
				time.Sleep(time.Second)
				refs := placed(t, 50)
				last := refs[len(refs)-1]
				elsewhere(t, s, last, c.due)
				time.Sleep(6 * time.Second) // it is found
				for i := range 90 {
					time.Sleep(time.Second)
					post(fmt.Sprint("c", i))
				}
				at := slices.Index(r.sink.texts(), last.ID)
				require.GreaterOrEqual(t, at, 0, "never sent")
				require.LessOrEqual(t, at, c.most)
			})
		})
	}
}

// What had to leave its lane for another comes back when there is room, without a poll.
func TestWhatGaveWayComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemory()
		r := newRig(t, s, nil, &outbox.Options{Workers: 1, Poll: time.Hour})
		r.out.Shrink(2, 2)
		r.sink.then(func(context.Context, civicpin.Message) error { time.Sleep(time.Second); return nil })
		refs := placed(t, 4)
		for i, due := range []time.Duration{-2 * time.Second, -time.Second, -time.Minute, -time.Minute} {
			elsewhere(t, s, refs[i], due)
		}
		r.run(t)
		time.Sleep(10 * time.Second)
		sent := r.sink.texts()
		require.Len(t, sent, 4)
		require.Equal(t, []string{refs[0].ID, refs[1].ID}, []string{sent[0], sent[3]})
	})
}

// On a store that cannot list, too, each listing looks at a few.
func TestBoundedListingsOnAStoreThatCannotList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, only{newMemory()}, nil, nil)
		r.out.Shrink(100, 7)
		post := func(from, to int) {
			for i := from; i < to; i++ {
				require.NoError(t, r.clerk.post(t.Context(), r.out, r.clerk.ref("A", fmt.Sprint(i)),
					letter{Text: fmt.Sprint(i), To: mail(fmt.Sprintf("a%d@example.org", i))}))
			}
		}
		post(0, 50)
		require.NoError(t, r.out.Flush(t.Context()))
		require.Len(t, r.sink.messages(), 50)
		for len(r.out.Fresh()) > 0 {
			<-r.out.Fresh()
		}
		post(50, 100)
		for len(r.out.Fresh()) > 0 {
			<-r.out.Fresh()
		}
		r.run(t)
		time.Sleep(time.Second)
		require.Len(t, r.sink.messages(), 100)
		time.Sleep(time.Minute)
		require.Zero(t, r.out.Own())
	})
}

// toA is a letter that waits to be sent.
var toA = letter{Text: "x", To: mail("a@example.org")}

// After a fault there is another process, and much time.
func afterwards(t *testing.T, s store.Store, opts *outbox.Options) *rig {
	r := newRig(t, s, nil, opts)
	for range 30 {
		require.NoError(t, r.out.Flush(t.Context()))
		time.Sleep(2 * time.Hour)
	}
	return r
}

// Queueing fails at each of its store calls in each way, once or for good. What was acknowledged is sent exactly once; what
// was not is sent at most once, and only if its record was written.
func TestFaultsWhileQueueing(t *testing.T) {
	testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) {
		r := newRig(t, c.Store(), nil, nil)
		ref := r.clerk.ref("A", "1")
		err := c.During(t, func() error { return r.clerk.post(t.Context(), r.out, ref, toA) })
		after := afterwards(t, c.Memory, nil)
		sent := len(after.sink.messages())
		switch {
		case err == nil:
			require.Equal(t, 1, sent)
		case after.clerk.state(t, ref) != "":
			require.LessOrEqual(t, sent, 1)
		default:
			require.Zero(t, sent)
		}
		require.Zero(t, after.count(t, "outbox.entry"))
	})
}

// Dispatching fails at each of its store calls in each way. The message is sent once, and twice at most where the process
// "died" between the notifier and the mark; its end is known to its owner in every case.
func TestFaultsWhileDispatching(t *testing.T) {
	for kind, answer := range map[string]func(context.Context, civicpin.Message) error{
		"sent":   nil,
		"failed": func(context.Context, civicpin.Message) error { return errors.New("not now") },
		"dead":   func(context.Context, civicpin.Message) error { return civicpin.ErrUndeliverable },
	} {
		t.Run(kind, func(t *testing.T) {
			testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) { dispatch(t, c, kind, answer) })
		})
	}
}

// dispatch is a dispatch of one message, of a kind by what the notifier answers.
func dispatch(t *testing.T, c *testkit.Crash, kind string, answer func(context.Context, civicpin.Message) error) {
	r := newRig(t, c.Store(), nil, nil)
	ref := r.clerk.ref("A", "1")
	require.NoError(t, r.clerk.post(t.Context(), r.out, ref, toA))
	r.sink.then(answer)
	_ = c.During(t, func() error { return r.out.Flush(t.Context()) })
	first := len(r.sink.messages())
	if !c.Stop { // the same process goes on
		_ = r.out.Flush(t.Context())
		time.Sleep(2 * time.Minute)
		_ = r.out.Flush(t.Context())
	}
	after := afterwards(t, c.Memory, nil)
	all := len(r.sink.messages()) + len(after.sink.messages())
	state := after.clerk.state(t, ref)
	require.Zero(t, after.count(t, "outbox.entry"))
	switch kind {
	case "sent":
		most := 1
		if c.Stop && first == 1 {
			most = 2
		}
		require.LessOrEqual(t, all, most)
		require.GreaterOrEqual(t, all, 1)
		require.Equal(t, "accepted", state)
		if !c.Stop && c.Outcome != storetest.DoneLater {
			require.Zero(t, r.out.Remembered())
		}
	case "failed":
		require.Contains(t, []string{"accepted", "failed"}, state)
		require.Equal(t, state == "accepted", len(after.log.Of("outbox.sent")) == 1)
		require.LessOrEqual(t, len(after.log.Of("outbox.sent")), 1)
	case "dead":
		require.NotEqual(t, "wanted", state)
		if state == "failed" {
			require.Len(t, letters(t, after.out), 1)
		}
	}
}

// The store goes away for longer than a claim lasts, just when the provider took the message. The process remembers.
func TestTheStoreIsAwayAfterTheSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFaults(newMemory())
		r := newRig(t, f.Store(), nil, nil)
		r.sink.then(func(context.Context, civicpin.Message) error {
			f.Hook(func(string, string) error { return errors.New("away") })
			return nil
		})
		ref := r.clerk.ref("A", "1")
		require.NoError(t, r.clerk.post(t.Context(), r.out, ref, toA))
		r.run(t)
		time.Sleep(time.Hour)
		f.Hook(nil)
		time.Sleep(time.Hour)
		require.Len(t, r.sink.messages(), 1)
		require.Equal(t, "accepted", r.clerk.state(t, ref))
		require.Equal(t, 0, r.count(t, "outbox.entry"))
		require.Zero(t, r.out.Remembered())
	})
}

// Retry fails at each of its store calls: the dead letter is not lost, one way or the other.
func TestFaultsWhileRetrying(t *testing.T) {
	testkit.CrashPoints(t, testkit.Crashes{}, func(t *testing.T, c *testkit.Crash) {
		r := newRig(t, c.Store(), nil, nil)
		r.sink.then(func(context.Context, civicpin.Message) error { return civicpin.ErrUndeliverable })
		ref := r.clerk.ref("A", "1")
		require.NoError(t, r.clerk.post(t.Context(), r.out, ref, toA))
		require.NoError(t, r.out.Flush(t.Context()))
		err := c.During(t, func() error { return r.out.Retry(t.Context(), ref) })
		if err != nil {
			if err := r.out.Retry(t.Context(), ref); err != nil {
				require.ErrorIs(t, err, outbox.ErrNoDeadLetter)
			}
		}
		after := afterwards(t, c.Memory, nil)
		require.Len(t, after.sink.messages(), 1)
		require.Equal(t, "accepted", after.clerk.state(t, ref))
		require.Empty(t, letters(t, after.out))
	})
}

// A listing that hangs holds up nothing that is committed here; and once the store answers again, what is due is sent after
// Options.Timeout and five seconds at the latest.
func TestAListingThatHangs(t *testing.T) {
	for name, shows := range map[string]int{"at once": 0, "in the middle": 7} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newListings()
				r := newRig(t, s, nil, &outbox.Options{Poll: time.Hour})
				refs := placed(t, 20)
				for _, ref := range refs {
					elsewhere(t, s, ref, 0)
				}
				s.then(func(ctx context.Context, _ string, n int) error {
					if n < shows {
						return nil
					}
					<-ctx.Done()
					return ctx.Err()
				})
				r.run(t)
				for i := range 10 {
					time.Sleep(7 * time.Second)
					ref := r.clerk.ref("A", fmt.Sprint("own-", i))
					require.NoError(t, r.clerk.post(t.Context(), r.out, ref, letter{Text: "own", To: mail(fmt.Sprintf("own-%d@example.org", i))}))
					synctest.Wait()
					require.Equal(t, "accepted", r.clerk.state(t, ref), "sent at once")
				}
				time.Sleep(10 * time.Minute)
				if shows > 0 {
					require.Len(t, r.sink.messages(), 30, "what such listings show is sent all the same")
					require.Empty(t, r.log.Of("outbox.stalled"), "slow is not away")
					return
				}
				require.Len(t, r.sink.messages(), 10)
				require.Len(t, r.log.Of("outbox.stalled"), 1)
				s.then(nil)
				time.Sleep(35 * time.Second)
				require.Len(t, r.sink.messages(), 30)
				require.Len(t, r.log.Of("outbox.stalled"), 1)
			})
		})
	}
}

// After a listing that took long, the next one waits five seconds at most.
func TestTheWaitAfterASlowListingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newListings()
		r := newRig(t, s, nil, nil)
		elsewhere(t, s.Memory, r.clerk.ref("A", "0"), 0)
		slow := true
		s.then(func(_ context.Context, _ string, n int) error {
			if slow {
				slow = false
				time.Sleep(9 * time.Second)
				elsewhere(t, s.Memory, r.clerk.ref("A", "1"), 0)
				return errors.New("the leader was killed")
			}
			return nil
		})
		began := time.Now()
		r.run(t)
		time.Sleep(time.Minute)
		require.Len(t, r.sink.messages(), 2)
		require.LessOrEqual(t, r.sink.times()[1].Sub(began), 14*time.Second)
		require.Len(t, r.log.Of("outbox.stalled"), 1)
	})
}

// An error in the middle of a round: the next listing goes on there, and it is told once in a round.
func TestAnErrorInTheMiddleOfARound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newListings()
		r := newRig(t, s, nil, &outbox.Options{Poll: time.Hour})
		r.out.Shrink(100, 10)
		refs := placed(t, 60)
		for _, ref := range refs {
			elsewhere(t, s, ref, 0)
		}
		var places []string
		s.then(func(_ context.Context, key string, n int) error {
			if n == 0 {
				places = append(places, key)
			}
			if n == 5 && len(places)%2 == 0 { // every other listing breaks off in its middle
				return errors.New("connection reset")
			}
			return nil
		})
		r.run(t)
		time.Sleep(time.Minute)
		require.Len(t, r.sink.messages(), 60)
		require.True(t, slices.IsSorted(places), "%v", places)
		require.Len(t, slices.Compact(places), len(places))
		require.Len(t, r.log.Of("outbox.stalled"), 1)
	})
}

// A place that can never be read does not keep Run from what is before it.
func TestAPlaceThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newListings()
		r := newRig(t, s, nil, nil)
		r.out.Shrink(100, 10)
		refs := placed(t, 40)
		for _, ref := range refs[20:] {
			elsewhere(t, s, ref, 0)
		}
		bad := s.keys(t)[15]
		s.then(func(_ context.Context, key string, _ int) error {
			if key >= bad {
				return errors.New("damaged page")
			}
			return nil
		})
		r.run(t)
		time.Sleep(time.Minute)
		require.Len(t, r.sink.messages(), 15)
		for _, ref := range refs[:3] {
			elsewhere(t, s, ref, 0)
		}
		time.Sleep(30 * time.Second)
		require.Len(t, r.sink.messages(), 18)
		require.Subset(t, r.sink.texts(), []string{refs[0].ID, refs[1].ID, refs[2].ID})
		require.Len(t, r.log.Of("outbox.stalled"), 1)
	})
}

// Entries that cannot be opened are told of once, however many listings a round has, and again only if there are more.
func TestUnreadableEntriesAreToldOncePerRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		r := newRig(t, m, nil, nil)
		r.out.Shrink(100, 2)
		spoil := func(refs []outbox.Ref) {
			for _, ref := range refs {
				elsewhere(t, m, ref, 0)
			}
			for item, err := range m.List(t.Context(), "outbox.entry/", "") {
				require.NoError(t, err)
				item.Value[len(item.Value)-1] ^= 0x55
				_, err = m.Put(t.Context(), item.Key, item.Record)
				require.NoError(t, err)
			}
		}
		refs := placed(t, 9)
		spoil(refs[:7])
		r.run(t)
		time.Sleep(time.Minute)
		require.Len(t, r.log.Of("outbox.unreadable"), 1)
		require.Empty(t, r.sink.messages())
		r.sink.then(nil)
		elsewhere(t, m, refs[7], 0)
		time.Sleep(time.Minute)
		require.Len(t, r.sink.messages(), 1)
		require.Len(t, r.log.Of("outbox.unreadable"), 1)
	})
}

func newClock() *testkit.Clock { return testkit.NewClock(time.Date(2030, 5, 6, 7, 8, 9, 0, time.UTC)) }

// sink is a notifier that keeps what it was given, and does with each message what the test says.
type sink struct {
	mu   sync.Mutex
	got  []civicpin.Message
	do   func(ctx context.Context, m civicpin.Message) error
	when []time.Time
}

func (s *sink) Notify(ctx context.Context, m civicpin.Message) (string, error) {
	s.mu.Lock()
	s.got = append(s.got, m)
	s.when = append(s.when, time.Now())
	do := s.do
	s.mu.Unlock()
	if do != nil {
		if err := do(ctx, m); err != nil {
			return "", err
		}
	}
	return "receipt-" + m.ID, nil
}

func (s *sink) then(do func(ctx context.Context, m civicpin.Message) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.do = do
}

func (s *sink) messages() []civicpin.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

func (s *sink) times() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.when)
}

// texts are the secrets of what came, in order.
func (s *sink) texts() []string {
	var out []string
	for _, m := range s.messages() {
		out = append(out, m.Secret.Reveal())
	}
	return out
}

// letter is the record of a clerk: one message.
type letter struct {
	Text    string
	To      civicpin.Contact
	State   string // "wanted", "accepted", "failed", "replaced"
	Receipt string
	Reason  string
	Expires time.Time
}

// clerk is an owner of messages as a package of the library is one: its records are in the vault.
type clerk struct {
	name    string
	letters store.Kind[letter]
}

func newClerk(t require.TestingT, v *store.Vault, name string) *clerk {
	letters, err := store.NewKind[letter](v, "test."+name)
	require.NoError(t, err)
	return &clerk{name: name, letters: letters}
}

func (c *clerk) key(r outbox.Ref) store.Key { return store.Key{Subject: r.Subject, ID: r.ID} }

func (c *clerk) ref(subject, id string) outbox.Ref {
	return outbox.Ref{Owner: c.name, Subject: civicpin.Subject(subject), ID: id}
}

func (c *clerk) Confirm(ctx context.Context, r outbox.Ref) (civicpin.Message, error) {
	e, err := c.letters.Get(ctx, c.key(r))
	if errors.Is(err, store.ErrNotFound) || err == nil && e.Value.State != "wanted" && e.Value.State != "failed" {
		return civicpin.Message{}, fmt.Errorf("%w: %s", outbox.ErrWithdrawn, e.Value.State)
	}
	if err != nil {
		return civicpin.Message{}, err
	}
	return civicpin.Message{Kind: "test", To: e.Value.To, Secret: civicpin.NewSecret(e.Value.Text), ExpiresAt: e.Value.Expires}, nil
}

func (c *clerk) Settle(ctx context.Context, r outbox.Ref, what outbox.Outcome) error {
	_, err := c.letters.Update(ctx, c.key(r), func(e *store.Entry[letter]) error {
		if !e.Found() || e.Value.State == "replaced" || e.Value.State == "accepted" {
			return outbox.ErrWithdrawn
		}
		e.Value.State, e.Value.Receipt, e.Value.Reason = "accepted", what.Receipt, what.Reason
		if what.Failed {
			e.Value.State = "failed"
		}
		return nil
	})
	return err
}

// write writes a record without regard to what was there.
func (c *clerk) write(ctx context.Context, r outbox.Ref, l letter) error {
	_, err := c.letters.Update(ctx, c.key(r), func(e *store.Entry[letter]) error {
		e.Value = l
		return nil
	})
	return err
}

func (c *clerk) state(t require.TestingT, r outbox.Ref) string {
	e, err := c.letters.Get(context.Background(), c.key(r))
	if errors.Is(err, store.ErrNotFound) {
		return ""
	}
	require.NoError(t, err)
	return e.Value.State
}

// post queues a message as an owner does.
func (c *clerk) post(ctx context.Context, o *outbox.Outbox, r outbox.Ref, l letter) error {
	if err := o.Add(ctx, r); err != nil {
		return err
	}
	if l.State == "" {
		l.State = "wanted"
	}
	if err := c.write(ctx, r, l); err != nil {
		return err
	}
	return o.Commit(ctx, r)
}

func sms(number string) civicpin.Contact {
	return civicpin.Contact{Channel: civicpin.SMS, Address: number}
}

func mail(address string) civicpin.Contact {
	return civicpin.Contact{Channel: civicpin.Email, Address: address}
}

// keys are the same in every vault of a test, as they are in every process of a system.
func keys(t require.TestingT) store.Keys {
	sealer, err := store.XChaCha20Poly1305(civicpin.NewSecret("0123456789abcdef0123456789abcdef"))
	require.NoError(t, err)
	return store.Keys{
		Index:   civicpin.NewSecret("fedcba9876543210fedcba9876543210"),
		Sealing: []store.SealingKey{{ID: "k", Sealer: sealer}},
	}
}

// rig is one process: a vault on a store, an outbox, a notifier, an owner.
type rig struct {
	store store.Store
	vault *store.Vault
	clock *testkit.Clock // nil means the time of the bubble
	log   *testkit.Recorder
	sink  *sink
	clerk *clerk
	out   *outbox.Outbox
}

func newRig(t require.TestingT, s store.Store, clock *testkit.Clock, opts *outbox.Options) *rig {
	r := &rig{store: s, clock: clock, log: new(testkit.Recorder), sink: new(sink)}
	o := &store.Options{Recorder: r.log, Adopt: true} // some of the stores cannot list
	if clock != nil {
		o.Now = clock.Now
	}
	var err error
	r.vault, err = store.OpenVault(context.Background(), s, keys(t), o)
	require.NoError(t, err)
	r.clerk = newClerk(t, r.vault, "clerk")
	var complete outbox.Options
	if opts != nil {
		complete = *opts
	}
	if complete.Limits.Source == (civicpin.Rate{}) && complete.Limits.Typed == (civicpin.Rate{}) {
		complete.Limits = testkit.Limits()
	}
	r.out, err = outbox.New(r.vault, r.sink, &complete)
	require.NoError(t, err)
	require.NoError(t, r.out.Register("clerk", r.clerk))
	return r
}

// newMemory and newFaults are the stores of most tests.
func newMemory() *store.Memory { return store.NewMemory() }

func newFaults(s store.Store) *storetest.Faults { return storetest.NewFaults(s) }

func onMemory(t require.TestingT) *rig { return onMemoryWith(t, nil) }

func onMemoryWith(t require.TestingT, opts *outbox.Options) *rig {
	return newRig(t, newMemory(), newClock(), opts)
}

// inBubble is a rig by the time of the bubble.
func inBubble(t require.TestingT, opts *outbox.Options) *rig {
	return newRig(t, newMemory(), nil, opts)
}

// recount counts what waits, as far as that goes.
func (r *rig) recount(t *testing.T, b *outbox.Backlog) {
	t.Helper()
	_, _ = r.out.Count(t.Context(), b, store.Pass{})
}

// count returns how many records of a kind the store holds.
func (r *rig) count(t require.TestingT, kind string) int {
	n := 0
	for _, err := range r.store.(store.Lister).List(context.Background(), kind+"/", "") {
		require.NoError(t, err)
		n++
	}
	return n
}

// run starts Run until the test, or stop, ends it.
func (r *rig) run(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.out.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			require.ErrorIs(t, <-done, context.Canceled)
		})
	}
	t.Cleanup(stop)
	return stop
}

// only exposes the three methods of a store.
type only struct{ store.Store }

// spoil makes one entry unreadable.
func spoil(t *testing.T, m *store.Memory) {
	t.Helper()
	for item, err := range m.List(t.Context(), "outbox.entry/", "") {
		require.NoError(t, err)
		item.Value[len(item.Value)-1] ^= 1
		_, err := m.Put(t.Context(), item.Key, item.Record)
		require.NoError(t, err)
		break
	}
}

var errDead = errors.New("this process is dead")

// mortal is a process's connection to a store, which ends when the process dies.
type mortal struct {
	*store.Memory
	dead atomic.Bool
}

func newMortal(s *store.Memory) *mortal { return &mortal{Memory: s} }

func (m *mortal) die() { m.dead.Store(true) }

func (m *mortal) Get(ctx context.Context, key string) (store.Record, error) {
	if m.dead.Load() {
		return store.Record{}, errDead
	}
	return m.Memory.Get(ctx, key)
}

func (m *mortal) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	if m.dead.Load() {
		return 0, errDead
	}
	return m.Memory.Put(ctx, key, r)
}

func (m *mortal) Delete(ctx context.Context, key string, v store.Version) error {
	if m.dead.Load() {
		return errDead
	}
	return m.Memory.Delete(ctx, key, v)
}

func (m *mortal) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	if m.dead.Load() {
		return func(yield func(store.Item, error) bool) { yield(store.Item{}, errDead) }
	}
	return m.Memory.List(ctx, prefix, after)
}
