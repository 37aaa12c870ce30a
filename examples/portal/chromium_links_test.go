package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/recovery"
)

// Links of all kinds are opened by GET, HEAD, a prefetch, and a Chromium that presses nothing; and then they work, once.
func TestChromiumLinks(t *testing.T) {
	p := newPortal(t)
	person := newBrowser(t, p).withPIN()
	b := newTab(t, p, "it", true)
	const added = "other@example.it"
	for _, one := range []struct {
		purpose    recovery.Purpose
		to, behind string
		ask        func()
	}{
		{recovery.ToRecover, mailbox, "/inps/login", func() {
			person.send("/inps/start", "plan="+unlockINPS, "id="+mariaCF).at("/inps/run")
			person.solve("/inps/run").at("/inps/run")
		}},
		{recovery.ToProve, added, "/inps/done", func() {
			person.send("/inps/contacts", "act=add", "email="+added, "secret="+herPIN).at("/inps/contacts")
		}},
		{recovery.ToUndo, mailbox, "/inps/done", func() {}},
	} {
		one.ask()
		link := linkTo(t, p, one.to, one.purpose)
		b.scanned(link)
		b.run(chromedp.Navigate("about:blank"), chromedp.Navigate(link), chromedp.WaitReady(chromedp.CSS(`button[name=act]`)))
		b.says("link.purpose." + string(one.purpose))
		b.press(`button[name=act]`)
		b.at(one.behind)
		b.run(chromedp.Navigate("about:blank"), chromedp.Navigate(link), chromedp.WaitReady(chromedp.CSS(`.alert`)))
		require.Empty(t, get(b, chromedp.Evaluate[[]string](`[...document.querySelectorAll('button[name=act]')].map(e => e.name)`)))
		b.at("/inps/link")
	}
}

// scanned opens a link as scanners of mail and programs for mail do.
func (b *tab) scanned(link string) {
	b.t.Helper()
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for _, header := range []string{"User-Agent", "Sec-Purpose", "Purpose"} {
			r, err := http.NewRequestWithContext(b.t.Context(), method, link, nil)
			require.NoError(b.t, err)
			r.Header.Set(header, "prefetch;prerender")
			answer, err := http.DefaultClient.Do(r)
			require.NoError(b.t, err)
			require.NoError(b.t, answer.Body.Close())
			require.Equal(b.t, http.StatusOK, answer.StatusCode)
		}
	}
	mails := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<link rel="icon" href="data:,"><link rel="prefetch" href="%[1]s"><a href="%[1]s">mail</a>`, link)
	}))
	defer mails.Close()
	scanner := b.beside(chromedp.WithNewBrowserContext())
	scanner.hosts[mails.URL] = true
	scanner.run(chromedp.Navigate(mails.URL))
	path, _, _ := strings.Cut(strings.TrimPrefix(link, b.p.base), "#")
	until(b.t, "the prefetch", func() bool { return slices.Contains(scanner.requests(), "GET "+path) })
	scanner.run(chromedp.Navigate(link), chromedp.WaitReady(chromedp.CSS(`button[name=act]`)))
}
