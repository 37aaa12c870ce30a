package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A figure is one of a chart, as the page shows it: a number out of another.
type figure struct{ Value, Of int }

// figures reads the chart of the page, by the name of each bar. A bar is as long as its number says.
func (b *tab) figures() map[string]figure {
	b.t.Helper()
	rows := get(b, chromedp.Evaluate[[][2]string](`[...document.querySelectorAll('.bar')].map(
		e => [e.querySelector('span').innerText, e.querySelector('.bar-is').getAttribute('width')])`))
	all := make(map[string]figure)
	for _, row := range rows {
		name, numbers, ok := strings.Cut(row[0], ": ")
		require.True(b.t, ok, row)
		var f figure
		_, err := fmt.Sscanf(numbers, "%d "+b.word("bars.of"), &f.Value, &f.Of)
		require.NoError(b.t, err, row)
		require.Equal(b.t, fmt.Sprint(bar{Value: f.Value, Of: f.Of}.Width()), row[1], row)
		all[name] = f
	}
	return all
}

// over waits for the end of an attack. The page comes anew by itself, also without scripts.
func (b *tab) over() {
	b.t.Helper()
	for a, _ := b.p.attacks.shown(); !a.Done; a, _ = b.p.attacks.shown() { // as long as it takes on a busy machine
		require.NoError(b.t, b.ctx.Err())
		time.Sleep(25 * time.Millisecond)
	}
	b.run(chromedp.WaitVisible(chromedp.CSS(`main dt:nth-of-type(3)`)))
	b.at("/attack")
	b.says("attack.took")
}

// attacks presses the button of an attack and waits for the end of it, and returns the figures that the page then shows: those of the
// audit log.
func (b *tab) attacks(kind string, typed ...string) map[string]figure {
	b.t.Helper()
	before, sent := logged(b.t, b.p), b.p.inbox.count("inps")
	b.open("/attack")
	b.act(kind, typed...)
	b.over()
	b.says("attack." + kind)
	shown, log, pins := b.figures(), logged(b.t, b.p), 0
	for name := range log {
		if log[name] -= before[name]; strings.HasPrefix(name, "pin.") {
			pins += log[name]
		}
	}
	a := attack{Events: log}
	require.Equal(b.t, a.sum(compared...), shown[b.word("attack.compared")].Value, "%v", log)
	require.Equal(b.t, a.sum("locked"), shown[b.word("attack.locked")].Value, "%v", log)
	sent = b.p.inbox.count("inps") - sent
	if kind == "lockout" { // those who come in by a link get it, and a notice, when it is over
		sent -= 2 * len(crowd()) / 3
	}
	require.Equal(b.t, sent, shown[b.word("attack.sent")].Value)
	if busy := shown[b.word("attack.busy")]; kind != "scan" { // an event for each answer but "come again"
		require.Equal(b.t, busy.Of-busy.Value, pins-a.sum("busy", "not checked"), "%v", log)
	}
	return shown
}

// Each attack is pressed, and its figures are those of the audit log. The owner is still in: in the session, from the remembered
// browser, and by a link.
func TestChromiumAttacks(t *testing.T) {
	walk(t, "es", "en", func(b *tab) {
		newBrowser(b.t, b.p).withPIN()
		b.open("/attack")
		b.act("scan")
		b.says("attack.nolink")
		b.act("guess", "id="+mariaCF+"X")
		b.says("id.wrong")
		b.look("/attack")
		b.login(herPIN, "remember= ")
		b.at("/inps/mine")

		stranger := b.beside(chromedp.WithNewBrowserContext())
		b.open("/attack")
		require.True(b.t, b.p.attacks.start(&attack{Kind: "spray", Requests: 62, Owner: "attack.running"}))
		b.act("flood")
		b.says("attack.running")
		stranger.open("/attack")
		stranger.says("attack.running")
		require.Empty(b.t, get(stranger, chromedp.Evaluate[[]string](`[...document.querySelectorAll('main button')].map(e => e.name)`)))
		b.p.attacks.edit(func(a *attack) { a.Done = true })
		stranger.over()

		shown := b.attacks("guess", "id="+mariaCF)
		b.says("attack.owner.device")
		require.Equal(b.t, b.p.guesses, shown[b.word("attack.compared")].Of)
		require.LessOrEqual(b.t, shown[b.word("attack.compared")].Value, 5)
		b.open("/inps/mine")
		b.at("/inps/mine") // the session stayed
		stranger.login(herPIN)
		stranger.look("/inps/login")
		stranger.says("login.say")
		b.login(herPIN)
		b.at("/inps/mine") // as the device that it is

		stranger.begin("inps", unlockINPS, mariaCF)
		stranger.human("inps")
		goodLink(b.t, b.p, mailbox)
		b.attacks("scan")
		b.says("attack.owner.linkgood")
		stranger.follow("inps", mailbox)
		stranger.login(herPIN)
		stranger.at("/inps/mine")

		for _, kind := range []string{"spray", "flood"} {
			b.attacks(kind)
			b.says("attack.owner.none")
		}
		shown = b.attacks("lockout")
		b.says("attack.owner.in")
		n := len(crowd()) / 3
		for way, count := range map[string]int{"lanes": 3*n + 1, "device": n, "login": n + 1, "link": n, "out": 0} {
			require.Equal(b.t, figure{count, 3*n + 1}, shown[b.word("attack.way."+way)], way)
		}
		b.login(herPIN)
		b.at("/inps/mine")
		b.open("/events")
		b.at("/events")
	})
}
