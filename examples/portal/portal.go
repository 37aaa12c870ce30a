package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/audit"
	"github.com/civicpin/civicpin/web"
)

// A portal is the four systems, and the pages in front of them.
type portal struct {
	base    string // the address, without a slash at its end
	path    string // the path in it; usually empty
	where   string // the records are
	words   words
	proxies web.Proxies
	cookies *web.Cookies
	session *scs.SessionManager
	inbox   *inbox
	figures *prometheus.Registry // of /metrics
	tally   *tally
	queue   *queue
	log     *audit.Log
	records *play.Records
	verbose bool
	systems []*system
	pages   map[string]bool // what a language may be chosen on
	clave   *clave
	captcha *sums

	reportKey civicpin.Secret // signs what the SMS gateway reports

	whole   http.Handler // what browsers reach; the attack page sends its requests there, too
	attacks attacks
	turns   turns
	guesses int             // sent at the same time
	ahead   atomic.Int64    // of the computer's clock, in nanoseconds, for the tests of what runs out
	life    context.Context // ends with the program: what goes on behind the pages ends with it
	work    sync.WaitGroup  // is what goes on
}

// open opens the database and makes the services of the four systems, each on its own part of it.
func open(ctx context.Context, c config) (_ *portal, err error) {
	u, err := url.Parse(c.base)
	if err != nil {
		return nil, fmt.Errorf("portal: -base: %w", err)
	}
	p := &portal{
		base: c.base, path: u.Path, inbox: new(inbox), tally: new(tally), queue: new(queue), proxies: web.Proxies{Count: c.proxies},
		pages: make(map[string]bool), verbose: c.verbose, life: ctx, guesses: guesses,
		figures: prometheus.NewRegistry(), reportKey: newReportKey(), turns: make(turns, atOnce),
	}
	if p.cookies, err = web.NewCookies(c.base); err != nil {
		return nil, err
	}
	if p.words, err = readWords(); err != nil {
		return nil, err
	}
	if err := p.providers(c); err != nil {
		return nil, err
	}
	p.session = scs.New()
	p.session.Lifetime, p.session.IdleTimeout = 8*time.Hour, 30*time.Minute
	p.session.Cookie.Name = "session"
	p.session.Cookie.SameSite = http.SameSiteLaxMode
	if p.session.Cookie.Secure = u.Scheme == "https"; p.session.Cookie.Secure {
		p.session.Cookie.Name = "__Host-session"
	}
	p.captcha = newSums(p.session)
	records, keys, err := openRecords(ctx, c)
	if err != nil {
		return nil, err
	}
	if c.wrap != nil {
		records.Lister = c.wrap(records.Lister)
	}
	p.records, p.where = records, records.Where
	defer func() {
		if err != nil {
			err = errors.Join(err, records.Close())
		}
	}()
	own, err := store.OpenVault(ctx, shelf{records.Lister, "audit/"}, keys, nil)
	if err != nil {
		return nil, err
	}
	if p.log, err = audit.New(own, audit.Config{Failed: notRecorded, Timeout: 15 * time.Second}); err != nil {
		return nil, err
	}
	if err := p.openSystems(ctx, keys); err != nil {
		return nil, err
	}
	p.whole = p.handler()
	return p, nil
}

// providers are for what is really sent.
func (p *portal) providers(c config) (err error) {
	if c.smtp != "" {
		if p.inbox.mailer, err = newMailer(c.smtp, nil); err != nil {
			return err
		}
	}
	if c.sms != "" {
		if p.inbox.gateway, err = newGateway(c.sms, c.base); err != nil {
			return err
		}
		p.reportKey = p.inbox.gateway.key
	}
	return nil
}

// notRecorded is loud: an event that the audit log lacks.
func notRecorded(ctx context.Context, e civicpin.Event, err error) {
	slog.ErrorContext(ctx, "event is not in the audit log", "code", e.Code, "error", err)
}

// recorder takes the events of all systems: into the audit log, the figures of the attack page, and, with -v, the program's log.
func (p *portal) recorder() civicpin.Recorder {
	if p.verbose {
		return civicpin.Recorders(p.log, p.tally, civicpin.SlogRecorder(nil))
	}
	return civicpin.Recorders(p.log, p.tally)
}

func (p *portal) close() error { return p.records.Close() }

// background runs what no visitor waits for: the dispatcher of each system, and the upkeep.
func (p *portal) background(ctx context.Context) *sync.WaitGroup {
	var all sync.WaitGroup
	for _, s := range p.systems {
		all.Go(func() { _ = s.out.Run(ctx) }) // ends with the context
	}
	all.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(10 * time.Minute):
			}
			for _, s := range p.systems {
				if err := s.tidy(ctx); err != nil && ctx.Err() == nil {
					slog.ErrorContext(ctx, "upkeep", "system", s.name, "error", err)
				}
			}
		}
	})
	return &all
}

// handler returns the portal as browsers reach it. Everything stands within web.Secure.
func (p *portal) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", p.healthz)
	mux.Handle("GET /metrics", p.metrics())
	mux.Handle("GET /style.css", static("style.css", "text/css; charset=utf-8"))
	mux.Handle("GET /icon.svg", static("icon.svg", "image/svg+xml"))
	mux.HandleFunc("POST /language", p.chooseLanguage)
	p.routes(mux)
	var h http.Handler = p.session.LoadAndSave(mux)
	if p.path != "" {
		h = http.StripPrefix(p.path, h)
	}
	return web.Secure(h)
}

// routes are the pages.
func (p *portal) routes(mux *http.ServeMux) {
	p.page(mux, "/{$}", nil, p.front, nil)
	p.page(mux, "/inbox", nil, p.inboxPage, nil)
	p.page(mux, "/events", nil, p.eventsPage, nil)
	p.page(mux, "/attack", nil, p.attackPage, p.runAttack)
	for _, s := range p.systems {
		s.routes(mux)
		mux.Handle("POST /receipts/"+s.name, s.reports) // each system has an outbox of its own
	}
	p.deskRoutes(mux)
}

// front is the first page: it says what there is to do, and the data to do it with.
func (p *portal) front(v *visit) (view, error) {
	w := view{Title: "front.title", Say: v.say("front.say", "front.steps")}
	w.How = how{"system.go", "pin.New, contact.New, recovery.New"}
	for _, s := range p.systems {
		w.Links = append(w.Links, link{"/" + s.name + "/", s.name + ".title"})
	}
	w.Tables = []table{{
		Caption: v.T("front.people"), Head: []string{v.T("system"), v.T("person"), v.T("id"), v.T("known")}, Rows: demoRows(v),
	}}
	return w, nil
}

// healthz asks the database.
func (p *portal) healthz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if _, err := p.records.Get(ctx, "healthz"); !errors.Is(err, store.ErrNotFound) {
		slog.ErrorContext(ctx, "healthz", "error", err)
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

// static serves one embedded file, which browsers may keep.
func static(name, kind string) http.Handler {
	content, err := pageFiles.ReadFile("pages/" + name)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "public, max-age=3600")
		_, _ = strings.NewReader(string(content)).WriteTo(w)
	})
}
