// Package soak lets a mixed crowd use a store for as long as one likes, and looks whether memory, goroutines and connections
// stay where they are.
//
//	go run ./faults/cmd/soak -for 30m -subjects 100000 -store postgres
package soak

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// Config says how to soak. Every field but InMemory is required.
type Config struct {
	Store store.Store
	// InMemory says that the store keeps its records in this process. Its memory then grows with every citizen who comes for
	// the first time, by design, and says nothing.
	InMemory bool
	Subjects int           // how many citizens there are
	Workers  int           // how many of them are at it at the same time: half of these log in, half use codes
	For      time.Duration // how long
	Every    time.Duration // how often to look
	Out      io.Writer     // where what is seen is printed
}

// A Report is what came of it.
type Report struct {
	Took time.Duration
	// Outcomes counts what the crowd did and what it was told: "login: in", "code: refused".
	Outcomes map[string]int
	// Samples is what was seen of the process, oldest first.
	Samples []Sample
	// Wrong lists what should not have happened: a wrong secret let in, a right one refused, an error of the store. It names 20 at most.
	Wrong []string
	// Grown lists what did not stay where it was.
	Grown []string
}

// Err returns what is wrong with the report, or nil.
func (r Report) Err() error {
	if len(r.Wrong)+len(r.Grown) == 0 {
		return nil
	}
	return errors.New("soak: " + strings.Join(slices.Concat(r.Wrong, r.Grown), "; "))
}

// String is the report for people.
func (r Report) String() string {
	var b strings.Builder
	n := 0
	for _, outcome := range slices.Sorted(maps.Keys(r.Outcomes)) {
		fmt.Fprintf(&b, "%9d  %s\n", r.Outcomes[outcome], outcome)
		n += r.Outcomes[outcome]
	}
	fmt.Fprintf(&b, "%9d  in all, %.0f a second\n", n, float64(n)/r.Took.Seconds())
	for _, line := range slices.Concat(r.Wrong, r.Grown) {
		fmt.Fprintf(&b, "WRONG: %s\n", line)
	}
	return b.String()
}

// crowd is all that the workers share.
type crowd struct {
	config   Config
	vault    *store.Vault
	pins     *pin.Service
	codes    *otp.Codes
	ways     *recovery.Service
	contacts *contact.Service
	people   []person
	mail     *mail
	*kit.Journal
}

// Run soaks. The error is that of setting up; what happened afterwards is in the report.
func Run(ctx context.Context, c Config) (Report, error) {
	w, out, err := newCrowd(c)
	if err != nil {
		return Report{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.For)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := out.Run(ctx); err != nil && ctx.Err() == nil {
			w.Break("the outbox ended: %v", err)
		}
	})
	wg.Go(func() { w.keep(ctx) })
	for i := range c.Workers {
		wg.Go(func() {
			for ctx.Err() == nil {
				codes := i%2 == 0
				w.act(ctx, w.pick(codes), codes)
			}
		})
	}
	start := time.Now()
	samples := watch(ctx, c.Every, c.Out, w.count)
	wg.Wait()
	return Report{
		Took: time.Since(start), Outcomes: w.Counts(), Samples: samples, Wrong: w.Broken(), Grown: judge(samples, c.InMemory),
	}, nil
}

// newCrowd makes the services. Their policies are the ready ones; only the limits by address and country are wide, since the
// whole crowd comes from one machine. Limits by subject stay.
func newCrowd(c Config) (*crowd, *outbox.Outbox, error) {
	w := &crowd{
		config: c, people: make([]person, c.Subjects), Journal: kit.NewJournal(),
		mail: &mail{waiting: make(map[letter]chan civicpin.Secret)},
	}
	keys, err := newKeys()
	if err != nil {
		return nil, nil, err
	}
	if w.vault, err = store.OpenVault(context.Background(), c.Store, keys, &store.Options{Adopt: true}); err != nil {
		return nil, nil, err
	}
	wide := civicpin.Rate{Limit: 1_000_000, Window: time.Minute}
	out, err := outbox.New(w.vault, w.mail, &outbox.Options{
		Workers: 16, Limits: outbox.Limits{Source: wide, Typed: wide, Proved: wide, Shown: wide, Home: wide, Abroad: wide},
	})
	if err != nil {
		return nil, nil, err
	}
	policy := pin.INPS()
	if w.pins, err = pin.New(out, policy); err != nil {
		return nil, nil, err
	}
	codes := otp.SMS()
	if w.codes, err = otp.NewCodes(out, codes); err != nil {
		return nil, nil, err
	}
	ways := recovery.Config{Pins: w.pins, Plans: []plan.Plan{forgotten}}
	if w.contacts, err = contact.New(out, contact.Policy{}, w.pins); err != nil {
		return nil, nil, err
	}
	ways.Contacts = w.contacts
	w.ways, err = recovery.New(out, ways)
	return w, out, err
}

// keep does the upkeep beside the traffic, as a portal would.
func (w *crowd) keep(ctx context.Context) {
	t := time.NewTicker(max(w.config.For/10, time.Second))
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		_, err := w.vault.Purge(ctx, store.Pass{Max: 10_000})
		w.told("upkeep: purge", err, ctx)
		_, err = w.pins.Sweep(ctx, 1000)
		w.told("upkeep: sweep", err, ctx)
	}
}

// told counts an outcome that may only be good.
func (w *crowd) told(what string, err error, ctx context.Context) {
	switch {
	case err == nil:
		w.Count(what)
	case ctx.Err() == nil:
		w.Break("%s: %v", what, err)
	}
}

// count is how many acts there were so far.
func (w *crowd) count() int {
	n := 0
	for _, k := range w.Counts() {
		n += k
	}
	return n
}
