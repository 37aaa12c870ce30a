package main

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
)

const nurias = "nuria@example.es"

// A citizen is registered at the desk, exchanges the code on the slip for a password, logs in, opens the second portal, and
// recovers a forgotten password by a link and a code.
func TestChromiumTUSS(t *testing.T) {
	walk(t, "en", "it", func(b *tab) {
		slip := b.beside(chromedp.WithNewBrowserContext()).register()
		b.open("/tuss/")
		b.press(`.links a[href$="/tuss/first"]`)
		b.at("/tuss/first")
		const chosen = "tres cerezas en julio"
		b.fill(1, "id="+nuriaNIF, "half1="+slip+"X", "new="+chosen, "again="+chosen)
		b.says("tries.left", 4)
		b.fill(1, "half1="+slip, "new="+chosen, "again=otra cosa muy distinta")
		b.says("again.wrong")
		b.look("/tuss/first")
		b.fill(1, "half1="+slip, "new="+chosen, "again="+chosen)
		b.at("/tuss/mine")
		b.fill(1)
		b.says("tuss.act.done")
		b.fill(2) // logs out
		b.at("/tuss/")

		b.open("/tuss/login")
		b.fill(1, "id="+nuriaNIF, "secret="+chosen+"x")
		b.says("tries.left", 3) // a wrong activation code was one of the five
		b.look("/tuss/login")
		b.fill(1, "secret="+chosen)
		b.at("/tuss/mine")
		b.forgotten()
	})
}

// register has an operator register a citizen who stands at the desk, and returns what the slip says.
func (b *tab) register() string {
	b.t.Helper()
	b.open("/desk")
	b.run(chromedp.SendKeys(chromedp.CSS(`select[name=system]`), "Tu")) // as the list is chosen from by its letters
	b.fill(1, "id="+nuriaNIF)
	b.at("/desk/tuss")
	b.fill(1, "document=DNI "+nuriaNIF, "mobile=91 123 45 67", "email="+nurias, "terms= ")
	b.says("mobile.wrong")
	b.look("/desk/tuss")
	require.Equal(b.t, nurias, get(b, chromedp.Value(chromedp.CSS(`input[name=email]`))), "what was right need not be typed again")
	b.fill(1, "document=DNI "+nuriaNIF, "mobile=612 345 678", "email="+nurias, "terms= ")
	b.at("/desk/tuss")
	b.says("act.done")
	slip := came(b.t, b.p, civicpin.HandedOver, "", code)
	require.NotContains(b.t, b.main(), slip, "the operator does not read it")
	return slip
}

// forgotten recovers the password.
func (b *tab) forgotten() {
	b.t.Helper()
	b.begin("tuss", "", nuriaNIF)
	b.human("tuss")
	b.fill(1, "fact.birth-date=24-05-1979")
	b.says("tries.left", 4)
	b.look("/tuss/run")
	b.fill(1, "fact.birth-date=23-05-1979")
	b.at("/tuss/run")
	b.follow("tuss", nurias)
	b.at("/tuss/run")
	sms := came(b.t, b.p, civicpin.SMS, "+34612345678", code)
	b.fill(1, "code=00000000")
	b.run(chromedp.WaitVisible(chromedp.CSS(`.alert`)))
	b.look("/tuss/run")
	b.fill(1, "code="+sms)
	b.at("/tuss/choose")
	b.fill(1, "new=la mesa verde canta", "again=la mesa verde canta")
	b.at("/tuss/mine")
}
