package guess

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
)

const (
	// processes is how many guess at once.
	processes = 4
	// each is how many guesses each of them has: a thousand in all.
	each = 250
)

// outcomes are the lines that say that a guess is over.
var outcomes = []string{"let in", "locked", "refused", "busy", "failed"}

// A guesser is a process that guesses.
type guesser struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// start starts a process for a job. It begins when it is told to.
func start(t *testing.T, j job) *guesser {
	t.Helper()
	g := &guesser{cmd: exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestGuesser$")}
	g.cmd.Env = append(os.Environ(), variable+"="+j.String())
	g.cmd.Stderr = os.Stderr
	var err error
	g.in, err = g.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := g.cmd.StdoutPipe()
	require.NoError(t, err)
	g.out = bufio.NewScanner(out)
	require.NoError(t, g.cmd.Start())
	t.Cleanup(g.kill)
	require.Equal(t, "ready", g.line())
	return g
}

func (g *guesser) kill() {
	_ = g.cmd.Process.Kill()
	_ = g.cmd.Wait()
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

// count reads lines until there are n of the given ones, and counts each sort.
func (g *guesser) count(t *testing.T, n int, of ...string) map[string]int {
	t.Helper()
	lines := make(map[string]int)
	for seen := 0; seen < n; {
		line, cause, _ := strings.Cut(g.line(), ": ")
		lines[line]++
		if cause != "" {
			lines[line+": "+cause]++
		}
		require.NotEqual(t, "end of output", line)
		for _, o := range of {
			if line == o {
				seen++
			}
		}
	}
	return lines
}

// run lets one process do a job.
func run(t *testing.T, j job) map[string]int {
	t.Helper()
	g := start(t, j)
	defer g.kill()
	g.begin(t)
	return g.count(t, j.n, outcomes...)
}

// crowd lets four processes make a thousand wrong guesses, calls meanwhile once they have begun, and sums up the lines.
func crowd(t *testing.T, where string, subject civicpin.Subject, patient bool, meanwhile func()) map[string]int {
	t.Helper()
	var all []*guesser
	for range processes {
		g := start(t, job{where: where, subject: subject, verdict: wrong, n: each, patient: patient})
		defer g.kill()
		all = append(all, g)
	}
	for _, g := range all {
		g.begin(t)
	}
	meanwhile()
	sum := make(map[string]int)
	for _, g := range all {
		for line, n := range g.count(t, each, outcomes...) {
			sum[line] += n
		}
	}
	return sum
}

// ShareALimit requires that of a thousand wrong guesses by four processes exactly as many as the limit are compared.
func ShareALimit(t *testing.T, where string) {
	lines := crowd(t, where, "CITIZEN", true, func() {})
	require.Equal(t, map[string]int{
		"compared": Limit, "refused": Limit - 1, "locked": processes*each - Limit + 1,
	}, lines)
	require.Equal(t, map[string]int{"locked": 1}, run(t, job{where: where, subject: "CITIZEN", verdict: right, n: 1}))
}

// ShareALimitThrough requires that of a thousand wrong guesses by four processes at most as many as the limit are
// compared, though the store breaks down meanwhile: outage makes it do so, and makes it whole again. What was reserved
// when it broke down becomes a failure after its deadline, so that the subject ends up locked with no more compared in
// all. It returns how many guesses the store failed.
func ShareALimitThrough(t *testing.T, where string, round int, outage func()) (failed int) {
	subject := civicpin.Subject(fmt.Sprint("CITIZEN ", round))
	// Not patient: what was reserved when the store broke down keeps everybody waiting until its deadline.
	lines := crowd(t, where, subject, false, outage)
	require.Zero(t, lines["let in"])
	require.LessOrEqual(t, lines["compared"], Limit)
	later := run(t, job{where: where, subject: subject, verdict: wrong, n: 8, offset: time.Minute, patient: true})
	require.LessOrEqual(t, lines["compared"]+later["compared"], Limit, "%v, and later %v", lines, later)
	require.Positive(t, later["locked"])
	require.Equal(t, map[string]int{"locked": 1},
		run(t, job{where: where, subject: subject, verdict: right, n: 1, offset: time.Minute}))
	t.Logf("round %d: %d compared, %d after the deadline; %d locked, %d busy, %d failed", round, lines["compared"],
		later["compared"], lines["locked"], lines["busy"], lines["failed"])
	return lines["failed"]
}

// Killed requires that processes that are killed within a verification leave reservations, which take up the limit and
// become failures after their deadline: at most the limit is compared, whatever is killed. newWhere returns an empty
// store's place.
func Killed(t *testing.T, newWhere func(t *testing.T) string, open Open) {
	for _, tc := range []struct {
		each     int // guesses by each of the processes that are killed
		compared int
		later    map[string]int // what a process makes of eight guesses after the deadline
	}{
		{each: 3, compared: 5, later: map[string]int{"locked": 8}},
		{each: 1, compared: 4, later: map[string]int{"compared": 1, "locked": 8}},
	} {
		t.Run(fmt.Sprint(tc.each, " each"), func(t *testing.T) {
			where := newWhere(t)
			var all []*guesser
			for range processes {
				all = append(all, start(t, job{where: where, subject: "CITIZEN", verdict: hang, n: tc.each}))
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
				g.kill()
			}
			once := job{where: where, subject: "CITIZEN", verdict: right, n: 1}
			if tc.compared == Limit {
				require.Equal(t, map[string]int{"busy": 1}, run(t, once), "before the deadline")
			}
			later := job{where: where, subject: "CITIZEN", verdict: wrong, n: 8, offset: time.Minute, patient: true}
			require.Equal(t, tc.later, run(t, later))
			once.offset = time.Minute
			require.Equal(t, map[string]int{"locked": 1}, run(t, once))
			require.Equal(t, Limit, failures(t, where, open, time.Minute))
		})
	}
	t.Run("the citizen", func(t *testing.T) {
		// A process dies while it checks the right guess. The citizen gets in with the next.
		where := newWhere(t)
		g := start(t, job{where: where, subject: "CITIZEN", verdict: hang, n: 1})
		g.begin(t)
		require.Equal(t, "compared", g.line())
		g.kill()
		require.Equal(t, map[string]int{"compared": 1, "let in": 1},
			run(t, job{where: where, subject: "CITIZEN", verdict: right, n: 1}))
	})
}

// failures returns how many failures are counted.
func failures(t *testing.T, where string, open Open, offset time.Duration) int {
	t.Helper()
	s, err := open(t.Context(), where)
	require.NoError(t, err)
	if c, ok := s.(io.Closer); ok {
		defer func() { _ = c.Close() }()
	}
	gate, err := openGate(s, offset)
	require.NoError(t, err)
	st, err := gate.Status(context.WithoutCancel(t.Context()), lockout.Target{Subject: "CITIZEN"})
	require.NoError(t, err)
	return st.Failures
}
