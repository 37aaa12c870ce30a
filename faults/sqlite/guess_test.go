package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/civicpin/civicpin/faults/guess"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/sqlite"
)

func open(ctx context.Context, path string) (store.Store, error) { return sqlite.Open(ctx, path) }

func newPath(t *testing.T) string { return filepath.Join(t.TempDir(), "pins.db") }

// TestGuesser is not a test: it is what a process of the tests below does.
func TestGuesser(t *testing.T) { guess.Child(t, open) }

func TestGuessers(t *testing.T) { guess.All(t, newPath, open, 0, nil) }
