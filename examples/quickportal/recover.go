package main

import (
	"net/http"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/web"
)

// lost begins a recovery or an unlock. Whether the subject is known does not show.
func (p *portal) lost(_ http.ResponseWriter, r *http.Request) (string, error) {
	attempt := p.attempt(r)
	_, err := p.rec.Start(r.Context(), r.PostFormValue("plan"), attempt.Subject, attempt.Source)
	return "/done", err
}

// linkPage is the page behind the links of all mails.
func (p *portal) linkPage() http.Handler {
	labels := web.Labels{Paste: "The link from the mail", Look: "Go on", Act: "Yes, do it"}
	return web.LinkPage(p.rec, web.Page{
		Template: pages.Lookup("link"), Labels: func(*http.Request) web.Labels { return labels },
		Contacts: p.contacts, Cookies: p.cookies, Source: p.source, Done: "/done", Granted: "/new",
	})
}

// set sets a new password by the grant of a recovery, once. All sessions that there were end.
func (p *portal) set(w http.ResponseWriter, r *http.Request) (string, error) {
	return "/", p.sessions.SetSecret(w, r, civicpin.NewSecret(r.PostFormValue("chosen")), p.source(r))
}
