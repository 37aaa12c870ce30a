// Command portal is a small public portal on this library, for you to click through: as a citizen, as an attacker and as an
// operator, at four systems side by side. It needs nothing but Go:
//
//	go run ./examples/portal             opens it on http://127.0.0.1:8080, with an SQLite file in a temporary folder
//	go run ./examples/portal -seed       fills in citizens that have a secret already, and prints the data of two
//	go run ./examples/portal -db p.db    keeps the file, and its keys in p.db.keys, for the next run
//
// Records go to PostgreSQL or NATS, too (-db postgres://… or nats://…). Nothing is really sent: text messages, e-mails and
// letters arrive on the page "Inbox", but with -smtp, which hands e-mails to a mail server, and -sms, which hands text messages to
// a gateway. Each page names the file and the call behind it. Sessions are in memory, and end with the program. Programs on the
// same machine read figures at /metrics, in the format of Prometheus.
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
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/civicpin/civicpin/store"
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
	defer p.records.Close()
	if c.seed {
		if err := p.seed(ctx, out); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "Open %s and click. The records are in %s.\n", c.base, p.records.Where)
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
		if err := p.askItself(); err != nil {
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
func (p *portal) askItself() error {
	for _, path := range []string{"/healthz", "/"} {
		answer, err := http.Get(p.base + path)
		if err != nil {
			return err
		}
		if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
			return fmt.Errorf("portal: %s answers %d", path, answer.StatusCode)
		}
	}
	return nil
}

// A config is what the flags say.
type config struct {
	addr, base, db, keys, smtp, sms string
	proxies                         int
	seed, once, verbose             bool
	wrap                            func(store.Lister) store.Lister // a test's
}

func readConfig(args []string, out io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("portal", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&c.addr, "addr", "127.0.0.1:8080", "listen on this `address` of the machine; what browsers ask for is -base")
	flags.StringVar(&c.base, "base", "", "the portal's `URL` in browsers, where a proxy stands before -addr: https://portal.example/path;\n"+
		"links are built from it, and never from a request (default: http:// and -addr)")
	flags.StringVar(&c.db, "db", "", "keep the records in this `file`, or in postgres://user@host/database or\n"+
		"nats://host:4222?replicas=1 (default: a file in a temporary folder)")
	flags.StringVar(&c.keys, "keys", "", "the `file` of the keys (default: the database's with .keys,\n"+
		"or portal.keys beside a URL)")
	flags.StringVar(&c.smtp, "smtp", "", "send e-mails to the mail server smtp://user:password@host:587?from=pin@agency.example,\n"+
		"over TLS, instead of into the inbox")
	flags.StringVar(&c.sms, "sms", "", "send text messages through the gateway https://token@host/path?key=whsec_… instead of into the\n"+
		"inbox; it POSTs its reports, signed with the key, to the address that each message names")
	flags.IntVar(&c.proxies, "proxies", 0, "how many trusted proxies every request passes, each of which writes X-Forwarded-For")
	flags.BoolVar(&c.seed, "seed", false, "fill in demo citizens and print their data")
	flags.BoolVar(&c.verbose, "v", false, "log every event")
	flags.BoolVar(&c.once, "once", false, "start, ask for the first page, and end: for a check")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("portal: what is %q?", flags.Arg(0))
	}
	c.base = strings.TrimSuffix(c.base, "/")
	return c, nil
}
