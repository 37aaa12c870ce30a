// Testcount runs a "go test -json" command, shows what fails, and counts:
//
//	testcount counts.txt go test -race -json ./...
//
// It prints one line a package, what each failed test printed, why each skipped test was skipped, and why a package did not
// build. The numbers of passed, failed and skipped tests go to the named file. It exits with 1 if anything failed or
// nothing passed.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: testcount FILE COMMAND [ARGUMENT...]")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "testcount:", err)
		os.Exit(1)
	}
}

// run runs the command and writes the counts, also when it returns an error.
func run(file string, command []string, out io.Writer) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c := newCounter(out)
	readErr := c.read(events)
	_, _ = io.Copy(io.Discard, events) // a command that is not read from would never end
	runErr := cmd.Wait()
	c.finish()
	if runErr != nil && c.failed == 0 {
		c.failed = 1 // it failed before it could say what
	}
	counts := fmt.Sprintf("%d %d %d\n", c.passed, c.failed, c.skipped)
	if err := errors.Join(readErr, runErr, os.WriteFile(file, []byte(counts), 0o644)); err != nil {
		return err
	}
	switch {
	case c.failed > 0:
		return fmt.Errorf("%d failed", c.failed)
	case c.passed == 0:
		return errors.New("no test passed")
	}
	return nil
}

// An event is a line of "go test -json"; see "go doc test2json" and "go help buildjson".
type event struct {
	Action      string
	Package     string
	ImportPath  string
	Test        string
	Elapsed     float64
	Output      string
	FailedBuild string
}

// A counter counts tests and subtests alike, also examples and the seeds of fuzz targets: whatever has a name in the
// events. A package that fails without a failing test (it does not build, panics, or runs out of time) is one failure.
type counter struct {
	out                     io.Writer
	passed, failed, skipped int
	packages                map[string]*state
	builds                  map[string]string // compilers' output by import path
}

// state is what is known of a package whose end was not seen yet.
type state struct {
	output      map[string]string // by test, of those that have not ended; under "" the package's own
	shown       string            // of tests that failed or were skipped
	ran, failed int
}

func newCounter(out io.Writer) *counter {
	return &counter{out: out, packages: make(map[string]*state), builds: make(map[string]string)}
}

// read counts events until their end. What is not an event is passed on as it is.
func (c *counter) read(events io.Reader) error {
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if line[0] != '{' || json.Unmarshal(line, &e) != nil {
				fmt.Fprintf(c.out, "%s", line)
			} else {
				c.add(e)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (c *counter) add(e event) {
	if e.Action == "build-output" {
		c.builds[e.ImportPath] += e.Output
		return
	}
	if e.Package == "" {
		return
	}
	p := c.packages[e.Package]
	if p == nil {
		p = &state{output: make(map[string]string)}
		c.packages[e.Package] = p
	}
	switch {
	case e.Action == "output":
		if !strings.HasPrefix(e.Output, "=== ") { // that a test runs, pauses, goes on
			p.output[e.Test] += e.Output
		}
		return
	case e.Action != "pass" && e.Action != "fail" && e.Action != "skip":
		return
	case e.Test == "":
		c.end(e, p)
		return
	case e.Action == "pass":
		c.passed++
		p.ran++
	case e.Action == "fail":
		c.failed++
		p.ran++
		p.failed++
		p.shown += clip(p.output[e.Test])
	case e.Action == "skip":
		c.skipped++
		p.shown += clip(p.output[e.Test])
	}
	delete(p.output, e.Test)
}

// end shows a package that ended.
func (c *counter) end(e event, p *state) {
	delete(c.packages, e.Package)
	if e.Action != "fail" {
		fmt.Fprintf(c.out, "ok    %s  %.1fs, %d tests\n%s", e.Package, e.Elapsed, p.ran, p.shown)
		return
	}
	if p.failed == 0 {
		c.failed++
	}
	fmt.Fprintf(c.out, "FAIL  %s\n%s%s", e.Package, c.builds[e.FailedBuild], p.shown)
	for _, test := range slices.Sorted(maps.Keys(p.output)) { // the package's own, and of tests that were cut off
		fmt.Fprint(c.out, clip(p.output[test]))
	}
}

// clip cuts the middle out of a long output, so that one test cannot hide the others.
func clip(output string) string {
	const head, tail = 120, 80
	lines := strings.SplitAfter(output, "\n")
	if len(lines) <= head+tail {
		return output
	}
	cut := fmt.Sprintf("... %d lines ...\n", len(lines)-head-tail)
	return strings.Join(lines[:head], "") + cut + strings.Join(lines[len(lines)-tail:], "")
}

// finish shows and counts packages whose end never came, as when the run was broken off.
func (c *counter) finish() {
	for _, name := range slices.Sorted(maps.Keys(c.packages)) {
		c.end(event{Action: "fail", Package: name}, c.packages[name])
	}
}
