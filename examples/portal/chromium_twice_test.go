package main

import (
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// twiceAtOnce sends the page's form twice at the same time, and returns where each of the two leads.
const twiceAtOnce = `(() => {
	const typed = new URLSearchParams(new FormData(document.querySelector('main form')));
	const send = async () => { const a = await fetch(location.pathname, {method: 'POST', body: typed}); return a.status + ' ' + new URL(a.url).pathname; };
	return Promise.all([send(), send()]);
})()`

// A form that is sent twice at once, or by two clicks, does what it does once.
func TestChromiumTwice(t *testing.T) {
	p := newPortal(t)
	b := newTab(t, p, "en", true)
	b.open("/inps/request")
	b.typed("id="+mariaCF, "mobile=333 123 4567", "email="+mailbox)
	b.clickTwice(`main form button`)
	b.settles("/inps/first")
	first, second := halves(t, p, marias, mailbox)

	b.typed("id="+mariaCF, "half1="+first, "half2="+second, "new="+herPIN, "again="+herPIN)
	require.Equal(t, 2, p.inbox.count("inps"), "messages of a request that was sent twice")
	require.Equal(t, []string{"200 /inps/mine", "200 /inps/mine"}, b.twice())
	b.login(herPIN)
	b.at("/inps/mine")

	b.begin("inps", unlockINPS, mariaCF)
	b.human("inps")
	b.inspect("inps", mailbox)
	b.clickTwice(`button[name=act]`)
	b.settles("/inps/login", "/inps/link")
	b.login(herPIN)
	b.at("/inps/mine")

	b.open("/inps/change")
	b.typed("id="+mariaCF, "secret="+herPIN, "new="+another, "again="+another)
	require.Equal(t, []string{"200 /inps/mine", "200 /inps/mine"}, b.twice())
	b.login(another)
	b.at("/inps/mine")
}

// twice sends the form twice at once.
func (b *tab) twice() []string {
	b.t.Helper()
	got := get(b, chromedp.Evaluate[[]string](twiceAtOnce, chromedp.EvalAwaitPromise))
	slices.Sort(got)
	return got
}

// clickTwice clicks twice, before the answer to the first click has come.
func (b *tab) clickTwice(selector string) {
	b.t.Helper()
	sent := b.posts()
	b.run(chromedp.DoubleClick(chromedp.CSS(selector)))
	until(b.t, "a form", func() bool { return b.posts() > sent })
}

// settles waits until the tab is on one of these pages and asks for nothing more.
func (b *tab) settles(paths ...string) {
	b.t.Helper()
	asked := 0
	until(b.t, "an end", func() bool {
		before := asked
		asked = len(b.requests())
		here := get(b, chromedp.Evaluate[string](`document.readyState == 'complete' ? location.pathname : ''`))
		return asked == before && slices.Contains(paths, here)
	})
}
