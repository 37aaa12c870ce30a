package postgres_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/flows"
	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/faults/linear"
	"github.com/civicpin/civicpin/faults/proxy"
	"github.com/civicpin/civicpin/internal/servers"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlstore"
)

// work lets clients share records, each four of them a pool, while something goes wrong, and requires a linear history.
func work(t *testing.T, dsn string, chaos func(context.Context)) linear.Result {
	t.Helper()
	clients := kit.Pick(12, 36)
	var pools []*kit.Postgres
	for range (clients + 3) / 4 {
		pools = append(pools, kit.MustOpenPostgres(t, dsn, 4, nil))
	}
	r := linear.Run(t, linear.Config{
		Clients: clients,
		For:     kit.Pick(3*time.Second, time.Minute),
		// Long enough for a restart, short enough that a frozen server leaves outcomes open.
		Patience: time.Second,
		Open:     func(client int) (store.Store, error) { return pools[client%len(pools)].Store, nil },
		Chaos:    chaos,
		Think:    kit.Pick(0, 100*time.Millisecond), // a longer history takes longer to judge than to make
		NotDone:  notDone,
	})
	require.Equal(t, porcupine.Ok, r.Verdict)
	require.Positive(t, r.Done)
	require.Positive(t, r.Conflicts)
	return r
}

// notDone holds sqlstore to its word: what it says was not done must never be read.
func notDone(err error) bool { return errors.Is(err, sqlstore.ErrNotDone) }

// until calls f again and again with pauses of random length, until the context is done.
func until(ctx context.Context, longest time.Duration, f func()) {
	for {
		select {
		case <-time.After(longest/4 + rand.N(longest*3/4)):
			f()
		case <-ctx.Done():
			return
		}
	}
}

func TestLinear(t *testing.T) {
	if kit.Full() { // all have their peaceful moments
		t.Run("in peace", func(t *testing.T) {
			r := work(t, servers.PostgreSQL(t).DSN(), nil)
			require.Zero(t, r.Unknown+r.ReadErrors)
		})
	}
	t.Run("killed", func(t *testing.T) { eachVersion(t, testKilled) })
	t.Run("frozen", func(t *testing.T) {
		p := servers.PostgreSQL(t)
		long := 1200 * time.Millisecond
		r := work(t, p.DSN(), func(ctx context.Context) {
			until(ctx, 600*time.Millisecond, func() {
				if err := p.Stop(); err != nil {
					t.Error(err)
				}
				// The first freeze ends after the clients gave up, and later ones perhaps before.
				time.Sleep(long + rand.N(500*time.Millisecond))
				long = rand.N(1200 * time.Millisecond)
				if err := p.Cont(); err != nil {
					t.Error(err)
				}
			})
		})
		require.Positive(t, r.Unknown)
	})
	t.Run("cut off", func(t *testing.T) {
		p := servers.PostgreSQL(t)
		net := proxy.New(t, p.Addr())
		r := work(t, p.DSNThrough(net.Addr()), func(ctx context.Context) {
			n, err := net.Chaos(ctx, 350*time.Millisecond)
			if err != nil {
				t.Error(err)
			}
			t.Logf("%d faults", n)
		})
		require.Positive(t, r.Unknown)
	})
}

func testKilled(t *testing.T, p *servers.Postgres) {
	kills := 0
	r := work(t, p.DSN(), func(ctx context.Context) {
		until(ctx, time.Second, func() {
			if err := p.Kill(); err != nil {
				t.Error(err)
			}
			time.Sleep(rand.N(200 * time.Millisecond))
			if err := p.Restart(); err != nil {
				t.Error(err)
			}
			kills++
		})
	})
	require.Positive(t, kills)
	require.Positive(t, r.Unknown)
}

// pair is a primary with a synchronous standby, behind one address.
type pair struct {
	primary, standby *servers.Postgres
	front            *proxy.Proxy
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{primary: servers.PostgreSQL(t)}
	p.front = proxy.New(t, p.primary.Addr())
	var err error
	p.standby, err = p.primary.AddStandby(t.Context())
	require.NoError(t, err)
	return p
}

func (p *pair) dsn() string { return p.primary.DSNThrough(p.front.Addr()) }

// failOver kills the primary, puts the standby in its place, and gives that a standby of its own.
func (p *pair) failOver(ctx context.Context) error {
	if err := p.primary.Kill(); err != nil {
		return err
	}
	return p.takeOver(ctx)
}

// takeOver puts the standby in the place of a primary that was killed, and gives it a standby of its own.
func (p *pair) takeOver(ctx context.Context) error {
	if err := p.front.Break(proxy.Cut); err != nil {
		return err
	}
	if err := p.standby.Promote(ctx); err != nil {
		return err
	}
	if err := p.front.Point(p.standby.Addr()); err != nil {
		return err
	}
	p.primary = p.standby
	var err error
	p.standby, err = p.primary.AddStandby(ctx)
	return err
}

// Clients log in, change PINs, use codes, lock, have PINs issued and recover them while the primary is killed again and again.
// Whatever was acknowledged is there afterwards, and what was consumed stays so.
func TestFailover(t *testing.T) {
	p := newPair(t)
	rounds := kit.Pick(2, 20)
	all := []string{"logins", "codes used", "locks", "issues", "links used", "recoveries finished"}
	j := flows.Run(t, flows.Config{
		Open: func(int) (store.Store, error) { return kit.OpenPostgres(t.Context(), p.dsn(), 8, nil) },
		Chaos: func(ctx context.Context, j *kit.Journal) {
			for round := range rounds {
				if err := j.Progress(ctx, 1, all...); err != nil { // a recovery takes so long that there are more of the others
					t.Error(err)
					return
				}
				time.Sleep(rand.N(500 * time.Millisecond))
				if err := p.failOver(ctx); err != nil {
					t.Errorf("round %d: %v", round, err)
					return
				}
			}
			if err := j.Progress(ctx, 1, all...); err != nil {
				t.Error(err)
			}
		},
	})
	for _, what := range []string{
		"logins audited", "codes audited", "locks audited", "parts audited", "recoveries audited", "notices audited",
	} {
		require.Positive(t, j.Counts()[what], what)
	}
	failed := 0
	for _, what := range []string{"logins failed", "codes failed", "guesses failed", "issues failed", "recoveries failed"} {
		failed += j.Counts()[what]
	}
	require.Positive(t, failed, "nobody noticed")
}

// The same, judged record by record. The clients share a Store: see sqlstore on what a read of another may show of a write
// whose wait for the standby was broken off.
func TestLinearFailover(t *testing.T) {
	p := newPair(t)
	failovers := 0
	pool := kit.MustOpenPostgres(t, p.dsn(), 12, nil)
	r := linear.Run(t, linear.Config{
		Clients:  kit.Pick(12, 36),
		For:      kit.Pick(5*time.Second, time.Minute),
		Patience: 2 * time.Second,
		Think:    kit.Pick(0, 100*time.Millisecond), // a longer history takes longer to judge than to make
		Open:     func(int) (store.Store, error) { return struct{ store.Store }{pool}, nil },
		NotDone:  notDone,
		Chaos: func(ctx context.Context) {
			until(ctx, 2*time.Second, func() {
				if err := p.failOver(context.WithoutCancel(ctx)); err != nil {
					t.Error(err)
				}
				failovers++
			})
		},
	})
	require.Equal(t, porcupine.Ok, r.Verdict)
	require.Positive(t, failovers)
	require.Positive(t, r.Unknown)
}

// The standby stands still, so that clients give up waiting for it and their drivers cancel: PostgreSQL then shows what
// the standby does not have. The standby then loses even what it had not read yet, and takes over.
func TestLinearFrozenStandby(t *testing.T) {
	p := newPair(t)
	pool := kit.MustOpenPostgres(t, p.dsn(), 12, nil)
	r := linear.Run(t, linear.Config{
		Clients:  kit.Pick(12, 36),
		For:      kit.Pick(4*time.Second, time.Minute),
		Patience: 500 * time.Millisecond,
		Think:    kit.Pick(0, 100*time.Millisecond), // as above
		Open:     func(int) (store.Store, error) { return struct{ store.Store }{pool}, nil },
		NotDone:  notDone,
		Chaos: func(ctx context.Context) {
			until(ctx, time.Second, func() {
				err := p.standby.Stop()
				time.Sleep(time.Second + rand.N(time.Second))
				err = errors.Join(err, p.standby.Kill(), p.primary.Kill(), p.standby.Restart(), p.takeOver(context.WithoutCancel(ctx)))
				if err != nil {
					t.Error(err)
				}
			})
		},
	})
	require.Equal(t, porcupine.Ok, r.Verdict)
	require.Positive(t, r.Unknown)
}
