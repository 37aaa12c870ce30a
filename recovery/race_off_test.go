//go:build !race

package recovery_test

// raced says that the race detector is on.
const raced = false
