package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// badPage does what no page of the portal may do. Its icon is empty, or the browser would ask for one at any time.
const badPage = `<!DOCTYPE html><html lang="en"><link rel="icon" href="data:,">
<main><p style="position: absolute; top: 300px">read first</p><h1>One</h1><h1>Two</h1><p id="a" style="color: #999">pale</p><p id="a">twice</p>
<button style="width: 9px; height: 9px; padding: 0"></button><p style="width: 2000px">wide</p><input aria-describedby="none">
<input id="b" tabindex="1"><label for="b">behind</label>
<p style="height: 5px; overflow: hidden">cut</p><p style="position: absolute; top: 300px">over it</p><p>above it</p></main>
<script nonce="good">console.error("said"); setTimeout(() => { throw new Error("thrown"); });</script><script>1</script></html>`

// The tests of all pages notice what they are there for.
func TestChromiumWatch(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", "script-src 'nonce-good'")
		fmt.Fprint(w, badPage)
	}))
	defer other.Close()
	p := newPortal(t)
	b := newTab(t, p, "en", true)
	b.open("/")
	require.Empty(t, b.faults())
	b.run(chromedp.EmulateViewport(360, 800), chromedp.Navigate(other.URL))
	var found []string
	for _, want := range []string{"request to " + other.URL, "console: error", "Uncaught", "Content Security Policy"} {
		until(t, want, func() bool {
			found = append(found, b.faults()...)
			return strings.Contains(strings.Join(found, "\n"), want)
		})
	}
	bad := strings.Join(get(b, chromedp.Evaluate[[]string](owed)), "\n")
	for _, want := range []string{"not one h1", "scrolls sideways", "an id twice", "small: ", "described by nothing", "contrast ", "cut off: cut", "one over the other: read first, over it"} {
		require.Contains(t, bad, want)
	}
	misread := strings.Join(b.misread(), "\n")
	for _, want := range []string{"no name: button", `label: "behind" is by`, "before the heading: read first", `order: StaticText "cut"`, "landmarks: main"} {
		require.Contains(t, misread, want)
	}
	misled := strings.Join(b.misled(), "\n")
	require.Contains(t, misled, "stop 0")
	b.faults()
}
