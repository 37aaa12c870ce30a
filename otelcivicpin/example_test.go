package otelcivicpin_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/otelcivicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// A portal issues a PIN. The provider of metrics gets the events as counts, the provider of traces the calls of the store as
// spans. A program gives both an exporter of its own; with nil in their place, the providers of package otel serve.
func Example() {
	ctx := context.Background()
	check := func(err error) {
		if err != nil {
			log.Panic(err)
		}
	}
	counts, spans := metric.NewManualReader(), tracetest.NewSpanRecorder()
	meters := metric.NewMeterProvider(metric.WithReader(counts))
	tracers := trace.NewTracerProvider(trace.WithSpanProcessor(spans))

	dir, err := os.MkdirTemp("", "civicpin")
	check(err)
	defer func() { _ = os.RemoveAll(dir) }()
	keys, err := store.CreateKeyFile(filepath.Join(dir, "portal.keys")) // once; later store.ReadKeyFile
	check(err)
	counted, err := otelcivicpin.NewRecorder(meters)
	check(err)
	traced := otelcivicpin.NewStore(store.NewMemory(), tracers)
	vault, err := store.OpenVault(ctx, traced, keys, &store.Options{Recorder: counted})
	check(err)
	gateway := civicpin.NotifierFunc(func(context.Context, civicpin.Message) (string, error) { return "", nil })
	out, err := outbox.New(vault, gateway, nil)
	check(err)
	pins, err := pin.New(out, pin.INPS())
	check(err)
	_, err = pins.Issue(ctx, "RSSMRA85T10A562S", pin.IssueOptions{
		Parts: []civicpin.Contact{
			{Channel: civicpin.SMS, Address: "+393331234567"},
			{Channel: civicpin.Email, Address: "maria.rossi@example.it"},
		},
		By: civicpin.Citizen,
	})
	check(err)

	var read metricdata.ResourceMetrics
	check(counts.Collect(ctx, &read))
	for _, m := range read.ScopeMetrics[0].Metrics {
		for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
			code, _ := p.Attributes.Value("civicpin.event.code")
			fmt.Println(m.Name, code.AsString(), p.Value)
		}
	}
	fmt.Println("the first span:", spans.Ended()[0].Name())
	// Output:
	// civicpin.events pin.issued 1
	// the first span: civicpin.store.get
}

// An operator watches what waits. The gateway for text messages is down, so one half of a PIN is tried again later.
func ExampleRegisterBacklog() {
	ctx := context.Background()
	check := func(err error) {
		if err != nil {
			log.Panic(err)
		}
	}
	dir, err := os.MkdirTemp("", "civicpin")
	check(err)
	defer func() { _ = os.RemoveAll(dir) }()
	keys, err := store.CreateKeyFile(filepath.Join(dir, "portal.keys")) // once; later store.ReadKeyFile
	check(err)
	vault, err := store.OpenVault(ctx, store.NewMemory(), keys, nil)
	check(err)
	gateway := civicpin.NotifierFunc(func(_ context.Context, m civicpin.Message) (string, error) {
		if m.To.Channel == civicpin.SMS {
			return "", errors.New("the gateway is down")
		}
		return "", nil
	})
	out, err := outbox.New(vault, gateway, nil)
	check(err)
	counts := metric.NewManualReader() // in a program, metric.NewPeriodicReader with an exporter
	gauges, err := otelcivicpin.RegisterBacklog(out, metric.NewMeterProvider(metric.WithReader(counts)))
	check(err)
	defer func() { check(gauges.Unregister()) }()
	pins, err := pin.New(out, pin.INPS())
	check(err)
	_, err = pins.Issue(ctx, "RSSMRA85T10A562S", pin.IssueOptions{
		Parts: []civicpin.Contact{
			{Channel: civicpin.SMS, Address: "+393331234567"},
			{Channel: civicpin.Email, Address: "maria.rossi@example.it"},
		},
		By: civicpin.Citizen,
	})
	check(err)

	show := func() {
		var read metricdata.ResourceMetrics
		check(counts.Collect(ctx, &read))
		for _, m := range read.ScopeMetrics[0].Metrics {
			messages, _ := m.Data.(metricdata.Gauge[int64])
			for _, p := range messages.DataPoints {
				class, _ := p.Attributes.Value("civicpin.outbox.class")
				state, _ := p.Attributes.Value("civicpin.outbox.state")
				if p.Value > 0 {
					fmt.Println(m.Name, class.AsString(), state.AsString(), p.Value)
				}
			}
		}
	}
	show()
	check(out.Flush(ctx))
	show()
	// Output:
	// civicpin.outbox.messages typed due 2
	// civicpin.outbox.messages typed later 1
}
