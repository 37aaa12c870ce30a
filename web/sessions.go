package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
)

// ErrNoSession says that a request is not of a subject who is logged in: there is no session, or an act has ended it since,
// here or elsewhere. Show the page of the login.
var ErrNoSession = errors.New("web: not logged in")

// A SessionLibrary is what keeps the portal's sessions, as the portal uses it: any library, behind three short methods. Their
// errors are its own.
type SessionLibrary interface {
	// Renew begins a session with a value under a new id, and ends the one that the request has. An error begins none.
	Renew(w http.ResponseWriter, r *http.Request, value string) error
	// Value returns the value of the request's session, "" if there is none.
	Value(r *http.Request) string
	// End ends the request's session, if there is one. After an error it may go on.
	End(w http.ResponseWriter, r *http.Request) error
}

// Sessions joins a session library to a credential, so that the sessions of a subject end with the secret: at a change, a
// recovery, a revocation and each other act that [pin.Service.Epoch] names. Pins and either Library or Manager are required. It
// is as safe for concurrent use as the library. How long a session lives unused, and at the most, is for the library to say.
//
// Attacks: a session whose id an attacker planted before the login is worthless after it, since the login begins another one. A
// thief's session ends when the subject changes the secret. What the value says is believed: the library must keep it
// where the browser cannot write it.
type Sessions struct {
	Library SessionLibrary // keeps them
	// Manager keeps them, in place of Library: an *scs.SessionManager of github.com/alexedwards/scs/v2 or the like. LogIn renews
	// the token and clears the session, LogOut destroys it. Serve the portal within the manager's LoadAndSave.
	Manager interface {
		Clear(ctx context.Context) error
		RenewToken(ctx context.Context) error
		Put(ctx context.Context, key string, value any)
		GetString(ctx context.Context, key string) string
		Destroy(ctx context.Context) error
	}
	Pins *pin.Service // says which go on
	// Cookies, if set, are the portal's: LogIn leaves the [Shown] with the browser, and LogOut clears it.
	Cookies *Cookies
	// Remember, if set, is the name of a box in the portal's forms. LogIn makes the device of a subject who ticked the box a
	// known one, by [pin.Service.RememberDevice], and leaves the [Device] with the browser. It takes Cookies, and a policy with
	// Devices.
	Remember string
	// Everywhere, if set, is the name of a button or box in the portal's forms. LogOut is LogOutEverywhere for a subject who
	// pressed it.
	Everywhere string
}

// library returns what keeps the sessions.
func (s Sessions) library() SessionLibrary {
	if s.Manager != nil {
		return managed{s}
	}
	return s.Library
}

// managed is a Manager as a library. Its sessions are those of the context, which the manager put there.
type managed struct{ Sessions }

// managedKey is the name of the value among those that the portal keeps with a Manager.
const managedKey = "civicpin"

func (m managed) Renew(_ http.ResponseWriter, r *http.Request, value string) error {
	if err := errors.Join(m.Manager.Clear(r.Context()), m.Manager.RenewToken(r.Context())); err != nil {
		return err
	}
	m.Manager.Put(r.Context(), managedKey, value)
	return nil
}

func (m managed) Value(r *http.Request) string { return m.Manager.GetString(r.Context(), managedKey) }

func (m managed) End(_ http.ResponseWriter, r *http.Request) error {
	return m.Manager.Destroy(r.Context())
}

// session is the value of a session.
type session struct {
	Subject civicpin.Subject `json:"subject"`
	Epoch   pin.Epoch        `json:"epoch"`
	Level   civicpin.Level   `json:"level"`
}

// LogIn begins a session for a subject whose login, exchange, change or new secret after a recovery was right. Errors:
//   - [ErrNoSession]: ok is no login, but zero, or of an issued secret, which must be exchanged first.
//   - those of [pin.Service.RememberDevice], if the box is ticked. No session begins.
//   - the library's.
func (s Sessions) LogIn(w http.ResponseWriter, r *http.Request, subject civicpin.Subject, ok pin.Verified) error {
	if ok.Epoch == "" || ok.MustExchange || subject.Validate() != nil {
		return ErrNoSession
	}
	value, err := json.Marshal(session{subject, ok.Epoch, ok.Level})
	if err != nil {
		return err
	}
	if s.Cookies == nil {
		return s.library().Renew(w, r, string(value))
	}
	var device civicpin.Secret
	if s.Remember != "" && r.PostFormValue(s.Remember) != "" {
		if device, err = s.Pins.RememberDevice(r.Context(), ok); err != nil {
			return err
		}
	}
	if err := s.library().Renew(w, r, string(value)); err != nil {
		return err
	}
	if !device.IsZero() {
		if err := s.Cookies.Set(w, Device, device, Device.longest()); err != nil {
			return err
		}
	}
	return s.Cookies.Set(w, Shown, ok.Shown, Shown.longest())
}

// SetSecret sets the new secret that a recovery permits, by [pin.Service.Set], and begins a session as LogIn does. The
// permission is the [Grant] that the browser has; a browser without one sets nothing. It takes Cookies. Errors are those of
// Set and LogIn. The grant stays with the browser after an error, so that the subject can choose again.
func (s Sessions) SetSecret(
	w http.ResponseWriter, r *http.Request, chosen civicpin.Secret, source civicpin.Source, personal ...string,
) error {
	grant, _ := pin.ParseGrant(s.Cookies.Get(r, Grant)) // a zero one sets nothing
	ok, err := s.Pins.Set(r.Context(), grant, chosen, source, personal...)
	if err != nil {
		return err
	}
	if err := s.LogIn(w, r, grant.Subject(), ok); err != nil {
		return err
	}
	s.Cookies.Clear(w, Grant)
	return nil
}

// Current returns the subject of a request, and the level of assurance that the login had. Ask at each request; it is one call
// of the store. An act that needs a level follows a fresh login: a level that was lowered since does not show here. Errors:
//   - [ErrNoSession]: no session, or one that has ended.
//   - the store's: it is not known whether the session is good, so it is not.
func (s Sessions) Current(r *http.Request) (civicpin.Subject, civicpin.Level, error) {
	value := s.library().Value(r)
	var now session
	if value == "" || json.Unmarshal([]byte(value), &now) != nil || now.Epoch == "" || now.Subject.Validate() != nil {
		return "", civicpin.NoLevel, ErrNoSession
	}
	epoch, err := s.Pins.Epoch(r.Context(), now.Subject)
	switch {
	case err != nil:
		return "", civicpin.NoLevel, err
	case epoch != now.Epoch:
		return "", civicpin.NoLevel, ErrNoSession
	}
	return now.Subject, now.Level, nil
}

// LogOut ends the request's session; there need be none. Without Cookies, clear the [Shown], too. Errors are the library's, and
// those of LogOutEverywhere if the button of that name was pressed.
func (s Sessions) LogOut(w http.ResponseWriter, r *http.Request) error {
	if s.Everywhere != "" && r.PostFormValue(s.Everywhere) != "" {
		return s.LogOutEverywhere(w, r)
	}
	return s.end(w, r)
}

// LogOutEverywhere ends all sessions of the subject of a request, this one included, by [pin.Service.EndSessions]. Errors are
// those of Current, the library's and the store's.
func (s Sessions) LogOutEverywhere(w http.ResponseWriter, r *http.Request) error {
	subject, _, err := s.Current(r)
	if err != nil {
		return err
	}
	if err := s.Pins.EndSessions(r.Context(), subject, civicpin.Citizen); err != nil {
		return err
	}
	return s.end(w, r)
}

func (s Sessions) end(w http.ResponseWriter, r *http.Request) error {
	if s.Cookies != nil {
		s.Cookies.Clear(w, Shown)
	}
	return s.library().End(w, r)
}
