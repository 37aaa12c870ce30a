package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/web"
)

//go:embed pages
var pageFiles embed.FS

// page.html is one template for all pages. A template that has been executed cannot be cloned, so the one that link.go clones
// is apart.
var (
	pageBase     = template.Must(template.ParseFS(pageFiles, "pages/page.html"))
	pageTemplate = template.Must(pageBase.Clone())
)

// A visit is one request, with the words, the session and the source that go with it.
type visit struct {
	p    *portal
	sys  *system // nil on pages of no system
	w    http.ResponseWriter
	r    *http.Request
	lang string

	human *bool // whether a challenge was passed, once that was asked
}

func (p *portal) visit(sys *system, w http.ResponseWriter, r *http.Request) *visit {
	return &visit{p: p, sys: sys, w: w, r: r, lang: languageOf(r)}
}

// A page is made by what shows it, and its form is answered by what acts.
type (
	shows = func(*visit) (view, error)
	acts  = func(*visit) (next string, err error)
)

// page serves one page: show makes it, for a GET; do answers its form, for a POST, and returns where to go on. After an error
// the page comes again and says what is wrong. A success always leads to another GET, so that a reload sends nothing twice.
func (p *portal) page(mux *http.ServeMux, path string, sys *system, show shows, do acts) {
	p.pages[strings.TrimSuffix(path, "{$}")] = true
	mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		v := p.visit(sys, w, r)
		page, err := show(v)
		v.answer(page, err)
	})
	if do == nil {
		return
	}
	mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		v := p.visit(sys, w, r)
		next, err := v.post(do)
		if err == nil {
			http.Redirect(w, r, p.path+next, http.StatusSeeOther)
			return
		}
		if web.Status(err).Status == http.StatusInternalServerError {
			slog.ErrorContext(r.Context(), "page", "path", path, "error", err)
		}
		page, showErr := show(v)
		v.keep(&page)
		v.refuse(&page, err)
		v.answer(page, showErr)
	})
}

// post reads the form and hands it on.
func (v *visit) post(do acts) (string, error) {
	err := v.r.ParseForm()
	if strings.HasPrefix(v.r.Header.Get("Content-Type"), "multipart/") {
		err = v.r.ParseMultipartForm(2 << 20)
	}
	if err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); !large {
			err = civicpin.ErrInvalid
		}
		return "", err
	}
	leave, err := v.p.turns.enter(v.ctx()) // not before: a slow client must take no turn
	if err != nil {
		return "", err
	}
	defer leave()
	return do(v)
}

// answer writes a page. A visitor without a session is sent to the login.
func (v *visit) answer(page view, err error) {
	if errors.Is(err, web.ErrNoSession) {
		http.Redirect(v.w, v.r, v.p.path+"/"+v.sys.name+"/login", http.StatusSeeOther)
		return
	}
	if err != nil && page.Title == "" {
		slog.ErrorContext(v.r.Context(), "page", "path", v.r.URL.Path, "error", err)
		page = view{Title: "error"}
		v.refuse(&page, err)
	}
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, v.data(page)); err != nil {
		slog.ErrorContext(v.r.Context(), "template", "path", v.r.URL.Path, "error", err)
		http.Error(v.w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if page.Status != 0 {
		v.w.WriteHeader(page.Status)
	}
	_, _ = out.WriteTo(v.w) // the visitor hung up
}

// data is what the template sees.
func (v *visit) data(page view) map[string]any {
	return map[string]any{
		"V": page, "Lang": v.lang, "Languages": languages, "T": v.T, "Path": v.p.path, "Here": v.r.URL.Path,
		"System": v.sys, "Systems": v.p.systems, "Flash": v.p.session.PopString(v.r.Context(), "flash"),
		"Nonce": web.Nonce(v.r.Context()),
	}
}

func (v *visit) ctx() context.Context { return v.r.Context() }

// typed returns a field as it was typed, for a secret as for a name: whether blanks count is for the library to say.
func (v *visit) typed(name string) string { return v.r.PostFormValue(name) }

func (v *visit) secret(name string) civicpin.Secret { return civicpin.NewSecret(v.typed(name)) }

// flash says something on the next page.
func (v *visit) flash(key string, args ...any) { v.p.session.Put(v.ctx(), "flash", v.T(key, args...)) }

// put, get and drop keep something with the session, of this system alone.
func (v *visit) put(name, value string) { v.p.session.Put(v.ctx(), v.sys.name+"."+name, value) }

func (v *visit) get(name string) string { return v.p.session.GetString(v.ctx(), v.sys.name+"."+name) }

func (v *visit) drop(names ...string) {
	for _, name := range names {
		v.p.session.Remove(v.ctx(), v.sys.name+"."+name)
	}
}

// source says where the request comes from. The four systems share one device cookie, which holds a value of each; what a login
// showed is kept with the session. Both count on a POST from the portal's own pages only.
func (v *visit) source() civicpin.Source {
	source := v.p.cookies.Source(v.r, v.p.proxies)
	if v.sys == nil {
		return source
	}
	devices, _ := url.ParseQuery(source.Device.Reveal())
	source.Device, source.Shown = civicpin.NewSecret(devices.Get(v.sys.name)), civicpin.Secret{}
	source.Challenged = v.passed()
	if v.r.Method == http.MethodPost { // web.Secure refuses those of other sites
		source.Shown = civicpin.NewSecret(v.get("shown"))
	}
	return source
}

// remember is for the citizen who ticks the box: from then on strangers cannot lock this browser out. The device's value of
// this system is kept beside those of the others.
func (v *visit) remember(ok pin.Verified) error {
	device, err := v.sys.pins.RememberDevice(v.ctx(), ok)
	if err != nil {
		return err
	}
	devices, err := url.ParseQuery(v.p.cookies.Get(v.r, web.Device).Reveal())
	if err != nil {
		devices = make(url.Values)
	}
	devices.Set(v.sys.name, device.Reveal())
	return v.p.cookies.Set(v.w, web.Device, civicpin.NewSecret(devices.Encode()), 180*24*3600*1e9)
}

const (
	// atOnce is how many forms the portal handles at the same time. Each writes a few records, and so does the audit log; SQLite
	// writes one after the other. With a thousand forms at once, a write waited behind a thousand others: guesses ran out of time
	// after they were counted, and events did not reach the audit log in time.
	atOnce = 16
	// patience is how long another form waits for its turn.
	patience = 2 * time.Second
)

// turns are the forms that are handled now.
type turns chan struct{}

// enter waits for a turn, in order. If none comes in time it refuses as the library does on a busy machine: with 503 and
// Retry-After. The library has then counted nothing, read nothing and recorded no event.
func (t turns) enter(ctx context.Context) (leave func(), err error) {
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-time.After(patience):
		return nil, &lockout.BusyError{After: patience}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
