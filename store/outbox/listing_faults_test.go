package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

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
