package storetest

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/civicpin/civicpin/store"
)

// Check is a check as the suite's own tests see it: they run it on broken stores and look whether it fails.
type Check struct {
	Sentence, Name string
	check          check
}

// Checks returns every check of the suite.
func Checks() []Check {
	var all []Check
	for _, r := range rules() {
		for _, c := range r.checks {
			all = append(all, Check{r.sentence, c.name, c})
		}
	}
	return all
}

// Failures runs the check and returns what it complained of.
func (c Check) Failures(ctx context.Context, open func() store.Store) []string {
	rec := &recorder{ctx: ctx}
	done := make(chan struct{})
	go func() { // Fatalf ends the goroutine, as that of *testing.T does
		defer close(done)
		c.check.run(&fixture{tb: rec, store: open(), open: open, patience: 300 * time.Millisecond})
	}()
	<-done
	return rec.failures
}

type recorder struct {
	ctx      context.Context
	failures []string
}

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.ctx }

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}
