package main

import (
	"net/http"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
)

// meter returns what counts for one system. Its name is a label of all figures; otelcivicpin gives them no other that tells
// about a subject.
func (p *portal) meter(system string) (metric.MeterProvider, error) {
	named := prometheus.WrapRegistererWith(prometheus.Labels{"system": system}, p.figures)
	reader, err := exporter.New(exporter.WithRegisterer(named), exporter.WithoutTargetInfo(), exporter.WithoutScopeInfo())
	if err != nil {
		return nil, err
	}
	return sdk.NewMeterProvider(sdk.WithReader(reader)), nil
}

// metrics shows the figures, in the format of Prometheus, to programs on this machine alone. A request that came through a proxy
// on this machine is a visitor's: the proxy's header tells it apart.
func (p *portal) metrics() http.Handler {
	shown := promhttp.HandlerFor(p.figures, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		own := err == nil && peer.Addr().Unmap().IsLoopback()
		for _, header := range []string{"X-Forwarded-For", "Forwarded", "Via"} {
			own = own && len(r.Header.Values(header)) == 0
		}
		if !own {
			http.NotFound(w, r)
			return
		}
		shown.ServeHTTP(w, r)
	})
}
