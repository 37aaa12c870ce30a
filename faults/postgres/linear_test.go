package postgres_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

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
