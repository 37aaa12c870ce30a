package web_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exported returns what matches in the exported surface of each package of the root module, by the package's path.
func exported(t *testing.T, pattern string) (names []string) {
	t.Helper()
	found := regexp.MustCompile(pattern)
	root := os.DirFS("..")
	for _, glob := range []string{"api/*.txt", "api/*/*.txt"} {
		files, err := fs.Glob(root, glob)
		require.NoError(t, err)
		for _, file := range files {
			pkg := strings.TrimSuffix(strings.TrimPrefix(file, "api/"), ".txt")
			if _, err := fs.Stat(root, pkg+"/go.mod"); err == nil {
				continue // a module of its own
			}
			text, err := fs.ReadFile(root, file)
			require.NoError(t, err)
			for _, m := range found.FindAllStringSubmatch(string(text), -1) {
				names = append(names, pkg+"."+m[1])
			}
		}
	}
	return names
}

// An error that a package adds has no answer until it is named above, and thought about.
func TestStatusIsComplete(t *testing.T) {
	want := exported(t, `(?m)^var (\w+) error$`)
	want = append(want, exported(t, `(?m)^method \(\*?(\w+)\) Error\(\) string$`)...)
	var have []string
	for _, part := range answers() {
		for _, errs := range part {
			for name := range errs {
				have = append(have, name)
			}
		}
	}
	assert.ElementsMatch(t, want, have)
	assert.Len(t, exported(t, `(?m)^const (\w+) Rule = `), len(rules))
}
