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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/sqlite"
)

const (
	coderFile = "CIVICPIN_TEST_CODER_FILE" // the database
	coderJob  = "CIVICPIN_TEST_CODER_JOB"  // "code ID TYPED", "ask" or "backup CODE"
	coderEach = 25                         // how often each process does it, some at once
	// codeLimit is how many wrong guesses lock.
	codeLimit = 7
)

// codePurpose is what all codes of these tests are for.
var codePurpose = otp.Purpose{Act: "file-return", Digest: []byte("the return")}

// coding is what every process of these tests has in common.
type coding struct {
	codes *otp.Codes
	paper *otp.BackupCodes
	io.Closer
}

func openCoding(ctx context.Context, path string) (*coding, error) {
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	sealer, err := store.XChaCha20Poly1305(civicpin.NewSecret(strings.Repeat("s", 32)))
	if err != nil {
		return nil, err
	}
	vault, err := store.OpenVault(ctx, s, store.Keys{
		Index:   civicpin.NewSecret(strings.Repeat("i", 32)),
		Sealing: []store.SealingKey{{ID: "k1", Sealer: sealer}},
	}, nil)
	if err != nil {
		return nil, err
	}
	out, err := outbox.New(vault, civicpin.NotifierFunc(func(context.Context, civicpin.Message) (string, error) {
		return "", nil
	}), nil)
	if err != nil {
		return nil, err
	}
	policy := otp.SMS()
	policy.Tries = 100
	policy.Lockout = lockout.Policy{Limit: codeLimit, Lock: lockout.UntilUnlocked}
	codes, err := otp.NewCodes(out, policy)
	if err != nil {
		return nil, err
	}
	paper, err := otp.NewBackupCodes(vault, otp.BackupPolicy{Name: "paper", Queue: 100, Lockout: policy.Lockout})
	return &coding{codes: codes, paper: paper, Closer: s}, err
}

// TestCoder is not a test: it is what a process of the tests below does. It prints a line for the outcome of each try.
func TestCoder(t *testing.T) {
	path := os.Getenv(coderFile)
	if path == "" {
		t.Skip("runs in processes of its own only")
	}
	var mu sync.Mutex
	say := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(line)
	}
	c, err := openCoding(t.Context(), path)
	require.NoError(t, err)
	defer c.Close()
	job := strings.Fields(os.Getenv(coderJob))
	try := map[string]func() error{
		"code": func() error {
			return c.codes.Verify(t.Context(), "CITIZEN", codePurpose, job[1], civicpin.NewSecret(job[2]), civicpin.Source{})
		},
		"ask": func() error {
			_, err := c.codes.Request(t.Context(), "CITIZEN", codePurpose, otp.RequestOptions{})
			return err
		},
		"backup": func() error {
			return c.paper.Verify(t.Context(), "CITIZEN", civicpin.NewSecret(job[1]), civicpin.Source{})
		},
	}[job[0]]
	say("ready")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')

	var wg sync.WaitGroup
	todo := make(chan struct{}, coderEach)
	for range coderEach {
		todo <- struct{}{}
	}
	close(todo)
	for range 5 {
		wg.Go(func() {
			for range todo {
				err := try()
				for errors.Is(err, otp.ErrBusy) {
					time.Sleep(time.Millisecond)
					err = try()
				}
				switch {
				case err == nil:
					say("let in")
				case errors.As(err, new(*lockout.LockedError)):
					say("locked")
				case errors.Is(err, otp.ErrRefused):
					say("refused")
				default:
					say("error: " + err.Error())
				}
			}
		})
	}
	wg.Wait()
	say("done")
}

// runCoders lets four processes do a job each at the same time, and counts the outcomes.
func runCoders(t *testing.T, path string, jobs ...string) map[string]int {
	t.Helper()
	type coder struct {
		in  io.Writer
		out *bufio.Scanner
	}
	var all []coder
	for i := range processes {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCoder$")
		cmd.Env = append(os.Environ(), coderFile+"="+path, coderJob+"="+jobs[i%len(jobs)])
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		c := coder{in, bufio.NewScanner(out)}
		require.True(t, c.out.Scan())
		require.Equal(t, "ready", c.out.Text())
		all = append(all, c)
	}
	for _, c := range all {
		_, err := io.WriteString(c.in, "\n")
		require.NoError(t, err)
	}
	lines := make(map[string]int)
	for _, c := range all {
		for c.out.Scan() && c.out.Text() != "done" {
			require.False(t, strings.HasPrefix(c.out.Text(), "error"), c.out.Text())
			lines[c.out.Text()]++
		}
		require.Equal(t, "done", c.out.Text())
	}
	return lines
}

// request asks for a code, and returns the request's id and the code.
func (c *coding) request(t *testing.T) (id, sent string) {
	t.Helper()
	req, err := c.codes.Request(t.Context(), "CITIZEN", codePurpose, otp.RequestOptions{
		To: []civicpin.Contact{{Channel: civicpin.SMS, Address: "+34600111222"}},
	})
	require.NoError(t, err)
	pending, err := c.codes.Pending(t.Context(), "CITIZEN")
	require.NoError(t, err)
	return req.ID, pending[len(pending)-1].Code.Reveal()
}

// TestCodersShareALimit: of a hundred wrong codes by four processes, exactly as many as the limit are compared, though one of
// them names another request, and only six hear how many are left.
func TestCodersShareALimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pins.db")
	c, err := openCoding(t.Context(), path)
	require.NoError(t, err)
	defer c.Close()
	first, _ := c.request(t)
	second, sent := c.request(t)
	lines := runCoders(t, path, "code "+first+" wrong", "code "+second+" wrong")
	require.Equal(t, map[string]int{"refused": codeLimit - 1, "locked": processes*coderEach - codeLimit + 1}, lines)
	st, err := c.codes.Status(t.Context(), "CITIZEN")
	require.NoError(t, err)
	require.Equal(t, codeLimit, st.Failures)
	err = c.codes.Verify(t.Context(), "CITIZEN", codePurpose, second, civicpin.NewSecret(sent), civicpin.Source{})
	require.ErrorAs(t, err, new(*lockout.LockedError))
}

// TestCodersUseOneCode: of a hundred uses of one code by four processes, one is let in.
func TestCodersUseOneCode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pins.db")
	c, err := openCoding(t.Context(), path)
	require.NoError(t, err)
	defer c.Close()
	id, sent := c.request(t)
	lines := runCoders(t, path, "code "+id+" "+sent)
	require.Equal(t, 1, lines["let in"])
	require.Equal(t, processes*coderEach-1, lines["refused"]+lines["locked"])
}

// TestCodersUseOneBackupCode: the same of a backup code.
func TestCodersUseOneBackupCode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pins.db")
	c, err := openCoding(t.Context(), path)
	require.NoError(t, err)
	defer c.Close()
	set, err := c.paper.Issue(t.Context(), "CITIZEN", civicpin.Citizen)
	require.NoError(t, err)
	lines := runCoders(t, path, "backup "+strings.ReplaceAll(set[4].Reveal(), " ", ""))
	require.Equal(t, 1, lines["let in"])
	left, err := c.paper.Left(t.Context(), "CITIZEN")
	require.NoError(t, err)
	require.Equal(t, 9, left)
}

// TestCodersShareSendLimits: of a hundred requests by four processes, as many as the limit are let through.
func TestCodersShareSendLimits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pins.db")
	lines := runCoders(t, path, "ask")
	require.Equal(t, map[string]int{"let in": 10, "locked": processes*coderEach - 10}, lines)
}
