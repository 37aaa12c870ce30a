//go:build race

package recovery_test

// raced says that the race detector is on: everything takes many times as long, and how long tells nothing.
const raced = true
