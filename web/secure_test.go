package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/civicpin/civicpin/web"
)

func TestSecure(t *testing.T) {
	var nonces []string
	h := web.Secure(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nonces = append(nonces, web.Nonce(r.Context()))
		_, err := io.Copy(w, r.Body)
		w.WriteHeader(web.Status(err).Status)
	}))
	serve := func(method, site, body string) *httptest.ResponseRecorder {
		r, w := httptest.NewRequest(method, portal+"/", strings.NewReader(body)), httptest.NewRecorder()
		r.Header.Set("Sec-Fetch-Site", site)
		h.ServeHTTP(w, r)
		return w
	}
	for _, w := range []*httptest.ResponseRecorder{serve("GET", "none", ""), serve("POST", "same-origin", "a=1")} {
		assert.Equal(t, http.StatusOK, w.Code)
		assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		assert.Equal(t, "no-referrer", w.Header().Get("Referrer-Policy"))
		assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
		csp := w.Header().Get("Content-Security-Policy")
		assert.Contains(t, csp, "script-src 'nonce-"+nonces[0]+"';")
		for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			assert.Contains(t, csp, part)
		}
		assert.NotContains(t, csp, "unsafe")
		assert.GreaterOrEqual(t, len(nonces[0]), 26)
		assert.NotContains(t, nonces[1:], nonces[0])
		nonces = nonces[1:]
	}
	forged := serve("POST", "cross-site", "a=1")
	assert.Equal(t, http.StatusForbidden, forged.Code)
	assert.Equal(t, "no-store", forged.Header().Get("Cache-Control"))
	assert.Empty(t, nonces, "the portal never saw it")
	r := httptest.NewRequest("POST", portal+"/", strings.NewReader("a=1"))
	r.Header.Set("Origin", "https://evil.example")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	assert.Equal(t, http.StatusForbidden, w.Code)
	assert.Equal(t, http.StatusOK, serve("POST", "same-origin", strings.Repeat("a", 1<<20)).Code)
	assert.Empty(t, web.Nonce(t.Context()))
}

func TestSecureBody(t *testing.T) {
	h := web.Secure(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		w.WriteHeader(web.Status(err).Status)
	}))
	for size, want := range map[int]int{2 << 20: http.StatusOK, 2<<20 + 1: http.StatusRequestEntityTooLarge} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("a", size))))
		assert.Equal(t, want, w.Code)
	}
}
