package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// open opens a page of the portal by its address.
func (b *tab) open(path string) {
	b.t.Helper()
	b.run(chromedp.Navigate(b.p.base + path))
}

// fill types into the fields of the page's form number n, and presses its button, as a person does. A blank ticks a box.
func (b *tab) fill(n int, typed ...string) {
	b.t.Helper()
	form := `main form:nth-of-type(` + string(rune('0'+n)) + `) `
	b.types(form, typed...)
	b.press(form + `p:last-of-type > button`)
}

// act types into the fields of the page's form for an act, and presses its button.
func (b *tab) act(act string, typed ...string) {
	b.t.Helper()
	form := `main form:has(input[name=act][value=` + act + `]) `
	b.types(form, typed...)
	b.press(form + `p:last-of-type > button`)
}

// typed types into the fields of the page's first form.
func (b *tab) typed(typed ...string) {
	b.t.Helper()
	b.types(`main form:nth-of-type(1) `, typed...)
}

func (b *tab) types(form string, typed ...string) {
	b.t.Helper()
	for _, one := range typed {
		name, value, _ := strings.Cut(one, "=")
		field := form + `[name="` + name + `"]`
		if name[0] <= '9' { // of two fields with one name: the field's number and the name
			field = form + `[id$="-` + name + `"]`
		}
		b.run(chromedp.WaitReady(chromedp.CSS(field)))
		if value != " " { // also what the browser filled in again
			get(b, chromedp.Evaluate[string](fmt.Sprintf(`document.querySelector(%q).value = ''`, field)))
		}
		b.run(chromedp.SendKeys(chromedp.CSS(field), value))
	}
}

// choose chooses one of the page's radio buttons.
func (b *tab) choose(value string) {
	b.t.Helper()
	b.run(chromedp.Click(chromedp.CSS(`input[value="` + value + `"]`)))
}

// press presses a button or a link, and waits for the next page.
func (b *tab) press(selector string) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, longest)
	defer stop()
	_, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector)))
	require.NoError(b.t, err, selector)
}

// at requires the tab to come to a page, since scripts and redirects take a moment, and looks the page over.
func (b *tab) at(path string) {
	b.t.Helper()
	until(b.t, path, func() bool {
		u, err := url.Parse(get(b, chromedp.Location()))
		return err == nil && u.Path == path
	})
	b.look(path)
}

// word returns what the portal says in the tab's language.
func (b *tab) word(key string, args ...any) string {
	return (&visit{p: b.p, lang: b.lang}).T(key, args...)
}

// says requires the page to say something.
func (b *tab) says(key string, args ...any) {
	b.t.Helper()
	b.sees(b.word(key, args...))
}

// sees requires words on the page.
func (b *tab) sees(words string) {
	b.t.Helper()
	require.Contains(b.t, b.main(), words)
}

// main returns the text of the page.
func (b *tab) main() string {
	b.t.Helper()
	return get(b, chromedp.Text(chromedp.CSS("main")))
}

// inspect opens the newest good link of a mailbox in the inbox: by its script, or, without scripts, by pasting it.
func (b *tab) inspect(system, mailbox string) {
	b.t.Helper()
	link := goodLink(b.t, b.p, mailbox)
	b.open("/inbox")
	b.press(`article a[href="` + link + `"]`)
	if !b.scripts {
		b.at("/" + system + "/link")
		b.paste(link)
	}
	b.run(chromedp.WaitReady(chromedp.CSS(`button[name=act]`)))
	if b.scripts {
		require.NotContains(b.t, get(b, chromedp.Location()), "#", "the token is out of the address")
	}
	b.at("/" + system + "/link")
}

// paste pastes a link into the page behind links.
func (b *tab) paste(link string) {
	b.t.Helper()
	b.run(chromedp.SendKeys(chromedp.CSS(`input[name=token]`), link))
	b.press(`#civicpin-link button`)
}

// follow uses the newest good link. Looking at it twice does not use it up.
func (b *tab) follow(system, mailbox string) {
	b.t.Helper()
	b.inspect(system, mailbox)
	b.inspect(system, mailbox)
	b.press(`button[name=act]`)
}

// begin begins a recovery: by the plan that the page offers first, or by another.
func (b *tab) begin(system, plan, id string) {
	b.t.Helper()
	b.open("/" + system + "/start")
	if plan != "" {
		b.choose(plan)
	}
	b.fill(1, "id="+id)
	b.at("/" + system + "/run")
}

// sum is the field of the page's sum, solved.
func (b *tab) sum() string {
	b.t.Helper()
	return "captcha=" + solved(b.t, b.p, get(b, chromedp.Text(chromedp.CSS("main"))))
}

// human says that the visitor is not a robot.
func (b *tab) human(system string) {
	b.t.Helper()
	b.fill(1, b.sum())
	b.at("/" + system + "/run")
}

// walk walks a way with scripts in one language, and without them in another, each in a portal of its own.
func walk(t *testing.T, with, without string, way func(*tab)) {
	t.Helper()
	for lang, scripts := range map[string]bool{with: true, without: false} {
		t.Run(lang, func(t *testing.T) { way(newTab(t, newPortal(t), lang, scripts)) })
	}
}
