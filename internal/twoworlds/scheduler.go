package twoworlds

import (
	"context"
	"time"
)

// patience is how long the scheduler waits for a caller that neither comes to a store call nor ends. A caller that lost a
// race for a record waits for a random time and tries again, so patience is longer. In a bubble of testing/synctest it
// costs nothing.
const patience = time.Minute

// callerKey is the key of a caller's number in its context.
type callerKey struct{}

// callerOf returns the number of the caller whose context it is, 0 if there is one caller alone.
func callerOf(ctx context.Context) int {
	n, _ := ctx.Value(callerKey{}).(int)
	return n
}

// turns lets one of several callers go on at a time, from one store call to the next. So a race is found, and found again.
type turns struct {
	paused chan int // a caller waits at a store call
	ended  chan int
	resume []chan struct{}
}

// pause waits until it is the caller's turn. Without turns, or for a caller without a number, it does nothing.
func (t *turns) pause(ctx context.Context) {
	n, ok := ctx.Value(callerKey{}).(int)
	if t == nil || !ok {
		return
	}
	t.paused <- n
	<-t.resume[n]
}

// together does several steps at once, in turns that picks decide. It returns what is seen of each.
func (w *world) together(ctx context.Context, s step) []View {
	steps := s.steps
	t := &turns{paused: make(chan int), ended: make(chan int)}
	w.store.turns = t
	defer func() { w.store.turns = nil }()
	views := make([]View, len(steps))
	for i, s := range steps {
		t.resume = append(t.resume, make(chan struct{}))
		ctx := context.WithValue(ctx, callerKey{}, i)
		go func() {
			defer func() { t.ended <- i }()
			t.pause(ctx)
			views[i] = w.view(s.act.do(ctx, w, s.n))
		}()
	}
	t.run(len(steps), s.picks)
	for i, calls := range w.store.taken() {
		views[i].calls = seen(calls)
	}
	return views
}

// run lets callers go on until all have ended.
func (t *turns) run(callers int, picks []int) {
	waiting := make([]bool, callers)
	running, live := callers, callers
	for n := 0; live > 0; {
		running, live = t.settle(waiting, running, live)
		var can []int
		for i, w := range waiting {
			if w {
				can = append(can, i)
			}
		}
		if len(can) == 0 {
			continue
		}
		i := can[picks[n%len(picks)]%len(can)]
		n++
		waiting[i] = false
		running++
		t.resume[i] <- struct{}{}
	}
}

// settle waits until each caller waits at a store call or has ended, or hangs for longer than patience.
func (t *turns) settle(waiting []bool, running, live int) (stillRunning, stillLive int) {
	idle := time.NewTimer(patience)
	defer idle.Stop()
	for running > 0 {
		select {
		case i := <-t.paused:
			waiting[i] = true
			running--
		case <-t.ended:
			live--
			running--
		case <-idle.C:
			return running, live
		}
	}
	return running, live
}
