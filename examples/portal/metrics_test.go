package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// A wrong login is counted, of its system and without its subject; visitors who come through a proxy see no figures.
func TestMetrics(t *testing.T) {
	p := newPortal(t)
	b := newBrowser(t, p).withPIN()
	const wrong = `civicpin_events_total{civicpin_event_code="pin.refused",system="inps"}`
	require.NotContains(t, b.open("/metrics").body, wrong)
	b.send("/inps/login", "id="+mariaCF, "secret=XXXXXXXX").refused(403, "Tries left: 4")
	require.Equal(t, http.StatusOK, b.open("/metrics").status)
	require.Contains(t, b.body, wrong+" 1\n")
	require.NotContains(t, b.body, `"pin.refused",system="iess"`)
	for _, s := range p.systems {
		require.Contains(t, b.body, `civicpin_outbox_age_seconds{system="`+s.name+`"}`)
	}
	for _, secret := range []string{mariaCF, marias, mailbox, "127.0.0.1"} {
		require.NotContains(t, b.body, secret)
	}

	for _, c := range []struct {
		peer, header string
		status       int
	}{
		{"127.0.0.1:4711", "Accept", 200},
		{"[::1]:4711", "Accept", 200},
		{"[::ffff:127.0.0.1]:4711", "Accept", 200},
		{"192.0.2.1:4711", "Accept", 404},
		{"[2001:db8::1]:4711", "Accept", 404},
		{"", "Accept", 404},
		{"@", "Accept", 404},
		{"127.0.0.1:4711", "X-Forwarded-For", 404},
		{"127.0.0.1:4711", "Forwarded", 404},
		{"127.0.0.1:4711", "Via", 404},
	} {
		r, answer := httptest.NewRequest(http.MethodGet, "/metrics", nil), httptest.NewRecorder()
		r.RemoteAddr = c.peer
		r.Header.Set(c.header, "")
		p.whole.ServeHTTP(answer, r)
		require.Equal(t, c.status, answer.Code, "%+v", c)
	}
}
