package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
	const texts = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; n = walker.nextNode();) {
		const range = document.createRange();
		range.selectNodeContents(n);
		if (n.data.trim() && !n.parentElement.closest('.skip, option, script'))
			texts.push(...[...range.getClientRects()].map(r => ({n, r})));
	}
	for (const {n, r} of texts)
		for (let e = n.parentElement; e && !e.matches('.scroll'); e = e.parentElement) {
			const box = e.getBoundingClientRect(), css = getComputedStyle(e);
			const blank = css.whiteSpace == 'pre-wrap' ? parseFloat(css.fontSize) / 2 : 1; // that hangs at the end of a line
			if (css.display != 'inline' && (r.left < box.left - 1 || r.right > box.right + blank || r.top < box.top - 1 || r.bottom > box.bottom + 1))
				bad.push('cut off: ' + n.data + ' in ' + e.tagName);
		}
	texts.forEach(({n, r}, i) => { for (const {n: m, r: q} of texts.slice(i + 1))
		if (n != m && Math.min(r.right, q.right) - Math.max(r.left, q.left) > 2 && Math.min(r.bottom, q.bottom) - Math.max(r.top, q.top) > 2)
			bad.push('one over the other: ' + n.data + ', ' + m.data); });
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
		require.Empty(t, b.misled(), path)
	}
}

// views are what a page is looked at in: a telephone, a wide screen at 200 %, one with letters of twice the size, and a wide screen.
var views = []struct {
	name          string
	width, height int64
	scale         float64
	letters       string
}{
	{"360", 360, 800, 1, ""}, {"640x2", 640, 400, 2, ""}, {"1280-large", 1280, 800, 1, "200%"}, {"1280", 1280, 800, 1, ""},
}

// look looks a page over in all views, and has it read.
func (b *tab) look(path string) {
	b.t.Helper()
	b.pages++
	for _, v := range views {
		b.run(chromedp.EmulateViewport(v.width, v.height, chromedp.EmulateScale(v.scale)))
		get(b, chromedp.Evaluate[string](`document.documentElement.style.fontSize = "`+v.letters+`"`))
		require.Empty(b.t, get(b, chromedp.Evaluate[[]string](owed)), "%s at %s", path, v.name)
		b.picture(path, v.name)
	}
	require.Empty(b.t, b.misread(), path)
}

// picture keeps a screenshot of the page, to be looked at: with go test -artifacts.
func (b *tab) picture(path, view string) {
	b.t.Helper()
	if keeps := flag.Lookup("test.artifacts"); keeps == nil || keeps.Value.String() != "true" {
		return
	}
	name := fmt.Sprintf("%03d%s-%s.png", b.pages, strings.TrimSuffix(strings.ReplaceAll(path, "/", "-"), "-"), view)
	require.NoError(b.t, os.WriteFile(filepath.Join(b.t.ArtifactDir(), name), get(b, chromedp.FullScreenshot(100)), 0o600))
}
