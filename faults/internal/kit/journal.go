package kit

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Journal holds what the clients of a run were told, and what of it was broken. Its methods may be called by several
// goroutines.
type Journal struct {
	mu     sync.Mutex
	counts map[string]int
	broken []string // the first of it
	more   int
}

// NewJournal returns an empty journal.
func NewJournal() *Journal { return &Journal{counts: make(map[string]int)} }

// Count adds one to a count.
func (j *Journal) Count(what string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.counts[what]++
}

// Break notes a promise that was broken.
func (j *Journal) Break(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.broken) == 20 {
		j.more++
		return
	}
	j.broken = append(j.broken, fmt.Sprintf(format, args...))
}

// Counts returns the counts.
func (j *Journal) Counts() map[string]int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Clone(j.counts)
}

// Broken returns what was broken: the first 20, and how many there are beside them.
func (j *Journal) Broken() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	broken := slices.Clone(j.broken)
	if j.more > 0 {
		broken = append(broken, fmt.Sprintf("and %d more", j.more))
	}
	return broken
}

// Progress waits until each of some counts has grown by n: a round means nothing in which nobody got anything done.
func (j *Journal) Progress(ctx context.Context, n int, what ...string) error {
	before := j.Counts()
	for start := time.Now(); ; {
		now := j.Counts()
		if !slices.ContainsFunc(what, func(w string) bool { return now[w] < before[w]+n }) {
			return nil
		}
		if time.Since(start) > 2*time.Minute {
			return fmt.Errorf("no progress of %q in %v: %s", what, time.Since(start), j)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (j *Journal) String() string {
	counts := j.Counts()
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[what], what))
	}
	return strings.Join(parts, ", ")
}
