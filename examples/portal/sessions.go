package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/alexedwards/scs/v2"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/web"
)

// A library joins scs to web.Sessions. The systems of this portal share one cookie: each has its login under a key of its own.
type library struct {
	scs *scs.SessionManager
	key string
}

// empty begins an empty session under a new number: one that an attacker planted in the browser before is worth nothing, and
// nothing that it held, as a ticket, a grant or an operator, goes on.
func (l library) empty(ctx context.Context) error {
	return errors.Join(l.scs.Clear(ctx), l.scs.RenewToken(ctx))
}

// Renew, Value and End are what web.Sessions asks of a library.
func (l library) Renew(_ http.ResponseWriter, r *http.Request, value string) error {
	if err := l.empty(r.Context()); err != nil {
		return err
	}
	l.scs.Put(r.Context(), l.key, value)
	return nil
}

func (l library) Value(r *http.Request) string                     { return l.scs.GetString(r.Context(), l.key) }
func (l library) End(_ http.ResponseWriter, r *http.Request) error { return l.empty(r.Context()) }

// anew is for what begins without a login: an operator's work, and a recovery that goes on in another browser.
func (v *visit) anew() error { return library{scs: v.p.session}.empty(v.ctx()) }

// enter begins the session of a login, and says something on the next page. What the login has shown is kept with the session
// and not in the cookie web.Shown: systems that share their keys would take it for each other's.
func (v *visit) enter(subject civicpin.Subject, ok pin.Verified, said ...string) error {
	if err := v.sys.sessions.LogIn(v.w, v.r, subject, ok); err != nil {
		return err
	}
	v.put("shown", ok.Shown.Reveal())
	for _, key := range said {
		v.flash(key)
	}
	return nil
}

// user returns the subject who is logged in, and the level of the login. A session ends with the secret.
func (v *visit) user() (civicpin.Subject, civicpin.Level, error) {
	subject, level, err := v.sys.sessions.Current(v.r)
	if errors.Is(err, web.ErrNoSession) && v.sys.sessions.Library.Value(v.r) != "" {
		err = errors.Join(err, v.sys.sessions.LogOut(v.w, v.r))
		v.flash("session.ended")
	}
	return subject, level, err
}
