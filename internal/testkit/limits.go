package testkit

import (
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store/outbox"
)

// Wide is a rate that no test reaches.
var Wide = civicpin.Rate{Limit: 1_000_000, Window: time.Hour}

// Limits returns limits of messages that no test reaches.
func Limits() outbox.Limits {
	return outbox.Limits{Source: Wide, Typed: Wide, Proved: Wide, Shown: Wide, Home: Wide, Abroad: Wide}
}
