package web_test

import (
	"errors"
	"fmt"
	"html"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/web"
)

const (
	ana     = civicpin.Subject("1710034065")
	anaMail = "ana@correo.example"
	newMail = "ana.nueva@correo.example"
)

// linkKit is a portal's page behind links, over the services.
type linkKit struct {
	server   *httptest.Server
	pins     *pin.Service
	contacts *contact.Service
	rec      *recovery.Service
	out      *outbox.Outbox
	mail     *testkit.Mailbox
	events   *testkit.Recorder
	clock    *testkit.Clock
	acts     []recovery.Purpose // that the button did
	fail     error              // of the next
}

func newLinkKit(t *testing.T) *linkKit {
	k := &linkKit{
		mail: new(testkit.Mailbox), events: new(testkit.Recorder),
		clock: testkit.NewClock(time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)),
	}
	_, k.out = testkit.Open(t, memory(), k.clock, k.mail, k.events)
	var err error
	k.pins, err = pin.New(k.out, pin.Default())
	assert.NoError(t, err)
	k.contacts, err = contact.New(k.out, contact.Policy{Undo: 24 * time.Hour}, k.pins)
	assert.NoError(t, err)
	k.rec, err = recovery.New(k.out, recovery.Config{Contacts: k.contacts, Pins: k.pins, Plans: plans()})
	assert.NoError(t, err)
	k.serve(t, k.rec)
	return k
}

// serve serves the page of some links.
func (k *linkKit) serve(t *testing.T, links web.Links) {
	k.server = httptest.NewServer(web.Secure(web.LinkPage(links, web.Page{
		Template:  template.Must(template.New("").Parse(`<main>{{.Info.Purpose}}|{{.Info.Sent}}|{{.Refusal.Code}}|{{.Form}}</main>`)),
		Labels:    func(*http.Request) web.Labels { return web.Labels{Paste: "<Link>", Look: "Look", Act: "Do it"} },
		Challenge: func(*http.Request) template.HTML { return `<input name="captcha">` },
		Act: func(w http.ResponseWriter, r *http.Request, info recovery.LinkInfo, token civicpin.Secret) error {
			source, err := web.Source(r, web.Proxies{}), k.fail
			switch {
			case err != nil:
			case info.Purpose == recovery.ToProve:
				err = k.contacts.Prove(r.Context(), token, source)
			case info.Purpose == recovery.ToRecover:
				_, err = k.rec.Finish(r.Context(), token, source)
			case links == web.Links(k.contacts):
				err = k.contacts.Undo(r.Context(), token, source)
			default:
				err = k.rec.Repudiate(r.Context(), token, source)
			}
			if err != nil {
				return err
			}
			k.acts = append(k.acts, info.Purpose)
			http.Redirect(w, r, "/done", http.StatusSeeOther)
			return nil
		},
	})))
	t.Cleanup(k.server.Close)
}

// link has a link of a kind sent to an address, and returns its token.
func (k *linkKit) link(t *testing.T, address string, kind civicpin.MessageKind) string {
	t.Helper()
	assert.NoError(t, k.out.Flush(t.Context()))
	token := k.mail.Last(address, kind).Link.Reveal()
	assert.NotEmpty(t, token)
	return token
}

// add has a link sent that proves a new address.
func (k *linkKit) add(t *testing.T, address string) string {
	t.Helper()
	to := civicpin.Contact{Channel: civicpin.Email, Address: address}
	_, err := k.contacts.Add(t.Context(), ana, to, civicpin.Citizen, civicpin.Source{})
	assert.NoError(t, err)
	return k.link(t, address, contact.ProofMessage)
}

// send makes a request as a browser does, and follows no redirect.
func (k *linkKit) send(t *testing.T, method string, form url.Values) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, k.server.URL+"/link", strings.NewReader(form.Encode()))
	assert.NoError(t, err)
	r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}}
	if method == "PREFETCH" {
		r.Method, r.Header = "GET", http.Header{"Sec-Purpose": {"prefetch;prerender"}, "Purpose": {"prefetch"}}
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	assert.NoError(t, err)
	defer func() { assert.NoError(t, answer.Body.Close()) }()
	text, err := io.ReadAll(answer.Body)
	assert.NoError(t, err)
	return answer.StatusCode, string(text)
}

// press has a subject press the button behind a link.
func (k *linkKit) press(t *testing.T, token string) (status int, body string) {
	t.Helper()
	return k.send(t, "POST", url.Values{"token": {token}, "act": {"1"}})
}

func TestLinkPage(t *testing.T) {
	k := newLinkKit(t)
	token := k.add(t, anaMail)
	look, act := url.Values{"token": {token}}, url.Values{"token": {token}, "act": {"1"}}
	for range 3 { // scanners: with scripts, they come to the button, and do not press it
		status, body := k.send(t, "GET", nil)
		assert.Equal(t, http.StatusOK, status)
		assert.Contains(t, body, "&lt;Link&gt;")
		assert.Contains(t, body, "history.replaceState")
		assert.Regexp(t, `<script nonce="[A-Z2-7]{26}">`, body)
		for _, method := range []string{"HEAD", "PREFETCH"} {
			status, _ = k.send(t, method, act)
			assert.Equal(t, http.StatusOK, status)
		}
		status, body = k.send(t, "POST", look)
		assert.Equal(t, http.StatusOK, status)
		assert.Contains(t, body, "prove|a***@correo.example||")
		assert.Contains(t, body, `name="act"`)
		assert.NotContains(t, body, "<script")
	}
	assert.Empty(t, k.acts)
	status, body := k.send(t, "POST", act)
	assert.Equal(t, http.StatusSeeOther, status, body)
	status, body = k.send(t, "POST", act) // pressed twice
	assert.Equal(t, http.StatusGone, status)
	assert.Contains(t, body, "||gone|<form")
	assert.NotContains(t, body, token)
	assert.Equal(t, []recovery.Purpose{recovery.ToProve}, k.acts)
}

// A link "it was not me" passes through the same page, also in a portal without recovery.
func TestLinkPageUndoes(t *testing.T) {
	k := newLinkKit(t)
	t.Run("with recovery", k.undoes)
	k = newLinkKit(t)
	k.serve(t, k.contacts)
	t.Run("without", k.undoes)
}

func (k *linkKit) undoes(t *testing.T) {
	k.press(t, k.add(t, anaMail))
	k.press(t, k.add(t, newMail))
	token := k.link(t, anaMail, contact.NoticeChanged)
	_, body := k.send(t, "POST", url.Values{"token": {token}})
	assert.Contains(t, body, "undo|")
	status, body := k.press(t, token)
	assert.Equal(t, http.StatusSeeOther, status, body)
	assert.Equal(t, recovery.ToUndo, k.acts[len(k.acts)-1])
}

// A link that recovers, and the one that repudiates it afterwards.
func TestLinkPageRecovers(t *testing.T) {
	k := newLinkKit(t)
	ctx, clerk := t.Context(), civicpin.Operator("clerk.7")
	issue, err := k.pins.Issue(ctx, ana, pin.IssueOptions{Parts: []civicpin.Contact{{Channel: civicpin.HandedOver}}, By: clerk})
	assert.NoError(t, err)
	attempt := pin.Attempt{Subject: ana, Secret: issue.Slip}
	assert.NoError(t, testkit.Err(k.pins.Exchange(ctx, attempt, civicpin.NewSecret("tres gatos en el tejado"))))
	known := []civicpin.Contact{{Channel: civicpin.Email, Address: anaMail}}
	assert.NoError(t, k.contacts.Adopt(ctx, ana, known, clerk, civicpin.Source{}))
	assert.NoError(t, testkit.Err(k.rec.Start(ctx, "password", ana, civicpin.Source{})))
	for _, step := range []struct {
		kind civicpin.MessageKind
		want recovery.Purpose
	}{{recovery.LinkMessage, recovery.ToRecover}, {recovery.NoticeDone, recovery.ToRepudiate}} {
		token := k.link(t, anaMail, step.kind)
		_, body := k.send(t, "POST", url.Values{"token": {token}})
		assert.Contains(t, body, string(step.want)+"|")
		status, body := k.send(t, "POST", url.Values{"token": {token}, "act": {"1"}})
		assert.Equal(t, http.StatusSeeOther, status, body)
		assert.Equal(t, step.want, k.acts[len(k.acts)-1])
	}
}

// Without scripts the link is pasted, as mail programs show it.
func TestLinkPagePasted(t *testing.T) {
	k := newLinkKit(t)
	token := k.add(t, anaMail)
	for _, text := range []string{token, " " + token + "\r\n", portal + "/link#" + token, token[:20] + "\r\n " + token[20:]} {
		_, body := k.send(t, "POST", url.Values{"token": {text}})
		assert.Contains(t, body, "prove|", text)
	}
	for _, text := range []string{"", "x", token[1:], `"><script>`, strings.Repeat("a", 1<<20)} {
		status, body := k.send(t, "POST", url.Values{"token": {text}, "act": {"1"}})
		assert.Equal(t, http.StatusGone, status)
		assert.NotContains(t, body, `"><script>`)
	}
	assert.Empty(t, k.acts)
}

// Without scripts, too, the token is out of the address once the link was pasted: the form goes to the page's own address, behind
// any proxy, and not to what stands behind the "#".
func TestLinkPagePastedLeaves(t *testing.T) {
	k := newLinkKit(t)
	action := regexp.MustCompile(`<form method="post" action="([^"]+)"`)
	for path, want := range map[string]string{
		"/link": "/link", "/inps/link?lang=it&x=1": "/inps/link?lang=it&x=1", "/inps/": "/inps/", "/": "/", "/a:b": "/a:b", "/a%2Fb": "/a%2Fb",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, k.server.URL+path, nil)
		assert.NoError(t, err)
		answer, err := http.DefaultTransport.RoundTrip(r)
		assert.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		assert.NoError(t, err)
		assert.NoError(t, answer.Body.Close())
		found := action.FindStringSubmatch(string(body))
		if !assert.Len(t, found, 2, "%s", body) {
			return
		}
		shown, err := url.Parse(portal + "/behind/a/proxy" + path + "#token")
		assert.NoError(t, err)
		to, err := shown.Parse(html.UnescapeString(found[1]))
		assert.NoError(t, err)
		assert.Equal(t, portal+"/behind/a/proxy"+want, to.String())
	}
}

// An act that asks for a challenge gets one, on the page that still has the token. No other refusal shows one.
func TestLinkPageChallenge(t *testing.T) {
	k := newLinkKit(t)
	token := k.add(t, anaMail)
	k.fail = fmt.Errorf("portal: %w", lockout.ErrChallenge)
	status, body := k.press(t, token)
	assert.Equal(t, http.StatusTooManyRequests, status)
	assert.Contains(t, body, "prove|a***@correo.example|challenge|")
	assert.Contains(t, body, `<input name="captcha">`)
	assert.Contains(t, body, `name="token" value="`+token+`"`)
	assert.Contains(t, body, `name="act"`)
	assert.NotContains(t, body, "<script")
	k.fail = errors.New("down")
	_, body = k.press(t, token)
	assert.NotContains(t, body, "captcha")
	k.fail = nil
	_, body = k.send(t, "POST", url.Values{"token": {token}})
	assert.NotContains(t, body, "captcha")
	status, _ = k.send(t, "POST", url.Values{"token": {token}, "act": {"1"}, "captcha": {"7"}})
	assert.Equal(t, http.StatusSeeOther, status)
}

func TestLinkPageRefuses(t *testing.T) {
	k := newLinkKit(t)
	token := url.Values{"token": {k.add(t, anaMail)}, "act": {"1"}}
	k.fail = errors.New("database: no route to 10.0.0.7")
	status, body := k.send(t, "POST", token)
	assert.Equal(t, http.StatusInternalServerError, status)
	assert.Contains(t, body, "||internal|")
	assert.NotContains(t, body, "10.0.0.7")
	status, _ = k.send(t, "PUT", nil)
	assert.Equal(t, http.StatusMethodNotAllowed, status)
	status, _ = k.send(t, "POST", url.Values{"token": {strings.Repeat("a", 3<<20)}})
	assert.Equal(t, http.StatusRequestEntityTooLarge, status)
	info, err := k.rec.Inspect(t.Context(), civicpin.NewSecret(token.Get("token")))
	assert.NoError(t, err)
	k.clock.Set(info.ExpiresAt.Add(time.Second))
	status, body = k.send(t, "POST", url.Values{"token": token["token"]})
	assert.Equal(t, http.StatusGone, status)
	assert.Contains(t, body, "||expired|")
	assert.Empty(t, k.acts)
	assert.Panics(t, func() { web.LinkPage(nil, web.Page{}) })
}

// Without the headers of Secure a page of another site could press the button.
func TestLinkPageNeedsSecure(t *testing.T) {
	k := newLinkKit(t)
	w := httptest.NewRecorder()
	page := web.Page{
		Template: template.Must(template.New("").Parse("x")), Labels: func(*http.Request) web.Labels { return web.Labels{} },
		Act: func(http.ResponseWriter, *http.Request, recovery.LinkInfo, civicpin.Secret) error { return nil },
	}
	web.LinkPage(k.rec, page).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	assert.Equal(t, http.StatusInternalServerError, w.Code)
}
