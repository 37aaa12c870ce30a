package main

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
)

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
