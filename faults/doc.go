// Package faults is a module of tests: it kills, freezes and cuts off real servers while the library works on them, and
// looks at what was acknowledged. Nobody imports it; it is a module of its own so that what it needs to do so (drivers, a
// proxy, a checker) is in nobody's go.sum.
//
//	go test ./...                       # the short form: some rounds of each
//	CIVICPIN_FULL=1 go test -timeout 2h ./...   # all of them
//
// Package linear checks histories of store operations for linearizability, and has no dependency on any engine.
package faults
