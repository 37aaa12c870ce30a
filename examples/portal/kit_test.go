package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store/audit"
)

// A browser has cookies, follows redirects, and runs no scripts.
type browser struct {
	t      *testing.T
	p      *portal
	client *http.Client
	lang   string
	header http.Header // of the last answer
	status int         // of the last answer
	path   string      // of the page where it is
	body   string      // of that page
}

func newBrowser(t *testing.T, p *portal) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &browser{t: t, p: p, client: &http.Client{Jar: jar, Timeout: 2 * time.Minute}, lang: "en"}
}

// cookies adds cookies to the portal's, and returns all.
func (b *browser) cookies(more ...*http.Cookie) []*http.Cookie {
	b.t.Helper()
	u, err := url.Parse(b.p.base)
	require.NoError(b.t, err)
	b.client.Jar.SetCookies(u, more)
	return b.client.Jar.Cookies(u)
}

func (b *browser) do(method, path string, typed url.Values) *browser {
	b.t.Helper()
	return b.request(method, path, strings.NewReader(typed.Encode()), "application/x-www-form-urlencoded")
}

// request sends a request as a browser does that is on a page of the portal.
func (b *browser) request(method, path string, body io.Reader, kind string) *browser {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.p.base+path, body)
	require.NoError(b.t, err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	r.Header.Set("Accept-Language", b.lang)
	answer, err := b.client.Do(r)
	require.NoError(b.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(b.t, err)
	b.header, b.status, b.path, b.body = answer.Header, answer.StatusCode, answer.Request.URL.Path, string(text)
	require.NotContains(b.t, b.body, "⟦", "a word is missing on %s", path)
	return b
}

func (b *browser) open(path string) *browser { return b.do(http.MethodGet, path, nil) }

// send submits a form: "name=value" each.
func (b *browser) send(path string, typed ...string) *browser {
	values := make(url.Values)
	for _, one := range typed {
		name, value, _ := strings.Cut(one, "=")
		values.Add(name, value)
	}
	return b.do(http.MethodPost, path, values)
}

// at requires the browser to be on a page, without a refusal.
func (b *browser) at(path string) *browser {
	b.t.Helper()
	require.Equal(b.t, path, b.path, b.alert())
	require.Equal(b.t, http.StatusOK, b.status, b.alert())
	require.Empty(b.t, b.alert())
	return b
}

// refused requires the page to say no, with this status.
func (b *browser) refused(status int, words string) *browser {
	b.t.Helper()
	require.Equal(b.t, status, b.status, b.alert())
	require.Contains(b.t, b.body, words)
	return b
}

// came waits for the newest message over a channel that has what is looked for, and returns it.
func came(t *testing.T, p *portal, channel civicpin.Channel, to string, find func(mail) string) string {
	t.Helper()
	for range 200 {
		for _, m := range p.inbox.newest() {
			if found := find(m); m.Channel == channel && m.To == to && found != "" {
				return found
			}
		}
		time.Sleep(25 * time.Millisecond)
	}
	require.Fail(t, "nothing came", "%s %s", channel, to)
	return ""
}

// code finds a code as its reader does, and link a link.
func code(m mail) string { return post.Mail{Channel: m.Channel, Text: m.Text}.Code() }

// but finds any code but one that came before.
func but(old string) func(mail) string {
	return func(m mail) string { return strings.TrimSuffix(code(m), old) }
}

func linkOf(m mail) string { return m.Link }

// halves are both halves of a PIN as they came.
func halves(t *testing.T, p *portal, mobile, email string) (string, string) {
	t.Helper()
	return came(t, p, civicpin.SMS, mobile, code), came(t, p, civicpin.Email, email, code)
}

const (
	marias  = "+393331234567"
	mailbox = "maria.rossi@example.it"
	herPIN  = "QZ7W-K4PM"
)

// withPIN has Maria ask for her PIN, and exchange it.
func (b *browser) withPIN() *browser {
	b.t.Helper()
	b.send("/inps/request", "id="+mariaCF, "mobile=333 123 4567", "email="+mailbox).at("/inps/first")
	first, second := halves(b.t, b.p, marias, mailbox)
	return b.send("/inps/first", "id="+mariaCF, "half1="+first, "half2="+second, "new="+herPIN, "again="+herPIN).at("/inps/mine")
}

// goodLink waits for the newest link to an address that goes on with a recovery and is still good, and returns it.
func goodLink(t *testing.T, p *portal, to string) string {
	t.Helper()
	return linkTo(t, p, to, recovery.ToRecover)
}

// linkTo waits for one that does something else.
func linkTo(t *testing.T, p *portal, to string, purpose recovery.Purpose) string {
	t.Helper()
	return came(t, p, civicpin.Email, to, func(m mail) string {
		_, token, _ := strings.Cut(m.Link, "#")
		info, err := p.system(m.System).rec.Inspect(t.Context(), civicpin.NewSecret(token))
		if err != nil || info.Purpose != purpose {
			return ""
		}
		return m.Link
	})
}

// followed uses the newest good link to an address, as a visitor without scripts does.
func (b *browser) followed(to string) *browser {
	b.t.Helper()
	whole := goodLink(b.t, b.p, to)
	u, err := url.Parse(whole)
	require.NoError(b.t, err)
	b.open(u.Path).at(u.Path)
	b.send(u.Path, "token="+whole).at(u.Path) // looks
	return b.send(u.Path, "token="+u.Fragment, "act=1")
}

// attack attacks, and waits for the end. The figures are those of the audit log, and there is an event for each answer but "come
// again": none is lost.
func (b *browser) attack(kind string, more ...string) attack {
	b.t.Helper()
	before := logged(b.t, b.p)
	b.send("/attack", append(more, "act="+kind)...).at("/attack")
	for {
		if a, ok := b.p.attacks.shown(); ok && a.Done {
			b.open("/attack").at("/attack")
			require.Empty(b.t, b.header.Get("Refresh"))
			events, pins := logged(b.t, b.p), 0
			for name := range events {
				if events[name] -= before[name]; events[name] == 0 {
					delete(events, name)
				}
				if strings.HasPrefix(name, "pin.") {
					pins += events[name]
				}
			}
			require.Equal(b.t, events, a.Events)
			if kind != "scan" {
				again := a.sum("busy", "not checked") // 503s, as are those that were not looked at
				require.Equal(b.t, a.Answers-a.Busy, pins-again, "%v %v", events, a.Statuses)
				require.LessOrEqual(b.t, again, a.Busy)
			}
			return a
		}
		if b.open("/attack"); b.header.Get("Refresh") != "" {
			require.NotContains(b.t, b.body, "Duration")
		}
		require.NoError(b.t, b.t.Context().Err())
		time.Sleep(100 * time.Millisecond)
	}
}

// logged counts what the audit log has of attacks.
func logged(t *testing.T, p *portal) map[string]int {
	t.Helper()
	return loggedOf(t, p, ofAttack)
}

// loggedOf counts those events of the audit log that count.
func loggedOf(t *testing.T, p *portal, of func(civicpin.Event) bool) map[string]int {
	t.Helper()
	counts := make(map[string]int)
	report, err := p.log.Verify(t.Context(), audit.Check{Each: func(_ int, _ uint64, e civicpin.Event) error {
		if of(e) {
			counts[eventName(e)]++
		}
		return nil
	}})
	require.NoError(t, err)
	require.Empty(t, report.Faults)
	return counts
}
