package otelcivicpin

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/civicpin/civicpin/store"
)

// NewStore returns a store that does what s does, and makes a span of each call. It is a [store.Lister] and a [store.Purger]
// if s is, and a [store.Forgetful] that answers as s does. Of a router, [store.OpenVault] still finds each store; it makes no
// spans there. A nil provider means the global one.
func NewStore(s store.Store, p trace.TracerProvider) store.Store {
	if p == nil {
		p = otel.GetTracerProvider()
	}
	t := traced{s, p.Tracer(scope)}
	lister, lists := s.(store.Lister)
	purger, purges := s.(store.Purger)
	switch {
	case lists && purges:
		return struct {
			traced
			listing
			purging
		}{t, listing{t, lister}, purging{t, purger}}
	case lists:
		return struct {
			traced
			listing
		}{t, listing{t, lister}}
	case purges:
		return struct {
			traced
			purging
		}{t, purging{t, purger}}
	}
	return t
}

// traced is a store with spans.
type traced struct {
	inner  store.Store
	tracer trace.Tracer
}

// start begins a span for a call on a storage key, of which only the kind is told.
func (t traced) start(ctx context.Context, method, key string) (context.Context, trace.Span) {
	ctx, span := t.tracer.Start(ctx, "civicpin.store."+method)
	if kind, _, _ := strings.Cut(key, "/"); kind != "" {
		span.SetAttributes(keyKind.String(kind))
	}
	return ctx, span
}

// end says how a call ended. Errors' texts stay here: they may quote anything.
func end(span trace.Span, err error, attrs ...attribute.KeyValue) {
	outcome := "ok"
	switch {
	case errors.Is(err, store.ErrNotFound):
		outcome = "not found"
	case errors.Is(err, store.ErrConflict):
		outcome = "conflict"
	case err != nil:
		outcome = "error"
		span.SetStatus(codes.Error, "")
	}
	span.SetAttributes(append(attrs, keyOutcome.String(outcome))...)
	span.End()
}

// Get implements [store.Store].
func (t traced) Get(ctx context.Context, key string) (r store.Record, err error) {
	ctx, span := t.start(ctx, "get", key)
	defer func() { end(span, err) }()
	return t.inner.Get(ctx, key)
}

// Put implements [store.Store].
func (t traced) Put(ctx context.Context, key string, r store.Record) (v store.Version, err error) {
	ctx, span := t.start(ctx, "put", key)
	defer func() { end(span, err) }()
	return t.inner.Put(ctx, key, r)
}

// Delete implements [store.Store].
func (t traced) Delete(ctx context.Context, key string, v store.Version) (err error) {
	ctx, span := t.start(ctx, "delete", key)
	defer func() { end(span, err) }()
	return t.inner.Delete(ctx, key, v)
}

// Forgets implements [store.Forgetful].
func (t traced) Forgets() bool {
	f, ok := t.inner.(store.Forgetful)
	return ok && f.Forgets()
}

// Members returns the stores behind a router, nil if the store is none. See [store.NewRouter].
func (t traced) Members() []store.Store {
	if r, ok := t.inner.(interface{ Members() []store.Store }); ok {
		return r.Members()
	}
	return nil
}

// listing adds List to a traced store. The fields have names, or their methods would stand against those of traced.
type listing struct {
	t     traced
	inner store.Lister
}

// List implements [store.Lister]. The span lasts as long as the loop.
func (l listing) List(ctx context.Context, prefix, after string) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		ctx, span := l.t.start(ctx, "list", prefix)
		n := int64(0)
		var failed error
		defer func() { end(span, failed, keyRecords.Int64(n)) }()
		for item, err := range l.inner.List(ctx, prefix, after) {
			if failed = err; err == nil {
				n++
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

// purging adds PurgeExpired to a traced store.
type purging struct {
	t     traced
	inner store.Purger
}

// PurgeExpired implements [store.Purger].
func (p purging) PurgeExpired(ctx context.Context, before time.Time, most int) (n int, err error) {
	ctx, span := p.t.start(ctx, "purge", "")
	defer func() { end(span, err, keyRecords.Int(n)) }()
	return p.inner.PurgeExpired(ctx, before, most)
}
