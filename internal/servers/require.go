package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	// requireVariable, set to 1, makes a test fail whose server is missing: a gate that skips them would tell nothing.
	requireVariable = "CIVICPIN_REQUIRE_SERVERS"
	// binVariable names directories of PostgreSQL programs beside the installed one, as PATH does.
	binVariable = "CIVICPIN_POSTGRES_BIN"
	// debianBins is where Debian keeps PostgreSQL's programs, a directory for each major version.
	debianBins = "/usr/lib/postgresql/*/bin"
)

// missing ends a test that cannot run here.
func missing(tb testing.TB, format string, args ...any) {
	tb.Helper()
	if os.Getenv(requireVariable) == "1" {
		tb.Fatalf(format, args...)
	}
	tb.Skipf(format, args...)
}

// SkipShort skips a test that starts a server, with the reason "-short", if tests run with that flag. What starts servers
// outside this package calls it too; outside tests it does nothing.
func SkipShort(tb testing.TB) {
	tb.Helper()
	if testing.Testing() && testing.Short() {
		tb.Skipf("-short")
	}
}

// needLinux ends a test on a system where this package cannot see a server's processes.
func needLinux(tb testing.TB) {
	tb.Helper()
	if runtime.GOOS != "linux" {
		missing(tb, "servers: only on Linux, not %s", runtime.GOOS)
	}
}

// program returns the path of a program.
func program(tb testing.TB, name string) string {
	tb.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(tb, "servers: no %s: %v", name, err)
	}
	return path
}

// Program returns the path of a program that a test of another package starts, such as a browser. Where it is missing, and with
// -short, the test ends here.
func Program(tb testing.TB, name string) string {
	tb.Helper()
	SkipShort(tb)
	return program(tb, name)
}

// PostgreSQLBins returns the directories of the PostgreSQL programs that tests should run with: the newest that is
// installed, then those that CIVICPIN_POSTGRES_BIN names. It is never empty: without any, and with -short, the test ends here.
func PostgreSQLBins(tb testing.TB) []string {
	tb.Helper()
	bins := postgresBins(tb, debianBins)
	SkipShort(tb)
	return bins
}

func postgresBins(tb testing.TB, pattern string) []string {
	tb.Helper()
	needLinux(tb)
	var bins []string
	if bin := installed(pattern); bin != "" {
		bins = append(bins, bin)
	}
	for _, dir := range filepath.SplitList(os.Getenv(binVariable)) {
		if dir == "" {
			continue
		}
		if !isPostgres(dir) {
			tb.Fatalf("servers: %s names %s, which holds no initdb and postgres", binVariable, dir)
		}
		bins = append(bins, dir)
	}
	if len(bins) == 0 {
		missing(tb, "servers: no PostgreSQL in %s, in the path or in %s", pattern, binVariable)
	}
	return bins
}

// installed returns the newest installation's directory, or "".
func installed(pattern string) string {
	dirs, _ := filepath.Glob(pattern) // the pattern is good
	dirs = slices.DeleteFunc(dirs, func(dir string) bool { return !isPostgres(dir) })
	if len(dirs) > 0 {
		return slices.MaxFunc(dirs, func(a, b string) int { return major(a) - major(b) })
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		// What is in the path may be a link to where its neighbours are.
		if path, err = filepath.EvalSymlinks(path); err == nil && isPostgres(filepath.Dir(path)) {
			return filepath.Dir(path)
		}
	}
	return ""
}

// major returns the version that a directory like /usr/lib/postgresql/15/bin is named after.
func major(bin string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin))) // zero, so last, for any other name
	return n
}

func isPostgres(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.IsDir() {
			return false
		}
	}
	return true
}

// run runs a program to its end, and puts what it said into the error.
func run(cmd *exec.Cmd) (string, error) {
	out, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return text, fmt.Errorf("servers: %s: %w: %s", filepath.Base(cmd.Path), err, text)
	}
	return text, nil
}
