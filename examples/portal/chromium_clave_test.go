package main

import (
	"testing"
	"time"

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
