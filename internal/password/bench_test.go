package password_test

import (
	"context"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/civicpin/civicpin/internal/password"
)

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		password.New(password.Default(), "K7PM-WXYZ")
	}
}

// Each at what guidance asks for today, or what the other system writes.
func BenchmarkVerify(b *testing.B) {
	for _, s := range []string{
		"$argon2id$v=19$m=19456,t=2,p=1$" + s16 + "$" + s32,
		"$argon2id$v=19$m=65536,t=3,p=4$" + s16 + "$" + s32,
		"$2b$10$" + bc,
		"$2b$12$" + bc,
		"$pbkdf2-sha256$i=600000$" + s16 + "$" + s32,
		"$pbkdf2-sha512$i=210000$" + s16 + "$" + s64,
		"$scrypt$ln=17,r=8,p=1$" + s16 + "$" + s32,
		// The most that the caps let through.
		"$argon2id$v=19$m=262144,t=4,p=1$" + s16 + "$" + s32,
		"$2b$14$" + bc,
		"$pbkdf2-sha512$i=3000000$" + s16 + "$" + s64,
		"$scrypt$ln=18,r=8,p=2$" + s16 + "$" + s32,
	} {
		h := mustParse(b, s)
		b.Run(strings.NewReplacer("(", "/", ")", "").Replace(h.String()), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.Verify("K7PM-WXYZ")
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for _, s := range []string{foreign[0].hash, "$2b$10$" + bc, "$scrypt$ln=17,r=8,p=1$" + s16 + "$" + s32} {
		b.Run(strings.Split(s, "$")[1], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := password.Parse(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkGate(b *testing.B) {
	g := newGate(b, 1, 16)
	b.ReportAllocs()
	for b.Loop() {
		leave, err := g.Enter(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		_ = g.Run(b.Context(), func() {})
		leave()
	}
}

// waits returns a gate with the default permits.
func waits(b *testing.B, wait time.Duration) *password.Gate {
	b.Helper()
	g, err := password.NewGate(0, wait, 1)
	if err != nil {
		b.Fatal(err)
	}
	return g
}

// 200 logins at once: what they hold at most, how long the slowest of a hundred waited, and how many were served.
func BenchmarkCrowd(b *testing.B) {
	h := mustParse(b, foreign[0].hash)
	free := func(f func()) bool { f(); return true }
	through := func(g *password.Gate) func(func()) bool {
		return func(f func()) bool {
			leave, err := g.Enter(b.Context())
			if err != nil {
				return false
			}
			defer leave()
			return g.Run(b.Context(), f) == nil
		}
	}
	for _, c := range []struct {
		name string
		run  func(func()) bool
	}{
		{"without a gate", free},
		{"gate, a minute at most", through(waits(b, time.Minute))},
		{"gate, two seconds at most", through(waits(b, 0))},
	} {
		b.Run(c.name, func(b *testing.B) {
			var served int
			var slowest time.Duration
			peak := peakHeap(b.Context(), func() {
				for b.Loop() {
					var mu sync.Mutex
					var took []time.Duration
					var wg sync.WaitGroup
					for range 200 {
						wg.Go(func() {
							began := time.Now()
							if c.run(func() { h.Verify("correct horse") }) {
								mu.Lock()
								defer mu.Unlock()
								took = append(took, time.Since(began))
							}
						})
					}
					wg.Wait()
					slices.Sort(took)
					served, slowest = len(took), took[(len(took)-1)*99/100]
				}
			})
			b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
			b.ReportMetric(float64(slowest.Milliseconds()), "p99-ms")
			b.ReportMetric(float64(served), "served")
		})
	}
}

// peakHeap returns the most that the heap held while f ran, in bytes: live objects and garbage not yet collected.
func peakHeap(ctx context.Context, f func()) uint64 {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	var peak uint64
	wg.Go(func() {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		for ctx.Err() == nil {
			metrics.Read(sample)
			peak = max(peak, sample[0].Value.Uint64())
			time.Sleep(2 * time.Millisecond)
		}
	})
	f()
	cancel()
	wg.Wait()
	return peak
}
