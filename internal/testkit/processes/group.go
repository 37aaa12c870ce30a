package processes

import (
	"os"
	"testing"
)

// A Group is children that begin together.
type Group []*Process

// Start starts a child for each job, and waits until all are ready. They begin when they are told to go.
func Start[J any](tb testing.TB, test string, jobs ...J) Group {
	tb.Helper()
	var g Group
	for _, job := range jobs {
		p, err := Launch(tb, test, job)
		if err != nil {
			tb.Fatal(err)
		}
		g = append(g, p)
	}
	for _, p := range g {
		if line := p.Line(tb); line != "ready" {
			tb.Fatalf("the child is not ready, but said %q", line)
		}
	}
	return g
}

// Run starts a child for each job, lets all begin at once, waits for their end, and counts what they said.
func Run[J any](tb testing.TB, test string, jobs ...J) map[string]int {
	tb.Helper()
	g := Start(tb, test, jobs...)
	g.Go(tb)
	return g.Finish(tb)
}

// Go lets all begin.
func (g Group) Go(tb testing.TB) {
	tb.Helper()
	for _, p := range g {
		p.Go(tb)
	}
}

// Lines reads n lines of each child, and counts them.
func (g Group) Lines(tb testing.TB, n int) map[string]int {
	tb.Helper()
	count := make(map[string]int)
	for _, p := range g {
		for range n {
			count[p.Line(tb)]++
		}
	}
	return count
}

// Finish waits until all have ended, and counts the lines that they said.
func (g Group) Finish(tb testing.TB) map[string]int {
	tb.Helper()
	return g.count(func(p *Process) []string { return p.Finish(tb) })
}

// Kill kills all, then counts the lines that they had said until then.
func (g Group) Kill(tb testing.TB) map[string]int {
	tb.Helper()
	for _, p := range g {
		if err := p.Signal(os.Kill); err != nil {
			tb.Fatal(err)
		}
	}
	return g.count(func(p *Process) []string {
		lines := p.rest(tb)
		_ = p.wait()
		return lines
	})
}

func (g Group) count(lines func(*Process) []string) map[string]int {
	count := make(map[string]int)
	for _, p := range g {
		for _, line := range lines(p) {
			count[line]++
		}
	}
	return count
}
