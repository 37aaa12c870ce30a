package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/civicpin/civicpin/store"
)

// upkeep sends what is due, and clears away each hour what has expired, until stop is called: after the last request.
func (p *portal) upkeep() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = p.out.Run(ctx) })
	running.Go(func() {
		for next := time.After(0); ; next = time.After(time.Hour) {
			select {
			case <-ctx.Done():
				return
			case <-next:
				_, swept := p.pins.Sweep(ctx, 1000)
				_, purged := p.vault.Purge(ctx, store.Pass{Max: 10_000})
				slog.InfoContext(ctx, "cleared away", "sweep", swept, "purge", purged)
			}
		}
	})
	return func() { cancel(); running.Wait() }
}
