package main

import (
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/texts"
	"github.com/civicpin/civicpin/web"
)

//go:embed pages.html style.css
var files embed.FS

var pages = template.Must(template.ParseFS(files, "pages.html"))

// An act does what a form asks for, and returns the path where the browser goes next. With an error it has written nothing.
type act func(w http.ResponseWriter, r *http.Request) (next string, err error)

// routes returns the whole portal, within Secure.
func (p *portal) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/style.css", http.FileServerFS(files))
	mux.Handle("/link", p.linkPage())
	mux.Handle("/{$}", p.page("home", nil))
	for name, do := range map[string]act{
		"login": p.enter(p.verify), "exchange": p.enter(p.pins.Exchange), "change": p.enter(p.pins.Change), "logout": p.logOut,
		"contacts": p.changeContacts, "lost": p.lost, "new": p.set, "done": nil, "served": nil, "desk": p.atDesk,
	} {
		mux.Handle("/"+name, p.page(name, do))
	}
	return web.Secure(p.manager.LoadAndSave(mux))
}

// page serves a page, and its form if there is one. It redirects after the form, so that a reload sends nothing twice, and
// shows an error with its status and words. A citizen's own page leads to the login first.
func (p *portal) page(name string, do act) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		subject, level, out := p.sessions.Current(r) // in doubt, logged out
		next, err := "", r.ParseForm()
		switch {
		case err != nil:
			err = errors.Join(err, civicpin.ErrInvalid)
		case r.Method == http.MethodPost && do != nil:
			next, err = do(w, r)
		case name == "contacts" && out != nil:
			next = "/login"
		}
		if err == nil && next != "" {
			http.Redirect(w, r, next, http.StatusSeeOther)
			return
		}
		refusal := web.Status(err)
		if refusal.Status >= http.StatusInternalServerError { // for the log: no error of the library holds a secret
			slog.ErrorContext(r.Context(), "refused", "page", name, "err", err)
		}
		said, _ := texts.Refusal("en", refusal.Code)
		contacts, _, _ := p.contacts.List(r.Context(), subject)
		view := map[string]any{"Subject": subject, "Level": level, "Contacts": contacts, "Said": said, "Code": refusal.Code}
		refusal.Header(w.Header())
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(refusal.Status)
		_ = pages.ExecuteTemplate(w, name, view)
	})
}
