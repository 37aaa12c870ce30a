package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlite"
	"github.com/civicpin/civicpin/store/storetest"
)

const (
	guesserFile   = "CIVICPIN_TEST_GUESSER_FILE"   // the database
	guesserOffset = "CIVICPIN_TEST_GUESSER_OFFSET" // how far the vault's clock is ahead
	guesserJob    = "CIVICPIN_TEST_GUESSER_JOB"    // "guess N", "hang N" or "right"
	guessLimit    = 5
	// guessesAtOnce is how many of a process's guesses are under way together. With all of them, the first write alone would
	// queue for seconds on a loaded machine.
	guessesAtOnce = 16
)

// guessGate returns a gate over the file that every process of these tests has in common.
func guessGate(ctx context.Context, path string, offset time.Duration) (*lockout.Gate, io.Closer, error) {
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	gate, err := guessGateOver(s, offset)
	return gate, s, err
}

func guessGateOver(s store.Store, offset time.Duration) (*lockout.Gate, error) {
	sealer, err := store.XChaCha20Poly1305(civicpin.NewSecret(strings.Repeat("s", 32)))
	if err != nil {
		return nil, err
	}
	vault, err := store.NewVault(s, store.Keys{
		Index:   civicpin.NewSecret(strings.Repeat("i", 32)),
		Sealing: []store.SealingKey{{ID: "k1", Sealer: sealer}},
	}, &store.Options{Now: func() time.Time { return time.Now().Add(offset) }})
	if err != nil {
		return nil, err
	}
	return lockout.New(vault, lockout.Policy{Name: "login", Limit: guessLimit, Lock: lockout.UntilUnlocked})
}

// TestGuesser is not a test: it is what a process of the tests below does. It prints a line "compared" from within each
// verification, and a line for the outcome of each guess.
func TestGuesser(t *testing.T) {
	path := os.Getenv(guesserFile)
	if path == "" {
		t.Skip("runs in processes of its own only")
	}
	var mu sync.Mutex
	say := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(line)
	}
	offset, err := time.ParseDuration(os.Getenv(guesserOffset))
	require.NoError(t, err)
	gate, closer, err := guessGate(t.Context(), path, offset)
	require.NoError(t, err)
	defer closer.Close()
	job, count, _ := strings.Cut(os.Getenv(guesserJob), " ")
	n, err := strconv.Atoi(count)
	require.NoError(t, err)
	say("ready")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')

	guess := func() {
		for {
			err := gate.Do(t.Context(), lockout.Key{Subject: "CITIZEN"}, func(context.Context) (bool, error) {
				say("compared")
				switch job {
				case "hang": // until the process is killed
					select {}
				case "right":
					return true, nil
				}
				time.Sleep(5 * time.Millisecond)
				return false, nil
			})
			_, locked := errors.AsType[*lockout.LockedError](err)
			switch {
			case err == nil:
				say("let in")
			case locked:
				say("locked")
			case errors.Is(err, lockout.ErrRefused):
				say("refused")
			case errors.Is(err, lockout.ErrBusy) && job == "guess":
				time.Sleep(time.Millisecond)
				continue
			case errors.Is(err, lockout.ErrBusy):
				say("busy")
			default:
				say("error: " + err.Error())
			}
			return
		}
	}
	todo := make(chan struct{}, n)
	for range n {
		todo <- struct{}{}
	}
	close(todo)
	var wg sync.WaitGroup
	for range min(n, guessesAtOnce) {
		wg.Go(func() {
			for range todo {
				guess()
			}
		})
	}
	wg.Wait()
	say("done")
}

// A guesser is a process that guesses.
type guesser struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func startGuesser(t *testing.T, path, job string, offset time.Duration) *guesser {
	t.Helper()
	g := &guesser{cmd: exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestGuesser$")}
	g.cmd.Env = append(os.Environ(), guesserFile+"="+path, guesserJob+"="+job, guesserOffset+"="+offset.String())
	g.cmd.Stderr = os.Stderr
	var err error
	g.in, err = g.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := g.cmd.StdoutPipe()
	require.NoError(t, err)
	g.out = bufio.NewScanner(out)
	require.NoError(t, g.cmd.Start())
	t.Cleanup(func() {
		_ = g.cmd.Process.Kill()
		_ = g.cmd.Wait()
	})
	require.Equal(t, "ready", g.line())
	return g
}

func (g *guesser) line() string {
	if !g.out.Scan() {
		return "end of output"
	}
	return g.out.Text()
}

func (g *guesser) begin(t *testing.T) {
	t.Helper()
	_, err := io.WriteString(g.in, "\n")
	require.NoError(t, err)
}

// count reads lines until there are n outcomes, or n comparisons that hang, and counts each sort.
func (g *guesser) count(t *testing.T, n int, outcomes ...string) map[string]int {
	t.Helper()
	lines := make(map[string]int)
	for seen := 0; seen < n; {
		line := g.line()
		lines[line]++
		switch {
		case line == "end of output" || strings.HasPrefix(line, "error"):
			t.Fatal(line)
		default:
			for _, o := range outcomes {
				if line == o {
					seen++
				}
			}
		}
	}
	return lines
}

// runGuesser lets one process do a job of n guesses.
func runGuesser(t *testing.T, path, job string, n int, offset time.Duration) map[string]int {
	t.Helper()
	g := startGuesser(t, path, fmt.Sprint(job, " ", n), offset)
	g.begin(t)
	return g.count(t, n, "let in", "locked", "refused", "busy")
}

// TestGuessersShareALimit: of a thousand wrong guesses by four processes, exactly as many as the limit are compared.
func TestGuessersShareALimit(t *testing.T) {
	const each = 250
	path := filepath.Join(t.TempDir(), "pins.db")
	var all []*guesser
	for range processes {
		all = append(all, startGuesser(t, path, fmt.Sprint("guess ", each), 0))
	}
	for _, g := range all {
		g.begin(t)
	}
	compared, refused, locked := 0, 0, 0
	for _, g := range all {
		lines := g.count(t, each, "let in", "locked", "refused")
		compared, refused, locked = compared+lines["compared"], refused+lines["refused"], locked+lines["locked"]
		require.Zero(t, lines["let in"])
	}
	require.Equal(t, guessLimit, compared)
	require.Equal(t, guessLimit-1, refused)
	require.Equal(t, processes*each-guessLimit+1, locked)
	require.Equal(t, map[string]int{"locked": 1}, runGuesser(t, path, "right", 1, 0))
}

// TestGuessersKilled: processes that are killed within a verification leave reservations, which take up the limit and
// become failures after their deadline. At most the limit is compared, whatever is killed.
func TestGuessersKilled(t *testing.T) {
	for _, tc := range []struct {
		each     int // guesses by each of the processes that are killed
		compared int
		later    map[string]int // what a process makes of eight guesses after the deadline
	}{
		{each: 3, compared: 5, later: map[string]int{"locked": 8}},
		{each: 1, compared: 4, later: map[string]int{"compared": 1, "locked": 8}},
	} {
		t.Run(fmt.Sprint(tc.each, " each"), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "pins.db")
			var all []*guesser
			for range processes {
				all = append(all, startGuesser(t, path, fmt.Sprint("hang ", tc.each), 0))
			}
			for _, g := range all {
				g.begin(t)
			}
			compared := 0
			for _, g := range all {
				compared += g.count(t, tc.each, "compared", "busy")["compared"]
			}
			require.Equal(t, tc.compared, compared)
			for _, g := range all {
				require.NoError(t, g.cmd.Process.Kill())
				_ = g.cmd.Wait()
			}
			if tc.compared == guessLimit {
				require.Equal(t, map[string]int{"busy": 1}, runGuesser(t, path, "right", 1, 0), "before the deadline")
			}
			require.Equal(t, tc.later, runGuesser(t, path, "guess", 8, time.Minute))
			require.Equal(t, map[string]int{"locked": 1}, runGuesser(t, path, "right", 1, time.Minute))
			gate, closer, err := guessGate(t.Context(), path, time.Minute)
			require.NoError(t, err)
			defer closer.Close()
			st, err := gate.Status(t.Context(), lockout.Key{Subject: "CITIZEN"})
			require.NoError(t, err)
			require.Equal(t, guessLimit, st.Failures)
		})
	}
}

// TestCitizenAfterKill: a process dies while it checks the right guess. The citizen gets in with the next.
func TestCitizenAfterKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pins.db")
	g := startGuesser(t, path, "hang 1", 0)
	g.begin(t)
	require.Equal(t, "compared", g.line())
	require.NoError(t, g.cmd.Process.Kill())
	_ = g.cmd.Wait()
	require.Equal(t, map[string]int{"compared": 1, "let in": 1}, runGuesser(t, path, "right", 1, 0))
}

// BenchmarkGuess is what a guess costs on a file whose every write is durable.
func BenchmarkGuess(b *testing.B) {
	for name, job := range map[string]struct {
		verify  func(context.Context) (bool, error)
		locked  bool
		allowed func(error) bool
	}{
		"right": {
			verify:  func(context.Context) (bool, error) { return true, nil },
			allowed: func(err error) bool { return err == nil },
		},
		"wrong": {
			verify:  func(context.Context) (bool, error) { return false, nil },
			allowed: func(err error) bool { return errors.Is(err, lockout.ErrRefused) },
		},
		"locked": {
			verify: func(context.Context) (bool, error) { return true, nil }, locked: true,
			allowed: func(err error) bool { _, ok := errors.AsType[*lockout.LockedError](err); return ok },
		},
	} {
		b.Run(name, func(b *testing.B) {
			s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "pins.db"))
			require.NoError(b, err)
			defer s.Close()
			faults := storetest.NewFaults(s)
			gate, err := guessGateOver(faults.Store(), 0)
			require.NoError(b, err)
			if job.locked {
				require.NoError(b, gate.Lock(b.Context(), lockout.Key{Subject: "CITIZEN 0"}, civicpin.Operator("1")))
			}
			before, i := faults.Calls(), 0
			for b.Loop() {
				if !job.locked {
					i++
				}
				err := gate.Do(b.Context(), lockout.Key{Subject: civicpin.Subject(fmt.Sprint("CITIZEN ", i))}, job.verify)
				require.True(b, job.allowed(err), "%v", err)
			}
			b.ReportMetric(float64(faults.Calls()-before)/float64(b.N), "calls/op")
		})
	}
}
