package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/web"
)

// lockTime is when a lock ends, in the words of a page.
var lockTime = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d`)

// To a visitor a known and an unknown subject are alike: status, words, size and headers of every answer.
func TestAlike(t *testing.T) {
	p := newPortal(t)
	newBrowser(t, p).withPIN()
	newBrowser(t, p).withClave()
	hers := string(crowd()[0]) // has a PIN, and never asked for one here
	require.NoError(t, p.seedCrowd(t.Context()))
	unknown := map[string]string{hers: string(nobody()), mariaCF: string(nobody()), luciaID: "1700000001", anaNIF: "00000000T", nuriaNIF: "00000001R"}
	for _, c := range []struct {
		id, path string
		typed    []string
	}{
		{mariaCF, "/inps/login", []string{"secret=XXXXXXXX"}},
		{mariaCF, "/inps/change", []string{"secret=XXXXXXXX", "new=HJ4N8RTX", "again=HJ4N8RTX"}},
		{mariaCF, "/inps/first", []string{"half1=XXXXXXXX", "half2=XXXXXXXX", "new=HJ4N8RTX", "again=HJ4N8RTX"}},
		{mariaCF, "/inps/start", []string{"plan=inps-lost-pin"}},
		{hers, "/inps/request", []string{"mobile=333 765 4321", "email=stranger@example.it"}},
		{luciaID, "/iess/login", []string{"secret=iess quito 2026"}},
		{luciaID, "/iess/start", []string{"plan=iess-clave"}},
		{nuriaNIF, "/tuss/login", []string{"secret=iess quito 2026"}},
		{anaNIF, "/clave/ask", []string{"card=9-5-2030", "by=sms"}},
	} {
		var seen [2][]string
		for i, id := range []string{c.id, unknown[c.id]} {
			b := newBrowser(t, p)
			for range 6 { // the last ones are locked
				b.send(c.path, append(c.typed, "id="+id)...)
				b.header.Del("Content-Security-Policy") // has a nonce
				alert := lockTime.ReplaceAllString(b.alert(), "then")
				if at, err := http.ParseTime(b.header.Get("Retry-After")); err == nil {
					now, err := http.ParseTime(b.header.Get("Date"))
					require.NoError(t, err)
					alert += at.Add(2 * time.Minute).Sub(now).Truncate(5 * time.Minute).String() // the two are asked one after the other
				}
				seen[i] = append(seen[i], fmt.Sprint(b.status, b.path, b.size(), b.header["Content-Type"], alert))
			}
		}
		require.Equal(t, seen[0], seen[1], c.path)
	}
}

// Requests for letters are counted for every number, registered or not. A registered citizen gets one letter, however often a
// stranger asks.
func TestLetters(t *testing.T) {
	p := newPortal(t)
	var seen [2][]int
	for i, id := range []string{anaNIF, "00000000T"} {
		b := newBrowser(t, p)
		for range 12 {
			seen[i] = append(seen[i], b.send("/clave/letter", "id="+id).status)
		}
	}
	require.Equal(t, seen[0], seen[1])
	require.Equal(t, http.StatusOK, seen[0][0])
	require.Equal(t, http.StatusTooManyRequests, seen[0][11])
	p.work.Wait()
	require.Eventually(t, func() bool { return p.inbox.count("clave") > 0 }, 5*time.Second, 10*time.Millisecond)
	require.Equal(t, 1, p.inbox.count("clave"))
}

// A notice of a lock waits until the visitor has the answer: only a registered citizen has contacts, so its work would tell.
func TestLockNotice(t *testing.T) {
	p := newPortal(t)
	newBrowser(t, p).withPIN()
	inps := p.system("inps")
	require.NoError(t, inps.out.Flush(t.Context()))
	before := p.inbox.count("inps")
	ctx, answered := context.WithCancel(t.Context())
	answer := httptest.NewRecorder()
	for i := range 5 {
		answer = httptest.NewRecorder()
		p.whole.ServeHTTP(answer, p.guessAt(ctx, mariaCF, "XXXXXXXX", i))
	}
	require.Equal(t, http.StatusTooManyRequests, answer.Code)
	require.NoError(t, inps.out.Flush(t.Context()))
	require.Equal(t, before, p.inbox.count("inps"))
	answered()
	p.work.Wait()
	require.NoError(t, inps.out.Flush(t.Context()))
	require.Eventually(t, func() bool { return p.inbox.count("inps") == before+2 }, 5*time.Second, 10*time.Millisecond,
		"to the telephone, and to the mailbox; the portal's own dispatcher may be at it")
}

// What attackers send beside guesses: another host's name, an address of their choosing, a body without end, and no form at all.
func TestRequests(t *testing.T) {
	p := newPortal(t)
	b := newBrowser(t, p).withPIN()
	send := func(method, path, body string, header ...string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), method, p.base+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, one := range header {
			name, value, _ := strings.Cut(one, ": ")
			if name == "Host" {
				r.Host = value
			}
			r.Header.Set(name, value)
		}
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		return answer
	}
	send(http.MethodPost, "/inps/start", "plan="+unlockINPS+"&id="+mariaCF, "Host: evil.example")
	b.send("/inps/start", "plan="+unlockINPS, "id="+mariaCF).solve("/inps/run").at("/inps/run")
	require.Contains(t, came(t, p, "email", mailbox, linkOf), p.base+"/inps/link#")

	answer := send(http.MethodPost, "/inps/login", "id="+strings.Repeat("a", 3<<20))
	require.Equal(t, http.StatusRequestEntityTooLarge, answer.StatusCode)
	answer = send(http.MethodPost, "/inps/login", "id=%zz")
	require.Equal(t, http.StatusBadRequest, answer.StatusCode)
	answer = send(http.MethodPost, "/iess/run", "nothing", "Content-Type: multipart/form-data")
	require.Equal(t, http.StatusBadRequest, answer.StatusCode)
	answer = send(http.MethodPut, "/inps/login", "")
	require.Equal(t, http.StatusMethodNotAllowed, answer.StatusCode)
	answer = send(http.MethodGet, "/", "")
	for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"} {
		require.Equal(t, want, answer.Header.Get(name))
	}
	require.Contains(t, answer.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'")

	send(http.MethodPost, "/inps/login", "id="+mariaCF+"&secret=XXXXXXXX", "X-Forwarded-For: 203.0.113.9")
	require.Empty(t, logged(t, p), "no proxy is trusted, so nobody names an address")
	b.cookies(&http.Cookie{Name: string(web.Device), Value: "inps=forged"}, &http.Cookie{Name: "session", Value: "forged"})
	b.open("/inps/mine").at("/inps/login")
	b.send("/inps/login", "id="+mariaCF, "secret="+herPIN).at("/inps/mine")
}
