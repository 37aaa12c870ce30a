package soak

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Sample is what was seen of the process at one time.
type Sample struct {
	At         time.Duration // since the beginning
	Acts       int           // so far
	Heap       uint64        // bytes of live objects, after a collection
	Resident   uint64        // bytes of the whole process; zero where the system does not tell
	Goroutines int
	Files      int // open files and sockets: connections are among them; zero where the system does not tell
}

func (s Sample) String() string {
	return fmt.Sprintf("%8s %9d acts, heap %6.1f MiB, resident %6.1f MiB, %4d goroutines, %4d files and connections",
		s.At.Round(time.Second), s.Acts, mib(s.Heap), mib(s.Resident), s.Goroutines, s.Files)
}

func mib(n uint64) float64 { return float64(n) / (1 << 20) }

// watch takes samples until the context is done.
func watch(ctx context.Context, every time.Duration, out io.Writer, acts func() int) (all []Sample) {
	start := time.Now()
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return all
		case <-t.C:
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		s := Sample{
			At: time.Since(start), Acts: acts(), Heap: m.HeapAlloc, Resident: resident(), Goroutines: runtime.NumGoroutine(), Files: files(),
		}
		all = append(all, s)
		fmt.Fprintln(out, s)
	}
}

// resident returns the resident set size, as Linux tells it.
func resident() uint64 {
	text, err := os.ReadFile("/proc/self/statm")
	if fields := strings.Fields(string(text)); err == nil && len(fields) > 1 {
		pages, _ := strconv.ParseUint(fields[1], 10, 64) // zero if it is none
		return pages * uint64(os.Getpagesize())
	}
	return 0
}

// files returns how many file descriptors are open, as Linux tells it.
func files() int {
	entries, _ := os.ReadDir("/proc/self/fd") // none elsewhere
	return len(entries)
}

// judge returns what has grown: the low samples of the second and of the last quarter are compared, since hashes under way, 19
// MiB each, and whatever else comes and goes are in the high ones, and what leaks is in all. The first quarter is for pools and
// caches to fill. What is allowed on top is what a busy second more or less makes. Memory is not judged where the store keeps
// its records in it.
func judge(all []Sample, inMemory bool) (grown []string) {
	n := len(all) / 4
	if n < 3 {
		return []string{fmt.Sprintf("only %d samples: too few to tell", len(all))}
	}
	early, late := all[n:2*n], all[len(all)-n:]
	for _, what := range []struct {
		name   string
		of     func(Sample) uint64
		times  float64
		more   uint64
		memory bool
	}{
		{"bytes of heap", func(s Sample) uint64 { return s.Heap }, 1.25, 32 << 20, true},
		{"resident bytes", func(s Sample) uint64 { return s.Resident }, 1.25, 64 << 20, true},
		{"goroutines", func(s Sample) uint64 { return uint64(s.Goroutines) }, 1.25, 20, false},
		{"files and connections", func(s Sample) uint64 { return uint64(s.Files) }, 1.25, 10, false},
	} {
		if what.memory && inMemory {
			continue
		}
		before, after := low(early, what.of), low(late, what.of)
		if most := uint64(float64(before)*what.times) + what.more; after > most {
			grown = append(grown, fmt.Sprintf("%s grew from %d to %d, more than %d", what.name, before, after, most))
		}
	}
	return grown
}

// low is the value that a tenth of the samples are below.
func low(samples []Sample, of func(Sample) uint64) uint64 {
	var values []uint64
	for _, s := range samples {
		values = append(values, of(s))
	}
	slices.Sort(values)
	return values[len(values)/10]
}
