package sqlite_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
)

// benchValue is as long as a sealed lockout record.
var benchValue = bytes.Repeat([]byte("x"), 300)

// filled returns a store of many keys.
func filled(b *testing.B, keys int) (s store.Store, key func(i int) string) {
	s = open(b, newPath(b))
	key = func(i int) string { return fmt.Sprintf("bench/%06d", i%keys) }
	for i := range keys {
		_, err := s.Put(b.Context(), key(i), store.Record{Value: benchValue})
		require.NoError(b, err)
	}
	return s, key
}

func BenchmarkGet(b *testing.B) {
	s, key := filled(b, 1000)
	b.Run("one", func(b *testing.B) {
		i := 0
		for b.Loop() {
			i++
			if _, err := s.Get(b.Context(), key(i)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		var n atomic.Int64
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.Get(b.Context(), key(int(n.Add(1)))); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func BenchmarkCreate(b *testing.B) {
	var n atomic.Int64
	b.Run("one", func(b *testing.B) {
		s := open(b, newPath(b))
		for b.Loop() {
			if _, err := s.Put(b.Context(), fmt.Sprintf("bench/%d", n.Add(1)), store.Record{Value: benchValue}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		s := open(b, newPath(b))
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.Put(b.Context(), fmt.Sprintf("bench/%d", n.Add(1)), store.Record{Value: benchValue}); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// BenchmarkSwap reads a record and replaces it, again if somebody else was first: what every decision of the library costs.
func BenchmarkSwap(b *testing.B) {
	for _, c := range []struct {
		name string
		keys int
	}{{"one key", 1}, {"many keys", 1000}} {
		s, key := filled(b, c.keys)
		swap := func(i int) error {
			for {
				r, err := s.Get(b.Context(), key(i))
				if err != nil {
					return err
				}
				if _, err = s.Put(b.Context(), key(i), r); !errors.Is(err, store.ErrConflict) {
					return err
				}
			}
		}
		b.Run(c.name, func(b *testing.B) {
			i := 0
			for b.Loop() {
				i++
				if err := swap(i); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+" parallel", func(b *testing.B) {
			var n atomic.Int64
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := swap(int(n.Add(1))); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkList(b *testing.B) {
	s, _ := filled(b, 1000)
	for b.Loop() {
		n := 0
		for _, err := range s.(store.Lister).List(b.Context(), "", "") {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 1000 {
			b.Fatal(n)
		}
	}
}
