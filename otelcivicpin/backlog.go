package otelcivicpin

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

const (
	// maxCounted is how many entries one collection looks at.
	maxCounted = 10_000
	// maxCounting is how long one collection looks at them. A reader collects all metrics of a program, one after the other.
	maxCounting = 5 * time.Second
)

// RegisterBacklog registers gauges of what waits in an outbox: how many messages, by class and state, and how old the longest
// due of them is. The outbox is counted when a reader collects; nothing runs in between. Register the gauges in one process of
// those that share a store, since each process counts the messages of all. Unregister the result to end it. A nil provider
// means the global one.
//
// One collection looks at no more than 10,000 entries, for no more than five seconds, and the next one goes on where it ended.
// While more messages wait, a gauge shows the last full round, or what the current round has found if that is more. If the
// store fails, the gauges show nothing for that collection, the error goes to [otel.Handle], and all other metrics stay.
//
// Decoys are counted, but none of them is ever held; see [outbox.Backlog]. Errors:
//   - [civicpin.ErrInvalid]: the outbox is nil.
//   - the provider's.
func RegisterBacklog(out *outbox.Outbox, p metric.MeterProvider) (metric.Registration, error) {
	return registerBacklog(out, p, maxCounted)
}

func registerBacklog(out *outbox.Outbox, p metric.MeterProvider, most int) (metric.Registration, error) {
	if out == nil {
		return nil, fmt.Errorf("otelcivicpin: %w: no outbox", civicpin.ErrInvalid)
	}
	if p == nil {
		p = otel.GetMeterProvider()
	}
	b, meter := &backlog{out: out, most: most}, p.Meter(scope)
	var err error
	b.messages, err = meter.Int64ObservableGauge("civicpin.outbox.messages", metric.WithUnit("{message}"),
		metric.WithDescription("Messages that wait to be sent, by their class and what they wait for."))
	if err != nil {
		return nil, fmt.Errorf("otelcivicpin: %w", err)
	}
	b.age, err = meter.Float64ObservableGauge("civicpin.outbox.age", metric.WithUnit("s"),
		metric.WithDescription("For how long the longest due message has been due; zero if none is."))
	if err != nil {
		return nil, fmt.Errorf("otelcivicpin: %w", err)
	}
	r, err := meter.RegisterCallback(b.observe, b.messages, b.age)
	if err != nil {
		return nil, fmt.Errorf("otelcivicpin: %w", err)
	}
	return r, nil
}

// A backlog counts an outbox, in rounds of one or more collections.
type backlog struct {
	out      *outbox.Outbox
	most     int
	messages metric.Int64ObservableGauge
	age      metric.Float64ObservableGauge

	mu    sync.Mutex // each reader collects on its own
	last  outbox.Backlog
	round outbox.Backlog // as far as after
	after string
}

// observe returns no error: a reader that exports now and then would drop all metrics of the program with it.
func (b *backlog) observe(ctx context.Context, o metric.Observer) error {
	shown, err := b.count(ctx)
	if err != nil {
		otel.Handle(fmt.Errorf("otelcivicpin: %w", err))
		return nil
	}
	for i := range shown.ByClass {
		class, n := outbox.Class(i), shown.ByClass[i]
		for state, n := range map[string]int{"due": n.Due, "held": n.Held, "later": n.Later} {
			o.ObserveInt64(b.messages, int64(n), metric.WithAttributes(keyClass.String(class.String()), keyState.String(state)))
		}
	}
	age := time.Duration(0)
	if !shown.OldestAt.IsZero() {
		age = max(0, b.out.Vault().Now().Sub(shown.OldestAt))
	}
	o.ObserveFloat64(b.age, age.Seconds())
	return nil
}

// count goes on with the round, and returns what to show.
func (b *backlog) count(ctx context.Context) (outbox.Backlog, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, maxCounting)
	defer cancel()
	at, err := b.out.Count(ctx, &b.round, store.Pass{After: b.after, Max: b.most})
	switch {
	case at.End: // what does not open has an event of its own
		b.last, b.round, b.after = b.round, outbox.Backlog{}, ""
		return b.last, nil
	case err != nil && at.Seen == 0:
		return outbox.Backlog{}, err
	}
	b.after = at.Last
	return larger(b.last, b.round), nil
}

// larger returns the larger of each number of two counts, and the earlier time.
func larger(a, b outbox.Backlog) outbox.Backlog {
	for i, n := range b.ByClass {
		of := &a.ByClass[i]
		of.Due, of.Held, of.Later = max(of.Due, n.Due), max(of.Held, n.Held), max(of.Later, n.Later)
	}
	if a.OldestAt.IsZero() || !b.OldestAt.IsZero() && b.OldestAt.Before(a.OldestAt) {
		a.OldestAt = b.OldestAt
	}
	return a
}
