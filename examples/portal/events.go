package main

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store/audit"
)

// shown is how many events the page shows.
const shown = 60

// eventsPage goes through the whole audit log, checks its chains, and shows the newest events.
func (p *portal) eventsPage(v *visit) (view, error) {
	var all []civicpin.Event
	counts := make(map[string]int)
	report, err := p.log.Verify(v.ctx(), audit.Check{Each: func(_ int, _ uint64, e civicpin.Event) error {
		all = append(all, e)
		counts[eventName(e)]++
		return nil
	}})
	if err != nil {
		return view{}, err
	}
	sound := v.T("events.sound", report.Events, report.Entries, len(report.Heads))
	if len(report.Faults) > 0 {
		sound = v.T("events.faults", len(report.Faults), fmt.Sprint(report.Faults[0]))
	}
	w := view{Title: "events.title", Say: append(v.say("events.say"), sound), How: how{"events.go", "audit.Log.Verify"}}
	slices.SortStableFunc(all, func(a, b civicpin.Event) int { return b.At.Compare(a.At) })
	newest := table{Caption: v.T("events.newest"), Head: v.say("time", "event", "id", "actor", "address")}
	for _, e := range all[:min(shown, len(all))] {
		newest.Rows = append(newest.Rows, []string{
			e.At.Format("15:04:05"), eventName(e), string(e.Subject), string(e.By), e.Source.Address,
		})
	}
	byName := table{Caption: v.T("events.counts"), Head: []string{v.T("event"), v.T("number")}}
	for _, name := range sortedKeys(counts) {
		byName.Rows = append(byName.Rows, []string{name, fmt.Sprint(counts[name])})
	}
	w.Tables = []table{newest, byName}
	return w, nil
}

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

// metrics shows the figures, in the format of Prometheus, to programs on this machine alone. A request that came through a
// proxy on this machine is a visitor's: the proxy's header tells it apart.
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
