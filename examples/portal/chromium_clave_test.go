package main

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
)

// A citizen is registered by letter, asks for a Cl@ve PIN and uses it once. A wrong one, one that came too late and one that was
// used are refused.
func TestChromiumClave(t *testing.T) {
	walk(t, "it", "es", func(b *tab) {
		b.open("/clave/")
		b.press(`.links a[href$="/clave/letter"]`)
		b.at("/clave/letter")
		b.fill(1, "id="+anaNIF)
		b.at("/clave/activate")
		b.says("clave.letter.done")
		letter := came(b.t, b.p, civicpin.Letter, "Ana García López\nCalle Mayor 1\n28013 Madrid", code)
		b.fill(1, "id="+anaNIF, "code="+letter+"X", "mobile=612 345 678")
		b.says("tries.left", 4)
		b.look("/clave/activate")
		b.fill(1, "code="+letter)
		b.at("/clave/app")
		b.says("clave.activate.done")

		sms := b.askClave("none")
		b.p.ahead.Store(int64(11 * time.Minute)) // a PIN is good for ten
		b.fill(1, "code=7gat "+sms)
		b.look("/clave/code")
		require.NotContains(b.t, b.main(), b.word("clave.code.done"))

		sms = b.askClave(sms)
		b.fill(1, "code="+sms) // without the own characters
		b.says("tries.left", 3)
		b.look("/clave/code")
		b.fill(1, "code=7gat "+sms)
		b.at("/clave/")
		b.says("clave.code.done")
		b.open("/clave/code")
		b.fill(1, "code=7gat "+sms)
		b.says("clave.code.none")
		b.look("/clave/code")
	})
}

// A citizen registers with a certificate, in a video call, or at a counter, at the advanced level. A notification that was lost is
// found in the app, and its PIN works once.
func TestChromiumRegister(t *testing.T) {
	walk(t, "es", "it", func(b *tab) {
		staff := b.beside(chromedp.WithNewBrowserContext())
		b.open("/clave/certificate")
		b.pick("certificate", b.word("clave.certificate.old"))
		b.fill(1, "mobile=612 345 678")
		b.says("clave.certificate.wrong")
		b.look("/clave/certificate")
		b.pick("certificate", kb.Home)
		b.fill(1, "mobile=915 550 123")
		b.says("mobile.wrong")
		b.pick("certificate", kb.Home)
		b.fill(1, "mobile=612 345 678")
		b.at("/clave/activate")
		b.says("clave.certificate.done")
		b.activates(anaNIF, came(b.t, b.p, civicpin.SMS, "+34612345678", code), "612 345 678")

		used := ""
		for range 2 { // for another act there is another PIN
			b.open("/clave/ask")
			b.fill(1, "id="+anaNIF, "card=9-5-2031")
			b.at("/clave/code")
			b.open("/clave/app")
			pin := get(b, chromedp.Text(chromedp.CSS(`tbody td:first-child`)))
			b.open("/clave/code")
			if used != "" {
				b.fill(1, "code="+used)
				b.says("clave.code.say")
			}
			b.fill(1, "code="+pin)
			b.at("/clave/")
			b.says("clave.code.done")
			require.NotEqual(b.t, used, pin)
			used = pin
		}

		for _, one := range []struct {
			id, act string
			typed   []string
			channel civicpin.Channel
			to      string
		}{
			{luisNIE, "call", []string{"document=NIE " + luisNIE, "mobile=+34 655 555 555"}, civicpin.SMS, "+34655555555"},
			{nuriaNIF, "slip", []string{"document=DNI " + nuriaNIF}, civicpin.HandedOver, ""},
		} {
			staff.desk("video.7", "clave", one.id)
			staff.act(one.act, one.typed...)
			staff.says("act.done")
			b.beside(chromedp.WithNewBrowserContext()).activates(one.id, came(b.t, b.p, one.channel, one.to, code), "655 555 555")
		}
	})
}

// activates activates the app, at the advanced level.
func (b *tab) activates(id, code, mobile string) {
	b.t.Helper()
	b.open("/clave/activate")
	b.fill(1, "id="+id, "code="+code+"X", "mobile="+mobile)
	b.says("tries.left", 4)
	b.fill(1, "code="+code)
	b.at("/clave/app")
	b.says("clave.level.substantial")
}

// askClave asks for a PIN, with wrong data of the card first, of which the page says the same; and returns another than before.
func (b *tab) askClave(before string) string {
	b.t.Helper()
	for _, card := range []string{"9-5-2030", "9-5-2031"} {
		b.open("/clave/ask")
		b.choose("sms")
		b.fill(1, "id="+anaNIF, "card="+card, "own=7GAT")
		b.at("/clave/code")
		b.says("clave.ask.done")
	}
	b.open("/clave/app")
	b.at("/clave/app")
	b.open("/clave/code")
	return came(b.t, b.p, civicpin.SMS, "+34612345678", func(m mail) string {
		if now := lastWord(m); now != before {
			return now
		}
		return ""
	})
}
