package servers_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/servers"
	"github.com/civicpin/civicpin/internal/testkit/processes"
)

// verdict is a test that remembers how it was ended.
type verdict struct {
	testing.TB
	failed, skipped string
}

func (v *verdict) Helper() {}

func (v *verdict) Skipf(format string, args ...any) {
	v.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (v *verdict) Fatalf(format string, args ...any) {
	v.failed = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// judge runs f as a test of its own.
func judge(t *testing.T, f func(tb testing.TB)) *verdict {
	t.Helper()
	v := &verdict{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(v)
	}()
	<-done
	return v
}

// What is missing skips a test, unless it was told that nothing may be.
func TestMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("CIVICPIN_POSTGRES_BIN", "")
	t.Setenv("CIVICPIN_REQUIRE_SERVERS", "")
	redis := func(tb testing.TB) { servers.Redis(tb) }
	v := judge(t, redis)
	require.Contains(t, v.skipped, "no redis-server")
	require.Empty(t, v.failed)
	v = judge(t, func(tb testing.TB) { servers.Installed(tb, filepath.Join(t.TempDir(), "*/bin")) })
	require.Contains(t, v.skipped, "no PostgreSQL")
	require.Empty(t, v.failed)
	t.Setenv("CIVICPIN_REQUIRE_SERVERS", "1")
	v = judge(t, redis)
	require.Contains(t, v.failed, "no redis-server")
	require.Empty(t, v.skipped)
}

// With -short no server starts.
func TestShort(t *testing.T) {
	before := testing.Short()
	require.NoError(t, flag.Set("test.short", "true"))
	defer func() { require.NoError(t, flag.Set("test.short", strconv.FormatBool(before))) }()
	for _, start := range []func(tb testing.TB){
		func(tb testing.TB) { servers.PostgreSQL(tb) },
		func(tb testing.TB) { servers.Redis(tb) },
	} {
		require.Regexp(t, "^(-short|servers: no .*)$", judge(t, start).skipped)
	}
}

// fake puts programs of PostgreSQL's names into a directory.
func fake(t *testing.T, dir string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	for _, name := range []string{"initdb", "postgres"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/false\n"), 0o755))
	}
	return dir
}

func TestPostgreSQLBins(t *testing.T) {
	root := t.TempDir()
	pattern := filepath.Join(root, "*/bin")
	t.Setenv("PATH", t.TempDir())
	t.Setenv("CIVICPIN_POSTGRES_BIN", "")
	fake(t, filepath.Join(root, "9/bin"))
	newest := fake(t, filepath.Join(root, "15/bin"))
	fake(t, filepath.Join(root, "other/bin"))
	require.NoError(t, os.MkdirAll(filepath.Join(root, "16/bin"), 0o755)) // only a client is installed
	require.Equal(t, []string{newest}, servers.Installed(t, pattern))

	more := fake(t, filepath.Join(t.TempDir(), "18"))
	t.Setenv("CIVICPIN_POSTGRES_BIN", string(filepath.ListSeparator)+more)
	require.Equal(t, []string{newest, more}, servers.Installed(t, pattern))
	require.Equal(t, []string{more}, servers.Installed(t, filepath.Join(t.TempDir(), "*/bin")))

	inPath := fake(t, t.TempDir())
	t.Setenv("PATH", inPath)
	t.Setenv("CIVICPIN_POSTGRES_BIN", "")
	require.Equal(t, []string{inPath}, servers.Installed(t, filepath.Join(t.TempDir(), "*/bin")))

	t.Setenv("CIVICPIN_POSTGRES_BIN", t.TempDir())
	v := judge(t, func(tb testing.TB) { servers.Installed(tb, pattern) })
	require.Contains(t, v.failed, "holds no initdb", "a name that leads nowhere is no reason to skip")
}

func TestFreePort(t *testing.T) {
	seen := make(map[int]bool)
	for range 50 {
		port := servers.FreePort(t)
		require.GreaterOrEqual(t, port, 10_240)
		require.Less(t, port, 32_768)
		seen[port] = true
	}
	require.Len(t, seen, 50, "no port is given away twice")
}

// TestChild is not a test: it is what a process does that will be killed.
func TestChild(t *testing.T) {
	processes.Serve(t, func(_ context.Context, c *processes.Child, temp string) error {
		t.Setenv("TMPDIR", temp)
		c.Say(servers.PostgreSQL(t).PID())
		c.Say(servers.Redis(t).PID())
		select {}
	})
}

// Servers end with the process that started them, also if it has no time to end them. What is left is the directories.
func TestEndsWithItsProcess(t *testing.T) {
	servers.PostgreSQLBins(t)
	temp := t.TempDir()
	require.NoError(t, os.Chmod(temp, 0o711))
	require.NoError(t, os.Chmod(filepath.Dir(temp), 0o711))
	child, err := processes.Launch(t, "TestChild", temp)
	require.NoError(t, err)
	pids := []string{child.Line(t), child.Line(t)}
	for _, pid := range pids {
		require.DirExists(t, "/proc/"+pid)
	}
	require.Empty(t, child.Kill(t))
	for _, pid := range pids {
		require.Eventually(t, func() bool { return !servers.Alive(pid) }, 10*time.Second, 10*time.Millisecond)
	}
	// PostgreSQL's other processes notice that the first is gone, and end by themselves.
	require.Eventually(t, func() bool { return !inUse(t, temp) }, 10*time.Second, 50*time.Millisecond)
}

// inUse reports whether some process names a directory in its arguments or works in it.
func inUse(t *testing.T, dir string) bool {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, proc := range all {
		cwd, err := os.Readlink(filepath.Join(proc, "cwd"))
		if err == nil && strings.HasPrefix(cwd, dir) {
			return true
		}
	}
	return false
}
