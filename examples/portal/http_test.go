package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/web"
)

// raw sends bytes to the portal as they are, and returns the answer's status.
func raw(t *testing.T, p *portal, request string) int {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(p.base, "http://"))
	require.NoError(t, err)
	defer c.Close()
	_, err = io.WriteString(c, request)
	require.NoError(t, err)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(30*time.Second)))
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode
}

// posted is a POST as a program writes it.
func posted(path, body string, header ...string) string {
	lines := append([]string{
		"POST " + path + " HTTP/1.1", "Content-Type: application/x-www-form-urlencoded", "Sec-Fetch-Site: same-origin",
		fmt.Sprintf("Content-Length: %d", len(body)), "Connection: close",
	}, header...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

// No header names the portal to itself: redirects stay relative, pages name no host, and links are built from -base, also behind
// a proxy that is trusted for addresses.
func TestHosts(t *testing.T) {
	p := newPortal(t, "-proxies", "1")
	newBrowser(t, p).withPIN()
	jar := newBrowser(t, p)
	for _, step := range [][2]string{{"/inps/start", "plan=" + unlockINPS + "&id=" + mariaCF}, {"/inps/run", "act=answer&"}} {
		if step[1] == "act=answer&" {
			step[1] += jar.open("/inps/run").sum()
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.base+step[0], strings.NewReader(step[1]))
		require.NoError(t, err)
		r.Host = "evil.example"
		for name, value := range map[string]string{
			"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin", "X-Forwarded-For": "198.51.100.1",
			"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "ftp", "Forwarded": "host=evil.example;proto=ftp",
			"X-Original-URL": "http://evil.example/", "X-Forwarded-Prefix": "//evil.example",
		} {
			r.Header.Set(name, value)
		}
		for _, c := range jar.cookies() {
			r.AddCookie(c)
		}
		answer, err := http.DefaultTransport.RoundTrip(r)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusSeeOther, answer.StatusCode)
		require.Equal(t, "/inps/run", answer.Header.Get("Location"))
		require.NotContains(t, string(body)+fmt.Sprint(answer.Header), "evil")
		jar.cookies(answer.Cookies()...)
	}
	require.Contains(t, came(t, p, "email", mailbox, linkOf), p.base+"/inps/link#")
	for _, m := range p.inbox.newest() {
		require.NotContains(t, m.Text, "evil")
	}
}

// A session, a device or a language that a program made up is worth nothing, however it is written, and is no error either.
func TestForgedCookies(t *testing.T) {
	p := newPortal(t)
	owner := newBrowser(t, p).withPIN()
	owner.send("/inps/login", "id="+mariaCF, "secret="+herPIN, "remember=1").at("/inps/mine")
	var session, device string
	for _, c := range owner.cookies() {
		switch c.Name {
		case "session":
			session = c.Value
		case string(web.Device):
			device = c.Value
		}
	}
	require.NotEmpty(t, session)
	require.NotEmpty(t, device)
	changed := func(s string) string { // its last character but two
		return s[:len(s)-3] + map[bool]string{true: "A", false: "B"}[s[len(s)-3] == 'B'] + s[len(s)-2:]
	}
	for _, forged := range []string{"", "x", session[:len(session)-1], changed(session), strings.Repeat("A", len(session)), strings.Repeat("z", 4000)} {
		b := newBrowser(t, p)
		b.cookies(&http.Cookie{Name: "session", Value: forged}, &http.Cookie{Name: "language", Value: "xx"})
		b.open("/inps/mine").at("/inps/login")
		b.send("/inps/login", "id="+mariaCF, "secret="+herPIN).at("/inps/mine")
		for _, c := range b.cookies() {
			require.False(t, c.Name == "session" && c.Value == forged, "a made-up session is not taken over")
		}
	}
	for range 5 {
		newBrowser(t, p).send("/inps/login", "id="+mariaCF, "secret=XXXXXXXX")
	}
	for _, forged := range []string{"inps=x", "iess=" + device, changed(device), strings.Repeat("inps=a&", 500)} {
		b := newBrowser(t, p)
		b.cookies(&http.Cookie{Name: string(web.Device), Value: forged})
		b.send("/inps/login", "id="+mariaCF, "secret="+herPIN).refused(http.StatusTooManyRequests, "locked")
	}
	owner.send("/inps/login", "id="+mariaCF, "secret="+herPIN).at("/inps/mine") // the true one is good
}

// With -proxies 0 nobody names an address by a header. With 1 the last entry counts, which the proxy wrote: what a visitor wrote
// before it names none, and an entry that is no address leaves the proxy's own.
func TestForwarded(t *testing.T) {
	const visitors, proxys = "203.0.113.9", "198.51.100.1"
	named := func(p *portal, header string) bool {
		before := len(logged(t, p))
		status := raw(t, p, posted("/inps/login", "id="+string(nobody())+"&secret=XXXXXXXX", "Host: x", "X-Forwarded-For: "+header,
			"X-Real-IP: "+visitors, "Forwarded: for="+visitors, "True-Client-IP: "+visitors))
		require.Equal(t, http.StatusForbidden, status)
		return len(logged(t, p)) > before
	}
	none, one := newPortal(t), newPortal(t, "-proxies", "1")
	for _, header := range []string{visitors, visitors + ", " + visitors, proxys + ", " + visitors} {
		require.False(t, named(none, header), header)
	}
	for _, header := range []string{visitors + ", " + proxys, visitors + ", for=x", visitors + ","} {
		require.False(t, named(one, header), header)
	}
	require.True(t, named(one, proxys+", "+visitors))
}

// Bodies that are too large, or none: the answer says so, nothing is counted, and the portal goes on.
func TestBodies(t *testing.T) {
	p := newPortal(t)
	newBrowser(t, p).withPIN()
	guess := func(e civicpin.Event) bool { return e.Code == "pin.refused" || e.Code == "pin.verified" }
	before := loggedOf(t, p, guess)
	parts := func(write func(w *multipart.Writer)) string {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		require.NoError(t, w.SetBoundary("edge"))
		write(w)
		require.NoError(t, w.Close())
		return body.String()
	}
	large := parts(func(w *multipart.Writer) {
		f, err := w.CreateFormFile("document", "a.jpg")
		require.NoError(t, err)
		_, err = f.Write(make([]byte, 3<<20))
		require.NoError(t, err)
	})
	many := parts(func(w *multipart.Writer) {
		for range 2000 {
			require.NoError(t, w.WriteField("a", "b"))
		}
	})
	const edge = "Content-Type: multipart/form-data; boundary=edge"
	for _, c := range []struct {
		name, body, kind string
		want             int
	}{
		{"a multipart body too large", large, edge, http.StatusRequestEntityTooLarge},
		{"too many parts", many, edge, http.StatusBadRequest},
		{"a part without an end", "--edge\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\nx", edge, http.StatusBadRequest},
		{"a part whose header never ends", "--edge\r\nA: " + strings.Repeat("a", 1<<20), edge, http.StatusUnprocessableEntity}, // no field
		{"no boundary", "x", "Content-Type: multipart/form-data", http.StatusBadRequest},
		{"bad percent encoding", "id=%4&secret=%", "", http.StatusBadRequest},
		{"a semicolon", "id=" + mariaCF + ";secret=x", "", http.StatusBadRequest},
		{"NUL in an identifier", "id=" + mariaCF + "%00&secret=XXXXXXXX", "", http.StatusUnprocessableEntity},
		{"no UTF-8", "id=%ff%fe&secret=XXXXXXXX", "", http.StatusUnprocessableEntity},
		{"another type", `{"id":"` + mariaCF + `"}`, "Content-Type: application/json", http.StatusUnprocessableEntity},
	} {
		request := posted("/inps/login", c.body, "Host: x")
		if c.kind != "" {
			request = strings.Replace(request, "Content-Type: application/x-www-form-urlencoded", c.kind, 1)
		}
		require.Equal(t, c.want, raw(t, p, request), c.name)
	}
	require.Equal(t, before, loggedOf(t, p, guess), "no guess was taken")
	require.Equal(t, http.StatusForbidden, raw(t, p, posted("/inps/login", "id="+mariaCF+"&secret=QZ7W%00K4PM", "Host: x")), "a wrong guess")
	require.Equal(t, http.StatusBadRequest, raw(t, p, "POST /inps/login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"))
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, raw(t, p, "GET / HTTP/1.1\r\nHost: x\r\nA: "+strings.Repeat("a", 64<<10)+"\r\n\r\n"))
	newBrowser(t, p).send("/inps/login", "id="+mariaCF, "secret="+herPIN).at("/inps/mine")
}

// A client whose headers never end, or whose body comes in drops, is cut off, and holds no turn meanwhile: others log in.
func TestSlowClients(t *testing.T) {
	p := newPortal(t)
	b := newBrowser(t, p).withPIN()
	began := time.Now()
	var headers net.Conn
	for i := range 4 * atOnce { // bodies, but for the first
		c, err := net.Dial("tcp", strings.TrimPrefix(p.base, "http://"))
		require.NoError(t, err)
		defer c.Close()
		request := "POST /inps/login HTTP/1.1\r\nHost: x\r\nX-A: "
		if i == 0 {
			headers = c
		} else {
			request += "b\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\nid="
		}
		_, err = io.WriteString(c, request)
		require.NoError(t, err)
	}
	b.send("/inps/login", "id="+mariaCF, "secret="+herPIN).at("/inps/mine")
	require.Empty(t, p.turns)
	require.NoError(t, headers.SetReadDeadline(began.Add(time.Minute)))
	for ended := false; !ended; { // a drop now and then does not keep it open
		_, err := headers.Write([]byte("a"))
		if ended = err != nil; ended {
			break
		}
		require.NoError(t, headers.SetReadDeadline(time.Now().Add(200*time.Millisecond)))
		_, err = headers.Read(make([]byte, 1))
		timeout, isNet := err.(net.Error)
		ended = err != nil && (!isNet || !timeout.Timeout())
		require.Less(t, time.Since(began), time.Minute)
	}
	require.GreaterOrEqual(t, time.Since(began), 4*time.Second, "five seconds for the headers")
}

// A POST that is sent twice, with all its cookies, does its act once, and is worth nothing after the next act.
func TestReplay(t *testing.T) {
	p := newPortal(t)
	b := newBrowser(t, p)
	b.send("/inps/request", "id="+mariaCF, "mobile=333 123 4567", "email="+mailbox).at("/inps/first")
	first, second := halves(t, p, marias, mailbox)
	exchange := []string{"id=" + mariaCF, "half1=" + first, "half2=" + second, "new=" + herPIN, "again=" + herPIN}
	b.send("/inps/first", exchange...).at("/inps/mine")
	exchange[3], exchange[4] = "new="+another, "again="+another // by a thief who recorded it
	newBrowser(t, p).send("/inps/first", exchange...).refused(http.StatusForbidden, "not right")
	newBrowser(t, p).send("/inps/login", "id="+mariaCF, "secret="+another).refused(http.StatusForbidden, "not right")

	old := b.cookies()
	changes := func(e civicpin.Event) bool { return e.Code == "pin.changed" || e.Code == "pin.exchanged" }
	change := []string{"id=" + mariaCF, "secret=" + herPIN, "new=" + another, "again=" + another}
	b.send("/inps/change", change...).at("/inps/mine")
	thief := newBrowser(t, p)
	thief.cookies(old...)
	thief.open("/inps/mine").at("/inps/login")
	thief.send("/inps/change", change...) // answered as the first was: who recorded it has the new PIN anyway
	b.open("/inps/mine").at("/inps/mine")
	require.Equal(t, map[string]int{"pin.exchanged": 1, "pin.changed": 1}, loggedOf(t, p, changes))
	b.send("/inps/change", "id="+mariaCF, "secret="+another, "new=M3XTK9WP", "again=M3XTK9WP").at("/inps/mine")
	newBrowser(t, p).send("/inps/change", change...).refused(http.StatusForbidden, "not right")

	b.send("/inps/mine", "act=out").at("/inps/")
	before := b.cookies()
	b.send("/inps/login", "id="+mariaCF, "secret=M3XTK9WP").at("/inps/mine")
	thief.cookies(before...) // the session from before the login
	thief.open("/inps/mine").at("/inps/login")
}

// The portal stays small: 4,000 lines of Go without tests, and 250 a file.
func TestSmall(t *testing.T) {
	files, err := os.ReadDir(".")
	require.NoError(t, err)
	total := 0
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		text, err := os.ReadFile(f.Name())
		require.NoError(t, err)
		lines := bytes.Count(text, []byte("\n"))
		require.LessOrEqual(t, lines, 250, f.Name())
		total += lines
	}
	require.LessOrEqual(t, total, 4000)
	require.Greater(t, total, 2000, "they were found")
}
