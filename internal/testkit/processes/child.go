package processes

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
)

const (
	// variable holds a child's job.
	variable = "CIVICPIN_TEST_JOB"
	// said and failed begin the lines that a child means for the test; the testing package prints others.
	said, failed = "> ", "! "
	// atOnce is how many tries of a child are under way together. With all of them, the first write alone would queue for
	// seconds on a loaded machine.
	atOnce = 16
)

// A Child is the process that a job runs in. Its methods are safe for concurrent use.
type Child struct {
	mu    sync.Mutex
	heard chan string
}

// Serve does the job that this process was started for, and skips the test if there is none. An error of do fails the test that
// started the process.
func Serve[J any](t *testing.T, do func(context.Context, *Child, J) error) {
	t.Helper()
	text, ok := os.LookupEnv(variable)
	if !ok {
		t.Skip("runs in processes of its own only")
	}
	var job J
	if err := json.Unmarshal([]byte(text), &job); err != nil {
		t.Fatal(err)
	}
	c := &Child{heard: make(chan string)}
	go c.listen()
	if err := do(t.Context(), c, job); err != nil {
		c.fail(err)
		t.FailNow()
	}
}

// listen ends the process when the test that started it is gone, whatever it is doing.
func (c *Child) listen() {
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			os.Exit(1)
		}
		c.heard <- strings.TrimSuffix(line, "\n")
	}
}

// Say tells the test something, in one line. What was said is the test's, also if this process is killed.
func (c *Child) Say(a ...any) { c.print(said, fmt.Sprint(a...)) }

func (c *Child) fail(err error) { c.print(failed, err.Error()) }

func (c *Child) print(prefix, line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = os.Stdout.WriteString(prefix + strings.ReplaceAll(line, "\n", " ") + "\n")
}

// Hear returns the next line that the test tells this process, and waits for it.
func (c *Child) Hear() string { return <-c.heard }

// Ready tells the test that this process is ready to begin, and waits until it may.
func (c *Child) Ready() {
	c.Say("ready")
	c.Hear()
}

// Race waits until all may begin, then tries n times, several times at once, and says what came of each try. An error of try
// fails the test.
func (c *Child) Race(n int, try func() (outcome string, err error)) {
	c.Ready()
	todo := make(chan struct{}, n)
	for range n {
		todo <- struct{}{}
	}
	close(todo)
	var wg sync.WaitGroup
	for range min(n, atOnce) {
		wg.Go(func() {
			for range todo {
				outcome, err := try()
				if err != nil {
					c.fail(err)
					return
				}
				c.Say(outcome)
			}
		})
	}
	wg.Wait()
}
