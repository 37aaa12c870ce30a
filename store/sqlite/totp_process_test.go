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
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/oath"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlite"
)

const (
	tokenFile = "CIVICPIN_TEST_TOKEN_FILE" // the database
	tokenJob  = "CIVICPIN_TEST_TOKEN_JOB"  // limit, code, and how often to type it
	tokenSeed = "12345678901234567890"
	// typedAtOnce is how many codes a process types at the same time. With all of them, the first write alone would queue for
	// seconds on a loaded machine.
	typedAtOnce = 16
)

// tokenStart is the time in all processes. It stands still, or the code that they race for would run out on a slow machine.
var tokenStart = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// tokenCode is what the token shows at a time.
func tokenCode(at time.Time) string {
	key := oath.NewKey(oath.SHA1, []byte(tokenSeed), 6)
	return fmt.Sprintf("%06d", key.Code(uint64(at.Unix()/30)))
}

// tokenService returns a TOTP over the file that every process of these tests has in common.
func tokenService(ctx context.Context, path string, limit int, now time.Time, r civicpin.Recorder) (*otp.TOTP, io.Closer, error) {
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	sealer, err := store.XChaCha20Poly1305(civicpin.NewSecret(strings.Repeat("s", 32)))
	if err != nil {
		return nil, nil, err
	}
	vault, err := store.OpenVault(ctx, s, store.Keys{
		Index:   civicpin.NewSecret(strings.Repeat("i", 32)),
		Sealing: []store.SealingKey{{ID: "k1", Sealer: sealer}},
	}, &store.Options{Now: func() time.Time { return now }, Recorder: r})
	if err != nil {
		return nil, nil, err
	}
	totp, err := otp.NewTOTP(vault, otp.TOTPPolicy{
		Issuer: "Agency", Lockout: lockout.Policy{Limit: limit, Lock: lockout.UntilUnlocked},
	})
	return totp, s, err
}

// TestTyper is not a test: it is a process of the tests below, which types a code over and over. It prints a line for each
// outcome, and one for each attempt that was compared and wrong.
func TestTyper(t *testing.T) {
	path := os.Getenv(tokenFile)
	if path == "" {
		return // no process of these tests
	}
	var mu sync.Mutex
	say := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(line)
	}
	job := strings.Fields(os.Getenv(tokenJob))
	require.Len(t, job, 3)
	limit, err := strconv.Atoi(job[0])
	require.NoError(t, err)
	n, err := strconv.Atoi(job[2])
	require.NoError(t, err)
	totp, closer, err := tokenService(t.Context(), path, limit, tokenStart, civicpin.RecorderFunc(func(_ context.Context, e civicpin.Event) {
		if e.Code == civicpin.EventCode("otp.refused") && (e.Reason == "wrong" || e.Reason == "replayed") {
			say("compared")
		}
	}))
	require.NoError(t, err)
	defer closer.Close()
	say("ready")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	todo := make(chan struct{}, n)
	for range n {
		todo <- struct{}{}
	}
	close(todo)
	var wg sync.WaitGroup
	for range min(n, typedAtOnce) {
		wg.Go(func() {
			for range todo {
				say(typeCode(t.Context(), totp, job[1]))
			}
		})
	}
	wg.Wait()
	say("done")
}

// typeCode types a code until it is compared, or locked, and says what came of it.
func typeCode(ctx context.Context, totp *otp.TOTP, code string) string {
	for {
		err := totp.Verify(ctx, "CITIZEN", civicpin.NewSecret(code), civicpin.Source{})
		_, locked := errors.AsType[*lockout.LockedError](err)
		switch {
		case err == nil:
			return "accepted"
		case locked:
			return "locked"
		case errors.Is(err, otp.ErrRefused):
			return "refused"
		case !errors.Is(err, otp.ErrBusy):
			return "error: " + err.Error()
		}
		time.Sleep(time.Millisecond)
	}
}

// A typer is a process that types codes.
type typer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func (p *typer) line() string {
	if !p.out.Scan() {
		return "end of output"
	}
	return p.out.Text()
}

func (p *typer) begin(t *testing.T) {
	t.Helper()
	_, err := io.WriteString(p.in, "\n")
	require.NoError(t, err)
}

// count reads lines until there are n outcomes, and counts each sort.
func (p *typer) count(t *testing.T, n int, outcomes ...string) map[string]int {
	t.Helper()
	lines := make(map[string]int)
	for seen := 0; seen < n; {
		line := p.line()
		require.False(t, line == "end of output" || strings.HasPrefix(line, "error"), line)
		lines[line]++
		if slices.Contains(outcomes, line) {
			seen++
		}
	}
	return lines
}

// typers starts processes that wait for the word to type a code.
func typers(t *testing.T, path string, limit int, code string, each int) []*typer {
	t.Helper()
	var all []*typer
	for range processes {
		g := &typer{cmd: exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTyper$")}
		g.cmd.Env = append(os.Environ(), tokenFile+"="+path, fmt.Sprintf("%s=%d %s %d", tokenJob, limit, code, each))
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
		all = append(all, g)
	}
	return all
}

// bindToken makes a file with the token bound to the citizen.
func bindToken(t *testing.T, limit int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokens.db")
	totp, closer, err := tokenService(t.Context(), path, limit, tokenStart, nil)
	require.NoError(t, err)
	defer closer.Close()
	require.NoError(t, totp.Import(t.Context(), "CITIZEN", otp.Key{
		Account: "token", Seed: civicpin.NewSecret(tokenSeed), Algorithm: otp.SHA1, Digits: 6, Period: 30 * time.Second,
	}, civicpin.Operator("1")))
	return path
}

// typeLater types the code that the token shows some time after the start, in this process.
func typeLater(t *testing.T, path string, limit int, after time.Duration) (string, otp.KeyStatus) {
	t.Helper()
	totp, closer, err := tokenService(t.Context(), path, limit, tokenStart.Add(after), nil)
	require.NoError(t, err)
	defer closer.Close()
	came := typeCode(t.Context(), totp, tokenCode(tokenStart.Add(after)))
	st, err := totp.Enrolled(t.Context(), "CITIZEN")
	require.NoError(t, err)
	return came, st
}

// TestTypersOneWinner: of 200 uses of one right code by four processes, one is accepted.
func TestTypersOneWinner(t *testing.T) {
	const each, limit = 50, 100
	path := bindToken(t, limit)
	all := typers(t, path, limit, tokenCode(tokenStart), each)
	for _, g := range all {
		g.begin(t)
	}
	lines := make(map[string]int)
	for _, g := range all {
		for line, n := range g.count(t, each, "accepted", "refused", "locked") {
			lines[line] += n
		}
	}
	require.Equal(t, 1, lines["accepted"], lines)
	require.Equal(t, processes*each-1, lines["refused"]+lines["locked"], lines)
}

// TestTypersShareALimit: of 400 wrong codes by four processes, exactly as many as the limit are compared.
func TestTypersShareALimit(t *testing.T) {
	const each, limit = 100, 5
	path := bindToken(t, limit)
	wrong := "000000"
	require.NotEqual(t, wrong, tokenCode(tokenStart))
	all := typers(t, path, limit, wrong, each)
	for _, g := range all {
		g.begin(t)
	}
	lines := make(map[string]int)
	for _, g := range all {
		for line, n := range g.count(t, each, "accepted", "refused", "locked") {
			lines[line] += n
		}
	}
	require.Equal(t, map[string]int{"compared": limit, "refused": limit - 1, "locked": processes*each - limit + 1}, lines)
	came, st := typeLater(t, path, limit, time.Minute)
	require.Equal(t, "locked", came)
	require.Equal(t, limit, st.Lockout.Failures)
}

// TestTypersKilled: processes are killed in the middle of a race for a code. It was accepted once at most, is accepted no more
// if it was, and the next one is.
func TestTypersKilled(t *testing.T) {
	const each, limit = 25, 100
	for round := range 3 {
		path := bindToken(t, limit)
		all := typers(t, path, limit, tokenCode(tokenStart), each)
		for _, g := range all {
			g.begin(t)
		}
		time.Sleep(time.Duration(round) * 30 * time.Millisecond)
		accepted, lines := 0, 0
		for _, g := range all {
			require.NoError(t, g.cmd.Process.Kill())
		}
		for _, g := range all {
			for line := g.line(); line != "end of output"; line = g.line() {
				require.False(t, strings.HasPrefix(line, "error"), line)
				lines++
				if line == "accepted" {
					accepted++
				}
			}
		}
		require.LessOrEqual(t, accepted, 1)
		t.Logf("round %d: %d lines before the kill, %d accepted", round, lines, accepted)
		came, _ := typeLater(t, path, limit, 0)
		if came == "accepted" {
			accepted++
		}
		require.LessOrEqual(t, accepted, 1, "accepted before a kill and after it")
		came, st := typeLater(t, path, limit, 2*time.Minute) // reservations of the dead processes have run out
		require.Equal(t, "accepted", came)
		require.Zero(t, st.Lockout.Failures)
	}
}
