package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/civicpin/civicpin/store"
)

// benchKind is a kind with 1024 records of the size of a credential.
func benchKind(b *testing.B) (store.Kind[account], []store.Key) {
	b.Helper()
	k := accounts(b, store.NewMemory())
	keys := make([]store.Key, 1024)
	for i := range keys {
		keys[i] = store.Key{Subject: rossi, ID: fmt.Sprint(i)}
		e := store.Entry[account]{Key: keys[i], Value: account{Note: fmt.Sprintf("%0300d", i)}}
		if err := k.Put(b.Context(), &e); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	return k, keys
}

func BenchmarkVaultGet(b *testing.B) {
	k, keys := benchKind(b)
	for b.Loop() {
		if _, err := k.Get(b.Context(), keys[0]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVaultPut(b *testing.B) {
	k, keys := benchKind(b)
	e, err := k.Get(b.Context(), keys[0])
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := k.Put(b.Context(), &e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVaultUpdate(b *testing.B) {
	k, keys := benchKind(b)
	for b.Loop() {
		if _, err := k.Update(b.Context(), keys[0], add(1)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVaultUpdateParallel(b *testing.B) {
	for _, n := range []int{1, 1024} {
		b.Run(fmt.Sprintf("keys=%d", n), func(b *testing.B) {
			k, keys := benchKind(b)
			var next atomic.Uint64
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					key := keys[next.Add(1)%uint64(n)]
					if _, err := k.Update(b.Context(), key, add(1)); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

func BenchmarkMemoryPut(b *testing.B) {
	m := store.NewMemory()
	r := store.Record{Value: make([]byte, 400)}
	b.ReportAllocs()
	for b.Loop() {
		v, err := m.Put(b.Context(), "account/x", r)
		if err != nil {
			b.Fatal(err)
		}
		r.Version = v
	}
}
