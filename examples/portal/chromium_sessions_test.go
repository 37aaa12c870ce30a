package main

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// posts counts the forms that the tab sent.
func (b *tab) posts() (n int) {
	for _, one := range b.requests() {
		if strings.HasPrefix(one, "POST ") {
			n++
		}
	}
	return n
}

// again reloads the page: of a form that was taken nothing is sent twice.
func (b *tab) again(path string) {
	b.t.Helper()
	sent := b.posts()
	b.run(chromedp.Reload())
	b.at(path)
	require.Equal(b.t, sent, b.posts())
}

// session returns the cookie of the session.
func (b *tab) session() string {
	b.t.Helper()
	for _, c := range call(b, network.GetCookies, network.GetCookiesParams{URLs: []string{b.p.base}}).Cookies {
		if c.Name == b.p.session.Cookie.Name {
			return c.Value
		}
	}
	return ""
}

func (b *tab) login(secret string, more ...string) {
	b.t.Helper()
	b.open("/inps/login")
	b.fill(1, append(more, "id="+mariaCF, "secret="+secret)...)
}

// A reload sends no form twice, and the way back shows neither what was typed nor what is behind the login.
func TestChromiumBack(t *testing.T) {
	p := newPortal(t)
	b := newTab(t, p, "en", true)
	b.open("/inps/request")
	b.fill(1, "id="+mariaCF, "mobile=333 123 4567", "email="+mailbox)
	b.again("/inps/first")
	first, second := halves(t, p, marias, mailbox)
	b.again("/inps/first")
	require.Equal(t, 2, p.inbox.count("inps"), "messages of one request")

	exchange := []string{"id=" + mariaCF, "half1=" + first, "half2=" + second, "new=" + herPIN, "again=" + herPIN}
	b.fill(1, exchange...)
	b.again("/inps/mine")
	b.run(chromedp.NavigateBack())
	b.at("/inps/first")
	require.Empty(t, get(b, chromedp.Evaluate[string](`[...document.querySelectorAll('[type=password]')].map(e => e.value).join('')`)))
	b.fill(1, exchange...) // once more, though it was taken: the library knows it again
	b.at("/inps/mine")
	require.Equal(t, 2, p.inbox.count("inps"))

	b.press(`main form:last-of-type button`) // logs out
	b.again("/inps/")
	b.run(chromedp.NavigateBack())
	b.at("/inps/login")
}

// Two tabs are one session. Another browser is another one, which ends with the secret. One that was planted before the login is
// worthless after it.
func TestChromiumSessions(t *testing.T) {
	p := newPortal(t)
	newBrowser(t, p).withPIN()
	thief := newTab(t, p, "en", true)
	thief.begin("inps", "", mariaCF)
	owner := thief.beside(chromedp.WithNewBrowserContext())
	for _, planted := range []string{"invented", thief.session()} {
		require.NotEmpty(t, planted)
		call(owner, network.SetCookie, network.SetCookieParams{Name: p.session.Cookie.Name, Value: planted, URL: p.base})
		owner.login(herPIN)
		owner.at("/inps/mine")
		require.NotEqual(t, planted, owner.session())
	}
	thief.open("/inps/mine")
	thief.at("/inps/login")
	thief.open("/inps/run")
	thief.says("run.none")

	second := owner.beside()
	second.open("/inps/change")
	third := owner.beside(chromedp.WithNewBrowserContext())
	third.login(herPIN)
	third.at("/inps/mine")
	owner.open("/inps/change")
	owner.fill(1, "id="+mariaCF, "secret="+herPIN, "new="+another, "again="+another)
	owner.at("/inps/mine")
	third.run(chromedp.Reload())
	third.at("/inps/login")
	third.says("session.ended")

	second.fill(1, "id="+mariaCF, "secret="+herPIN, "new=JK5P9SUY", "again=JK5P9SUY") // the form was open all the time
	second.says("tries.left", 4)
	second.open("/inps/mine")
	second.at("/inps/mine")
	owner.press(`main form:last-of-type button`) // logs out
	owner.at("/inps/")
	second.press(`main form:last-of-type button`)
	second.at("/inps/login")
}

// Two tabs are on different steps of one recovery: the one that is behind is told what is asked for now.
func TestChromiumSteps(t *testing.T) {
	p := newPortal(t)
	b := newTab(t, p, "es", true)
	b.begin("iess", "", luciaID)
	behind := b.beside()
	behind.open("/iess/run")
	b.human("iess")
	behind.fill(1, behind.sum())
	behind.says("number.wrong")
	behind.fill(1, "fact.birth-day=14", "fact.birth-month=3")
	behind.at("/iess/run")
	b.run(chromedp.NavigateBack())
	b.at("/iess/run")
	b.fill(1, "correct="+lucias)
	b.follow("iess", lucias)
	b.at("/iess/run")
}
