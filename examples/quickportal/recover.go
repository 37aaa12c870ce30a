package main

import (
	"net/http"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
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
	labels := func(*http.Request) web.Labels {
		return web.Labels{Paste: "The link from the mail", Look: "Go on", Act: "Yes, do it"}
	}
	return web.LinkPage(p.rec, web.Page{Template: pages.Lookup("link"), Labels: labels, Act: p.redeem})
}

// redeem uses a link up, behind the button.
func (p *portal) redeem(w http.ResponseWriter, r *http.Request, info recovery.LinkInfo, token civicpin.Secret) (err error) {
	next, grant := "/done", pin.Grant{}
	switch info.Purpose {
	case recovery.ToProve:
		err = p.contacts.Prove(r.Context(), token, p.source(r))
	case recovery.ToRecover:
		grant, err = p.rec.Finish(r.Context(), token, p.source(r))
	default: // it was not me
		err = p.rec.Repudiate(r.Context(), token, p.source(r))
	}
	if err == nil && !grant.IsZero() {
		next, err = "/new", p.cookies.Set(w, web.Grant, grant.Text(), 15*time.Minute)
	}
	if err == nil {
		http.Redirect(w, r, next, http.StatusSeeOther)
	}
	return err
}

// set sets a new password by the grant of a recovery, once. All sessions that there were end.
func (p *portal) set(w http.ResponseWriter, r *http.Request) (string, error) {
	grant, _ := pin.ParseGrant(p.cookies.Get(r, web.Grant)) // a zero one sets nothing
	ok, err := p.pins.Set(r.Context(), grant, civicpin.NewSecret(r.PostFormValue("chosen")), p.source(r))
	if err == nil {
		p.cookies.Clear(w, web.Grant)
	}
	return p.begin(w, r, grant.Subject(), ok, err)
}
