package password_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/password"
)

// TestDecoys: a check hashes at each cost in use, in one order; only the stored hash can match; a caller who hangs up meanwhile
// cuts nothing short.
func TestDecoys(t *testing.T) {
	costs := []password.Params{{Memory: 8, Time: 1, Threads: 1}, {Memory: 16, Time: 1, Threads: 1}, {Memory: 16, Time: 2, Threads: 1}}
	all := []string{"argon2id(m=8,t=1,p=1)", "argon2id(m=16,t=1,p=1)", "argon2id(m=16,t=2,p=1)"}
	decoys := password.NewDecoys(costs...)
	other := password.New(password.Params{Memory: 32, Time: 1, Threads: 1}, "s")
	for _, c := range []struct {
		decoys password.Decoys
		hash   password.Hash
		want   []string
		right  bool
	}{
		{decoys, password.New(costs[0], "s"), all, true},
		{decoys, password.New(costs[1], "s"), all, true},
		{decoys, password.New(costs[2], "s"), all, true},
		{decoys, other, []string{"argon2id(m=32,t=1,p=1)", all[1], all[2]}, true},
		{decoys, decoys[0], all, false},
		{decoys, decoys[2], all, false},
		{decoys[:1], other, []string{"argon2id(m=32,t=1,p=1)"}, true},
		{nil, other, []string{"argon2id(m=32,t=1,p=1)"}, true},
		{password.Decoys{password.New(costs[0], "s"), decoys[1]}, decoys[1], all[:2], false},
	} {
		var got []string
		ctx, hangUp := context.WithCancel(t.Context())
		ctx = password.WithEach(ctx, func(_ context.Context, cost string) {
			got = append(got, cost)
			hangUp()
		})
		right, err := c.decoys.Verify(ctx, newGate(t, 1, 1), c.hash, "s")
		require.NoError(t, err)
		require.Equal(t, c.want, got)
		require.Equal(t, c.right, right)
		_, err = c.decoys.Verify(ctx, newGate(t, 1, 1), c.hash, "s")
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, c.want, got, "nothing was hashed")
	}
}

// unmeasured is what the gate holds an admission for before it has measured any.
const unmeasured = 20 * time.Millisecond

// newGate makes a gate that lets so many wait as long as it has measured nothing.
func newGate(t testing.TB, permits, queue int) *password.Gate {
	t.Helper()
	g, err := password.NewGate(permits, max(1, time.Duration(queue)*unmeasured/time.Duration(permits)), 1)
	require.NoError(t, err)
	return g
}

// admitted counts how many the gate lets in before it is full, and lets them out again.
func admitted(t *testing.T, g *password.Gate) int {
	t.Helper()
	n := 0
	for {
		leave, err := g.Enter(t.Context())
		if err != nil {
			require.ErrorIs(t, err, password.ErrBusy)
			require.Nil(t, leave)
			return n
		}
		n++
		defer leave()
	}
}

func TestNewGate(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, c := range []struct {
		procs, permits int
		wait           time.Duration
		want           int
	}{
		{1, 0, 0, 1 + 100},
		{2, 0, 0, 1 + 100},
		{5, 0, 0, 4 + 400},
		{2, 3, 0, 3 + 300},
		{3, 0, time.Second, 2 + 100},
		{3, 2, 1, 2},
		{2, 4096, time.Minute, 65536},
	} {
		runtime.GOMAXPROCS(c.procs)
		g, err := password.NewGate(c.permits, c.wait, c.permits%2)
		require.NoError(t, err)
		assert.Equal(t, c.want, admitted(t, g), "%+v", c)
	}
	for _, c := range []struct {
		permits int
		wait    time.Duration
	}{{-1, 0}, {0, -1}, {4097, 0}, {0, time.Minute + 1}, {1 << 62, 1 << 62}} {
		g, err := password.NewGate(c.permits, c.wait, c.permits%2)
		assert.Error(t, err, "%+v", c)
		assert.Nil(t, g, "%+v", c)
	}
}

// Fifty people who log in at once on two cores, at 30 ms a hash, are served within two seconds. A crowd of 500 is let in as long as
// each is served in that time, and the others are told when to come back: then they are served, too.
func TestACrowdWaitsByTime(t *testing.T) {
	for _, c := range []struct{ crowd, refused int }{{50, 0}, {500, 433}} {
		synctest.Test(t, func(t *testing.T) {
			g, err := password.NewGate(1, 0, 1)
			require.NoError(t, err)
			login := func() (time.Duration, error) {
				began := time.Now()
				leave, err := g.Enter(t.Context())
				if err != nil {
					return 0, err
				}
				defer leave()
				err = g.Run(t.Context(), func() { time.Sleep(30 * time.Millisecond) })
				return time.Since(began), err
			}
			for range 100 { // the gate has measured what a hash costs
				_, err := login()
				require.NoError(t, err)
			}
			var refused atomic.Int64
			var wg sync.WaitGroup
			for range c.crowd {
				wg.Go(func() {
					took, err := login()
					if busy, ok := errors.AsType[*password.BusyError](err); ok {
						refused.Add(1)
						assert.Greater(t, busy.After, 2*time.Second)
						assert.Less(t, busy.After, 2*time.Second+50*time.Millisecond)
						time.Sleep(busy.After)
						return
					}
					assert.NoError(t, err)
					assert.LessOrEqual(t, took, 2*time.Second+30*time.Millisecond)
				})
			}
			wg.Wait()
			assert.EqualValues(t, c.refused, refused.Load())
			_, err = login()
			require.NoError(t, err, "it came back when it was told")
		})
	}
}

// A gate whose hashes became slow lets fewer in.
func TestTheGateMeasures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := password.NewGate(2, 0, 2)
		require.NoError(t, err)
		for range 100 {
			leave, err := g.Enter(t.Context())
			require.NoError(t, err)
			require.NoError(t, g.Run(t.Context(), func() { time.Sleep(250 * time.Millisecond) }))
			leave()
		}
		for range 1000 { // what does not hash does not make a hash look cheap
			leave, err := g.Enter(t.Context())
			require.NoError(t, err)
			leave()
		}
		require.InDelta(t, 2+2*4, admitted(t, g), 1)
	})
}

func TestZeroGateRefuses(t *testing.T) {
	var g password.Gate
	_, err := g.Enter(t.Context())
	assert.ErrorIs(t, err, password.ErrBusy)
	assert.ErrorIs(t, g.Run(t.Context(), func() { t.Error("ran") }), password.ErrBusy)
}

// A thousand come at once: exactly as many as there are places get in, and of those never more than the permits run.
func TestGateBoundsAreExact(t *testing.T) {
	for _, c := range []struct{ permits, queue int }{{1, 1}, {1, 16}, {3, 7}, {8, 100}} {
		synctest.Test(t, func(t *testing.T) {
			g := newGate(t, c.permits, c.queue)
			var in, busy, running, most, ran atomic.Int64
			var wg sync.WaitGroup
			start := make(chan struct{})
			for range 1000 {
				wg.Go(func() {
					<-start
					leave, err := g.Enter(t.Context())
					if err != nil {
						assert.ErrorIs(t, err, password.ErrBusy)
						busy.Add(1)
						return
					}
					defer leave()
					in.Add(1)
					assert.NoError(t, g.Run(t.Context(), func() {
						n := running.Add(1)
						for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
						}
						time.Sleep(time.Second)
						running.Add(-1)
						ran.Add(1)
					}))
				})
			}
			close(start)
			synctest.Wait()
			places := int64(c.permits + c.queue)
			assert.Equal(t, places, in.Load())
			assert.Equal(t, 1000-places, busy.Load())
			assert.Equal(t, int64(c.permits), running.Load())
			began := time.Now()
			wg.Wait()
			assert.Equal(t, int64(c.permits), most.Load())
			assert.Equal(t, places, ran.Load())
			assert.Equal(t, places, g.Total())
			// All permits were in use until there was nobody left.
			rounds := (c.permits + c.queue + c.permits - 1) / c.permits
			assert.Equal(t, time.Duration(rounds)*time.Second, time.Since(began))
			assert.Zero(t, password.Places(g))
		})
	}
}

func TestEnterNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, 1, 1)
		began := time.Now()
		assert.Equal(t, 2, admitted(t, g))
		assert.Zero(t, time.Since(began)) // a wait would end the bubble as a deadlock, or advance its clock
	})
}

func TestLeaveIsIdempotent(t *testing.T) {
	g := newGate(t, 1, 1)
	first, err := g.Enter(t.Context())
	require.NoError(t, err)
	_, err = g.Enter(t.Context())
	require.NoError(t, err)
	first()
	first()
	first()
	assert.Equal(t, 1, admitted(t, g), "the second one's place is still taken")
}

func TestEnterAfterTheEnd(t *testing.T) {
	g := newGate(t, 1, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	leave, err := g.Enter(ctx)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Nil(t, leave)
	assert.Equal(t, 2, admitted(t, g))
}

// A context that ends before or during the wait, or in the moment of the permit, means that f is not called.
func TestRunEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, 1, 20)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for range 100 { // with a permit free: select would pick either
			require.ErrorIs(t, g.Run(gone, func() { t.Error("ran") }), context.Canceled)
		}

		holds := make(chan struct{})
		go func() { assert.NoError(t, g.Run(t.Context(), func() { <-holds })) }()
		synctest.Wait()
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		assert.ErrorIs(t, g.Run(ctx, func() { t.Error("ran") }), context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(began))

		var after atomic.Bool
		go func() { assert.NoError(t, g.Run(t.Context(), func() { after.Store(true) })) }()
		synctest.Wait()
		close(holds)
		synctest.Wait()
		assert.True(t, after.Load(), "who gave up did not take the permit along")
	})
}

// lateContext ends between Run's first look at it and the permit: its Done is never ready, its Err is nil once.
type lateContext struct {
	context.Context
	asked atomic.Int64
}

func (c *lateContext) Err() error {
	if c.asked.Add(1) == 1 {
		return nil
	}
	return context.Canceled
}

func TestRunAsksOnceMoreWithThePermit(t *testing.T) {
	g := newGate(t, 1, 1)
	assert.ErrorIs(t, g.Run(&lateContext{Context: t.Context()}, func() { t.Error("ran") }), context.Canceled)
	assert.Zero(t, g.Total())
	assert.NoError(t, g.Run(t.Context(), func() {}))
	assert.EqualValues(t, 1, g.Total())
}

func TestRunOnceStartedIsNotBroken(t *testing.T) {
	g := newGate(t, 1, 1)
	ctx, cancel := context.WithCancel(t.Context())
	assert.NoError(t, g.Run(ctx, cancel))
}

func TestPanicFreesThePermit(t *testing.T) {
	g := newGate(t, 1, 1)
	for range 5 {
		assert.PanicsWithValue(t, "f", func() { _ = g.Run(t.Context(), func() { panic("f") }) })
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = g.Run(t.Context(), func() { runtime.Goexit() })
		}()
		<-done
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	ran := false
	assert.NoError(t, g.Run(ctx, func() { ran = true }))
	assert.True(t, ran)
}

// Whoever calls Run without admission cannot make the queue longer than it is.
func TestRunWithoutAdmissionIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, 2, 3)
		var ran, busy atomic.Int64
		for range 100 {
			go func() {
				if err := g.Run(t.Context(), func() { time.Sleep(time.Second); ran.Add(1) }); errors.Is(err, password.ErrBusy) {
					busy.Add(1)
				}
			}()
		}
		synctest.Wait()
		assert.Equal(t, int64(95), busy.Load())
		time.Sleep(time.Minute)
		assert.Equal(t, int64(5), ran.Load())
	})
}

// Who came first is served first, so nobody starves while others keep coming.
func TestGateServesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, 1, 50)
		var order []int // only ever touched with the one permit
		var wg sync.WaitGroup
		for i := range 51 {
			wg.Go(func() {
				assert.NoError(t, g.Run(t.Context(), func() { order = append(order, i); time.Sleep(time.Millisecond) }))
			})
			synctest.Wait() // it waits in the queue, or runs
		}
		wg.Wait()
		assert.Len(t, order, 51)
		assert.True(t, slices.IsSorted(order), "%v", order)
	})
}

// Under a crowd that tries again and again, on real threads, everybody gets through and the bound holds.
func TestNobodyStarves(t *testing.T) {
	g := newGate(t, 2, 4)
	var running atomic.Int64
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for done := 0; done < 50; {
				leave, err := g.Enter(t.Context())
				if err != nil {
					runtime.Gosched()
					continue
				}
				assert.NoError(t, g.Run(t.Context(), func() {
					assert.LessOrEqual(t, running.Add(1), int64(2))
					runtime.Gosched()
					running.Add(-1)
				}))
				leave()
				done++
			}
		})
	}
	wg.Wait()
	assert.Zero(t, password.Places(g))
}

// Waiting callers that give up, callers that panic and callers that finish, all mixed: no place and no permit is lost.
func TestGateLosesNothing(t *testing.T) {
	g := newGate(t, 3, 5)
	var wg sync.WaitGroup
	for i := range 400 {
		wg.Go(func() {
			defer func() { _ = recover() }()
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%7)*100*time.Microsecond)
			defer cancel()
			leave, err := g.Enter(ctx)
			if err != nil {
				return
			}
			defer leave()
			_ = g.Run(ctx, func() {
				time.Sleep(time.Duration(i%5) * 100 * time.Microsecond)
				if i%3 == 0 {
					panic("f")
				}
			})
		})
	}
	wg.Wait()
	assert.Zero(t, password.Places(g))
	holds := make(chan struct{})
	var in atomic.Int64
	for range 3 {
		wg.Go(func() { assert.NoError(t, g.Run(t.Context(), func() { in.Add(1); <-holds })) })
	}
	assert.Eventually(t, func() bool { return in.Load() == 3 }, 10*time.Second, time.Millisecond, "all permits are back")
	close(holds)
	wg.Wait()
}
