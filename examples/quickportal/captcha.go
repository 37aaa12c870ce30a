package main

import (
	"log/slog"
	"net/http"

	"github.com/civicpin/civicpin"
)

// checkbox stands in for a captcha, and any machine can tick it. A real portal puts its provider's widget into the template
// "challenge" of pages.html, and here the call that asks the provider about the solution, as the example of web.Captcha does.
type checkbox struct{}

func (checkbox) Passed(r *http.Request) (bool, error) { return r.PostFormValue("captcha") != "", nil }

// source returns where a request comes from. Behind a proxy that is not configured all visitors are one source, and one attacker
// uses its limit up for all of them.
func (p *portal) source(r *http.Request) civicpin.Source {
	if p.proxies.Count == 0 && r.Header.Get("X-Forwarded-For") != "" {
		p.behind.Do(func() { slog.Error("X-Forwarded-For came: if the portal is behind a proxy, set -proxies") })
	}
	source := p.cookies.Source(r, p.proxies)
	passed, err := p.captcha.Passed(r)
	source.Challenged = passed && err == nil
	return source
}
