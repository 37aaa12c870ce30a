package main

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/servers"
)

// A tab is one of Debian's Chromium, in a profile of its own. It fails its test for an error on the console, a breach of the
// page's security policy, and a request to another host.
type tab struct {
	t    *testing.T
	p    *portal
	ctx  context.Context
	mu   sync.Mutex
	bad  []string
	asks int // requests that it sent
}

func newTab(t *testing.T, p *portal, lang string, scripts bool) *tab {
	t.Helper()
	program := servers.Program(t, "chromium")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("accept-lang", lang), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("disable-component-update", true))
	ctx, stopBrowser := chromedp.NewExecAllocator(context.Background(), options...)
	tabContext, stopTab := chromedp.NewContext(ctx)
	b := &tab{t: t, p: p}
	require.NoError(t, chromedp.Listen(tabContext, b.listen))
	var stopClock context.CancelFunc
	b.ctx, stopClock = context.WithTimeout(tabContext, 8*time.Minute)
	t.Cleanup(func() {
		stopClock()
		_ = chromedp.Cancel(tabContext) // waits until the browser is gone
		stopTab()
		stopBrowser()
		b.mu.Lock()
		defer b.mu.Unlock()
		require.Empty(t, b.bad)
		require.Positive(t, b.asks)
	})
	call(b, network.Enable, network.EnableParams{})
	call(b, log.Enable, cdp.Empty{})
	call(b, runtime.Enable, cdp.Empty{})
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !scripts})
	return b
}

func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.bad = append(b.bad, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.bad = append(b.bad, "console: "+string(e.Type))
	case *log.EventEntryAdded:
		if e.Entry.Source != log.EntrySourceNetwork { // a page that refuses has a status that Chromium reports
			b.bad = append(b.bad, e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		b.asks++
		if u, err := url.Parse(e.Request.URL); err != nil || "http://"+u.Host != b.p.base {
			b.bad = append(b.bad, "request to "+e.Request.URL)
		}
	}
}

// run does something in the tab.
func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, actions...))
}

// call sends a command to the tab, and get asks it for something.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	answer, err := chromedp.Call(b.ctx, command, params)
	require.NoError(b.t, err)
	return answer
}

func get[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, action)
	require.NoError(b.t, err)
	return value
}

func (b *tab) open(path string) {
	b.t.Helper()
	b.run(chromedp.Navigate(b.p.base + path))
}

// fill types into the fields of the page's form number n, and presses its button, as a person does.
func (b *tab) fill(n int, typed ...string) {
	b.t.Helper()
	form := `main form:nth-of-type(` + string(rune('0'+n)) + `) `
	for _, one := range typed {
		name, value, _ := strings.Cut(one, "=")
		b.run(chromedp.SendKeys(chromedp.CSS(form+`[name="`+name+`"]`), value))
	}
	b.press(form + `p:last-of-type > button`)
}

// press presses a button or a link, and waits for the next page.
func (b *tab) press(selector string) {
	b.t.Helper()
	_, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.CSS(selector)))
	require.NoError(b.t, err, selector)
}

// at requires the tab to be on a page, in a moment: scripts and redirects take one.
func (b *tab) at(path string) {
	b.t.Helper()
	var here string
	for range 100 {
		here = get(b, chromedp.Location())
		if u, err := url.Parse(here); err == nil && u.Path == path {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	require.Fail(b.t, "on another page", "%s, not %s: %s", here, path, get(b, chromedp.Text(chromedp.CSS("main"))))
}

// sees requires words on the page.
func (b *tab) sees(words string) {
	b.t.Helper()
	require.Contains(b.t, get(b, chromedp.Text(chromedp.CSS("main"))), words)
}

// The whole way of a citizen, with and without scripts, in two languages: a PIN in two halves, an exchange, a lock, a link.
func TestChromiumCitizen(t *testing.T) {
	for name, scripts := range map[string]bool{"en": true, "es": false} {
		t.Run(name, func(t *testing.T) {
			p := newPortal(t)
			b := newTab(t, p, name, scripts)
			b.open("/")
			b.press(`nav a[href$="/inps/"]`)
			b.at("/inps/")
			b.press(`.links a[href$="/inps/request"]`)
			b.fill(1, "id="+mariaCF, "mobile=333 123 4567", "email="+mailbox)
			b.at("/inps/first")
			first, second := halves(t, p, marias, mailbox)
			b.open("/inbox")
			b.sees(first)
			b.open("/inps/first")
			b.fill(1, "id="+mariaCF, "half1="+first, "half2="+second, "new=12345678", "again=12345678")
			b.sees(p.words[name]["form.look"])
			b.fill(1, "half1="+first, "half2="+second, "new="+herPIN, "again="+herPIN)
			b.at("/inps/mine")
			b.run(chromedp.Reload())
			b.sees("ordinario")
			b.press(`main form:last-of-type button`) // logs out
			b.at("/inps/")
			b.run(chromedp.NavigateBack())
			b.open("/inps/mine")
			b.at("/inps/login")

			b.open("/inps/start")
			b.run(chromedp.Click(chromedp.CSS(`input[value="` + unlockINPS + `"]`)))
			b.fill(1, "id="+mariaCF)
			b.at("/inps/run")
			b.fill(1, "captcha="+solved(t, p, get(b, chromedp.Text(chromedp.CSS("main")))))
			b.at("/inps/run")
			b.follow(scripts)
			b.at("/inps/login")
			b.fill(1, "id="+mariaCF, "secret="+herPIN)
			b.at("/inps/mine")
		})
	}
}

// follow follows the newest link in the inbox: by its script, or, without scripts, by pasting it. Looking does not use it up.
func (b *tab) follow(scripts bool) {
	b.t.Helper()
	link := came(b.t, b.p, "email", mailbox, linkOf)
	for range 2 {
		b.open("/inbox")
		b.press(`article a[href="` + link + `"]`)
		b.at("/inps/link")
		if !scripts {
			b.run(chromedp.SendKeys(chromedp.CSS(`input[name=token]`), link))
			b.press(`#civicpin-link button`)
		}
		b.run(chromedp.WaitReady(chromedp.CSS(`button[name=act]`)))
		require.NotContains(b.t, get(b, chromedp.Location()), "token", "the token is out of the address")
	}
	b.press(`button[name=act]`)
}

// What a page owes to everybody, found out in the page itself.
const owed = `(() => {
	const bad = [], seen = e => e.getClientRects().length > 0;
	if (document.querySelectorAll('h1').length != 1) bad.push('not one h1');
	if (document.documentElement.scrollWidth > innerWidth) bad.push('scrolls sideways: ' + document.documentElement.scrollWidth);
	const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
	if (new Set(ids).size != ids.length) bad.push('an id twice');
	for (const e of document.querySelectorAll('button, input:not([type=hidden]), select, nav a, .links a')) {
		const r = e.getBoundingClientRect();
		if (seen(e) && (r.width < 24 || r.height < 24)) bad.push('small: ' + e.outerHTML);
	}
	for (const e of document.querySelectorAll('[aria-describedby]'))
		if (!document.getElementById(e.getAttribute('aria-describedby'))) bad.push('described by nothing: ' + e.outerHTML);
	const rgb = s => s.match(/[\d.]+/g).map(Number);
	const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
		return .2126 * r + .7152 * g + .0722 * b; };
	const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
		if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
	for (const e of document.querySelectorAll('body *')) {
		if (!seen(e) || ![...e.childNodes].some(n => n.nodeType == 3 && n.data.trim())) continue;
		const [a, b] = [light(rgb(getComputedStyle(e).color).slice(0, 3)), light(ground(e).slice(0, 3))].sort((x, y) => y - x);
		if ((a + .05) / (b + .05) < 4.5) bad.push('contrast ' + (a + .05) / (b + .05) + ': ' + e.outerHTML);
	}
	return bad;
})()`

// Every page, on a telephone and on a wide screen: one heading, no sideways scrolling, contrast, size of targets, names.
func TestChromiumPages(t *testing.T) {
	p := newPortal(t)
	b := newTab(t, p, "it", true)
	newBrowser(t, p).withPIN()
	b.open("/inps/login")
	b.fill(1, "id="+mariaCF, "secret="+herPIN)
	b.open("/desk")
	b.fill(1, "id="+mariaCF)
	b.at("/desk/inps")
	b.open("/iess/start")
	b.fill(1, "id="+luciaID)
	b.at("/iess/run")
	p.attacks.start(&attack{Kind: "guess", Requests: 1000, Events: map[string]int{"pin.refused wrong": 5}, Owner: "no", Done: true})
	for path := range p.pages {
		for _, width := range []int64{360, 1280} {
			b.run(chromedp.EmulateViewport(width, 800))
			b.open(path)
			require.Empty(t, get(b, chromedp.Evaluate[[]string](owed)), "%s at %d", path, width)
			b.picture(path, width)
		}
		b.named(path)
	}
}

// named requires each control to have a name in the accessibility tree.
func (b *tab) named(path string) {
	b.t.Helper()
	controls := map[string]bool{"button": true, "textbox": true, "checkbox": true, "radio": true, "combobox": true, "link": true}
	found := 0
	for _, node := range call(b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		if node.Ignored || node.Role == nil || !controls[strings.Trim(string(node.Role.Value), `"`)] {
			continue
		}
		found++
		require.NotNil(b.t, node.Name, path)
		require.NotEmpty(b.t, strings.Trim(string(node.Name.Value), `"`), "%s: a %s without a name", path, node.Role.Value)
	}
	require.Positive(b.t, found)
}

// picture keeps a screenshot of the page in the folder that CIVICPIN_SCREENSHOTS names, to be looked at.
func (b *tab) picture(path string, width int64) {
	b.t.Helper()
	folder := os.Getenv("CIVICPIN_SCREENSHOTS")
	if folder == "" {
		return
	}
	name := strings.Trim(strings.ReplaceAll(path, "/", "-"), "-") + "-" + map[int64]string{360: "360", 1280: "1280"}[width] + ".png"
	require.NoError(b.t, os.WriteFile(filepath.Join(folder, name), get(b, chromedp.FullScreenshot(100)), 0o600))
}
