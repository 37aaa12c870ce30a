// An event is counted, and read back from OpenTelemetry's SDK; a traced store stores.
package main

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/otelcivicpin"
	"github.com/civicpin/civicpin/store"
)

func run(ctx context.Context) error {
	traced := otelcivicpin.NewStore(store.NewMemory(), nil)
	if _, err := traced.Put(ctx, "key", store.Record{Value: []byte("value")}); err != nil {
		return err
	}

	reader := metric.NewManualReader()
	recorder, err := otelcivicpin.NewRecorder(metric.NewMeterProvider(metric.WithReader(reader)))
	if err != nil {
		return err
	}
	for range 3 {
		recorder.Record(ctx, civicpin.Event{Code: "pin.verified"})
	}
	var got metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &got); err != nil {
		return err
	}
	var n int64
	for _, scope := range got.ScopeMetrics {
		for _, m := range scope.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == "civicpin.events" {
				for _, point := range sum.DataPoints {
					n += point.Value
				}
			}
		}
	}
	if n != 3 {
		return fmt.Errorf("3 events were counted as %d", n)
	}
	return nil
}
