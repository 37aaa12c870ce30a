package store

import (
	"context"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/guard"
)

// Events returns the events that this package records, as a new slice.
func Events() []civicpin.EventInfo {
	return []civicpin.EventInfo{{
		Code:    guard.EventUnrecorded,
		Meaning: "The recorder panicked over events before this one, or hung, so that it was not called for them.",
		Reasons: []string{"the number of events"},
	}}
}

// Record passes an event to the vault's recorder, if it has one. An event without a time gets the vault's. Of the value of a
// device it tells only that one was shown: the value opens a lane of its own.
func (v *Vault) Record(ctx context.Context, e civicpin.Event) {
	if v.events == nil {
		return
	}
	if e.At.IsZero() {
		e.At = v.Now()
	}
	if !e.Source.Device.IsZero() {
		e.Source.Device = civicpin.NewSecret("[redacted]")
	}
	e.Source.Shown = civicpin.Secret{}
	v.events.Record(ctx, e)
}
