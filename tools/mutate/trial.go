package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A goPackage is a package with its mutants.
type goPackage struct {
	name    string // as it is imported
	dir     string
	rapid   bool // its tests use pgregory.net/rapid
	mutants []mutant
}

// loadPackage finds the mutants of a package.
func loadPackage(ctx context.Context, root, path string) (*goPackage, error) {
	out, err := goCommand(ctx, root, "list", "-json=ImportPath,Dir,GoFiles,Module,TestImports,XTestImports", path)
	if err != nil {
		return nil, err
	}
	var l struct {
		ImportPath, Dir                    string
		GoFiles, TestImports, XTestImports []string
		Module                             struct{ Dir string }
	}
	if err := json.Unmarshal(out, &l); err != nil {
		return nil, err
	}
	p := &goPackage{
		name: l.ImportPath, dir: l.Dir, rapid: slices.Contains(slices.Concat(l.TestImports, l.XTestImports), "pgregory.net/rapid"),
	}
	for _, file := range l.GoFiles {
		path := filepath.Join(l.Dir, file)
		src, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		name, err := filepath.Rel(l.Module.Dir, path)
		if err != nil {
			return nil, err
		}
		found, err := mutantsOf(filepath.ToSlash(name), src)
		if err != nil {
			return nil, err
		}
		p.mutants = append(p.mutants, found...)
	}
	return p, nil
}

func goCommand(ctx context.Context, dir string, args ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s%s", strings.Join(args, " "), err, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.Bytes(), nil
}

// A trial runs the tests of one package over its mutants.
type trial struct {
	root string
	*goPackage
	work    string // a folder of its own
	covered coverage
	slow    string // a pattern of the tests that take long, "" for none
	limit   time.Duration
}

// shortest is the shortest time limit: a machine that does other work too may hold up a quick test for some seconds.
const shortest = 20 * time.Second

// newTrial runs the tests of the unchanged package, which must pass.
func newTrial(ctx context.Context, root string, p *goPackage) (*trial, error) {
	// What a mutant failed on would be tried again with each mutant after it.
	if old := filepath.Join(p.dir, "testdata", "rapid"); exists(old) {
		return nil, fmt.Errorf("%s holds failures of an earlier run: remove it", old)
	}
	work, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return nil, err
	}
	t := &trial{root: root, goPackage: p, work: work, limit: 10 * time.Minute}
	if err := t.clean(ctx); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (t *trial) close() { _ = os.RemoveAll(t.work) }

func (t *trial) clean(ctx context.Context) error {
	profile := filepath.Join(t.work, "cover")
	if _, err := goCommand(ctx, t.root, "test", "-count=1", "-vet=off", "-coverprofile", profile, t.name); err != nil {
		return err
	}
	text, err := os.ReadFile(profile)
	if err != nil {
		return err
	}
	if t.covered, err = parseCoverage(string(text)); err != nil {
		return err
	}
	if err := t.build(ctx); err != nil {
		return err
	}
	start := time.Now()
	what, by, out, err := t.runTests(ctx, "-test.v")
	if err == nil && what != survived {
		err = fmt.Errorf("the unchanged package: %s by %s", what, by)
	}
	t.slow, t.limit = slowTests(out), max(shortest, 5*time.Since(start))
	return err
}

var passedTest = regexp.MustCompile(`(?m)^--- PASS: (\w+) \((\d+\.\d+)s\)$`)

// slowTests is a pattern of the tests that took a second or longer, by what -test.v writes.
func slowTests(out []byte) string {
	var names []string
	for _, m := range passedTest.FindAllSubmatch(out, -1) {
		if seconds, err := strconv.ParseFloat(string(m[2]), 64); err == nil && seconds >= 1 {
			names = append(names, string(m[1]))
		}
	}
	if names == nil {
		return ""
	}
	return "^(" + strings.Join(names, "|") + ")$"
}

// try makes a mutant and runs the tests. An error means that this could not be done.
func (t *trial) try(ctx context.Context, m mutant) (result, error) {
	r := result{mutant: m, Package: t.name, Result: uncovered}
	if !m.global && !t.covered.runs(t.name+"/"+filepath.Base(m.File), m.Line, m.column) {
		return r, nil
	}
	path := filepath.Join(t.dir, filepath.Base(m.File))
	src, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	changed, overlay := filepath.Join(t.work, "mutant.go"), filepath.Join(t.work, "overlay.json")
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil {
		return r, err
	}
	if err := errors.Join(os.WriteFile(changed, m.apply(src), 0o644), os.WriteFile(overlay, list, 0o644)); err != nil {
		return r, err
	}
	if err := t.build(ctx, "-overlay", overlay); err != nil {
		r.Result = uncompiled
		return r, t.build(ctx) // somebody may edit the tests meanwhile: then nothing compiles
	}
	r.Result, r.By, err = t.test(ctx)
	return r, err
}

func (t *trial) binary() string { return filepath.Join(t.work, "package.test") }

func (t *trial) build(ctx context.Context, flags ...string) error {
	args := append([]string{"test", "-c", "-vet=off", "-o", t.binary()}, flags...)
	_, err := goCommand(ctx, t.root, append(args, t.name)...)
	return err
}

var failedTest = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// test runs the tests of what was built, the slow ones only if no other notices.
func (t *trial) test(ctx context.Context) (what, by string, err error) {
	if t.slow == "" {
		what, by, _, err = t.runTests(ctx)
		return what, by, err
	}
	if what, by, _, err = t.runTests(ctx, "-test.skip="+t.slow); what == survived {
		what, by, _, err = t.runTests(ctx, "-test.run="+t.slow)
	}
	return what, by, err
}

// runTests runs what was built, and says what became of it and what it wrote.
func (t *trial) runTests(ctx context.Context, flags ...string) (what, by string, wrote []byte, err error) {
	const patience = 10 * time.Second // for the tests to end themselves, with a trace of what hangs
	limited, cancel := context.WithTimeout(ctx, t.limit+patience)
	defer cancel()
	var out head
	flags = append(flags, "-test.failfast", "-test.timeout="+t.limit.String())
	if t.rapid {
		flags = append(flags, "-rapid.nofailfile") // which would go into the checkout
	}
	cmd := exec.CommandContext(limited, t.binary(), flags...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = t.dir, &out, &out, patience
	err = cmd.Run()
	exit, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case ctx.Err() != nil:
		return "", "", nil, ctx.Err()
	case limited.Err() != nil || bytes.Contains(out.text, []byte("panic: test timed out after")):
		return timedOut, "", nil, nil
	case err == nil:
		return survived, "", out.text, nil
	case !exited:
		return "", "", nil, err
	}
	if m := failedTest.FindSubmatch(out.text); m != nil {
		return killed, string(m[1]), nil, nil
	}
	return killed, exit.String(), nil, nil
}

// head keeps the beginning and the end of what is written: a mutant may print without end.
type head struct{ text []byte }

func (h *head) Write(p []byte) (int, error) {
	const most = 1 << 20
	h.text = append(h.text, p...)
	if len(h.text) > most {
		h.text = append(h.text[:most/2], h.text[len(h.text)-most/4:]...)
	}
	return len(p), nil
}
