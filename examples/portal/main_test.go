package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
)

// newPortal starts a portal on an empty file, as the program does with these flags, in which BASE is its address.
func newPortal(t *testing.T, flags ...string) *portal {
	t.Helper()
	return newPortalOn(t, nil, flags...)
}

// newPortalOn starts a portal as newPortal does. Its store is what wrap makes of it, unless that is nil.
func newPortalOn(t *testing.T, wrap func(store.Lister) store.Lister, flags ...string) *portal {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "portal.db")
	base := "http://" + listener.Addr().String()
	flags = append([]string{"-db", file, "-keys", file + ".keys", "-base", base}, flags...)
	for i := range flags {
		flags[i] = strings.ReplaceAll(flags[i], "BASE", base)
	}
	c, err := readConfig(flags, io.Discard)
	require.NoError(t, err)
	c.wrap = wrap
	ctx, stop := context.WithCancel(context.Background())
	p, err := open(ctx, c)
	require.NoError(t, err)
	if testkit.Raced {
		p.guesses = 160 // the race detector makes each many times as slow
	}
	done := make(chan error, 1)
	go func() { done <- p.serve(ctx, listener, false) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-done)
		require.NoError(t, p.records.Close())
	})
	return p
}

var (
	alertLine = regexp.MustCompile(`(?s)<p class="alert" role="alert">(.*?)</p>`)
	tags      = regexp.MustCompile(`<[^>]*>`)
)

func (b *browser) alert() string {
	return strings.TrimSpace(tags.ReplaceAllString(strings.Join(alertLine.FindAllString(b.body, -1), " "), ""))
}

// lastWord is the code of three characters, which stands behind the colon of a text message's first line.
func lastWord(m mail) string {
	for line := range strings.Lines(m.Text) {
		if _, code, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			fields := strings.Fields(code)
			if last := strings.Trim(fields[len(fields)-1], "."); len(last) == 3 {
				return last
			}
		}
	}
	return ""
}

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
