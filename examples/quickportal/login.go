package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/web"
)

// attempt is what a form says, and where it comes from.
func (p *portal) attempt(r *http.Request) pin.Attempt {
	subject := civicpin.Subject(strings.TrimSpace(r.PostFormValue("subject")))
	return pin.Attempt{Subject: subject, Secret: civicpin.NewSecret(r.PostFormValue("secret")), Source: p.source(r)}
}

// source returns where a request comes from. Behind a proxy that is not configured all visitors are one source, and one attacker
// uses its limit up for all of them.
func (p *portal) source(r *http.Request) civicpin.Source {
	if p.proxies.Count == 0 && r.Header.Get("X-Forwarded-For") != "" {
		p.behind.Do(func() { slog.Error("X-Forwarded-For came: if the portal is behind a proxy, set -proxies") })
	}
	return p.cookies.Source(r, p.proxies)
}

// enter is the act that shows a secret, and logs in: by verify, by Exchange, which replaces an activation code, or by Change,
// which replaces a password.
func (p *portal) enter(by func(context.Context, pin.Attempt, civicpin.Secret) (pin.Verified, error)) act {
	return func(w http.ResponseWriter, r *http.Request) (string, error) {
		attempt := p.attempt(r)
		ok, err := by(r.Context(), attempt, civicpin.NewSecret(r.PostFormValue("chosen")))
		return p.begin(w, r, attempt.Subject, ok, err)
	}
}

func (p *portal) verify(ctx context.Context, a pin.Attempt, _ civicpin.Secret) (pin.Verified, error) {
	return p.pins.Verify(ctx, a)
}

// begin begins a session for a subject whose secret was right, and remembers the device if the citizen ticked the box, so that
// strangers cannot lock it out. An activation code leads on to its exchange.
func (p *portal) begin(w http.ResponseWriter, r *http.Request, s civicpin.Subject, ok pin.Verified, err error) (string, error) {
	if err != nil {
		return "", err
	}
	if ok.MustExchange {
		return "/exchange", nil
	}
	if r.PostFormValue("remember") != "" {
		device, err := p.pins.RememberDevice(r.Context(), ok)
		if err = errors.Join(err, p.cookies.Set(w, web.Device, device, 400*24*time.Hour)); err != nil {
			return "", err
		}
	}
	return "/", errors.Join(p.sessions.LogIn(w, r, s, ok), p.cookies.Set(w, web.Shown, ok.Shown, 15*time.Minute))
}

// logOut ends this session, or all of the citizen's.
func (p *portal) logOut(w http.ResponseWriter, r *http.Request) (string, error) {
	p.cookies.Clear(w, web.Shown)
	if r.PostFormValue("everywhere") != "" {
		return "/", p.sessions.LogOutEverywhere(w, r)
	}
	return "/", p.sessions.LogOut(w, r)
}
