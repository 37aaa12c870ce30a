package linear

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/civicpin/civicpin/store"
)

// A Config says who does what, and for how long.
type Config struct {
	// Clients is how many work at the same time; zero means 12.
	Clients int
	// Keys is how many records they share; zero means 3. Fewer are hotter.
	Keys int
	// For is how long they work; zero means 5 seconds.
	For time.Duration
	// Patience is the deadline of one call; zero means 2 seconds. What has no answer by then is unknown.
	Patience time.Duration
	// Recovery is how long the store may take to answer once Chaos has ended; zero means 30 seconds.
	Recovery time.Duration
	// Think is how long a client waits between two calls; zero means not at all.
	Think time.Duration
	// Open returns what a client works on: its own handle on the store, or one that several share. A store that is an
	// io.Closer is closed when the clients have finished; several clients' store may bear that several times.
	Open func(client int) (store.Store, error)
	// Chaos does its worst until the context is done, and then makes the store whole again. Nil does nothing.
	Chaos func(ctx context.Context)
	// NotDone, if it is not nil, reports whether an error of a write means that it was certainly not done and never will
	// be.
	NotDone func(error) bool
}

// A Result is what came of it.
type Result struct {
	// Verdict is porcupine.Ok if the history is linearizable, porcupine.Illegal if it is not, and porcupine.Unknown if
	// there was no time to find out.
	Verdict porcupine.CheckResult
	// Done, Conflicts and Unknown count the answers of writes; Reads those of reads, of which Missing were "not found";
	// ReadErrors the reads that had no answer.
	Done, Conflicts, Unknown, Reads, Missing, ReadErrors int
	// Checking is how long the verdict took.
	Checking time.Duration
	// Errors holds some of the errors that left an outcome unknown.
	Errors []string
}

func (r Result) String() string {
	return fmt.Sprintf("%s: %d reads (%d of no record, %d failed), %d writes done, %d refused, %d unknown; judged in %v; errors: %q",
		r.Verdict, r.Reads, r.Missing, r.ReadErrors, r.Done, r.Conflicts, r.Unknown, r.Checking.Round(time.Millisecond), r.Errors)
}

const (
	// checkFor bounds the search for an explanation.
	checkFor = 2 * time.Minute
	// drawFor bounds the search for what to draw where there is none.
	drawFor = 10 * time.Second
)

// Run lets the clients work and judges the history. It fails the test if a store cannot be opened or does not answer once
// the chaos has ended; what to make of the verdict is the caller's to say. The log gets the counts.
func Run(tb testing.TB, c Config) Result {
	tb.Helper()
	c = c.withDefaults()
	ctx, cancel := context.WithTimeout(tb.Context(), c.For)
	defer cancel()
	clients := make([]*client, c.Clients)
	start := time.Now()
	run := rand.Uint64() // keys of their own, for a store that is not empty
	for i := range clients {
		s, err := c.Open(i)
		if err != nil {
			tb.Fatal(err)
		}
		if closer, ok := s.(io.Closer); ok {
			defer func() { _ = closer.Close() }()
		}
		clients[i] = &client{config: c, id: i, store: s, start: start, run: run, known: make(map[string]store.Version)}
	}
	var wg sync.WaitGroup
	if c.Chaos != nil {
		wg.Go(func() { c.Chaos(ctx) })
	}
	for _, cl := range clients {
		wg.Go(func() { cl.work(ctx) })
	}
	wg.Wait()

	history := clients[0].finish(tb)
	for _, cl := range clients {
		history = append(history, cl.history...)
	}
	r := judge(tb, history)
	tb.Logf("%d clients, %d keys, %v: %s", c.Clients, c.Keys, c.For, r)
	return r
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		field *int
		value int
	}{{&c.Clients, 12}, {&c.Keys, 3}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&c.For, 5 * time.Second}, {&c.Patience, 2 * time.Second}, {&c.Recovery, 30 * time.Second}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return c
}

// judge counts a history and checks it.
func judge(tb testing.TB, history []porcupine.Operation) Result {
	tb.Helper()
	var r Result
	errs := make(map[string]bool)
	for _, op := range history {
		in, out := op.Input.(input), op.Output.(output)
		r.count(in, out)
		if out.err != "" && len(errs) < 8 && !errs[out.err] {
			errs[out.err] = true
			r.Errors = append(r.Errors, out.err)
		}
	}
	start := time.Now()
	history = tidy(history)
	r.Verdict = porcupine.Illegal
	if tight, possible := tighten(history); possible {
		r.Verdict = porcupine.CheckOperationsTimeout(model, tight, checkFor)
	}
	r.Checking = time.Since(start)
	if r.Verdict == porcupine.Illegal {
		// Once more for the picture, which costs memory, and may not be of the whole.
		_, info := porcupine.CheckOperationsVerbose(model, history, drawFor)
		path := filepath.Join(tb.ArtifactDir(), "history.html")
		if err := porcupine.VisualizePath(model, info, path); err != nil {
			tb.Log(err)
		}
	}
	return r
}

func (r *Result) count(in input, out output) {
	switch {
	case in.verb == get && out.answer == unknown:
		r.ReadErrors++
	case in.verb == get:
		r.Reads++
		if out.answer == notFound {
			r.Missing++
		}
	case out.answer == done:
		r.Done++
	case out.answer == conflict:
		r.Conflicts++
	case out.answer == unknown:
		r.Unknown++
	}
}

// A client works on the records and keeps its part of the history.
type client struct {
	config  Config
	id, seq int
	store   store.Store
	start   time.Time
	run     uint64
	known   map[string]store.Version // what it last learned of each key
	history []porcupine.Operation
}

func (c *client) key(i int) string { return fmt.Sprintf("linear/%x/%d", c.run, i) }

// work does things at random until the context is done. What is under way then gets its answer.
func (c *client) work(ctx context.Context) {
	for ctx.Err() == nil {
		key := c.key(rand.IntN(c.config.Keys))
		var answers []answer
		switch n := rand.IntN(100); {
		case n < 30:
			answers = append(answers, c.get(ctx, key))
		case n < 65: // what every decision of the library does
			answers = append(answers, c.get(ctx, key), c.put(ctx, key, c.known[key]))
		case n < 80: // on what it knows from before, which may have changed
			answers = append(answers, c.put(ctx, key, c.known[key]))
		case n < 85:
			answers = append(answers, c.put(ctx, key, 0))
		case n < 95:
			answers = append(answers, c.delete(ctx, key, c.known[key]))
		default:
			answers = append(answers, c.get(ctx, key), c.delete(ctx, key, c.known[key]))
		}
		pause := c.config.Think
		for _, a := range answers {
			if a == unknown {
				pause = max(pause, 20*time.Millisecond) // nothing is learned from asking the dead in a loop
			}
		}
		if pause > 0 {
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
		}
	}
}

func (c *client) get(ctx context.Context, key string) answer {
	return c.do(ctx, input{verb: get, key: key}, func(ctx context.Context) (output, error) {
		r, err := c.store.Get(ctx, key)
		if err == nil {
			c.known[key] = r.Version
		} else if errors.Is(err, store.ErrNotFound) {
			c.known[key] = 0
		}
		return output{value: string(r.Value), version: r.Version}, err
	})
}

func (c *client) put(ctx context.Context, key string, v store.Version) answer {
	c.seq++
	value := fmt.Sprintf("%d.%d", c.id, c.seq)
	return c.do(ctx, input{verb: put, key: key, value: value, version: v}, func(ctx context.Context) (output, error) {
		v, err := c.store.Put(ctx, key, store.Record{Value: []byte(value), Version: v})
		if err == nil {
			c.known[key] = v
		}
		return output{version: v}, err
	})
}

func (c *client) delete(ctx context.Context, key string, v store.Version) answer {
	return c.do(ctx, input{verb: remove, key: key, version: v}, func(ctx context.Context) (output, error) {
		err := c.store.Delete(ctx, key, v)
		if err == nil {
			c.known[key] = 0
		}
		return output{}, err
	})
}

// do makes one call and writes it down. The end of the run does not break it off: only its own deadline does.
func (c *client) do(ctx context.Context, in input, call func(context.Context) (output, error)) answer {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.config.Patience)
	defer cancel()
	called := time.Since(c.start)
	out, err := call(ctx)
	returned := time.Since(c.start)
	switch {
	case err == nil:
		out.answer = done
	case errors.Is(err, store.ErrNotFound) && in.verb == get:
		out = output{answer: notFound}
	case errors.Is(err, store.ErrConflict) && in.verb != get:
		out = output{answer: conflict}
	case c.config.NotDone != nil && c.config.NotDone(err):
		return unknown // no part of the history
	default:
		out = output{answer: unknown, err: err.Error()}
	}
	c.history = append(c.history, porcupine.Operation{
		ClientId: c.id, Input: in, Output: out, Call: int64(called), Return: int64(returned),
	})
	return out.answer
}

// finish reads every key once more, as often as it takes to get an answer, and returns these calls.
func (c *client) finish(tb testing.TB) []porcupine.Operation {
	tb.Helper()
	last := &client{config: c.config, id: c.config.Clients, store: c.store, start: c.start, run: c.run, known: c.known}
	deadline := time.Now().Add(c.config.Recovery)
	for i := range c.config.Keys {
		for last.get(tb.Context(), c.key(i)) == unknown {
			if time.Now().After(deadline) {
				failed := last.history[len(last.history)-1].Output.(output)
				tb.Fatalf("linear: the store does not answer %v after the chaos ended: %s", c.config.Recovery, failed.err)
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	return last.history
}
