package password_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Only tests make hashes cheap, and packages that are for tests: they import testing.
func TestCheapIsForTests(t *testing.T) {
	seen := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(text), "password.Cheap") {
			require.True(t, strings.HasSuffix(path, "_test.go") || strings.Contains(string(text), "\n\t\"testing\"\n"), path)
			seen++
		}
		return err
	})
	require.NoError(t, err)
	require.Positive(t, seen)
}
