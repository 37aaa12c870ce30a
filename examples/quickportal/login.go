package main

import (
	"context"
	"log/slog"
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

// source returns where a request comes from. Behind a proxy that is not configured all visitors are one source, and one
// attacker uses its limit up for all of them.
func (p *portal) source(r *http.Request) civicpin.Source {
	if p.proxies.Count == 0 && r.Header.Get("X-Forwarded-For") != "" {
		p.behind.Do(func() { slog.Error("X-Forwarded-For came: if the portal is behind a proxy, set -proxies") })
	}
	source := p.cookies.Source(r, p.proxies)
	source.Challenged = passed(r)
	return source
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

// logOut ends this session, or by the button "everywhere" all of the citizen's.
func (p *portal) logOut(w http.ResponseWriter, r *http.Request) (string, error) {
	return "/", p.sessions.LogOut(w, r)
}

// newManager returns the session library, which web.Sessions joins to the credentials. Its sessions are in memory: over several
// processes, or to keep them over a restart, give it one of the library's stores.
func newManager(address string) *scs.SessionManager {
	m := scs.New()
	m.Lifetime, m.IdleTimeout, m.Cookie.Persist = 8*time.Hour, 15*time.Minute, false
	if strings.HasPrefix(address, "https://") {
		m.Cookie.Name, m.Cookie.Secure = "__Host-session", true
	}
	return m
}
