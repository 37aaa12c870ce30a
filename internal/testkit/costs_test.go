package testkit_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// A complaint is a test that keeps what it is failed with.
type complaint struct {
	testing.TB
	text string
}

func (c *complaint) Helper() {}

func (c *complaint) Errorf(format string, args ...any) { c.text = fmt.Sprintf(format, args...) }

func (c *complaint) Fatalf(format string, args ...any) { c.Errorf(format, args...) }

// The page is compared, and written only on demand, one package's part of it; and what two subjects cost must be equal.
func TestCosts(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("CIVICPIN_WRITE_COSTS", "")
	require.NoError(t, os.Mkdir("docs", 0o755))
	page := func() string {
		text, err := os.ReadFile("docs/costs.md")
		require.NoError(t, err)
		return string(text)
	}
	const before = "# Costs\n\n## a\n\n## b\n\nold\n\n## c\n\n| kept |\n"
	require.NoError(t, os.WriteFile("docs/costs.md", []byte(before), 0o644))

	f := storetest.NewFaults(store.NewMemory())
	var costs testkit.Costs
	hashes := int64(0)
	count := func(tb testing.TB, call, when string, gets int) {
		costs.Count(tb, call, when, f, func() int64 { return hashes }, func() {
			for range gets {
				_, _ = f.Store().Get(t.Context(), "kind/key")
			}
		})
	}
	count(t, "Do", "", 2)
	count(t, "Undo", "", 1)
	count(t, "Do", "late", 3)
	count(t, "Do", "", 2)
	odd := &complaint{TB: t}
	count(odd, "Do", "", 3)
	require.Contains(t, odd.text, "Do, : 3 store calls and 0 hashes, and 2 and 0 of another subject")

	stale := &complaint{TB: t}
	costs.Compare(stale, "b")
	require.Contains(t, stale.text, "out of date")
	t.Setenv("CIVICPIN_WRITE_COSTS", "1")
	costs.Compare(t, "b")
	const table = "| call | when | store calls |\n| --- | --- | --- |\n| Do |  | 2 |\n| Do | late | 3 |\n| Undo |  | 1 |\n"
	require.Equal(t, "# Costs\n\n## a\n\n## b\n\n"+table+"\n## c\n\n| kept |\n", page())
	costs.Compare(t, "a")
	t.Setenv("CIVICPIN_WRITE_COSTS", "")
	costs.Compare(t, "a")
	costs.Compare(t, "b")
}
