package web_test

import (
	"errors"
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/web"
)

// redeeming is a page of the kit's that redeems by itself.
func (k *linkKit) redeeming(c *web.Cookies) web.Page {
	return web.Page{
		Template: template.Must(template.New("").Parse(`{{.Refusal.Code}}|{{.Form}}`)),
		Labels:   func(*http.Request) web.Labels { return web.Labels{} },
		Contacts: k.contacts, Cookies: c, Source: func(r *http.Request) civicpin.Source { return c.Source(r, web.Proxies{}) },
		Done: "/done", Granted: "/new",
	}
}

// form returns a form that a browser with the cookies of an answer sends.
func form(values url.Values, from *httptest.ResponseRecorder) *http.Request {
	r := httptest.NewRequest("POST", "/", strings.NewReader(values.Encode()))
	r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}}
	for _, c := range from.Result().Cookies() {
		r.AddCookie(c)
	}
	return r
}

// Without an Act the page proves, recovers up to a session with the new secret, and takes "it was not me".
func TestLinkPageRedeems(t *testing.T) {
	k, c := newLinkKit(t), cookies(t, portal)
	page := web.Secure(web.LinkPage(k.rec, k.redeeming(c)))
	follow := func(token string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		page.ServeHTTP(w, form(url.Values{"token": {token}, "act": {"1"}}, httptest.NewRecorder()))
		return w
	}
	issue, err := k.pins.Issue(t.Context(), ana, pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.HandedOver}}, By: civicpin.Operator("clerk.7"),
	})
	assert.NoError(t, err)
	attempt := pin.Attempt{Subject: ana, Secret: issue.Slip}
	assert.NoError(t, testkit.Err(k.pins.Exchange(t.Context(), attempt, civicpin.NewSecret(anaSecret))))

	token := k.add(t, anaMail)
	assert.Equal(t, "/done", follow(token).Header().Get("Location"))
	assert.Equal(t, http.StatusGone, follow(token).Code)
	proved, _, err := k.contacts.List(t.Context(), ana)
	assert.NoError(t, err)
	assert.Len(t, proved, 1)

	assert.NoError(t, testkit.Err(k.rec.Start(t.Context(), "password", ana, civicpin.Source{})))
	granted := follow(k.link(t, anaMail, recovery.LinkMessage))
	assert.Equal(t, "/new", granted.Header().Get("Location"))
	s, chosen, r := web.Sessions{Library: library{}, Pins: k.pins, Cookies: c}, civicpin.NewSecret(newSecret), form(nil, granted)
	w := httptest.NewRecorder()
	assert.ErrorIs(t, s.SetSecret(w, form(nil, httptest.NewRecorder()), chosen, civicpin.Source{}), pin.ErrNoGrant, "a browser without the grant")
	assert.ErrorAs(t, s.SetSecret(w, r, civicpin.NewSecret("short"), civicpin.Source{}), new(*pin.ChoiceError))
	assert.Empty(t, w.Result().Cookies())
	w = httptest.NewRecorder()
	assert.NoError(t, s.SetSecret(w, r, chosen, civicpin.Source{}))
	in := form(nil, w)
	subject, _, err := s.Current(in)
	assert.NoError(t, err)
	assert.Equal(t, ana, subject)
	assert.True(t, c.Get(in, web.Grant).IsZero())

	assert.Equal(t, "/done", follow(k.link(t, anaMail, recovery.NoticeDone)).Header().Get("Location"))
	_, _, err = s.Current(in)
	assert.ErrorIs(t, err, web.ErrNoSession)
}

// A page that lacks what it redeems by does not come up.
func TestLinkPageLacks(t *testing.T) {
	k, c := newLinkKit(t), cookies(t, portal)
	assert.NotPanics(t, func() { web.LinkPage(k.rec, k.redeeming(c)) })
	assert.Panics(t, func() { web.LinkPage(k.contacts, k.redeeming(c)) })
	for name, without := range map[string]func(*web.Page){
		"Contacts": func(p *web.Page) { p.Contacts = nil },
		"Cookies":  func(p *web.Page) { p.Cookies = nil },
		"Source":   func(p *web.Page) { p.Source = nil },
		"Done":     func(p *web.Page) { p.Done = "" },
		"Granted":  func(p *web.Page) { p.Granted = "" },
		"Labels":   func(p *web.Page) { p.Labels = nil },
	} {
		page := k.redeeming(c)
		without(&page)
		assert.Panics(t, func() { web.LinkPage(k.rec, page) }, name)
	}
}

// A login leaves the proof, and the device if the box is ticked, with the browser; the end of the session takes the proof back.
func TestSessionsCookies(t *testing.T) {
	k := newSessionsKit(t)
	k.Cookies, k.Remember = cookies(t, portal), "mine"
	ok, err := k.Pins.Verify(t.Context(), k.login)
	assert.NoError(t, err)
	for box, device := range map[string]bool{"": false, "1": true} {
		w := httptest.NewRecorder()
		assert.NoError(t, k.LogIn(w, form(url.Values{"mine": {box}}, httptest.NewRecorder()), ana, ok))
		source := k.Cookies.Source(form(nil, w), web.Proxies{})
		assert.Equal(t, ok.Shown.Reveal(), source.Shown.Reveal())
		assert.Equal(t, device, !source.Device.IsZero())
		in := form(nil, w)
		assert.True(t, k.in(t, in))
		w = httptest.NewRecorder()
		assert.NoError(t, k.LogOut(w, in))
		assert.Equal(t, "__Host-shown", w.Result().Cookies()[0].Name)
		assert.Negative(t, w.Result().Cookies()[0].MaxAge)
	}
	down := errors.New("down")
	k.faults.Hook(func(string, string) error { return down })
	w := httptest.NewRecorder()
	assert.ErrorIs(t, k.LogIn(w, form(url.Values{"mine": {"1"}}, httptest.NewRecorder()), ana, ok), down)
	assert.Empty(t, w.Result().Cookies(), "no session without the device that was asked for")
}
