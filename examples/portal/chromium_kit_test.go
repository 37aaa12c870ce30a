package main

import (
	"context"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/servers"
)

// A tab is one of Debian's Chromium. It fails its test for an error on the console, a breach of the page's security policy, and
// a request to a host that is not the portal's.
type tab struct {
	t       *testing.T
	p       *portal
	lang    string
	scripts bool
	ctx     context.Context
	pages   int // that it looked over

	mu    sync.Mutex
	hosts map[string]bool // that it may ask
	bad   []string
	asked []string // method and path of each request that it sent
}

// longest is how long a tab waits for what it is to press or to see.
const longest = 30 * time.Second

// newTab starts a Chromium in a profile of its own.
func newTab(t *testing.T, p *portal, lang string, scripts bool) *tab {
	t.Helper()
	program := servers.Program(t, "chromium")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("accept-lang", lang), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("disable-component-update", true))
	ctx, stopBrowser := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stopBrowser)
	return watch(t, ctx, p, lang, scripts)
}

// beside opens another tab of the same Chromium: of the same session, or, with chromedp.WithNewBrowserContext, of another
// person, who shares no cookie with this one.
func (b *tab) beside(options ...chromedp.ContextOption) *tab {
	b.t.Helper()
	return watch(b.t, b.ctx, b.p, b.lang, b.scripts, options...)
}

// watch opens a tab, and listens to it.
func watch(t *testing.T, parent context.Context, p *portal, lang string, scripts bool, options ...chromedp.ContextOption) *tab {
	t.Helper()
	tabContext, stopTab := chromedp.NewContext(parent, options...)
	b := &tab{t: t, p: p, lang: lang, scripts: scripts, hosts: map[string]bool{p.base: true}}
	require.NoError(t, chromedp.Listen(tabContext, b.listen))
	var stopClock context.CancelFunc
	b.ctx, stopClock = context.WithTimeout(tabContext, 5*time.Minute)
	t.Cleanup(func() {
		stopClock()
		_ = chromedp.Cancel(tabContext) // waits until the tab is gone
		stopTab()
		require.Empty(t, b.faults())
		require.NotEmpty(t, b.requests())
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
		// A page that refuses has a status that Chromium reports; and it has advice for the authors of forms.
		if e.Entry.Source != log.EntrySourceNetwork && e.Entry.Level != log.EntryLevelVerbose {
			b.bad = append(b.bad, e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		u, err := url.Parse(e.Request.URL)
		if err != nil || !b.hosts["http://"+u.Host] {
			b.bad = append(b.bad, "request to "+e.Request.URL)
			return
		}
		b.asked = append(b.asked, e.Request.Method+" "+u.Path)
	}
}

// faults returns what the tab did that no page may cause, and forgets it.
func (b *tab) faults() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() { b.bad = nil }()
	return b.bad
}

// requests returns what the tab asked for.
func (b *tab) requests() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked[:len(b.asked):len(b.asked)]
}

// run does something in the tab.
func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, longest)
	defer stop()
	require.NoError(b.t, chromedp.Do(ctx, actions...))
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

// until waits for something to be so, and requires it.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(longest); time.Now().Before(end); time.Sleep(25 * time.Millisecond) {
		if is() {
			return
		}
	}
	require.Fail(t, "in vain", "waited for %s", what)
}
