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
	"net"
	"os"
	"os/signal"
	"syscall"
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
