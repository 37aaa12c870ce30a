package twoworlds

import (
	"context"
	"time"

	"github.com/civicpin/civicpin/store"
)

// passes is the name of the act that moves the clock.
const passes = "time passes"

// spans are by how much.
func spans() []time.Duration {
	const day = 24 * time.Hour
	return []time.Duration{
		time.Second, 20 * time.Second, time.Minute, 3 * time.Minute, 16 * time.Minute, time.Hour, 6 * time.Hour, day, 4 * day,
		8 * day, 31 * day, 60 * day,
	}
}

// kept are time, the dispatcher, the purge, and what operators change around the vault.
func kept() []act {
	list := []act{
		{name: passes, do: func(_ context.Context, w *world, n int) (string, error) {
			w.clock.Add(spans()[n%len(spans())])
			return "", nil
		}},
		{name: "the dispatcher sends", do: func(ctx context.Context, w *world, _ int) (string, error) {
			err := w.out.Flush(ctx)
			return w.arrived(), err
		}},
		{name: "expired secrets are swept", do: func(ctx context.Context, w *world, _ int) (string, error) {
			_, err := w.pins.Sweep(ctx, 100)
			return "", err
		}},
		{name: "the store is purged", do: func(ctx context.Context, w *world, _ int) (string, error) {
			_, err := w.vault.Purge(ctx, store.Pass{})
			return "", err
		}},
		{name: "policies and keys change", do: func(ctx context.Context, w *world, n int) (string, error) {
			w.callFirst(ctx)
			if w.age < 6 {
				w.age++
			}
			if err := w.open(ctx); err != nil {
				return "", err
			}
			w.callFirst(ctx)
			if n%2 == 0 {
				return "", nil
			}
			_, err := w.vault.Reseal(ctx, store.Pass{})
			return "", err
		}},
	}
	for i := range list {
		list[i].by = upkeep
	}
	return list
}

// callFirst has a visitor guess at what visitors have guessed at. So the limits that are in force set the locks that are due in
// both worlds, and not the owner's next call in one: see visibles.
func (w *world) callFirst(ctx context.Context) {
	if w.wasGuessed("pin") {
		_, _ = w.pins.Verify(ctx, w.attempt(0))
	}
	if w.wasGuessed("codes") {
		_ = w.codes.Verify(ctx, subject, purpose(0), pick(w.requests, 0), wrong(0), home)
	}
}
