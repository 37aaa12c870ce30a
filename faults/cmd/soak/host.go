package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
)

// host lets what was written for tests start servers for a command: it has what they use of testing.TB, and ends it all when
// the command does. Any other method would panic for want of a test.
type host struct {
	testing.TB
	ctx      context.Context
	failed   error
	cleanups []func()
}

// hosted runs f with a host, and undoes what was begun with it.
func hosted(ctx context.Context, f func(*host) error) error {
	h := &host{ctx: ctx}
	done := make(chan error, 1)
	go func() { // of its own, since Fatal ends the goroutine
		err := errors.New("ended early")
		defer func() { done <- err }()
		err = f(h)
	}()
	err := <-done
	for _, undo := range slices.Backward(h.cleanups) {
		undo()
	}
	if h.failed != nil {
		return h.failed
	}
	return err
}

func (h *host) Helper()                  {}
func (h *host) Context() context.Context { return h.ctx }
func (h *host) Cleanup(f func())         { h.cleanups = append(h.cleanups, f) }
func (h *host) Failed() bool             { return h.failed != nil }
func (h *host) Error(args ...any)        { h.failed = errors.New(fmt.Sprint(args...)) }

func (h *host) Logf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func (h *host) Fatal(args ...any) {
	h.Error(args...)
	runtime.Goexit()
}

func (h *host) Errorf(format string, args ...any) { h.Error(fmt.Sprintf(format, args...)) }
func (h *host) Fatalf(format string, args ...any) { h.Fatal(fmt.Sprintf(format, args...)) }
func (h *host) Skipf(format string, args ...any)  { h.Fatalf(format, args...) }

func (h *host) TempDir() string {
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
