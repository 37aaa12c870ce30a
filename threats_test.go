package civicpin_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// docs/threats.md names the test that shows each defence. A test that was renamed, and a name that never was, fail here.
func TestThreatsNameTheirTests(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("docs", "threats.md"))
	require.NoError(t, err)
	named := regexp.MustCompile("`(Test[A-Za-z0-9]+)").FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(named), 60)
	tests := make(map[string]bool)
	declared := regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(`)
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range declared.FindAllStringSubmatch(string(source), -1) {
			tests[m[1]] = true
		}
		return err
	})
	require.NoError(t, err)
	for _, n := range named {
		require.True(t, tests[n[1]], "no test is called %s", n[1])
	}
}
