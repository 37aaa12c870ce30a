package otelcivicpin

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/civicpin/civicpin"
)

// scope names this package as the source of what it measures.
const scope = "github.com/civicpin/civicpin/otelcivicpin"

// The keys of all attributes.
const (
	keyCode    = attribute.Key("civicpin.event.code")
	keyLevel   = attribute.Key("civicpin.level")
	keyBy      = attribute.Key("civicpin.by")
	keyKind    = attribute.Key("civicpin.record.kind")
	keyOutcome = attribute.Key("civicpin.outcome")
	keyRecords = attribute.Key("civicpin.records")
	keyClass   = attribute.Key("civicpin.outbox.class")
	keyState   = attribute.Key("civicpin.outbox.state")
)

// NewRecorder returns a recorder that counts events by their code, and adds each to the span of its context, if one is being
// recorded. A nil provider means the global one. The error is the provider's. The recorder is safe for concurrent use.
func NewRecorder(p metric.MeterProvider) (civicpin.Recorder, error) {
	if p == nil {
		p = otel.GetMeterProvider()
	}
	events, err := p.Meter(scope).Int64Counter("civicpin.events", metric.WithUnit("{event}"),
		metric.WithDescription("Acts on citizens' secrets, good and bad, by the code of their event."))
	if err != nil {
		return nil, fmt.Errorf("otelcivicpin: %w", err)
	}
	return civicpin.RecorderFunc(func(ctx context.Context, e civicpin.Event) {
		code := keyCode.String(string(e.Code))
		events.Add(ctx, 1, metric.WithAttributes(code))
		span := trace.SpanFromContext(ctx)
		if !span.IsRecording() {
			return
		}
		attrs := []attribute.KeyValue{code}
		if e.Level != civicpin.NoLevel {
			attrs = append(attrs, keyLevel.String(e.Level.String()))
		}
		switch {
		case e.By.IsOperator():
			attrs = append(attrs, keyBy.String("operator")) // which one is for the audit log
		case e.By == civicpin.Citizen:
			attrs = append(attrs, keyBy.String("citizen"))
		case e.By != "":
			attrs = append(attrs, keyBy.String("other"))
		}
		span.AddEvent(string(e.Code), trace.WithAttributes(attrs...))
	}), nil
}
