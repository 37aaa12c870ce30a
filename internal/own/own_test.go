package own_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/own"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
)

// only exposes the three methods of a store.
type only struct{ store.Store }

type record struct{ N int }

// world is a store that cannot list, with a list of what was added.
type world struct {
	memory *store.Memory
	kind   store.Kind[record]
	list   *own.List
}

func newWorld(t *testing.T) *world {
	w := &world{memory: store.NewMemory()}
	v, err := store.OpenVault(t.Context(), only{w.memory}, testkit.Keys(), &store.Options{Adopt: true})
	require.NoError(t, err)
	w.kind, err = store.NewKind[record](v, "test.own")
	require.NoError(t, err)
	w.list = own.NewList(v)
	return w
}

func key(n int) store.Key { return store.Key{Subject: "A", ID: fmt.Sprint(n)} }

func (w *world) add(t *testing.T, numbers ...int) {
	t.Helper()
	for _, n := range numbers {
		_, err := w.kind.Update(t.Context(), key(n), func(e *store.Entry[record]) error {
			e.Value.N = n
			return nil
		})
		require.NoError(t, err)
		w.list.Add(key(n))
	}
}

// walk returns what one pass shows.
func (w *world) walk(t *testing.T, p store.Pass) (seen []int, at store.Progress) {
	t.Helper()
	at, err := own.Walk(t.Context(), w.list, w.kind, p, func(e store.Entry[record]) error {
		seen = append(seen, e.Value.N)
		return nil
	})
	require.NoError(t, err)
	return seen, at
}

// Passes go on where the last one ended, in the order of additions. What was added again counts as added last.
func TestWalk(t *testing.T) {
	w := newWorld(t)
	w.add(t, 1, 2, 3, 4, 2)
	seen, at := w.walk(t, store.Pass{Max: 3})
	require.Equal(t, []int{1, 3, 4}, seen)
	require.False(t, at.End)
	w.add(t, 5, 1)
	var last []store.Progress
	seen, at = w.walk(t, store.Pass{After: at.Last, Progress: func(p store.Progress) { last = append(last, p) }})
	require.Equal(t, []int{2, 5, 1}, seen)
	require.True(t, at.End)
	require.Len(t, last, 3)
	seen, at = w.walk(t, store.Pass{After: at.Last})
	require.Empty(t, seen)
	require.True(t, at.End)
}

// A record that is gone leaves the list, unless it was added again meanwhile.
func TestWalkForgets(t *testing.T) {
	w := newWorld(t)
	w.add(t, 1, 2, 3)
	e, err := w.kind.Get(t.Context(), key(2))
	require.NoError(t, err)
	require.NoError(t, w.kind.Delete(t.Context(), &e))
	seen, _ := w.walk(t, store.Pass{})
	require.Equal(t, []int{1, 3}, seen)
	require.Equal(t, 2, w.list.Len())
}

// What visit returns ends a pass in front of the record. Invalid passes are refused.
func TestWalkEnds(t *testing.T) {
	w := newWorld(t)
	w.add(t, 1, 2)
	stop := errors.New("stop")
	at, err := own.Walk(t.Context(), w.list, w.kind, store.Pass{}, func(e store.Entry[record]) error {
		if e.Value.N == 2 {
			return stop
		}
		return nil
	})
	require.Equal(t, stop, err)
	require.Equal(t, 1, at.Seen)
	require.False(t, at.End)
	for _, p := range []store.Pass{{Max: -1}, {After: "x"}} {
		_, err := own.Walk(t.Context(), w.list, w.kind, p, func(store.Entry[record]) error { return nil })
		require.ErrorIs(t, err, civicpin.ErrInvalid)
	}
}

// Records that do not open are counted, and do not stop the others.
func TestWalkUnreadable(t *testing.T) {
	w := newWorld(t)
	w.add(t, 1, 2)
	for item, err := range w.memory.List(t.Context(), "test.own/", "") {
		require.NoError(t, err)
		item.Record.Value[len(item.Record.Value)-1] ^= 1
		_, err = w.memory.Put(context.Background(), item.Key, item.Record)
		require.NoError(t, err)
		break
	}
	n := 0
	at, err := own.Walk(t.Context(), w.list, w.kind, store.Pass{}, func(store.Entry[record]) error { n++; return nil })
	require.ErrorIs(t, err, store.ErrUnreadable)
	require.Equal(t, 1, n)
	require.Equal(t, 1, at.Unreadable)
	require.Equal(t, 2, at.Seen)
	require.True(t, at.End)
}

func TestFits(t *testing.T) {
	w := newWorld(t)
	w.add(t, 1, 2)
	require.True(t, w.list.Fits([]store.Key{key(1), key(2)}, 2), "these are in it")
	require.True(t, w.list.Fits([]store.Key{key(2), key(3)}, 3))
	require.False(t, w.list.Fits([]store.Key{key(3), key(4)}, 3))
}

// A store that can list needs none.
func TestNilList(t *testing.T) {
	v, err := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), nil)
	require.NoError(t, err)
	l := own.NewList(v)
	require.Nil(t, l)
	l.Add(key(1))
	require.Zero(t, l.Len())
	require.True(t, l.Fits([]store.Key{key(1)}, 0))
}
