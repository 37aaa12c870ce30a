package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

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
	p.attacks.start(&attack{Kind: "guess", Requests: 1000, Events: map[string]int{"pin.refused wrong": 5}, Owner: "no", Done: true})
	for _, path := range sortedKeys(p.pages) {
		b.open(path)
		b.look(path)
	}
}

// look looks a page over on a telephone and on a wide screen.
func (b *tab) look(path string) {
	b.t.Helper()
	b.pages++
	for _, width := range []int64{360, 1280} {
		b.run(chromedp.EmulateViewport(width, 800))
		require.Empty(b.t, get(b, chromedp.Evaluate[[]string](owed)), "%s at %d", path, width)
		b.picture(path, width)
	}
	b.named(path)
}

// named requires each control to have a name in the accessibility tree.
func (b *tab) named(path string) {
	b.t.Helper()
	require.Empty(b.t, b.nameless(), path)
}

// nameless returns the kinds of the controls that have no name.
func (b *tab) nameless() (kinds []string) {
	b.t.Helper()
	controls := map[string]bool{"button": true, "textbox": true, "checkbox": true, "radio": true, "combobox": true, "link": true}
	found := 0
	for _, node := range call(b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		if node.Ignored || node.Role == nil || !controls[strings.Trim(string(node.Role.Value), `"`)] {
			continue
		}
		found++
		if node.Name == nil || strings.Trim(string(node.Name.Value), `"`) == "" {
			kinds = append(kinds, strings.Trim(string(node.Role.Value), `"`))
		}
	}
	require.Positive(b.t, found)
	return kinds
}

// picture keeps a screenshot of the page, to be looked at: with go test -artifacts.
func (b *tab) picture(path string, width int64) {
	b.t.Helper()
	if keeps := flag.Lookup("test.artifacts"); keeps == nil || keeps.Value.String() != "true" {
		return
	}
	name := fmt.Sprintf("%03d%s-%d.png", b.pages, strings.TrimSuffix(strings.ReplaceAll(path, "/", "-"), "-"), width)
	require.NoError(b.t, os.WriteFile(filepath.Join(b.t.ArtifactDir(), name), get(b, chromedp.FullScreenshot(100)), 0o600))
}
