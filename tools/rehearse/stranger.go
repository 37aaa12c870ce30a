package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/civicpin/civicpin/tools/internal/checkout"
)

// A stranger knows nothing of the checkout but the proxy that was made from it.
type stranger struct {
	proxy   string // a folder
	root    string // the path of the root module
	version string
	env     []string
}

// environment returns the environment of the stranger's commands, without the module cache.
func (s *stranger) environment(ctx context.Context) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "GOMODCACHE", "GOPROXY", "GONOSUMDB", "GOVCS")
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	settings := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(settings) != 4 {
		return nil, fmt.Errorf("go env printed %q", out)
	}
	cache, proxies, unsummed, vcs := settings[0], settings[1], settings[2], settings[3]
	list := func(items ...string) string {
		return strings.TrimRight(strings.Join(items, ","), ",")
	}
	return append(
		os.Environ(), "GOWORK=off", "GO111MODULE=on",
		// What this machine has downloaded need not come over the network again.
		"GOPROXY="+list("file://"+filepath.ToSlash(s.proxy), "file://"+filepath.ToSlash(cache)+"/cache/download", proxies),
		"GONOPROXY=none", "GOPRIVATE=",
		"GONOSUMDB="+list(s.root, unsummed), // the public database has no sums of what is not published
		"GOVCS="+list(s.root+":off", vcs),   // nor is it to be found in a repository
		// -trimpath lets runs share the build cache, although each has module caches of its own.
		"GOFLAGS=-modcacherw -trimpath",
	), nil
}

// try does in dir what a user of the module does first, and returns the time that it took.
func (s *stranger) try(ctx context.Context, m checkout.Module, programs fs.FS, dir string) (time.Duration, error) {
	start := time.Now()
	user := filepath.Join(dir, "user")
	if err := os.MkdirAll(user, 0o755); err != nil {
		return 0, err
	}
	env := append(s.env, "GOMODCACHE="+filepath.Join(dir, "modcache"))
	command := func(name string, args ...string) error {
		_, err := output(ctx, user, env, name, args...)
		return err
	}
	if err := command("go", "mod", "init", "example.org/user"); err != nil {
		return 0, err
	}
	if err := command("go", "get", m.Path+"@"+s.version); err != nil {
		return 0, err
	}
	for _, name := range []string{mainFile, programOf(m)} {
		source, err := fs.ReadFile(programs, name)
		if err != nil {
			return 0, fmt.Errorf("every public module needs a program that uses it: %w", err)
		}
		if err := os.WriteFile(filepath.Join(user, path.Base(name)), source, 0o644); err != nil {
			return 0, err
		}
	}
	if err := command("go", "mod", "tidy"); err != nil {
		return 0, err
	}
	if err := s.checkVersions(ctx, user, env); err != nil {
		return 0, err
	}
	program := filepath.Join(dir, "program.exe") // with the suffix it runs everywhere
	if err := command("go", "build", "-o", program, "."); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := command(program); err != nil {
		return 0, err
	}
	return time.Since(start), os.RemoveAll(dir)
}

// checkVersions returns an error if a module of the repository was selected at another version. Such a one would have come
// from an earlier release.
func (s *stranger) checkVersions(ctx context.Context, user string, env []string) error {
	out, err := output(ctx, user, env, "go", "list", "-m", "all")
	if err != nil {
		return err
	}
	found := false
	for line := range strings.Lines(out) {
		name, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != s.root && !strings.HasPrefix(name, s.root+"/") {
			continue
		}
		found = true
		if version != s.version {
			return fmt.Errorf("it takes %s %s", name, version)
		}
	}
	if !found {
		return errors.New("its program does not use it")
	}
	return nil
}

// output runs a command. An error holds what the command printed.
func output(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(env, "PWD="+dir)
	cmd.WaitDelay = 10 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(name), strings.Join(args, " "), err, stderr.Bytes(), stdout.Bytes())
	}
	return stdout.String(), nil
}
