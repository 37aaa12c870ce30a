package web_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/web"
)

const portal = "https://portal.example"

// cookies returns the cookies of a portal.
func cookies(t *testing.T, address string) *web.Cookies {
	t.Helper()
	c, err := web.NewCookies(address)
	assert.NoError(t, err)
	return c
}

func TestCookieAddresses(t *testing.T) {
	for _, address := range []string{
		portal, portal + "/base/", "https://portal.example:8443", "http://127.0.0.1:8080", "http://[::1]", "http://localhost:80",
	} {
		cookies(t, address)
	}
	for _, address := range []string{
		"", "portal.example", "http://portal.example", "http://10.0.0.1", "http://localhost.example", "http://127.0.0.1.example",
		"ftp://127.0.0.1", "https://", "https://:443", "https://u@portal.example", portal + "?a", portal + "#a", "//portal.example",
	} {
		_, err := web.NewCookies(address)
		assert.ErrorIs(t, err, civicpin.ErrInvalid, address)
	}
}

func TestCookies(t *testing.T) {
	for address, want := range map[string]string{
		portal:                  "__Host-ticket=t0k.en; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Strict",
		"http://127.0.0.1:8080": "ticket=t0k.en; Path=/; Max-Age=60; HttpOnly; SameSite=Strict",
	} {
		c, w := cookies(t, address), httptest.NewRecorder()
		assert.NoError(t, c.Set(w, web.Ticket, civicpin.NewSecret("t0k.en"), time.Minute))
		assert.Equal(t, want, w.Header().Get("Set-Cookie"))
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(w.Result().Cookies()[0])
		assert.Equal(t, "t0k.en", c.Get(r, web.Ticket).Reveal())
		assert.True(t, c.Get(r, web.Grant).IsZero())
		r.AddCookie(w.Result().Cookies()[0])
		assert.True(t, c.Get(r, web.Ticket).IsZero(), "two of one name")
		w = httptest.NewRecorder()
		c.Clear(w, web.Ticket)
		assert.Equal(t, -1, w.Result().Cookies()[0].MaxAge)
	}
}

func TestCookieBounds(t *testing.T) {
	const day = 24 * time.Hour
	c := cookies(t, portal)
	for name, want := range map[web.Cookie]time.Duration{
		web.Device: 400 * day, web.Ticket: 30 * day, web.Grant: day, web.Shown: 15 * time.Minute,
	} {
		w := httptest.NewRecorder()
		assert.NoError(t, c.Set(w, name, civicpin.NewSecret("x"), 1000*day))
		assert.Equal(t, int(want/time.Second), w.Result().Cookies()[0].MaxAge, name)
		for _, value := range []string{"", "a;b", "a\nb", string(make([]byte, 3000))} {
			assert.ErrorIs(t, c.Set(w, name, civicpin.NewSecret(value), day), civicpin.ErrInvalid, value)
		}
		assert.ErrorIs(t, c.Set(w, name, civicpin.NewSecret("x"), 0), civicpin.ErrInvalid)
		assert.Len(t, w.Result().Cookies(), 1)
	}
	assert.ErrorIs(t, c.Set(httptest.NewRecorder(), "session", civicpin.NewSecret("x"), day), civicpin.ErrInvalid)
}

// The device is shown by a form of the portal, and by nothing else.
func TestCookiesSource(t *testing.T) {
	for _, c := range []struct {
		method, site, origin string
		want                 bool
	}{
		{"POST", "same-origin", "", true},
		{"POST", "same-origin", portal, true},
		{"POST", "", portal, true},
		{"POST", "", "", false},
		{"POST", "", "null", false},
		{"POST", "", "http://portal.example", false},
		{"POST", "", "https://evil.example", false},
		{"POST", "same-site", portal, false},
		{"POST", "cross-site", portal, false},
		{"POST", "none", "", false},
		{"GET", "same-origin", portal, false},
		{"HEAD", "same-origin", portal, false},
	} {
		r := httptest.NewRequest(c.method, "/login", nil)
		r.Host = "evil.example" // what the visitor says counts for nothing
		r.Header = http.Header{"Cookie": {"__Host-device=d; __Host-shown=p"}}
		if c.site != "" {
			r.Header.Set("Sec-Fetch-Site", c.site)
		}
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		source := cookies(t, portal+":443/base").Source(r, web.Proxies{})
		assert.Equal(t, "192.0.2.1", source.Address)
		assert.Equal(t, c.want, source.Device.Reveal() == "d", c)
		assert.Equal(t, c.want, source.Shown.Reveal() == "p", c)
	}
}
