package storetest_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

func TestFaultsPass(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) store.Store { return storetest.NewFaults(store.NewMemory()).Store() })
	if _, ok := storetest.NewFaults(struct{ store.Store }{store.NewMemory()}).Store().(store.Lister); ok {
		t.Error("the store with faults lists, the inner one does not")
	}
}

// TestFaultOutcomes looks for each method and outcome at what the caller and the inner store see.
func TestFaultOutcomes(t *testing.T) {
	const key = "k"
	calls := map[string]func(ctx context.Context, s store.Store, v store.Version) error{
		storetest.Get: func(ctx context.Context, s store.Store, _ store.Version) error {
			r, err := s.Get(ctx, key)
			if err != nil && (r.Value != nil || r.Version != 0) {
				t.Error("a record beside the error")
			}
			return err
		},
		storetest.Put: func(ctx context.Context, s store.Store, v store.Version) error {
			got, err := s.Put(ctx, key, store.Record{Value: []byte("new"), Version: v})
			if err != nil && got != 0 {
				t.Error("a version beside the error")
			}
			return err
		},
		storetest.Delete: func(ctx context.Context, s store.Store, v store.Version) error { return s.Delete(ctx, key, v) },
		storetest.List: func(ctx context.Context, s store.Store, _ store.Version) (last error) {
			for _, err := range s.(store.Lister).List(ctx, "", "") {
				last = err
			}
			return last
		},
	}
	for method, call := range calls {
		for _, c := range []struct {
			outcome         storetest.Outcome
			before, after   bool // whether the write is done, before Deliver and after
			deliveredWrites int
		}{
			{storetest.NotDone, false, false, 0},
			{storetest.ReplyLost, true, true, 0},
			{storetest.DoneLater, false, true, 1},
		} {
			inner := store.NewMemory()
			faults := storetest.NewFaults(inner)
			s := faults.Store()
			v, err := s.Put(t.Context(), key, store.Record{Value: []byte("old")})
			if err != nil {
				t.Fatal(err)
			}
			writes := method == storetest.Put || method == storetest.Delete
			done := func() bool {
				r, err := inner.Get(t.Context(), key)
				return errors.Is(err, store.ErrNotFound) || string(r.Value) == "new"
			}
			faults.FailAt(1, c.outcome, method)
			if err := call(t.Context(), s, v); !errors.Is(err, storetest.ErrInjected) {
				t.Errorf("%s, %d: error %v, want ErrInjected", method, c.outcome, err)
			}
			if got := done(); got != (c.before && writes) {
				t.Errorf("%s, %d: done: %t", method, c.outcome, got)
			}
			if n := faults.Deliver(t.Context()); writes && n != c.deliveredWrites || !writes && n != 0 {
				t.Errorf("%s, %d: Deliver did %d", method, c.outcome, n)
			}
			if got := done(); got != (c.after && writes) {
				t.Errorf("%s, %d: done after Deliver: %t", method, c.outcome, got)
			}
			if err := call(t.Context(), s, v); errors.Is(err, storetest.ErrInjected) {
				t.Errorf("%s, %d: the second call fails too: %v", method, c.outcome, err)
			}
		}
	}
}

// TestFaultLateIsConditional: a late write changes nothing once its condition no longer holds, nor does the caller's slice.
func TestFaultLateIsConditional(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	s := faults.Store()
	value := []byte("late")
	faults.FailAt(1, storetest.DoneLater)
	if _, err := s.Put(t.Context(), "a", store.Record{Value: value}); !errors.Is(err, storetest.ErrInjected) {
		t.Fatal(err)
	}
	copy(value, "####")
	faults.FailAt(1, storetest.DoneLater)
	if _, err := s.Put(t.Context(), "b", store.Record{Value: []byte("late")}); !errors.Is(err, storetest.ErrInjected) {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "b", store.Record{Value: []byte("other")}); err != nil {
		t.Fatal(err)
	}
	if n := faults.Deliver(t.Context()); n != 2 {
		t.Errorf("Deliver did %d", n)
	}
	for key, want := range map[string]string{"a": "late", "b": "other"} {
		if r, err := s.Get(t.Context(), key); err != nil || string(r.Value) != want {
			t.Errorf("%s: %q, error %v; want %q", key, r.Value, err, want)
		}
	}
}

func TestFaultCounting(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	s := faults.Store()
	get := func() error { _, err := s.Get(t.Context(), "k"); return err }
	put := func() error { _, err := s.Put(t.Context(), "k", store.Record{}); return err }

	faults.FailAt(2, storetest.NotDone, storetest.Put)
	faults.FailAt(3, storetest.NotDone)
	for i, step := range []struct {
		call func() error
		want error
	}{
		{get, store.ErrNotFound},
		{put, nil},
		{get, storetest.ErrInjected}, // the third call
		{put, storetest.ErrInjected}, // the second Put
		{put, store.ErrConflict},
		{get, nil},
	} {
		if err := step.call(); !errors.Is(err, step.want) {
			t.Errorf("call %d: error %v, want %v", i+1, err, step.want)
		}
	}
	if all, gets, puts, both := faults.Calls(), faults.Calls(storetest.Get), faults.Calls(storetest.Put),
		faults.Calls(storetest.Get, storetest.Put); all != 6 || gets != 3 || puts != 3 || both != 6 {
		t.Errorf("Calls: %d, of Get %d, of Put %d, of both %d", all, gets, puts, both)
	}
	if n := faults.Calls(storetest.List, storetest.Delete); n != 0 {
		t.Errorf("Calls of others: %d", n)
	}
}

func TestFaultStop(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	s := faults.Store().(store.Lister)
	for _, key := range []string{"a", "b", "c"} {
		if _, err := s.Put(t.Context(), key, store.Record{}); err != nil {
			t.Fatal(err)
		}
	}
	// Within a List the process dies at a Put: the list yields no more.
	faults.StopAt(1, storetest.ReplyLost, storetest.Put)
	var keys []string
	var last error
	for item, err := range s.List(t.Context(), "", "") {
		if last = err; err == nil {
			keys = append(keys, item.Key)
			_, _ = s.Put(t.Context(), "new", store.Record{})
		}
	}
	if len(keys) != 1 || !errors.Is(last, storetest.ErrInjected) {
		t.Errorf("a List over a stop yields %q and the error %v, want one key and ErrInjected", keys, last)
	}
	for range 3 {
		if _, err := s.Get(t.Context(), "a"); !errors.Is(err, storetest.ErrInjected) {
			t.Errorf("Get after the stop: %v", err)
		}
		if _, err := s.Put(t.Context(), "after", store.Record{}); !errors.Is(err, storetest.ErrInjected) {
			t.Errorf("Put after the stop: %v", err)
		}
	}
	faults.Reset()
	if n := faults.Calls(); n != 0 {
		t.Errorf("%d calls after Reset", n)
	}
	if _, err := s.Get(t.Context(), "new"); err != nil {
		t.Errorf("the last write before the stop: %v", err)
	}
	if _, err := s.Get(t.Context(), "after"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a write after the stop: %v", err)
	}
}

// TestFaultHook holds a Put up, to let another one overtake it.
func TestFaultHook(t *testing.T) {
	inner := store.NewMemory()
	faults := storetest.NewFaults(inner)
	s := faults.Store()
	arrived, goOn := make(chan string), make(chan struct{})
	faults.Hook(func(method, key string) error {
		arrived <- method + " " + key
		<-goOn
		return nil
	})
	var wg sync.WaitGroup
	var err error
	wg.Go(func() { _, err = s.Put(t.Context(), "k", store.Record{Value: []byte("slow")}) })
	if got := <-arrived; got != "Put k" {
		t.Errorf("the hook is told %q", got)
	}
	if _, err := inner.Put(t.Context(), "k", store.Record{Value: []byte("fast")}); err != nil {
		t.Fatal(err)
	}
	close(goOn)
	wg.Wait()
	if !errors.Is(err, store.ErrConflict) {
		t.Errorf("the Put that was overtaken: %v", err)
	}

	refused := errors.New("refused")
	faults.Hook(func(string, string) error { return refused })
	if err := s.Delete(t.Context(), "k", 1); err != refused {
		t.Errorf("Delete: error %v, want the hook's", err)
	}
	for _, err := range s.(store.Lister).List(t.Context(), "", "") {
		if err != refused {
			t.Errorf("List: error %v, want the hook's", err)
		}
	}
	faults.Hook(nil)
	if r, err := s.Get(t.Context(), "k"); err != nil || string(r.Value) != "fast" {
		t.Errorf("Get: %q, error %v", r.Value, err)
	}
}

func TestFaultsConcurrently(t *testing.T) {
	faults := storetest.NewFaults(store.NewMemory())
	s := faults.Store()
	faults.StopAt(500, storetest.ReplyLost)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				_, _ = s.Get(ctx, "k")
			}
		})
	}
	wg.Wait()
	if n := faults.Calls(); n != 800 {
		t.Errorf("%d calls, want 800", n)
	}
	if _, err := s.Get(ctx, "k"); !errors.Is(err, storetest.ErrInjected) {
		t.Errorf("Get after the stop: %v", err)
	}
}
