package soak

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/faults/natscluster"
	"github.com/civicpin/civicpin/internal/servers"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/natsstore"
	"github.com/civicpin/civicpin/store/redisstore"
	"github.com/civicpin/civicpin/store/sqlite"
)

// engines start what a store needs, until the end of tb, and open it.
var engines = map[string]func(tb testing.TB) store.Store{
	"memory": func(testing.TB) store.Store { return store.NewMemory() },
	"sqlite": func(tb testing.TB) store.Store {
		s, err := sqlite.Open(tb.Context(), filepath.Join(tb.TempDir(), "soak.db"))
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { _ = s.Close() })
		return s
	},
	"postgres": func(tb testing.TB) store.Store {
		return kit.MustOpenPostgres(tb, servers.PostgreSQL(tb).DSN(), 16, nil)
	},
	// Three servers, each of which keeps every record.
	"nats": func(tb testing.TB) store.Store {
		c := natscluster.Start(tb, 3, natscluster.Options{})
		s, err := natsstore.New(tb.Context(), natscluster.JetStream(tb, c.Connect(tb)), &natsstore.Options{Buckets: 16})
		if err != nil {
			tb.Fatal(err)
		}
		return s
	},
}

// Main is what a program that opens stores calls first: NATS servers are processes of its own binary.
func Main() { natscluster.Main() }

// Names returns the names that Open knows, without the addition.
func Names() []string { return slices.Sorted(maps.Keys(engines)) }

// Open opens a store by name, and tells whether it keeps its records in this process. With "+redis" behind it, throttles and
// delivered codes go to Redis. What it starts ends with tb.
func Open(tb testing.TB, name string) (s store.Store, inMemory bool) {
	tb.Helper()
	main, throttles := strings.CutSuffix(name, "+redis")
	open, ok := engines[main]
	if !ok {
		tb.Fatal(fmt.Errorf("soak: no store %q; there are %s, each also with +redis", name, strings.Join(Names(), ", ")))
	}
	s, inMemory = open(tb), main == "memory"
	if !throttles {
		return s, inMemory
	}
	client := redis.NewClient(&redis.Options{Addr: servers.Redis(tb).Addr(), ContextTimeoutEnabled: true})
	tb.Cleanup(func() { _ = client.Close() })
	cache, err := redisstore.New(tb.Context(), client, nil)
	if err != nil {
		tb.Fatal(err)
	}
	rest := store.Route{Kinds: []string{"*"}, Store: s}
	if inMemory {
		rest.MayLose = rest.Kinds
	}
	losable := []string{"code.*", "code-pending.*", "quota.*"}
	routed, err := store.NewRouter(rest, store.Route{Kinds: losable, Store: cache})
	if err != nil {
		tb.Fatal(err)
	}
	return routed, inMemory
}
