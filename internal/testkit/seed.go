package testkit

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// Seed returns what a random test begins with: the number in CIVICPIN_SEED, or another one each time.
func Seed(t testing.TB) uint64 {
	t.Helper()
	text := os.Getenv("CIVICPIN_SEED")
	if text == "" {
		return uint64(time.Now().UnixNano())
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal("CIVICPIN_SEED is no number: ", err)
	}
	return seed
}
