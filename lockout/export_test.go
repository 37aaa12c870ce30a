package lockout

import (
	"time"

	"github.com/civicpin/civicpin"
)

// The seams of the tests: constants.
const (
	SettleTime = settleTime
	KeepEmpty  = keepEmpty
	MaxTimeout = maxTimeout
)

// Shown reports whether a key shows a device's value that is genuine and the subject's.
func Shown(g *Gate, target Target) bool {
	_, ok := g.shown(target)
	return ok
}

// DeviceValue returns the value of a device with a given id.
func DeviceValue(g *Gate, subject civicpin.Subject, id [16]byte) string {
	return encodeDevice(id, g.deviceMAC(subject, id))
}

// ParseDevice parses a device's value, and writes it again.
func ParseDevice(value string) (again string, ok bool) {
	id, mac, ok := parseDevice(value)
	return encodeDevice(id, mac), ok
}

// Sooner returns the lock that ends first.
func Sooner(a, b *LockedError) *LockedError { return sooner(a, b) }

// Doubled is how locks and delays grow.
func Doubled(d, most time.Duration, n int) time.Duration { return doubled(d, most, n) }
