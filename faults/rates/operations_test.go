package rates_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/faults/natscluster"
	"github.com/civicpin/civicpin/internal/servers"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/redisstore"
	"github.com/civicpin/civicpin/store/sqlite"
	"github.com/civicpin/civicpin/store/sqlstore"
)

// value is as long as a sealed lockout record.
var value = bytes.Repeat([]byte("x"), 300)

const (
	// crowd is how many clients work at once where several do.
	crowd = 16
	// listed is how many records a listing finds.
	listed = 100
	// least is which part of the raw engine's compare-and-swap rate a store for credentials has to reach.
	least = 0.5
)

// errOther is what a write by hand gives whose condition did not hold.
var errOther = errors.New("another version")

// byHand is the engine without the store: keys, versions that the engine or the statement makes, and the value.
type byHand struct {
	get    func(ctx context.Context, key string) error
	create func(ctx context.Context, key string) (version int64, err error)
	swap   func(ctx context.Context, key string, version int64) (next int64, err error)
	refuse func(ctx context.Context, key string) error // a write on a condition that does not hold; it gives errOther
	remove func(ctx context.Context, key string, version int64) error
	// list reads what begins with a prefix; nil where the engine cannot without looking at everything.
	list func(ctx context.Context, prefix string) (n int, err error)
}

// made is a record that was created.
type made struct {
	key     string
	version int64
}

// A stock holds what each client created and did not delete yet.
type stock [crowd][]made

func (s *stock) put(client int, m made) { s[client] = append(s[client], m) }

func (s *stock) take(client int) (made, error) {
	n := len(s[client])
	if n == 0 {
		return made{}, errNoMore
	}
	m := s[client][n-1]
	s[client] = s[client][:n-1]
	return m, nil
}

// operations returns what is compared: reads, swaps on a key of each client's own, swaps that are refused, listings of a
// hundred records, creates, and deletes of what was created.
func operations(t *testing.T, s store.Lister, raw byHand, swapAtLeast float64) []operation {
	t.Helper()
	var versions, rawVersions [crowd]int64
	key := func(client int) string { return fmt.Sprintf("swap/%d", client) }
	put := func(ctx context.Context, key string, version int64) (int64, error) {
		v, err := s.Put(ctx, key, store.Record{Value: value, Version: store.Version(version)})
		return int64(v), err
	}
	for c := range crowd {
		var err error
		versions[c], err = put(t.Context(), key(c), 0)
		require.NoError(t, err)
		rawVersions[c], err = raw.create(t.Context(), key(c))
		require.NoError(t, err)
	}
	for i := range listed {
		k := fmt.Sprintf("list/%03d", i)
		_, err := put(t.Context(), k, 0)
		require.NoError(t, err)
		_, err = raw.create(t.Context(), k)
		require.NoError(t, err)
	}
	var n atomic.Int64
	var stored, rawStored stock
	create := operation{
		name: "create",
		store: func(ctx context.Context, c int) error {
			k := fmt.Sprintf("create/%d", n.Add(1))
			v, err := put(ctx, k, 0)
			stored.put(c, made{k, v})
			return err
		},
		raw: func(ctx context.Context, c int) error {
			k := fmt.Sprintf("create/%d", n.Add(1))
			v, err := raw.create(ctx, k)
			rawStored.put(c, made{k, v})
			return err
		},
	}
	list := operation{
		name:  fmt.Sprint("list of ", listed),
		alone: true,
		store: func(ctx context.Context, _ int) error {
			n := 0
			for _, err := range s.List(ctx, "list/", "") {
				if err != nil {
					return err
				}
				n++
			}
			return found(n, nil)
		},
	}
	if raw.list != nil {
		list.raw = func(ctx context.Context, _ int) error { return found(raw.list(ctx, "list/")) }
	}
	return []operation{
		{
			name:  "get",
			store: func(ctx context.Context, c int) error { _, err := s.Get(ctx, key(c)); return err },
			raw:   func(ctx context.Context, c int) error { return raw.get(ctx, key(c)) },
		},
		{
			name:    "swap",
			atLeast: swapAtLeast,
			store: func(ctx context.Context, c int) (err error) {
				versions[c], err = put(ctx, key(c), versions[c])
				return err
			},
			raw: func(ctx context.Context, c int) (err error) {
				rawVersions[c], err = raw.swap(ctx, key(c), rawVersions[c])
				return err
			},
		},
		{
			name: "refused swap",
			store: func(ctx context.Context, c int) error {
				_, err := put(ctx, key(c), versions[c]+1)
				return refused(err, store.ErrConflict)
			},
			raw: func(ctx context.Context, c int) error { return refused(raw.refuse(ctx, key(c)), errOther) },
		},
		list,
		create,
		{
			name:  "delete",
			first: &create,
			store: func(ctx context.Context, c int) error {
				m, err := stored.take(c)
				if err != nil {
					return err
				}
				return s.Delete(ctx, m.key, store.Version(m.version))
			},
			raw: func(ctx context.Context, c int) error {
				m, err := rawStored.take(c)
				if err != nil {
					return err
				}
				return raw.remove(ctx, m.key, m.version)
			},
		},
	}
}

// refused turns the refusal that is wanted into success, and everything else into an error.
func refused(err, want error) error {
	if errors.Is(err, want) {
		return nil
	}
	return fmt.Errorf("not refused: %w", err)
}

// found is an error unless a listing found all.
func found(n int, err error) error {
	if err == nil && n != listed {
		err = fmt.Errorf("%d records listed", n)
	}
	return err
}

func TestMain(m *testing.M) {
	natscluster.Main()
	os.Exit(m.Run())
}

// TestRates prints a table for each store, and asks of those that hold credentials half of the raw engine's rate of
// compare-and-swap, which is what counting a guess is.
func TestRates(t *testing.T) {
	how := settings{rounds: kit.Pick(5, 11), slice: kit.Pick(20*time.Millisecond, 400*time.Millisecond)}
	t.Run("SQLite", func(t *testing.T) {
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "pins.db"))
		require.NoError(t, err)
		t.Cleanup(func() { _ = s.Close() })
		how.all(t, "SQLite", operations(t, s, rawSQLite(t), least))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		p := servers.PostgreSQL(t)
		var trips atomic.Int64
		config, err := pgx.ParseConfig(p.DSN())
		require.NoError(t, err)
		config.DialFunc = counting(config.DialFunc, &trips)
		db := stdlib.OpenDB(*config)
		t.Cleanup(func() { _ = db.Close() })
		db.SetMaxOpenConns(crowd)
		db.SetMaxIdleConns(crowd)
		s, err := sqlstore.New(t.Context(), db, sqlstore.PostgreSQL, nil)
		require.NoError(t, err)
		how := how
		how.trips = trips.Load
		how.all(t, "PostgreSQL", operations(t, s, rawPostgres(t, p.DSN()), least))
	})
	t.Run("NATS", func(t *testing.T) { nats(t, 1, how) })
	if kit.Full() {
		t.Run("NATS cluster", func(t *testing.T) { nats(t, 3, how) })
	}
	t.Run("Redis", func(t *testing.T) {
		var trips atomic.Int64
		c := redis.NewClient(&redis.Options{
			Addr: servers.Redis(t).Addr(), ContextTimeoutEnabled: true, DisableIdentity: true, PoolSize: crowd,
			Dialer: counting((&net.Dialer{}).DialContext, &trips),
		})
		t.Cleanup(func() { _ = c.Close() })
		s, err := redisstore.New(t.Context(), c, nil)
		require.NoError(t, err)
		how := how
		how.trips = trips.Load
		how.all(t, "Redis", operations(t, s, rawRedis(t, c), 0))
	})
}

// counting returns a dialer whose connections count how often their user begins to wait for an answer to what it sent.
func counting(dial func(ctx context.Context, network, addr string) (net.Conn, error), trips *atomic.Int64,
) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &counted{Conn: conn, trips: trips}, nil
	}
}

type counted struct {
	net.Conn
	sent  atomic.Bool
	trips *atomic.Int64
}

func (c *counted) Write(b []byte) (int, error) {
	c.sent.Store(true)
	return c.Conn.Write(b)
}

func (c *counted) Read(b []byte) (int, error) {
	if c.sent.Swap(false) {
		c.trips.Add(1)
	}
	return c.Conn.Read(b)
}

// errNoMore is what an operation gives that has nothing left to work on.
var errNoMore = errors.New("nothing left")

// An operation is done by the store and by hand, for a client of some number. It may keep what it needs between calls.
type operation struct {
	name string
	// store and raw do it once. raw is nil where the engine alone has nothing like it.
	store, raw func(ctx context.Context, client int) error
	// first, if there is one, makes what this one uses up: it is done before, for as long, and not measured.
	first *operation
	// alone says that it is done by one at a time: it is upkeep, and on nobody's path.
	alone bool
	// atLeast is which part of the engine's rate is asked of the store; zero asks nothing.
	atLeast float64
}

// A side is what was measured of one way of doing an operation.
type side struct {
	n     int
	spent time.Duration
}

func (s *side) rate() float64 { return float64(s.n) / s.spent.Seconds() }

func (s *side) add(o side) {
	s.n += o.n
	s.spent += o.spent
}

// measure does an operation as often as it can for a while, with that many clients, and once with each at least.
func measure(t *testing.T, clients int, while time.Duration, do func(context.Context, int) error) (s side) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := time.Now()
	for client := range clients {
		wg.Go(func() {
			n := 0
			for n == 0 || time.Since(start) < while {
				if err := do(t.Context(), client); errors.Is(err, errNoMore) {
					break
				} else if err != nil {
					t.Error(err)
					return
				}
				n++
			}
			mu.Lock()
			defer mu.Unlock()
			s.n += n
		})
	}
	wg.Wait()
	s.spent = time.Since(start)
	return s
}

// settings say how to measure.
type settings struct {
	rounds int
	slice  time.Duration // of each side in each round
	// trips counts the round trips so far; nil where there are none.
	trips func() int64
}

// A row is what came of a comparison.
type row struct {
	operation
	clients int
	trips   string  // round trips of the store for one operation
	rate    float64 // of the store, a second
	raw     string  // of the engine
	ratio   float64 // of the store's rate by the engine's; zero without
}

const header = "| store | operation | clients | round trips | a second | raw engine | ratio |\n| --- | --- | --- | --- | --- | --- | --- |\n"

// line returns the row as one of a table in Markdown.
func (r row) line(store string) string {
	ratio := "–"
	if r.raw != "–" {
		ratio = fmt.Sprintf("%.2f", r.ratio)
	}
	return fmt.Sprintf("| %s | %s | %d | %s | %.0f | %s | %s |\n", store, r.name, r.clients, r.trips, r.rate, r.raw, ratio)
}

// compare measures both sides in turns. The ratio is the median over the turns of the store's rate by the raw one's: what
// else the machine does comes in bursts, and would decide a comparison of two sums.
func (c settings) compare(t *testing.T, op operation, clients int) row {
	t.Helper()
	var store, raw side
	var used int64
	var ratios []float64
	for round := -1; round < c.rounds; round++ { // the first is for connections and caches, and does not count
		var s, r side
		var trips int64
		for turn := range 2 {
			if (round+turn)%2 == 0 {
				if op.first != nil {
					measure(t, clients, c.slice, op.first.store)
				}
				before := c.count()
				s = measure(t, clients, c.slice, op.store)
				trips = c.count() - before
			} else if op.raw != nil {
				if op.first != nil {
					measure(t, clients, c.slice, op.first.raw)
				}
				r = measure(t, clients, c.slice, op.raw)
			}
		}
		if round < 0 {
			continue
		}
		require.NotZero(t, s.n, op.name)
		store.add(s)
		used += trips
		if op.raw != nil {
			require.NotZero(t, r.n, op.name)
			raw.add(r)
			ratios = append(ratios, s.rate()/r.rate())
		}
	}
	result := row{operation: op, clients: clients, trips: "–", rate: store.rate(), raw: "–"}
	if c.trips != nil {
		result.trips = fmt.Sprintf("%.1f", float64(used)/float64(store.n))
	}
	if op.raw != nil {
		slices.Sort(ratios)
		result.raw, result.ratio = fmt.Sprintf("%.0f", raw.rate()), ratios[len(ratios)/2]
	}
	return result
}

func (c settings) count() int64 {
	if c.trips == nil {
		return 0
	}
	return c.trips()
}

// all compares every operation with one client and with many, and prints a table.
func (c settings) all(t *testing.T, store string, ops []operation) {
	t.Helper()
	var table strings.Builder
	table.WriteString(header)
	for _, clients := range []int{1, crowd} {
		for _, op := range ops {
			if op.alone && clients > 1 {
				continue
			}
			r := c.compare(t, op, clients)
			for tries := 0; r.ratio < op.atLeast; tries++ {
				require.Less(t, tries, 5, "%s: %.2f of the raw engine's rate, again and again", op.name, r.ratio)
				r = c.compare(t, op, clients)
			}
			table.WriteString(r.line(store))
		}
	}
	table.WriteString("\nThe ratio is the median over the turns, not the quotient of the two rates.\n")
	fmt.Println("\n" + table.String()) // not logged, for it is to be copied
}
