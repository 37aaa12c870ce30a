package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/civicpin/civicpin/store"
)

// serve answers requests, sends what waits, and tidies up, until the context is done; then it ends gracefully.
func (p *portal) serve(ctx context.Context, listener net.Listener, once bool) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	server := &http.Server{
		Handler: p.whole, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 20 * time.Second, // slow clients
		WriteTimeout: 2 * time.Minute, IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10,
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	background := p.background(ctx)
	if once {
		if err := p.askItself(ctx); err != nil {
			return errors.Join(err, server.Close())
		}
		stop()
	}
	select {
	case err := <-done:
		return fmt.Errorf("portal: %w", err)
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := server.Shutdown(end)
	background.Wait()
	p.work.Wait()
	slog.Info("ended")
	return err
}

// background runs what no visitor waits for: the dispatcher of each system, and the upkeep, which erases what has expired.
func (p *portal) background(ctx context.Context) *sync.WaitGroup {
	var all sync.WaitGroup
	for _, s := range p.systems {
		all.Go(func() { _ = s.out.Run(ctx) }) // ends with the context
	}
	all.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(10 * time.Minute):
			}
			for _, s := range p.systems {
				_, swept := s.pins.Sweep(ctx, 1000)
				_, purged := s.vault.Purge(ctx, store.Pass{})
				if err := errors.Join(swept, purged); err != nil && ctx.Err() == nil {
					slog.ErrorContext(ctx, "upkeep", "system", s.name, "error", err)
				}
			}
		}
	})
	return &all
}

// askItself is what -once does: it starts, is healthy, and shows its first page.
func (p *portal) askItself(ctx context.Context) error {
	for _, path := range []string{"/healthz", "/"} {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+path, nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
			return fmt.Errorf("portal: %s answers %d", path, answer.StatusCode)
		}
	}
	return nil
}
