// Command portal is a small public portal on this library, for you to click through: as a citizen, as an attacker and as an
// operator, at four systems side by side. It needs nothing but Go:
//
//	go run ./examples/portal             opens it on http://127.0.0.1:8080, with an SQLite file in a temporary folder
//	go run ./examples/portal -seed       fills in two citizens that have a secret already, and prints their data
//	go run ./examples/portal -db p.db    keeps the file, and its keys in p.db.keys, for the next run
//
// Records go to PostgreSQL or NATS, too (-db postgres://… or nats://…). Nothing is really sent: text messages, e-mails and
// letters arrive on the page "Inbox", but with -smtp, which hands e-mails to a mail server. Each page names the file and the call
// behind it. Sessions are in memory, and end with the program.
//
// It is a demonstration: a visitor who reaches it reads all messages, plays any operator and starts attacks. It listens on
// 127.0.0.1 alone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves the portal until the context is done.
func run(ctx context.Context, args []string, out io.Writer) error {
	c, err := readConfig(args, out)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.addr)
	if err != nil {
		return fmt.Errorf("portal: %w", err)
	}
	defer listener.Close()
	if c.base == "" {
		c.base = "http://" + listener.Addr().String()
	}
	p, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer p.close()
	if c.seed {
		if err := p.seed(ctx, out); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "Open %s and click. The records are in %s.\n", c.base, p.where)
	return p.serve(ctx, listener, c.once)
}

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
