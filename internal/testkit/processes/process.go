package processes

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// A Process is a child, as the test sees it. Tell and Signal are safe for concurrent use; the other methods are for one
// goroutine at a time.
type Process struct {
	cmd   *exec.Cmd
	in    io.Writer
	out   *bufio.Reader
	wait  func() error
	noise noise
}

// A noise is what a child printed that is not for the test, but tells how it failed. It is safe for concurrent use.
type noise struct {
	mu   sync.Mutex
	text []byte
}

func (n *noise) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.text = append(n.text, b...)
	return len(b), nil
}

func (n *noise) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return string(n.text)
}

// Launch starts the test binary as a child, which runs the named test and in it the job. The child is killed when tb ends.
func Launch[J any](tb testing.TB, test string, job J) (*Process, error) {
	text, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	p := &Process{cmd: exec.CommandContext(tb.Context(), os.Args[0], "-test.run=^"+test+"$")}
	p.cmd.Env = append(os.Environ(), variable+"="+string(text))
	p.cmd.Stderr = &p.noise
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.wait = sync.OnceValue(p.cmd.Wait)
	tb.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.wait()
	})
	return p, nil
}

// Next returns the next line that the child says.
//   - [io.EOF]: the child has ended.
//   - any other error: the child failed.
func (p *Process) Next() (string, error) {
	for {
		line, err := p.out.ReadString('\n')
		if err != nil {
			return "", io.EOF // without its end, a line was not said: the child was killed in the middle of it
		}
		line = strings.TrimSuffix(line, "\n")
		if s, ok := strings.CutPrefix(line, said); ok {
			return s, nil
		}
		if s, ok := strings.CutPrefix(line, failed); ok {
			return "", fmt.Errorf("the child failed: %s", s)
		}
		fmt.Fprintln(&p.noise, line)
	}
}

// Tell tells the child a line, which it hears.
func (p *Process) Tell(line string) error {
	_, err := io.WriteString(p.in, line+"\n")
	return err
}

// Signal sends a signal to the child, by its process id.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Go lets a child go on that waits in Ready or in Hear.
func (p *Process) Go(tb testing.TB) {
	tb.Helper()
	if err := p.Tell("go"); err != nil {
		tb.Fatal(err)
	}
}

// Line returns the next line that the child says. The test fails if there is none.
func (p *Process) Line(tb testing.TB) string {
	tb.Helper()
	line, err := p.Next()
	if err != nil {
		if err == io.EOF {
			_ = p.wait() // for all of the noise
		}
		tb.Fatalf("no line of the child: %v\n%s", err, &p.noise)
	}
	return line
}

// rest returns what the child says until its end.
func (p *Process) rest(tb testing.TB) (lines []string) {
	tb.Helper()
	for {
		line, err := p.Next()
		if err == io.EOF {
			return lines
		}
		if err != nil {
			tb.Fatal(err)
		}
		lines = append(lines, line)
	}
}

// Finish waits until the child has ended, and returns what it said. The test fails if the child did.
func (p *Process) Finish(tb testing.TB) []string {
	tb.Helper()
	lines := p.rest(tb)
	if err := p.wait(); err != nil {
		tb.Fatalf("the child failed: %v\n%s", err, &p.noise)
	}
	return lines
}

// Kill kills the child with SIGKILL, by its process id, and returns what it had said until then. The test fails if the child
// had ended by itself.
func (p *Process) Kill(tb testing.TB) []string {
	tb.Helper()
	if err := p.Signal(os.Kill); err != nil {
		tb.Fatal(err)
	}
	lines := p.rest(tb)
	if p.wait() == nil {
		tb.Fatal("the child ended before it could be killed")
	}
	return lines
}
