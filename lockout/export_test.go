package lockout

import "time"

// The seams of the tests: constants, and how an address becomes a key.
const (
	SettleTime = settleTime
	KeepEmpty  = keepEmpty
	MaxTimeout = maxTimeout
)

// SourceID returns the id under which an address is counted.
func SourceID(address string) string { return sourceKey(address).ID }

// Doubled is how locks and delays grow.
func Doubled(d, most time.Duration, n int) time.Duration { return doubled(d, most, n) }
