package otelcivicpin_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otelcivicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// portal is an outbox with an owner whose messages all go to one address, on a store and a gateway that fail on demand.
type portal struct {
	store.Lister
	out    *outbox.Outbox
	now    time.Time
	down   bool         // the gateway
	fail   error        // the store's listing
	listed atomic.Int64 // records that it showed
}

func (p *portal) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		if p.fail != nil {
			yield(store.Item{}, p.fail)
			return
		}
		for item, err := range p.Lister.List(ctx, prefix, after) {
			p.listed.Add(1)
			if !yield(item, err) {
				return
			}
		}
	}
}

func (p *portal) Confirm(context.Context, outbox.Ref) (civicpin.Message, error) {
	to := civicpin.Contact{Channel: civicpin.Email, Address: "maria.rossi@example.it"}
	return civicpin.Message{Kind: "test", To: to, Secret: civicpin.NewSecret("because-of")}, nil
}

func (p *portal) Settle(context.Context, outbox.Ref, outbox.Outcome) error { return nil }

func newPortal(t *testing.T) *portal {
	p := &portal{Lister: store.NewMemory(), now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	vault, err := store.OpenVault(t.Context(), p, testkit.Keys(), &store.Options{Now: func() time.Time { return p.now }})
	require.NoError(t, err)
	gateway := civicpin.NotifierFunc(func(context.Context, civicpin.Message) (string, error) {
		if p.down {
			return "", errors.New("text-of-an-error")
		}
		return "", nil
	})
	p.out, err = outbox.New(vault, gateway, nil)
	require.NoError(t, err)
	require.NoError(t, p.out.Register("portal", p))
	return p
}

// announce queues messages of a class.
func (p *portal) announce(t *testing.T, class outbox.Class, ids ...string) {
	r := outbox.Request{Subject: "RSSMRA85T10A562S"}
	for _, id := range ids {
		r.Refs = append(r.Refs, outbox.Ref{Owner: "portal", Subject: r.Subject, ID: "issue-3" + id, Class: class})
	}
	require.NoError(t, p.out.Announce(t.Context(), r, func(context.Context) error { return nil }))
}

// gauges collects, and returns the points by their attributes, without those that are zero.
func gauges(t *testing.T, r metric.Reader) map[string]float64 {
	t.Helper()
	var data metricdata.ResourceMetrics
	require.NoError(t, r.Collect(t.Context(), &data))
	leaves(t, data)
	assert.NotContains(t, fmt.Sprintf("%+v", data), "rossi")
	points := make(map[string]float64)
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Gauge[int64]:
				assert.Equal(t, "civicpin.outbox.messages {message}", m.Name+" "+m.Unit)
				assert.Len(t, d.DataPoints, 12)
				for _, p := range d.DataPoints {
					assert.Equal(t, 2, p.Attributes.Len())
					class, _ := p.Attributes.Value("civicpin.outbox.class")
					state, _ := p.Attributes.Value("civicpin.outbox.state")
					points[class.AsString()+" "+state.AsString()] += float64(p.Value)
				}
			case metricdata.Gauge[float64]:
				assert.Equal(t, "civicpin.outbox.age s", m.Name+" "+m.Unit)
				require.Len(t, d.DataPoints, 1)
				assert.Zero(t, d.DataPoints[0].Attributes.Len())
				points["age"] = d.DataPoints[0].Value
			case metricdata.Sum[int64]:
				points[m.Name] = float64(len(d.DataPoints))
			}
		}
	}
	for name, value := range points {
		if value == 0 && name != "age" {
			delete(points, name)
		}
	}
	return points
}

// TestBacklog: gauges show what waits by class and state, and since when, and nothing of whom.
func TestBacklog(t *testing.T) {
	p, reader := newPortal(t), metric.NewManualReader()
	registration, err := otelcivicpin.RegisterBacklog(p.out, metric.NewMeterProvider(metric.WithReader(reader)))
	require.NoError(t, err)
	require.Equal(t, map[string]float64{"age": 0}, gauges(t, reader))

	p.announce(t, outbox.Notice, "a", "b")
	p.now = p.now.Add(90 * time.Second)
	p.announce(t, outbox.Typed, "1", "2", "3", "4", "5") // three go in 24 hours
	p.announce(t, outbox.Shown, "x")
	p.now = p.now.Add(1500 * time.Millisecond)
	require.Equal(t, map[string]float64{"typed due": 5, "shown due": 1, "notice due": 2, "age": 91.5}, gauges(t, reader))

	p.down = true
	require.NoError(t, p.out.Flush(t.Context()))
	require.Equal(t, map[string]float64{
		"typed held": 2, "typed later": 3, "shown later": 1, "notice later": 2, "age": 0,
	}, gauges(t, reader))

	p.down = false
	for range 20 {
		p.now = p.now.Add(6 * time.Hour)
		require.NoError(t, p.out.Flush(t.Context()))
	}
	require.Equal(t, map[string]float64{"age": 0}, gauges(t, reader))
	require.NoError(t, registration.Unregister())
	require.Empty(t, gauges(t, reader))
}

// TestBacklogIsBounded: one collection looks at so many entries, and the next goes on. Meanwhile the gauges show the round
// before, or more.
func TestBacklogIsBounded(t *testing.T) {
	require.Equal(t, 10_000, otelcivicpin.MaxCounted)
	p, reader := newPortal(t), metric.NewManualReader()
	_, err := otelcivicpin.RegisterBacklogOf(p.out, metric.NewMeterProvider(metric.WithReader(reader)), 3)
	require.NoError(t, err)
	p.announce(t, outbox.Notice, "1", "2", "3", "4", "5", "6", "7", "8")
	p.now = p.now.Add(time.Minute)
	due := func() float64 {
		p.listed.Store(0)
		points := gauges(t, reader)
		assert.LessOrEqual(t, p.listed.Load(), int64(4), "those that it counts, and one to see that there are more")
		if points["notice due"] > 0 {
			require.Equal(t, 60.0, points["age"])
		}
		return points["notice due"]
	}
	for i, want := range []float64{3, 6, 8, 8, 8, 8} {
		require.Equal(t, want, due(), "collection %d", i)
	}
	require.NoError(t, p.out.Flush(t.Context()))
	p.announce(t, outbox.Notice, "9")
	p.now = p.now.Add(time.Minute)
	require.Equal(t, 1.0, due())

	p.announce(t, outbox.Notice, "a", "b", "c")
	gauges(t, reader)
	require.Equal(t, 60.0, gauges(t, reader)["age"])
	p.now = p.now.Add(-time.Hour) // a clock that was ahead in the round before
	require.Zero(t, gauges(t, reader)["age"])
}

// TestBacklogOfAStoreThatFails: the gauges show nothing then, and hold up no other metric.
func TestBacklogOfAStoreThatFails(t *testing.T) {
	p, reader := newPortal(t), metric.NewManualReader()
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	_, err := otelcivicpin.RegisterBacklog(p.out, provider)
	require.NoError(t, err)
	events, err := otelcivicpin.NewRecorder(provider)
	require.NoError(t, err)
	events.Record(t.Context(), civicpin.Event{Code: "a"})
	p.announce(t, outbox.Notice, "1")
	want := map[string]float64{"civicpin.events": 1, "notice due": 1, "age": 0}
	require.Equal(t, want, gauges(t, reader))

	var handled []error
	before := otel.GetErrorHandler()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { handled = append(handled, err) }))
	defer otel.SetErrorHandler(before)
	p.fail = errors.New("text-of-an-error")
	require.Equal(t, map[string]float64{"civicpin.events": 1}, gauges(t, reader))
	require.Len(t, handled, 1)
	require.ErrorIs(t, handled[0], p.fail)
	p.fail = nil
	require.Equal(t, want, gauges(t, reader))
}

// TestBacklogOfSeveralReaders: each collects when it likes.
func TestBacklogOfSeveralReaders(t *testing.T) {
	p := newPortal(t)
	readers := []metric.Reader{metric.NewManualReader(), metric.NewManualReader()}
	provider := metric.NewMeterProvider(metric.WithReader(readers[0]), metric.WithReader(readers[1]))
	_, err := otelcivicpin.RegisterBacklogOf(p.out, provider, 2)
	require.NoError(t, err)
	p.announce(t, outbox.Proved, "1", "2", "3")
	var all sync.WaitGroup
	for _, reader := range readers {
		all.Go(func() {
			for range 200 {
				n := gauges(t, reader)["proved due"]
				assert.True(t, n == 2 || n == 3, n)
			}
		})
	}
	all.Wait()
}

func TestRegisterBacklogRefuses(t *testing.T) {
	_, err := otelcivicpin.RegisterBacklog(nil, nil)
	require.ErrorIs(t, err, civicpin.ErrInvalid)
}

// TestBacklogOfTheGlobalProvider: nil means the one that the program has set.
func TestBacklogOfTheGlobalProvider(t *testing.T) {
	reader, before := metric.NewManualReader(), otel.GetMeterProvider()
	defer otel.SetMeterProvider(before)
	otel.SetMeterProvider(metric.NewMeterProvider(metric.WithReader(reader)))
	p := newPortal(t)
	_, err := otelcivicpin.RegisterBacklog(p.out, nil)
	require.NoError(t, err)
	p.announce(t, outbox.Shown, "1")
	require.Equal(t, map[string]float64{"shown due": 1, "age": 0}, gauges(t, reader))
}
