package main

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/recovery"
)

// firstClave walks to a first clave, and returns the answers that were enrolled, by question.
func (b *tab) firstClave() map[string]string {
	b.t.Helper()
	b.begin("iess", "", luciaID)
	b.human("iess")
	b.fill(1, "fact.birth-day=15", "fact.birth-month=3")
	b.says("tries.left", 2)
	b.look("/iess/run")
	b.fill(1, "fact.birth-day=14")
	b.at("/iess/run")
	b.fill(1, "correct="+lucias)
	b.at("/iess/run")
	b.follow("iess", lucias)
	b.at("/iess/run")
	known := map[string]string{"book": "Platero", "friend": "Paloma", "job": "Correos", "journey": "Galápagos"}
	b.choose("volcano")
	typed := make([]string, 0, len(known))
	for id, answer := range known {
		typed = append(typed, "enrol."+id+"="+answer)
	}
	b.fill(1, typed...)
	b.at("/iess/run")
	b.fill(1, "terms= ")
	b.at("/iess/choose")
	b.fill(1, "new=corta", "again=corta")
	b.says("form.look")
	b.look("/iess/choose")
	b.fill(1, "new="+first, "again="+first)
	b.at("/iess/mine")
	return known
}

// remember answers the step of a birthday, an image and one question.
func (b *tab) remember(image string, known map[string]string) {
	b.t.Helper()
	b.choose(image)
	field, ok := get(b, chromedp.Attributes(chromedp.CSS(`input[name^="question."]`)))["name"]
	require.True(b.t, ok)
	answer := known[strings.TrimPrefix(field, "question.")]
	if answer == "" {
		answer = "no idea"
	}
	b.fill(1, "fact.birth-day=14", "fact.birth-month=3", field+"="+answer)
}

// A first clave by birthday, link, image and questions; a forgotten one with them, also after bad answers and a late link.
func TestChromiumIESS(t *testing.T) {
	walk(t, "es", "en", func(b *tab) {
		known := b.firstClave()
		b.fill(1) // logs out
		b.at("/iess/")

		b.begin("iess", "iess-clave", luciaID)
		b.human("iess")
		b.remember("tree", known)
		b.says("tries.left", 2)
		b.look("/iess/run")
		b.remember("volcano", nil)
		b.says("tries.left", 1)
		b.remember("volcano", known)
		b.at("/iess/run")
		b.fill(1, "confirm= ")
		b.at("/iess/run")

		late := goodLink(b.t, b.p, lucias)
		b.p.ahead.Store(int64(4 * time.Minute)) // a link is good for three
		b.open("/iess/link")
		b.paste(late)
		b.run(chromedp.WaitVisible(chromedp.CSS(`.alert`)))
		b.look("/iess/link")
		b.open("/iess/run")
		b.fill(1) // sends again
		b.says("run.again")
		b.follow("iess", lucias)
		b.at("/iess/choose")
		b.fill(1, "new=una iguana duerme al sol", "again=una iguana duerme al sol")
		b.at("/iess/mine")
	})
}

// The third miss blocks a forgotten clave until an agency unlocks. A corrected address is told to the old one, which may object for
// three days; then the link comes to the new one.
func TestChromiumMisses(t *testing.T) {
	walk(t, "it", "es", func(b *tab) {
		known := b.firstClave()
		b.fill(1) // logs out
		for range 3 {
			b.begin("iess", "iess-clave", luciaID)
			b.human("iess")
			b.remember("tree", nil)
		}
		b.begin("iess", "iess-clave", luciaID)
		b.human("iess")
		b.remember("volcano", known)
		b.refused()
		b.look("/iess/run")
		staff := b.beside(chromedp.WithNewBrowserContext())
		staff.desk("clerk.4", "iess", luciaID)
		staff.act("agency", "document=cédula "+luciaID)
		staff.says("act.done")

		const corrected = "lucia@correo.example.ec"
		b.begin("iess", "iess-clave", luciaID)
		b.human("iess")
		b.remember("volcano", known)
		b.fill(1, "correct="+corrected)
		b.at("/iess/run")
		b.fill(1) // too early
		b.refused()
		b.look("/iess/run")
		linkTo(b.t, b.p, lucias, recovery.ToRepudiate)
		b.p.ahead.Add(int64(73 * time.Hour))
		b.open("/iess/run")
		b.fill(1)
		b.follow("iess", corrected)
		b.at("/iess/choose")
	})
}
