package testkit

import (
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store/outbox"
)

// Wide is a rate by subject that no test reaches.
var Wide = civicpin.Rate{Limit: 100_000, Window: time.Hour}

// Fitting returns the default limits, with a rate for proved addresses that a rate by subject fits.
func Fitting(subject civicpin.Rate) outbox.Limits {
	const day = 24 * time.Hour
	if subject == (civicpin.Rate{}) || subject.Validate() != nil || int64(subject.Limit)*int64(day) <= 40*int64(subject.Window) {
		return outbox.Limits{}
	}
	return outbox.Limits{Proved: civicpin.Rate{Limit: max(40, subject.Limit), Window: min(day, subject.Window)}}
}

// Limits returns limits of messages that no test reaches, and that ten rates like Wide fit.
func Limits() outbox.Limits {
	all := civicpin.Rate{Limit: 1_000_000, Window: time.Hour}
	return outbox.Limits{
		Source: all, SourceTyped: all, Operator: all, Typed: all, Proved: all, Shown: all, Notice: all, Home: all, Abroad: all,
	}
}
