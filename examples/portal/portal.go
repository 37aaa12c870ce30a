package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
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
	words   words
	proxies web.Proxies
	cookies *web.Cookies
	session *scs.SessionManager
	inbox   *inbox
	figures *prometheus.Registry // of /metrics
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
		base: c.base, path: u.Path, inbox: &inbox{total: make(map[string]int)}, queue: new(queue), verbose: c.verbose,
		pages: make(map[string]bool), proxies: web.Proxies{Count: c.proxies}, life: ctx, guesses: guesses,
		figures: prometheus.NewRegistry(), turns: make(turns, atOnce), session: scs.New(),
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
	p.session.Lifetime, p.session.IdleTimeout = 8*time.Hour, 30*time.Minute
	p.session.Cookie.Name = "session"
	p.session.Cookie.SameSite = http.SameSiteLaxMode
	if p.session.Cookie.Secure = u.Scheme == "https"; p.session.Cookie.Secure {
		p.session.Cookie.Name = "__Host-session"
	}
	p.captcha = &sums{session: p.session, now: time.Now, open: make(map[string]sum)}
	keys, err := p.openRecords(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := p.openServices(ctx, keys); err != nil {
		return nil, errors.Join(err, p.records.Close())
	}
	p.whole = p.handler()
	return p, nil
}

// providers are for what is really sent.
func (p *portal) providers(c config) (err error) {
	p.reportKey = civicpin.NewSecret("whsec_" + base64.StdEncoding.EncodeToString([]byte(rand.Text())))
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

// openServices makes the audit log and the systems. An event that the log lacks is loud.
func (p *portal) openServices(ctx context.Context, keys store.Keys) error {
	own, err := store.OpenVault(ctx, shelf{p.records.Lister, "audit/"}, keys, nil)
	if err != nil {
		return err
	}
	failed := func(ctx context.Context, e civicpin.Event, err error) {
		slog.ErrorContext(ctx, "event is not in the audit log", "code", e.Code, "error", err)
	}
	if p.log, err = audit.New(own, audit.Config{Failed: failed, Timeout: 15 * time.Second}); err != nil {
		return err
	}
	return p.openSystems(ctx, keys)
}

// handler returns the portal as browsers reach it. Everything stands within web.Secure.
func (p *portal) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", p.healthz)
	mux.Handle("GET /metrics", p.metrics())
	for _, name := range []string{"style.css", "icon.svg"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=3600")
			http.ServeFileFS(w, r, pageFiles, "pages/"+name)
		})
	}
	mux.HandleFunc("POST /language", p.chooseLanguage)
	p.page(mux, "/{$}", nil, p.front, nil)
	p.page(mux, "/inbox", nil, p.inboxPage, nil)
	p.page(mux, "/events", nil, p.eventsPage, nil)
	p.page(mux, "/attack", nil, p.attackPage, p.runAttack)
	p.page(mux, "/desk", nil, p.deskPage, p.desk)
	for _, s := range p.systems {
		s.routes(mux)
		p.page(mux, "/desk/"+s.name, s, s.casePage, s.caseDo)
		mux.Handle("POST /receipts/"+s.name, s.reports) // each system has an outbox of its own
	}
	mux.HandleFunc("GET /desk/iess/document", p.system("iess").document)
	var h http.Handler = p.session.LoadAndSave(mux)
	if p.path != "" {
		h = http.StripPrefix(p.path, h)
	}
	return web.Secure(h)
}

// front is the first page: it says what there is to do, and the data to do it with.
func (p *portal) front(v *visit) (view, error) {
	w := view{
		Title: "front.title", Say: v.say("front.say", "front.steps"), How: how{"system.go", "pin.New, contact.New, recovery.New"},
	}
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
