// Package worktree makes the working trees that the tests of this module look at.
package worktree

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/civicpin/civicpin/tools/internal/checkout"
)

// Write writes files below a directory, by names with slashes.
func Write(tb testing.TB, dir string, files map[string]string) {
	tb.Helper()
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
}

// NeedGit skips the test where git is not installed.
func NeedGit(tb testing.TB) {
	tb.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		tb.Skip("git is not installed")
	}
}

// Git runs git in a directory, and returns what it printed.
func Git(tb testing.TB, dir string, args ...string) string {
	tb.Helper()
	out, err := (&checkout.Checkout{Dir: dir}).Git(tb.Context(), args...)
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(out)
}
