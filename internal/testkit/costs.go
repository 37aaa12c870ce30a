package testkit

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/civicpin/civicpin/store/storetest"
)

// Costs is the table of a package in docs/costs.md, as a test counts it. The zero Costs is empty.
type Costs struct {
	rows []costRow
}

type costRow struct {
	call, when    string
	calls, hashes int64
}

// Count adds what do costs: the calls of a store, and the hashes by a counter of them, nil if there are none to count. call
// names the method, and when says in which case. A row that is there already, for another subject, must be equal.
func (c *Costs) Count(t testing.TB, call, when string, f *storetest.Faults, hashes func() int64, do func()) {
	t.Helper()
	if hashes == nil {
		hashes = func() int64 { return 0 }
	}
	calls, before := f.Calls(), hashes()
	do()
	row := costRow{call, when, int64(f.Calls() - calls), hashes() - before}
	for _, r := range c.rows {
		if r.call == call && r.when == when {
			if r != row {
				t.Errorf("%s, %s: %d store calls and %d hashes, and %d and %d of another subject",
					call, when, row.calls, row.hashes, r.calls, r.hashes)
			}
			return
		}
	}
	c.rows = append(c.rows, row)
}

// Compare compares the table with the one under a package's heading in docs/costs.md, or writes it there if the environment
// has CIVICPIN_WRITE_COSTS. The rows stand by call, in the order in which the calls were counted first.
func (c *Costs) Compare(t testing.TB, pkg string) {
	t.Helper()
	path := costsPage(t)
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), "\n## "+pkg+"\n")
	if !ok {
		t.Fatalf("%s has no heading for %s", path, pkg)
	}
	old, after, more := strings.Cut(rest, "\n## ")
	if more {
		after = "\n## " + after
	}
	table := c.table()
	if strings.TrimSpace(old) == strings.TrimSpace(table) {
		return
	}
	if os.Getenv("CIVICPIN_WRITE_COSTS") == "" {
		t.Fatalf("%s is out of date (its top says how to write it): %s costs\n%s", path, pkg, table)
	}
	if err := os.WriteFile(path, []byte(before+"\n## "+pkg+"\n\n"+table+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (c *Costs) table() string {
	var order []string
	for _, r := range c.rows {
		if !slices.Contains(order, r.call) {
			order = append(order, r.call)
		}
	}
	rows := slices.Clone(c.rows)
	slices.SortStableFunc(rows, func(a, b costRow) int { return slices.Index(order, a.call) - slices.Index(order, b.call) })
	head, line, cell := "| call | when | store calls |", "| --- | --- | --- |", func(int64) string { return "" }
	if slices.ContainsFunc(rows, func(r costRow) bool { return r.hashes > 0 }) {
		head, line, cell = head+" hashes |", line+" --- |", func(n int64) string { return fmt.Sprintf(" %d |", n) }
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", head, line)
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %d |%s\n", r.call, r.when, r.calls, cell(r.hashes))
	}
	return b.String()
}

// costsPage returns the path of docs/costs.md, above the directory of the package under test.
func costsPage(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		path := filepath.Join(dir, "docs", "costs.md")
		if _, err := os.Stat(path); err == nil {
			return path
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no docs/costs.md above the package")
		}
		dir = filepath.Dir(dir)
	}
}
