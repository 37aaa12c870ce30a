package main

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/civicpin/civicpin/tools/internal/worktree"
)

// checkout is the module that these tests are about. It is type-checked once.
var checkout = sync.OnceValues(func() (*module, error) { return load("../..") })

func theModule(t *testing.T) *module {
	t.Helper()
	m, err := checkout()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// small writes a module of a few files and loads it. The name of a file is its path.
func small(t *testing.T, files map[string]string) *module {
	t.Helper()
	m, err := load(write(t, files))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func write(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	worktree.Write(t, dir, files)
	return dir
}

// same reports what is missing from a list and what is in it without reason.
func same(t *testing.T, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("missing: %s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("too many: %s", line)
		}
	}
	if !t.Failed() {
		t.Errorf("the order is\n\t%s\nnot\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}
