// Command soak lets a crowd use a store for a while, prints what the process takes, and fails if that grows, or if anybody is
// told what they should not be:
//
//	go run ./faults/cmd/soak -for 30m -subjects 100000 -store postgres
//
// It starts the servers that the store needs, of NATS three that each keep every record, and ends them, also when it is
// interrupted. What they take is not in its figures. With the store memory, memory is printed and not judged.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/civicpin/civicpin/faults/soak"
)

func main() {
	soak.Main()
	length := flag.Duration("for", 30*time.Minute, "how long")
	subjects := flag.Int("subjects", 100_000, "how many citizens")
	workers := flag.Int("workers", 16, "how many at the same time")
	every := flag.Duration("every", 0, "how often to look; by default 200 times in all")
	name := flag.String("store", "sqlite", "which: "+strings.Join(soak.Names(), ", ")+", each also with +redis for codes and throttles")
	flag.Parse()
	if *every == 0 {
		*every = *length / 200
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := hosted(ctx, func(h *host) error {
		if flag.NArg() > 0 || *length <= 0 || *subjects < 1 || *subjects > 9_999_999 || *workers < 1 || *every <= 0 {
			return errors.New("soak: arguments out of range; see -h")
		}
		s, inMemory := soak.Open(h, *name)
		if h.failed != nil {
			return h.failed
		}
		r, err := soak.Run(ctx, soak.Config{
			Store: s, InMemory: inMemory, Subjects: *subjects, Workers: *workers, For: *length, Every: *every, Out: os.Stdout,
		})
		if err != nil {
			return err
		}
		fmt.Print(r)
		return r.Err()
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
