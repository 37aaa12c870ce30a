package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/audit"
	"github.com/civicpin/civicpin/store/sqlite"
)

func init() {
	jobs["open-vault"] = openVault
	jobs["serve"] = serve
}

// openVault opens a vault with the keys of a file, and prints whether they fit.
func openVault(path string, args []string, _ *bufio.Scanner) error {
	return withStore(path, func(ctx context.Context, s *sqlite.Store) error {
		keys, err := store.ReadKeyFile(args[0])
		if err != nil {
			return err
		}
		_, err = store.OpenVault(ctx, s, keys, nil)
		var wrong *store.KeysError
		switch {
		case errors.As(err, &wrong):
			fmt.Println("refused")
		case err != nil:
			return err
		default:
			fmt.Println("fits")
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
		var all []*process
		for i := range processes {
			file := files[0]
			if differ {
				file = files[i%2]
			}
			all = append(all, waitingChild(t, "open-vault", path, file))
		}
		for _, p := range all {
			p.begin(t)
		}
		fit := make([]int, 2)
		for i, p := range all {
			if p.finish(t) == "fits\n" {
				fit[i%2]++
			}
		}
		if differ {
			assert.ElementsMatch(t, []int{0, processes / 2}, fit)
		} else {
			assert.Equal(t, []int{processes / 2, processes / 2}, fit)
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

// serve is a process under traffic, until it reads a line. It prints "serving" after the first visit, and how many there were.
func serve(path string, args []string, lines *bufio.Scanner) error {
	return withStore(path, func(ctx context.Context, s *sqlite.Store) error {
		v, err := newServer(ctx, s, args[0])
		if err != nil {
			return err
		}
		var stop atomic.Bool
		go func() {
			lines.Scan()
			stop.Store(true)
		}()
		n := 0
		for ; !stop.Load(); n++ {
			if err := v.visit(ctx, n); err != nil {
				return fmt.Errorf("visit %d: %w", n, err)
			}
			if n == 0 {
				fmt.Println("serving")
			}
		}
		fmt.Println(n)
		return nil
	})
}

// A rollout is two processes with a key file each, and the file that an operator changes.
type rollout struct {
	t       *testing.T
	path    string
	file    string
	running [2]*process
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
		r.running[i] = child(r.t, "serve", r.path, own)
		require.Equal(r.t, "serving", r.running[i].line(r.t))
		time.Sleep(50 * time.Millisecond) // both serve, with different files
	}
}

func (r *rollout) stop(i int) {
	r.t.Helper()
	if r.running[i] == nil {
		return
	}
	r.running[i].begin(r.t)
	r.visits += number(strings.TrimSpace(r.running[i].finish(r.t)))
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
