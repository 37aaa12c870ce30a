package web_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store/storetest"
	"github.com/civicpin/civicpin/web"
)

// library is a session library of a few lines: values by the id in a cookie, an id of any text.
type library map[string]string

func (l library) Renew(w http.ResponseWriter, r *http.Request, value string) error {
	id := rand.Text()
	delete(l, l.id(r))
	l[id] = value
	http.SetCookie(w, &http.Cookie{Name: "session", Value: id})
	return nil
}

func (l library) Value(r *http.Request) string { return l[l.id(r)] }

func (l library) End(_ http.ResponseWriter, r *http.Request) error {
	delete(l, l.id(r))
	return nil
}

func (l library) id(r *http.Request) string {
	if c, err := r.Cookie("session"); err == nil {
		return c.Value
	}
	return ""
}

const (
	anaSecret = "tres gatos en el tejado"
	newSecret = "cinco perros bajo la mesa"
)

// sessionsKit is a portal with sessions, and Ana's login.
type sessionsKit struct {
	web.Sessions
	faults *storetest.Faults
	login  pin.Attempt
}

func newSessionsKit(t *testing.T) *sessionsKit {
	t.Helper()
	k := &sessionsKit{faults: storetest.NewFaults(memory())}
	k.login = pin.Attempt{Subject: ana, Secret: civicpin.NewSecret(anaSecret)}
	_, out := testkit.Open(t, k.faults.Store(), testkit.NewClock(later), new(testkit.Mailbox), nil)
	pins, err := pin.New(out, pin.Default())
	assert.NoError(t, err)
	slip, err := pins.Issue(t.Context(), ana, pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.HandedOver}}, By: civicpin.Operator("clerk.7"),
	})
	assert.NoError(t, err)
	k.Sessions = web.Sessions{Library: library{}, Pins: pins}
	provisional, err := pins.Verify(t.Context(), pin.Attempt{Subject: ana, Secret: slip.Slip})
	assert.NoError(t, err)
	assert.ErrorIs(t, k.LogIn(nil, nil, ana, provisional), web.ErrNoSession, "an issued secret is no login")
	assert.NoError(t, testkit.Err(pins.Exchange(t.Context(), pin.Attempt{Subject: ana, Secret: slip.Slip}, k.login.Secret)))
	return k
}

// browser logs in from a browser that has a cookie, and returns what the browser sends from then on.
func (k *sessionsKit) browser(t *testing.T, planted string) *http.Request {
	t.Helper()
	ok, err := k.Pins.Verify(t.Context(), k.login)
	assert.NoError(t, err)
	r, w := httptest.NewRequest("POST", "/login", nil), httptest.NewRecorder()
	r.AddCookie(&http.Cookie{Name: "session", Value: planted})
	assert.NoError(t, k.LogIn(w, r, ana, ok))
	next := httptest.NewRequest("GET", "/", nil)
	next.AddCookie(w.Result().Cookies()[0])
	return next
}

// in reports whether a request is Ana's.
func (k *sessionsKit) in(t *testing.T, r *http.Request) bool {
	t.Helper()
	subject, level, err := k.Current(r)
	if err != nil {
		assert.ErrorIs(t, err, web.ErrNoSession)
		assert.Empty(t, subject)
		return false
	}
	assert.Equal(t, ana, subject)
	assert.Equal(t, civicpin.Low, level)
	return true
}

func TestSessions(t *testing.T) {
	for name, end := range map[string]func(k *sessionsKit, r *http.Request) error{
		"everywhere": func(k *sessionsKit, r *http.Request) error { return k.LogOutEverywhere(nil, r) },
		"change": func(k *sessionsKit, r *http.Request) error {
			return testkit.Err(k.Pins.Change(r.Context(), k.login, civicpin.NewSecret(newSecret)))
		},
		"revoke": func(k *sessionsKit, r *http.Request) error {
			return k.Pins.Revoke(r.Context(), ana, state.Ended, "", civicpin.Operator("clerk.7"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newSessionsKit(t)
			here, elsewhere := k.browser(t, ""), k.browser(t, "")
			assert.True(t, k.in(t, here) && k.in(t, elsewhere))
			assert.NoError(t, end(k, elsewhere))
			assert.False(t, k.in(t, here) || k.in(t, elsewhere))
			if name == "everywhere" { // and nothing else
				assert.True(t, k.in(t, k.browser(t, "")))
			}
		})
	}
	k := newSessionsKit(t)
	here, elsewhere := k.browser(t, ""), k.browser(t, "")
	assert.NoError(t, k.LogOut(nil, here))
	assert.False(t, k.in(t, here))
	assert.True(t, k.in(t, elsewhere))
	assert.ErrorIs(t, k.LogOutEverywhere(nil, here), web.ErrNoSession)
}

// A session that was planted before the login is worthless after it, with what was in it.
func TestSessionsFixed(t *testing.T) {
	k := newSessionsKit(t)
	k.Library.(library)["planted"] = "what a visitor left"
	r := k.browser(t, "planted")
	assert.True(t, k.in(t, r))
	r = httptest.NewRequest("GET", "/", nil)
	r.AddCookie(&http.Cookie{Name: "session", Value: "planted"})
	assert.False(t, k.in(t, r))
	assert.Len(t, k.Library, 1)
}

// What is in doubt is no session: values that no login left, and a store that does not answer.
func TestSessionsInDoubt(t *testing.T) {
	k := newSessionsKit(t)
	for _, value := range []string{"", "x", "{}", "null", `{"subject":"1710034065"}`, `{"subject":"","epoch":"x","level":"low"}`} {
		k.Library.(library)["made up"] = value
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(&http.Cookie{Name: "session", Value: "made up"})
		assert.False(t, k.in(t, r), value)
	}
	assert.ErrorIs(t, k.LogIn(nil, nil, ana, pin.Verified{}), web.ErrNoSession)
	r := k.browser(t, "")
	calls := testkit.Calls(k.faults, func() { assert.True(t, k.in(t, r)) })
	assert.Len(t, calls, 1)
	down := errors.New("down")
	k.faults.Hook(func(string, string) error { return down })
	_, _, err := k.Current(r)
	assert.ErrorIs(t, err, down)
	assert.ErrorIs(t, k.LogOutEverywhere(nil, r), down)
}

// manager is a session manager of one browser.
type manager struct {
	values  map[string]any
	renewed int
	down    error
}

func (m *manager) Clear(context.Context) error {
	if m.down == nil {
		clear(m.values)
	}
	return m.down
}

func (m *manager) RenewToken(context.Context) error {
	m.renewed++
	return nil
}

func (m *manager) Put(_ context.Context, key string, value any) { m.values[key] = value }

func (m *manager) GetString(_ context.Context, key string) string {
	value, _ := m.values[key].(string)
	return value
}

func (m *manager) Destroy(ctx context.Context) error { return m.Clear(ctx) }

// A manager keeps the sessions as a library does: a login begins an empty one under a new token, or none.
func TestSessionsManager(t *testing.T) {
	k, m := newSessionsKit(t), &manager{values: map[string]any{"planted": "what a visitor left"}}
	k.Library, k.Manager = nil, m
	ok, err := k.Pins.Verify(t.Context(), k.login)
	assert.NoError(t, err)
	r, w := httptest.NewRequest("POST", "/", nil), httptest.NewRecorder()
	assert.False(t, k.in(t, r))

	m.down = errors.New("down")
	assert.ErrorIs(t, k.LogIn(w, r, ana, ok), m.down)
	assert.False(t, k.in(t, r), "a session that could not be cleared is none")
	m.down, m.renewed = nil, 0
	assert.NoError(t, k.LogIn(w, r, ana, ok))
	assert.True(t, k.in(t, r))
	assert.Equal(t, 1, m.renewed)
	assert.Len(t, m.values, 1, "what was planted is gone")

	assert.NoError(t, k.LogOut(w, r))
	assert.False(t, k.in(t, r))
	assert.NoError(t, k.LogIn(w, r, ana, ok))
	assert.NoError(t, k.LogOutEverywhere(w, r))
	assert.Empty(t, m.values)
	m.down = errors.New("down")
	assert.ErrorIs(t, k.LogOut(w, r), m.down)
}

// The button of a form chooses whether one session ends or all.
func TestSessionsEverywhere(t *testing.T) {
	k := newSessionsKit(t)
	k.Everywhere = "all"
	first, second, third := k.browser(t, ""), k.browser(t, ""), k.browser(t, "")
	press := func(r *http.Request, button string) error {
		r.Method, r.PostForm = "POST", url.Values{button: {"1"}}
		return k.LogOut(nil, r)
	}
	assert.NoError(t, press(first, "another button"))
	assert.True(t, !k.in(t, first) && k.in(t, second) && k.in(t, third))
	assert.NoError(t, press(second, "all"))
	assert.False(t, k.in(t, second) || k.in(t, third))
	assert.ErrorIs(t, press(third, "all"), web.ErrNoSession)
	k.Everywhere = "" // and no name, no button
	fourth, fifth := k.browser(t, ""), k.browser(t, "")
	assert.NoError(t, press(fourth, ""))
	assert.True(t, k.in(t, fifth))
}
