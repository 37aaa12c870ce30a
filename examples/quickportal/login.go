package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
)

// attempt is what a form says, and where it comes from.
func (p *portal) attempt(r *http.Request) pin.Attempt {
	subject := civicpin.Subject(strings.TrimSpace(r.PostFormValue("subject")))
	return pin.Attempt{Subject: subject, Secret: civicpin.NewSecret(r.PostFormValue("secret")), Source: p.source(r)}
}

// enter is the act that shows a secret, and logs in: by verify, by Exchange, which replaces an activation code, or by Change,
// which replaces a password. An activation code leads on to its exchange.
func (p *portal) enter(by func(context.Context, pin.Attempt, civicpin.Secret) (pin.Verified, error)) act {
	return func(w http.ResponseWriter, r *http.Request) (string, error) {
		attempt := p.attempt(r)
		ok, err := by(r.Context(), attempt, civicpin.NewSecret(r.PostFormValue("chosen")))
		if err != nil || ok.MustExchange {
			return "/exchange", err
		}
		return "/", p.sessions.LogIn(w, r, attempt.Subject, ok)
	}
}

func (p *portal) verify(ctx context.Context, a pin.Attempt, _ civicpin.Secret) (pin.Verified, error) {
	return p.pins.Verify(ctx, a)
}

// logOut ends this session, or all of the citizen's.
func (p *portal) logOut(w http.ResponseWriter, r *http.Request) (string, error) {
	if r.PostFormValue("everywhere") != "" {
		return "/", p.sessions.LogOutEverywhere(w, r)
	}
	return "/", p.sessions.LogOut(w, r)
}

// library joins the session library to web.Sessions. Its sessions are in memory: over several processes, or to keep them over a
// restart, give it one of the library's stores.
type library struct{ *scs.SessionManager }

func newLibrary(address string) library {
	m := scs.New()
	m.Lifetime, m.IdleTimeout, m.Cookie.Persist = 8*time.Hour, 15*time.Minute, false
	if strings.HasPrefix(address, "https://") {
		m.Cookie.Name, m.Cookie.Secure = "__Host-session", true
	}
	return library{m}
}

// Renew begins a session under a new id. What was planted or left in the old one is gone.
func (l library) Renew(_ http.ResponseWriter, r *http.Request, value string) error {
	err := errors.Join(l.Clear(r.Context()), l.RenewToken(r.Context()))
	if err == nil {
		l.Put(r.Context(), "login", value)
	}
	return err
}

// Value returns the value of the session, and End ends it.
func (l library) Value(r *http.Request) string { return l.GetString(r.Context(), "login") }

func (l library) End(_ http.ResponseWriter, r *http.Request) error { return l.Destroy(r.Context()) }
