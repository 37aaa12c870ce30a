package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/web"
)

const (
	ana       = "1710034065"
	anaMail   = "ana@correo.example"
	anaSecret = "tres gatos en el tejado"
	newSecret = "cinco perros bajo la mesa"
)

// paper is what the portal prints: slips and mails.
type paper struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

// last returns what stood behind a text the last time.
func (p *paper) last(t *testing.T, before, what string) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	all := regexp.MustCompile(regexp.QuoteMeta(before)+`(`+what+`)`).FindAllStringSubmatch(p.text.String(), -1)
	require.NotEmpty(t, all, "nothing printed behind %q", before)
	return all[len(all)-1][1]
}

// visit is a portal that is served, and its first browser.
type visit struct {
	*portal
	*browser
	server *httptest.Server
	paper  *paper
}

func begin(t *testing.T) *visit {
	t.Helper()
	v := &visit{server: httptest.NewUnstartedServer(nil), paper: new(paper)}
	address := "http://" + v.server.Listener.Addr().String()
	v.portal = open(t.Context(), t.TempDir(), address, 0, log.New(v.paper, "", 0))
	v.server.Config.Handler = v.routes()
	v.server.Start()
	t.Cleanup(func() {
		v.server.Close()
		require.NoError(t, v.db.Close())
	})
	v.browser = v.another(t)
	return v
}

// A browser keeps cookies, and follows no redirect.
type browser struct {
	http.Client
	address string
	header  http.Header // beside those of a browser
	host    string      // that it names, if not the portal's
}

func (v *visit) another(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	b := &browser{address: v.server.URL, header: http.Header{}}
	b.Jar, b.CheckRedirect = jar, func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return b
}

// send makes a request, and returns the answer and its body.
func (b *browser) send(t *testing.T, method, path, body string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.address+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}}
	maps.Copy(r.Header, b.header)
	r.Host = b.host
	answer, err := b.Do(r)
	require.NoError(t, err)
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer, string(text)
}

// post sends a form of names and values, and returns the status and where it leads, or the page.
func (b *browser) post(t *testing.T, path string, form ...string) (status int, next string) {
	t.Helper()
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	answer, body := b.send(t, "POST", path, values.Encode())
	if answer.StatusCode == http.StatusSeeOther {
		return answer.StatusCode, answer.Header.Get("Location")
	}
	return answer.StatusCode, body
}

// does is post for a form that leads on.
func (b *browser) does(t *testing.T, next, path string, form ...string) {
	t.Helper()
	status, got := b.post(t, path, form...)
	require.Equal(t, http.StatusSeeOther, status, got)
	require.Equal(t, next, got)
}

func (b *browser) logsIn(t *testing.T, secret string) {
	t.Helper()
	b.does(t, "/", "/login", "subject", ana, "secret", secret, "remember", "1")
}

// in reports whether the browser is logged in.
func (b *browser) in(t *testing.T) bool {
	t.Helper()
	_, body := b.send(t, "GET", "/", "")
	return strings.Contains(body, "logged in as "+ana)
}

// link returns the token of the last link that was mailed.
func (v *visit) link(t *testing.T) string {
	t.Helper()
	require.NoError(t, v.out.Flush(t.Context()))
	return v.paper.last(t, v.server.URL+"/link#", `\S+`)
}

// opens looks at the last link as scanners do, and then presses the button once. It leads on, and is used up.
func (v *visit) opens(t *testing.T, next string) {
	t.Helper()
	token := v.link(t)
	for _, method := range []string{"GET", "HEAD"} {
		answer, _ := v.send(t, method, "/link", "")
		require.Equal(t, http.StatusOK, answer.StatusCode)
	}
	_, body := v.post(t, "/link", "token", token)
	require.Contains(t, body, "Yes, do it")
	v.does(t, next, "/link", "token", token, "act", "1")
	status, _ := v.post(t, "/link", "token", token, "act", "1")
	require.Equal(t, http.StatusGone, status)
}

// exchanged is a portal where Ana has exchanged her code. She is logged in, and has no contact.
func exchanged(t *testing.T) *visit {
	t.Helper()
	v := begin(t)
	v.does(t, "/served", "/desk", v.staff("issue")...)
	code := v.paper.last(t, "Slip for "+ana+": ", `\S+`)
	v.does(t, "/exchange", "/login", "subject", ana, "secret", code)
	require.False(t, v.in(t))
	v.does(t, "/", "/exchange", "subject", ana, "secret", code, "chosen", anaSecret, "remember", "1")
	return v
}

// registered is a portal where Ana has proved her mailbox, too.
func registered(t *testing.T) *visit {
	t.Helper()
	v := exchanged(t)
	v.does(t, "/contacts", "/contacts", "add", anaMail, "secret", anaSecret)
	v.opens(t, "/done")
	_, body := v.send(t, "GET", "/contacts", "")
	require.Contains(t, body, "Remove "+anaMail)
	return v
}

func (v *visit) staff(do string) []string {
	all := []string{"operator", "boss.1", "subject", ana, "do", do}
	for pass := range v.portal.staff {
		all = append(all, "pass", pass)
	}
	return all
}

// A session dies when the secret is changed elsewhere, and at each other act that ends it.
func TestSessionsEnd(t *testing.T) {
	v := registered(t)
	elsewhere := v.another(t)
	elsewhere.logsIn(t, anaSecret)
	require.True(t, v.in(t) && elsewhere.in(t))
	elsewhere.does(t, "/", "/change", "subject", ana, "secret", anaSecret, "chosen", newSecret)
	require.True(t, elsewhere.in(t))
	require.False(t, v.in(t))

	v.logsIn(t, newSecret)
	v.does(t, "/", "/logout")
	require.True(t, !v.in(t) && elsewhere.in(t))
	v.logsIn(t, newSecret)
	v.does(t, "/", "/logout", "everywhere", "1")
	require.False(t, v.in(t) || elsewhere.in(t))

	v.logsIn(t, newSecret)
	status, _ := v.post(t, "/desk", "operator", "clerk.7", "pass", "a guess", "subject", ana, "do", "revoke")
	require.Equal(t, http.StatusForbidden, status)
	require.True(t, v.in(t))
	v.does(t, "/served", "/desk", v.staff("revoke")...)
	require.False(t, v.in(t))
	status, _ = v.post(t, "/login", "subject", ana, "secret", newSecret)
	require.Equal(t, http.StatusForbidden, status)
}

func TestRecovery(t *testing.T) {
	v := registered(t)
	thief := v.another(t)
	thief.logsIn(t, anaSecret)
	for _, subject := range []string{ana, "1700000000"} { // known or not: the same answer
		v.does(t, "/done", "/lost", "subject", subject, "plan", "password")
	}
	v.opens(t, "/new")
	status, _ := v.post(t, "/new", "chosen", "short")
	require.Equal(t, http.StatusUnprocessableEntity, status)
	v.does(t, "/", "/new", "chosen", newSecret)
	require.True(t, v.in(t))
	require.False(t, thief.in(t))
	status, _ = v.post(t, "/new", "chosen", anaSecret)
	require.Equal(t, http.StatusGone, status, "the grant is used up")
	v.opens(t, "/done") // it was not me
	require.False(t, v.in(t))
}

// Strangers lock the login. The device that Ana ticked gets in all the same, and so do all others after an unlock.
func TestLocked(t *testing.T) {
	v := registered(t)
	stranger := v.another(t)
	lock := func() {
		for range 5 {
			stranger.header.Set("X-Forwarded-For", "198.51.100.7, 203.0.113.9")
			_, _ = stranger.post(t, "/login", "subject", ana, "secret", "a guess of a stranger")
		}
		answer, body := stranger.send(t, "POST", "/login", url.Values{"subject": {ana}, "secret": {anaSecret}}.Encode())
		require.Equal(t, http.StatusTooManyRequests, answer.StatusCode)
		require.NotEmpty(t, answer.Header.Get("Retry-After"))
		require.Contains(t, body, "locked for a while")
	}
	lock()
	v.logsIn(t, anaSecret)
	v.does(t, "/served", "/desk", v.staff("unlock")...)
	stranger.logsIn(t, anaSecret)
	stranger = v.another(t)
	lock()
	v.does(t, "/done", "/lost", "subject", ana, "plan", "unlock")
	v.opens(t, "/done")
	stranger.logsIn(t, anaSecret)
}

// The code beside the link proves a new address, too, and a contact is removed.
func TestContacts(t *testing.T) {
	v := registered(t)
	v.does(t, "/contacts", "/contacts", "add", "ana.nueva@correo.example", "secret", anaSecret)
	v.link(t)
	status, _ := v.post(t, "/contacts", "code", "AAAA AAAA")
	require.Equal(t, http.StatusForbidden, status)
	v.does(t, "/contacts", "/contacts", "code", v.paper.last(t, "type this code there:\n\n    ", `\w+ \w+`))
	_, body := v.send(t, "GET", "/contacts", "")
	ids := regexp.MustCompile(`name="remove" value="(\w+)">Remove ana.nueva`).FindStringSubmatch(body)
	require.Len(t, ids, 2, body)
	status, _ = v.post(t, "/contacts", "remove", ids[1])
	require.Equal(t, http.StatusForbidden, status)
	v.does(t, "/contacts", "/contacts", "remove", ids[1], "secret", anaSecret)
	_, body = v.send(t, "GET", "/contacts", "")
	require.NotContains(t, body, "ana.nueva")
	require.Contains(t, body, anaMail)
}

// A thief with the session of a citizen who has no contact yet adds none of the thief's own: a contact asks for the password.
func TestStolenSession(t *testing.T) {
	v := exchanged(t)
	thief := v.another(t)
	at, err := url.Parse(v.server.URL)
	require.NoError(t, err)
	thief.Jar.SetCookies(at, v.Jar.Cookies(at))
	require.True(t, thief.in(t))
	for _, secret := range []string{"", "a guess of a thief"} {
		status, _ := thief.post(t, "/contacts", "add", "thief@correo.example", "subject", ana, "secret", secret)
		require.Equal(t, http.StatusForbidden, status)
	}
	require.NoError(t, v.out.Flush(t.Context()))
	require.NotContains(t, v.paper.text.String(), "thief@correo.example")
}

// What a visitor makes up counts for nothing.
func TestForged(t *testing.T) {
	v := registered(t)
	evil := v.another(t)
	at, err := url.Parse(v.server.URL)
	require.NoError(t, err)
	evil.Jar.SetCookies(at, []*http.Cookie{
		{Name: "session", Value: "planted"},
		{Name: "grant", Value: "g1.MTcxMDAzNDA2NQ.AAAA"},
		{Name: "proof", Value: "p"},
		{Name: "device", Value: "d"},
	})
	require.False(t, evil.in(t))
	status, _ := evil.post(t, "/contacts", "add", "evil@correo.example")
	require.Equal(t, http.StatusUnauthorized, status)
	status, _ = evil.post(t, "/new", "chosen", newSecret)
	require.Equal(t, http.StatusGone, status)

	victim := v.another(t) // with a session that was planted before the login: it is worthless after it
	victim.Jar.SetCookies(at, v.Jar.Cookies(at))
	require.True(t, v.in(t) && victim.in(t))
	victim.logsIn(t, anaSecret)
	require.True(t, victim.in(t))
	require.False(t, v.in(t))

	evil = v.another(t) // names another host: no redirect and no link leads there
	evil.host = "evil.example"
	evil.header = http.Header{"X-Forwarded-Host": {"evil.example"}, "Forwarded": {"host=evil.example"}}
	evil.does(t, "/done", "/lost", "subject", ana, "plan", "password")
	v.link(t)
	require.NotContains(t, v.paper.text.String(), "evil.example")

	evil = v.another(t)
	evil.header.Set("Sec-Fetch-Site", "cross-site")
	status, _ = evil.post(t, "/login", "subject", ana, "secret", anaSecret)
	require.Equal(t, http.StatusForbidden, status)
}

func TestBodies(t *testing.T) {
	v := begin(t)
	for body, want := range map[string]int{
		"subject=" + strings.Repeat("1", 3<<20): http.StatusRequestEntityTooLarge,
		"subject=%zz":                           http.StatusBadRequest,
		"subject=&secret=x":                     http.StatusBadRequest,
		"subject=" + strings.Repeat("1", 1<<16): http.StatusBadRequest,
		"subject=1700000000&secret=x":           http.StatusForbidden,
	} {
		answer, _ := v.send(t, "POST", "/login", body)
		require.Equal(t, want, answer.StatusCode, "%.20s", body)
	}
}

// sources returns the files that docs/portal.md shows, by their names.
func sources(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob("*")
	require.NoError(t, err)
	files := make(map[string]string)
	for _, name := range names {
		if !strings.HasSuffix(name, "_test.go") {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			files[name] = string(text)
		}
	}
	return files
}

// docs/portal.md holds each file as it is, and nothing else as code.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/portal.md")
	require.NoError(t, err)
	found := make(map[string]bool)
	for _, m := range regexp.MustCompile("(?s)```(?:go|html|css)\n(.*?)```\n").FindAllSubmatch(page, -1) {
		found[string(m[1])] = true
	}
	files := sources(t)
	for name, text := range files {
		require.True(t, found[text], "docs/portal.md does not hold %s as it is", name)
	}
	require.Len(t, found, len(files))
}

// Without comments and blanks, and with what is imported, all of it is at most 300 lines of Go.
func TestLines(t *testing.T) {
	lines := 0
	for name, text := range sources(t) {
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if filepath.Ext(name) == ".go" && line != "" && !strings.HasPrefix(line, "//") {
				lines++
			}
		}
	}
	require.Greater(t, lines, 200)
	require.LessOrEqual(t, lines, 300)
}

// An attacker who tries one password on everybody is asked for a challenge, and so is a citizen from the same address, who
// passes it.
func TestSpray(t *testing.T) {
	v := registered(t)
	attacker, citizen := v.another(t), v.another(t)
	for n := range 30 {
		status, _ := attacker.post(t, "/login", "subject", fmt.Sprintf("17000000%02d", n), "secret", "a likely password")
		require.Equal(t, http.StatusForbidden, status)
	}
	status, body := citizen.post(t, "/login", "subject", ana, "secret", anaSecret)
	require.Equal(t, http.StatusTooManyRequests, status)
	require.Contains(t, body, `name="captcha"`)
	citizen.does(t, "/", "/login", "subject", ana, "secret", anaSecret, "captcha", "1")
	require.True(t, citizen.in(t))
}

// Without a login the page of the contacts leads there.
func TestContactsOfNobody(t *testing.T) {
	v := begin(t)
	answer, _ := v.send(t, "GET", "/contacts", "")
	require.Equal(t, http.StatusSeeOther, answer.StatusCode)
	require.Equal(t, "/login", answer.Header.Get("Location"))
}

// Upkeep sends without being asked, and ends when it is told to.
func TestUpkeep(t *testing.T) {
	v := registered(t)
	v.does(t, "/done", "/lost", "subject", ana, "plan", "password")
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { v.upkeep(ctx) })
	require.Eventually(t, func() bool {
		v.paper.mu.Lock()
		defer v.paper.mu.Unlock()
		return strings.Count(v.paper.text.String(), "/link#") > 1
	}, 10*time.Second, 10*time.Millisecond)
	stop()
	running.Wait()
}

// The address of a visitor is the connection's, or what the configured proxies say.
func TestSources(t *testing.T) {
	v := begin(t)
	var logged paper
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	r := httptest.NewRequest("POST", "/login", nil)
	require.Equal(t, "192.0.2.1", v.source(r).Address)
	require.Empty(t, logged.text.String())
	r.Header.Set("X-Forwarded-For", "198.51.100.7, 203.0.113.9")
	for range 2 { // said once, since a visitor can make the header up
		require.Equal(t, "192.0.2.1", v.source(r).Address)
		require.Equal(t, 1, strings.Count(logged.text.String(), "set -proxies"))
	}
	v.proxies = web.Proxies{Count: 1}
	require.Equal(t, "203.0.113.9", v.source(r).Address)
}

// A known subject's wrong guess and an unknown subject look alike.
func TestAlike(t *testing.T) {
	v := registered(t)
	var bodies, lengths []string
	for _, subject := range []string{ana, "1700000000"} {
		answer, body := v.another(t).send(t, "POST", "/login", "subject="+subject+"&secret=x")
		require.Equal(t, http.StatusForbidden, answer.StatusCode)
		bodies, lengths = append(bodies, body), append(lengths, answer.Header.Get("Content-Length")+answer.Header.Get("Retry-After"))
	}
	require.Equal(t, bodies[0], bodies[1])
	require.Equal(t, lengths[0], lengths[1])
}
