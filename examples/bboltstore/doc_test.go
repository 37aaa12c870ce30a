package bboltstore_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDocs keeps docs/stores.md and this program the same: what the page shows of it stands in it. The first block shows the
// test of another store.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/stores.md")
	require.NoError(t, err)
	program, err := os.ReadFile("store.go")
	require.NoError(t, err)
	_, section, ok := strings.Cut(string(page), "## Your own store in an hour\n")
	require.True(t, ok)
	blocks := 0
	for i, part := range strings.Split(section, "```go\n") {
		if i < 2 {
			continue
		}
		block, _, ok := strings.Cut(part, "```\n")
		require.True(t, ok)
		assert.Contains(t, string(program), block)
		blocks++
	}
	assert.Equal(t, 5, blocks)
}
