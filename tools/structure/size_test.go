package main

import (
	"strings"
	"testing"
)

// Nothing grows beyond its limit, but for what was larger when the limits were set: exceptions. That list may only shrink: what
// is on it may not grow, and goes from it when it keeps to the limit.
func TestSizes(t *testing.T) {
	list, err := theModule(t).sources()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 100 {
		t.Fatalf("%d files", len(list))
	}
	found := make(map[string]int)
	for _, e := range oversized(list) {
		found[e.what] = e.size
		if may := exceptions[e.what]; may == 0 {
			t.Errorf("%s: %d, limit %d", e.what, e.size, e.limit)
		} else if e.size > may {
			t.Errorf("%s: %d, the exception is for %d", e.what, e.size, may)
		}
	}
	for what := range exceptions {
		if found[what] == 0 {
			t.Errorf("%s keeps to the limit: no exception is needed", what)
		}
	}
}

func TestBudgets(t *testing.T) {
	m := theModule(t)
	list, err := m.sources()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range budgets {
		size, err := b.size(m, list)
		if err != nil {
			t.Error(err)
		}
		if size > b.limit {
			t.Errorf("%s: %d, limit %d", b.what, size, b.limit)
		}
	}
}

// The measures themselves.
func TestMeasure(t *testing.T) {
	s, err := measure("p/x.go", `package p

// A comment is not part of the function.
func (t *T[P]) M(a, b bool, c chan int) {
	if a && b || !a {
		for range 3 {
			go func() {
				for a {
				}
			}()
		}
	}
	switch {
	case a, b:
	case b:
	default:
	}
	select {
	case <-c:
	default:
	}
	switch any(a).(type) {
	case int:
	}
}

func F() {}
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []function{{"T.M", 22, 10}, {"F", 1, 1}}
	if len(s.funcs) != 2 || s.funcs[0] != want[0] || s.funcs[1] != want[1] {
		t.Errorf("%v, want %v", s.funcs, want)
	}
	if len(s.lines) != 27 {
		t.Errorf("%d lines, want 27", len(s.lines))
	}
	if _, err := measure("x.go", "package"); err == nil {
		t.Error("no error for a file that cannot be read")
	}

	// Columns are counted in characters.
	s, err = measure("x.go", "package p\n\n// "+strings.Repeat("é", 125)+"\n// "+strings.Repeat("é", 126)+"\n")
	if err != nil {
		t.Fatal(err)
	}
	if n := s.long(128); n != 1 {
		t.Errorf("%d long lines, want 1", n)
	}
}

func TestOversized(t *testing.T) {
	large := function{"F", 51, 16}
	got := oversized([]source{
		{path: "p/x.go", lines: make([]string, 251), funcs: []function{large}},
		{path: "recovery/x.go", lines: make([]string, 250), funcs: []function{large, {"G", 50, 20}, {"H", 50, 21}}},
	})
	var lines []string
	for _, e := range got {
		lines = append(lines, e.what)
	}
	same(t, lines, []string{
		"lines of p/x.go", "lines of F in p/x.go", "complexity of F in p/x.go", "lines of F in recovery/x.go",
		"complexity of H in recovery/x.go",
	})
}
