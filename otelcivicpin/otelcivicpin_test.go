package otelcivicpin_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otelcivicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/storetest"
)

// secrets are in everything that the tests do, and must be in nothing that leaves.
var secrets = []string{
	"RSSMRA85T10A562S", "192.0.2.1", "device-7", "operator:9", "issue-3", "because-of", "hash-of-a-key", "sealed-value",
	"text-of-an-error",
}

// leaves fails the test if something of a secret is in what was exported.
func leaves(t *testing.T, exported any) {
	t.Helper()
	text := fmt.Sprintf("%+v", exported)
	for _, secret := range secrets {
		assert.NotContains(t, text, secret)
	}
}

// text is attributes in words.
func text(attrs []attribute.KeyValue) string {
	var b strings.Builder
	for _, a := range attrs {
		fmt.Fprintf(&b, " %s=%s", a.Key, a.Value.String())
	}
	return b.String()
}

func event(code civicpin.EventCode, by civicpin.Actor, level civicpin.Level) civicpin.Event {
	return civicpin.Event{
		At: time.Now(), Code: code, Subject: "RSSMRA85T10A562S", By: by, Ref: "issue-3", Reason: "because-of", Level: level,
		Source: civicpin.Source{Address: "192.0.2.1", Device: civicpin.NewSecret("device-7")},
	}
}

// TestRecorder: events are counted by code and nothing else, and noted in the request's span without whom they are about.
func TestRecorder(t *testing.T) {
	reader := metric.NewManualReader()
	spans := tracetest.NewInMemoryExporter()
	tracer := trace.NewTracerProvider(trace.WithSyncer(spans)).Tracer("test")
	r, err := otelcivicpin.NewRecorder(metric.NewMeterProvider(metric.WithReader(reader)))
	require.NoError(t, err)

	ctx, span := tracer.Start(t.Context(), "request")
	r.Record(ctx, event("pin.attested", civicpin.Operator("9"), civicpin.High))
	r.Record(ctx, event("pin.verified", civicpin.Citizen, civicpin.NoLevel))
	r.Record(ctx, event("pin.verified", "batch", civicpin.Low))
	r.Record(ctx, event("pin.refused", "", civicpin.NoLevel))
	span.End()
	r.Record(t.Context(), event("pin.refused", "", civicpin.NoLevel)) // in no span

	got := spans.GetSpans()
	require.Len(t, got, 1)
	var notes []string
	for _, e := range got[0].Events {
		notes = append(notes, e.Name+text(e.Attributes))
	}
	assert.Equal(t, []string{
		"pin.attested civicpin.event.code=pin.attested civicpin.level=high civicpin.by=operator",
		"pin.verified civicpin.event.code=pin.verified civicpin.by=citizen",
		"pin.verified civicpin.event.code=pin.verified civicpin.level=low civicpin.by=other",
		"pin.refused civicpin.event.code=pin.refused",
	}, notes)
	leaves(t, got)

	var data metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &data))
	require.Len(t, data.ScopeMetrics, 1)
	require.Len(t, data.ScopeMetrics[0].Metrics, 1)
	counter := data.ScopeMetrics[0].Metrics[0]
	assert.Equal(t, "civicpin.events", counter.Name)
	counts := make(map[string]int64)
	for _, point := range counter.Data.(metricdata.Sum[int64]).DataPoints {
		assert.Equal(t, 1, point.Attributes.Len())
		code, ok := point.Attributes.Value("civicpin.event.code")
		require.True(t, ok)
		counts[code.AsString()] = point.Value
	}
	assert.Equal(t, map[string]int64{"pin.attested": 1, "pin.verified": 2, "pin.refused": 2}, counts)
	leaves(t, data)
}

// inner is a store in memory that fails on demand, purges, and may forget.
type inner struct {
	store.Lister
	fail    error
	forgets bool
}

func (s *inner) Get(ctx context.Context, key string) (store.Record, error) {
	if s.fail != nil {
		return store.Record{}, s.fail
	}
	return s.Lister.Get(ctx, key)
}

func (s *inner) PurgeExpired(context.Context, time.Time, int) (int, error) { return 3, s.fail }
func (s *inner) Forgets() bool                                             { return s.forgets }

// TestStoreSpans: each call is a span that says what sort of record it was about and how it ended, and no more.
func TestStoreSpans(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	provider := trace.NewTracerProvider(trace.WithSyncer(spans))
	in := &inner{Lister: store.NewMemory()}
	s := otelcivicpin.NewStore(in, provider)
	ctx, parent := provider.Tracer("test").Start(t.Context(), "request")
	const key = "pin.inps/hash-of-a-key"
	_, err := s.Get(ctx, key)
	require.ErrorIs(t, err, store.ErrNotFound)
	v, err := s.Put(ctx, key, store.Record{Value: []byte("sealed-value")})
	require.NoError(t, err)
	_, err = s.Put(ctx, key, store.Record{})
	require.ErrorIs(t, err, store.ErrConflict)
	for _, err := range s.(store.Lister).List(ctx, "pin.inps/hash", "") {
		require.NoError(t, err)
	}
	require.NoError(t, s.Delete(ctx, key, v))
	in.fail = errors.New("text-of-an-error")
	_, err = s.Get(ctx, key)
	require.ErrorIs(t, err, in.fail)
	n, err := s.(store.Purger).PurgeExpired(ctx, time.Now(), 5)
	require.ErrorIs(t, err, in.fail)
	assert.Equal(t, 3, n)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	for _, err := range s.(store.Lister).List(cancelled, "", "") {
		require.ErrorIs(t, err, context.Canceled)
	}
	parent.End()

	var got []string
	for _, span := range spans.GetSpans() {
		if span.Name == "request" {
			continue
		}
		assert.Equal(t, parent.SpanContext().SpanID(), span.Parent.SpanID())
		line := strings.TrimPrefix(span.Name, "civicpin.store.") + text(span.Attributes)
		assert.Equal(t, span.Status.Code == codes.Error, strings.HasSuffix(line, "=error"))
		assert.Empty(t, span.Status.Description)
		assert.Empty(t, span.Events)
		got = append(got, line)
	}
	assert.Equal(t, []string{
		"get civicpin.record.kind=pin.inps civicpin.outcome=not found",
		"put civicpin.record.kind=pin.inps civicpin.outcome=ok",
		"put civicpin.record.kind=pin.inps civicpin.outcome=conflict",
		"list civicpin.record.kind=pin.inps civicpin.records=1 civicpin.outcome=ok",
		"delete civicpin.record.kind=pin.inps civicpin.outcome=ok",
		"get civicpin.record.kind=pin.inps civicpin.outcome=error",
		"purge civicpin.records=3 civicpin.outcome=error",
		"list civicpin.records=0 civicpin.outcome=error",
	}, got)
	leaves(t, spans.GetSpans())
}

// TestStoreIsWhatItWraps: it can what the inner store can, forgets as it does, and meets the contract.
func TestStoreIsWhatItWraps(t *testing.T) {
	lister := struct{ store.Lister }{store.NewMemory()}
	purger := struct{ store.Purger }{&inner{Lister: lister}}
	for _, c := range []struct {
		inner                  store.Store
		lists, purges, forgets bool
	}{
		{struct{ store.Store }{lister}, false, false, false},
		{lister, true, false, false},
		{purger, false, true, false},
		{&inner{Lister: lister}, true, true, false},
		{&inner{Lister: lister, forgets: true}, true, true, true},
	} {
		s := otelcivicpin.NewStore(c.inner, nil)
		_, lists := s.(store.Lister)
		_, purges := s.(store.Purger)
		assert.Equal(t, c.lists, lists)
		assert.Equal(t, c.purges, purges)
		assert.Equal(t, c.forgets, s.(store.Forgetful).Forgets())
	}
	storetest.Run(t, func(*testing.T) store.Store {
		return otelcivicpin.NewStore(store.NewMemory(), trace.NewTracerProvider())
	})
}

// TestCanariesBehindATracedRouter: each store behind the router has its own, though the router is wrapped.
func TestCanariesBehindATracedRouter(t *testing.T) {
	rest, codes := store.NewMemory(), store.NewMemory()
	router, err := store.NewRouter(
		store.Route{Kinds: []string{"*"}, Store: struct{ store.Lister }{rest}}, store.Route{Kinds: []string{"code.*"}, Store: codes},
	)
	require.NoError(t, err)
	_, err = store.OpenVault(t.Context(), otelcivicpin.NewStore(router, nil), testkit.Keys(), nil)
	require.NoError(t, err)
	for _, m := range []*store.Memory{rest, codes} {
		n := 0
		for _, err := range m.List(t.Context(), "", "") {
			require.NoError(t, err)
			n++
		}
		assert.Equal(t, 1, n)
	}
}

// TestGlobalProviders: nil means the ones that the program has set.
func TestGlobalProviders(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	reader := metric.NewManualReader()
	before, beforeMeters := otel.GetTracerProvider(), otel.GetMeterProvider()
	defer func() {
		otel.SetTracerProvider(before)
		otel.SetMeterProvider(beforeMeters)
	}()
	otel.SetTracerProvider(trace.NewTracerProvider(trace.WithSyncer(spans)))
	otel.SetMeterProvider(metric.NewMeterProvider(metric.WithReader(reader)))
	_, err := otelcivicpin.NewStore(store.NewMemory(), nil).Get(t.Context(), "a/b")
	require.ErrorIs(t, err, store.ErrNotFound)
	assert.Len(t, spans.GetSpans(), 1)
	r, err := otelcivicpin.NewRecorder(nil)
	require.NoError(t, err)
	r.Record(t.Context(), civicpin.Event{Code: "a"})
	var data metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &data))
	assert.Len(t, data.ScopeMetrics, 1)
}
