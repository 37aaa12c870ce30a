package flows

import (
	"context"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/store"
)

// A Flow is one client. Its methods are called one at a time.
type Flow interface {
	// Step does one thing, and notes what it was told. It breaks off when the context is done.
	Step(ctx context.Context)
	// Audit holds everything that was acknowledged against the store, when that is whole again.
	Audit(ctx context.Context)
}

// A Kind is one sort of client.
type Kind struct {
	Name string
	// New returns the client of a number on a site.
	New func(s *Site, client int, j *kit.Journal) Flow
}

// Kinds are all sorts of clients.
var Kinds = []Kind{
	{"login", newLogin},
	{"code", newCode},
	{"lock", newLock},
	{"issue", newIssue},
	{"recover", newRecover},
}

// A Config says who does what, and for how long.
type Config struct {
	// Clients is how many work at once; zero means 16, which is four of each kind.
	Clients int
	// Kinds are the sorts of clients, which take turns; nil means [Kinds].
	Kinds []Kind
	// Patience is the deadline of one step; zero means 20 seconds.
	Patience time.Duration
	// Arrival is how long what was promised may take to be sent when the store is whole again; zero means a minute.
	Arrival time.Duration
	// Open returns a handle on the store for the process of a number, which serves at most one client of each kind. One that is
	// an io.Closer is closed in the end.
	Open func(process int) (store.Store, error)
	// Chaos does its worst, and returns when the store is whole again. The clients work until then; the journal tells how
	// far they have come.
	Chaos func(ctx context.Context, j *kit.Journal)
}

// Run lets the clients work until the chaos is over, audits what they were told, and fails the test for whatever was
// broken.
func Run(tb testing.TB, c Config) *kit.Journal {
	tb.Helper()
	if c.Clients == 0 {
		c.Clients = 16
	}
	if c.Kinds == nil {
		c.Kinds = Kinds
	}
	if c.Patience == 0 {
		c.Patience = 20 * time.Second
	}
	if c.Arrival == 0 {
		c.Arrival = time.Minute
	}
	j := kit.NewJournal()
	var clk clock
	mail := &Mail{arrival: c.Arrival}
	site := func(process int) *Site {
		s, err := c.Open(process)
		if err != nil {
			tb.Fatal(err)
		}
		if closer, ok := s.(io.Closer); ok {
			tb.Cleanup(func() { _ = closer.Close() })
		}
		site, err := newSite(s, &clk, mail)
		if err != nil {
			tb.Fatal(err)
		}
		return site
	}
	// A process serves one client of each kind; the last one serves those that are left.
	var all []Flow
	var shared *Site
	var sites []*Site
	for i := range c.Clients {
		if i%len(c.Kinds) == 0 {
			shared = site(i / len(c.Kinds))
			sites = append(sites, shared)
		}
		all = append(all, c.Kinds[i%len(c.Kinds)].New(shared, i, j))
	}

	// Every process sends, all the time: its own messages at once, and those of others when they wait.
	sending, stopSending := context.WithCancel(tb.Context())
	var senders sync.WaitGroup
	defer senders.Wait()
	defer stopSending()
	for _, s := range sites {
		senders.Go(func() { _ = s.Out.Run(sending) })
	}

	working, stopWorking := context.WithCancel(tb.Context())
	var workers sync.WaitGroup
	for _, f := range all {
		workers.Go(func() {
			for working.Err() == nil {
				ctx, cancel := context.WithTimeout(tb.Context(), c.Patience)
				f.Step(ctx)
				cancel()
				time.Sleep(breath)
			}
		})
	}
	c.Chaos(tb.Context(), j)
	stopWorking()
	workers.Wait()

	// What was under way when the store broke down, reservations and claims, has run out by then.
	clk.forward(3 * time.Minute)
	var auditors sync.WaitGroup
	for _, f := range all {
		auditors.Go(func() { f.Audit(tb.Context()) })
	}
	auditors.Wait()
	tb.Log(j)
	for _, what := range j.Broken() {
		tb.Error(what)
	}
	return j
}

// breath is how long a client waits between two steps: on a fast store those that need no hash would leave the others no
// processor.
const breath = 10 * time.Millisecond

// pause waits a moment after a failure: nothing is learned from asking the dead in a loop.
func pause(ctx context.Context) {
	select {
	case <-time.After(20 * time.Millisecond):
	case <-ctx.Done():
	}
}
