package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit/processes"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/audit"
	"github.com/civicpin/civicpin/store/sqlite"
)

// TestVaultOpener is not a test: it is a child that opens a vault with the keys of a file, and says whether they fit.
func TestVaultOpener(t *testing.T) {
	serve(t, func(ctx context.Context, c *processes.Child, s *sqlite.Store, j fileJob) error {
		keys, err := store.ReadKeyFile(j.Text)
		if err != nil {
			return err
		}
		_, err = store.OpenVault(ctx, s, keys, nil)
		switch {
		case errors.As(err, new(*store.KeysError)):
			c.Say("refused")
		case err != nil:
			return err
		default:
			c.Say("fits")
		}
		return nil
	})
}

// TestProcessesOpenAnEmptyStore at once, with one key file or with two: the keys of one file win.
func TestProcessesOpenAnEmptyStore(t *testing.T) {
	dir := t.TempDir()
	files := []string{filepath.Join(dir, "a.keys"), filepath.Join(dir, "b.keys")}
	for _, f := range files {
		_, err := store.CreateKeyFile(f)
		require.NoError(t, err)
	}
	for round := range 6 {
		path := newPath(t)
		differ := round%2 == 1
		all := processes.Start(t, "TestVaultOpener", each(func(i int) fileJob {
			if differ {
				return fileJob{Path: path, Text: files[i%2]}
			}
			return fileJob{Path: path, Text: files[0]}
		})...)
		all.Go(t)
		fit := make([]int, 2)
		for i, p := range all {
			if slices.Equal(p.Finish(t), []string{"fits"}) {
				fit[i%2]++
			}
		}
		if differ {
			assert.ElementsMatch(t, []int{0, children / 2}, fit)
		} else {
			assert.Equal(t, []int{children / 2, children / 2}, fit)
		}
	}
}

type visits struct {
	N int `json:"n"`
}

// A server is what a portal has: a vault, with an audit log beside it.
type server struct {
	vault  *store.Vault
	visits store.Kind[visits]
	log    *audit.Log
	failed atomic.Pointer[error]
}

func newServer(ctx context.Context, s store.Store, keyFile string) (*server, error) {
	keys, err := store.ReadKeyFile(keyFile)
	if err != nil {
		return nil, err
	}
	v := new(server)
	if v.vault, err = store.OpenVault(ctx, s, keys, nil); err != nil {
		return nil, err
	}
	if v.visits, err = store.NewKind[visits](v.vault, "visits"); err != nil {
		return nil, err
	}
	v.log, err = audit.New(v.vault, audit.Config{
		Chains: 1,
		Failed: func(_ context.Context, _ civicpin.Event, err error) { v.failed.Store(&err) },
	})
	return v, err
}

// visit writes records that other processes write, too, reads all that there are, and records an event.
func (v *server) visit(ctx context.Context, i int) error {
	_, err := v.visits.Update(ctx, store.Key{ID: fmt.Sprint(i % 10)}, func(e *store.Entry[visits]) error { e.Value.N++; return nil })
	if err != nil {
		return err
	}
	if _, err := v.visits.Walk(ctx, store.Pass{}, func(store.Entry[visits]) error { return nil }); err != nil {
		return err
	}
	v.log.Record(ctx, civicpin.Event{Code: "test.visit"})
	if failed := v.failed.Load(); failed != nil {
		return *failed
	}
	return nil
}

// TestServer is not a test: it is a child under traffic, until it is told to stop. It says "serving" after the first visit, and
// in the end how many visits there were.
func TestServer(t *testing.T) {
	serve(t, func(ctx context.Context, c *processes.Child, s *sqlite.Store, j fileJob) error {
		v, err := newServer(ctx, s, j.Text)
		if err != nil {
			return err
		}
		var stop atomic.Bool
		go func() {
			c.Hear()
			stop.Store(true)
		}()
		n := 0
		for ; !stop.Load(); n++ {
			if err := v.visit(ctx, n); err != nil {
				return fmt.Errorf("visit %d: %w", n, err)
			}
			if n == 0 {
				c.Say("serving")
			}
		}
		c.Say(n)
		return nil
	})
}

// A rollout is two processes with a key file each, and the file that an operator changes.
type rollout struct {
	t       *testing.T
	path    string
	file    string
	running [2]*processes.Process
	visits  int
}

// restart gives one process after the other the operator's file, while the other serves.
func (r *rollout) restart() {
	r.t.Helper()
	for i := range r.running {
		r.stop(i)
		text, err := os.ReadFile(r.file)
		require.NoError(r.t, err)
		own := fmt.Sprint(r.file, i)
		require.NoError(r.t, os.WriteFile(own, text, 0o600))
		r.running[i] = child(r.t, "TestServer", fileJob{Path: r.path, Text: own})
		require.Equal(r.t, "serving", r.running[i].Line(r.t))
		time.Sleep(50 * time.Millisecond) // both serve, with different files
	}
}

func (r *rollout) stop(i int) {
	r.t.Helper()
	if r.running[i] == nil {
		return
	}
	r.running[i].Go(r.t)
	said := r.running[i].Finish(r.t)
	require.Len(r.t, said, 1)
	visits, err := strconv.Atoi(said[0])
	require.NoError(r.t, err)
	r.visits += visits
	r.running[i] = nil
}

// TestRotationUnderTraffic: a sealing key is rotated as docs/keys.md says, with two processes that serve all the time but for
// their own restarts. No visit fails, and the audit log is whole.
func TestRotationUnderTraffic(t *testing.T) {
	r := &rollout{t: t, path: newPath(t), file: filepath.Join(t.TempDir(), "pins.keys")}
	_, err := store.CreateKeyFile(r.file)
	require.NoError(t, err)
	r.restart()
	id, err := store.AddKey(r.file)
	require.NoError(t, err)
	r.restart()
	require.NoError(t, store.PromoteKey(r.file, id))
	r.restart()

	operator, err := newServer(t.Context(), open(t, r.path), r.file)
	require.NoError(t, err)
	early := r.file + ".early"
	text, err := os.ReadFile(r.file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(early, text, 0o600))
	require.NoError(t, store.RemoveKey(early, "k1"))
	_, err = newServer(t.Context(), open(t, r.path), early)
	var wrong *store.KeysError
	require.ErrorAs(t, err, &wrong, "before all is sealed anew")
	require.Equal(t, []string{"k1"}, wrong.Missing)

	for walks := 0; ; walks++ {
		require.Less(t, walks, 50)
		at, err := operator.vault.Reseal(t.Context(), store.Pass{})
		require.NoError(t, err)
		require.True(t, at.End)
		if at.Changed == 0 && at.Missed == 0 {
			break
		}
	}
	require.NoError(t, store.RemoveKey(r.file, "k1"))
	r.restart()
	for i := range r.running {
		r.stop(i)
	}

	last, err := newServer(t.Context(), open(t, r.path), r.file)
	require.NoError(t, err)
	report, err := last.log.Verify(t.Context(), audit.Check{})
	require.NoError(t, err)
	assert.Empty(t, report.Faults)
	assert.Equal(t, r.visits, report.Events)
	sum := 0
	_, err = last.visits.Walk(t.Context(), store.Pass{}, func(e store.Entry[visits]) error { sum += e.Value.N; return nil })
	require.NoError(t, err)
	assert.Equal(t, r.visits, sum)
	t.Logf("%d visits", r.visits)
}

// TestRotationInTheWrongOrder: with a new key in front at once, the processes that do not have it fail. This is what
// TestRotationUnderTraffic would see.
func TestRotationInTheWrongOrder(t *testing.T) {
	path, file := newPath(t), filepath.Join(t.TempDir(), "pins.keys")
	_, err := store.CreateKeyFile(file)
	require.NoError(t, err)
	old, err := newServer(t.Context(), open(t, path), file)
	require.NoError(t, err)
	require.NoError(t, old.visit(t.Context(), 0))
	id, err := store.AddKey(file)
	require.NoError(t, err)
	require.NoError(t, store.PromoteKey(file, id))
	young, err := newServer(t.Context(), open(t, path), file)
	require.NoError(t, err)
	require.NoError(t, young.visit(t.Context(), 0))
	require.ErrorIs(t, old.visit(t.Context(), 0), store.ErrUnknownKey)
}
