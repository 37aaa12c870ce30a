package testkit

import "runtime"

// Allocated returns how many bytes a call takes from the heap. Other goroutines must rest.
func Allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
