package main

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/texts"
)

// The whole way of a citizen of INPS: a PIN in two halves, an exchange, a lock, a link.
func TestChromiumINPS(t *testing.T) {
	walk(t, "en", "es", func(b *tab) {
		b.open("/")
		b.press(`nav a[href$="/inps/"]`)
		b.at("/inps/")
		b.press(`.links a[href$="/inps/request"]`)
		b.fill(1, "id="+mariaCF, "mobile=06 1234567", "email="+mailbox)
		b.says("mobile.wrong")
		b.fill(1, "mobile=333 123 4567")
		b.at("/inps/first")
		first, second := halves(b.t, b.p, marias, mailbox)
		b.open("/inbox")
		b.sees(first)
		b.at("/inbox")
		b.open("/inps/first")
		b.fill(1, "id="+mariaCF, "half1="+first, "half2="+second, "new=12345678", "again=12345678")
		b.says("form.look")
		b.fill(1, "half1="+first, "half2="+second, "new="+herPIN, "again="+herPIN)
		b.at("/inps/mine")
		b.sees("ordinario")
		b.press(`main form:last-of-type button`) // logs out
		b.at("/inps/")

		b.begin("inps", unlockINPS, mariaCF)
		b.human("inps")
		b.follow("inps", mailbox)
		b.at("/inps/login")
		b.fill(1, "id="+mariaCF, "secret=XXXXXXXX")
		b.says("tries.left", 4)
		b.fill(1, "secret="+herPIN)
		b.at("/inps/mine")
	})
}

// A PIN of INPS that is older than 90 days is right, and has to be changed. One that was not used for 180 days has expired.
func TestChromiumINPSAges(t *testing.T) {
	walk(t, "it", "es", func(b *tab) {
		newBrowser(b.t, b.p).withPIN()
		b.p.ahead.Add(int64(91 * 24 * time.Hour))
		b.login(herPIN)
		b.at("/inps/change")
		b.says("login.old")
		b.fill(1, "secret="+herPIN, "new="+herPIN, "again="+herPIN)
		b.says("form.look") // the same one is not another
		b.fill(1, "secret="+herPIN, "new="+another, "again="+another)
		b.at("/inps/mine")
		b.p.ahead.Add(int64(181 * 24 * time.Hour))
		b.login(another)
		words, _ := texts.Refusal(b.lang, "secret-expired")
		b.sees(words)
	})
}

// desk opens a case at the desk, as an operator.
func (b *tab) desk(operator, system, id string) {
	b.t.Helper()
	b.open("/desk")
	b.pick("operator", operator)
	b.pick("system", b.word(system+".title"))
	b.fill(1, "id="+id)
	b.at("/desk/" + system)
}

// pick picks from a list by its letters, as one does by keyboard.
func (b *tab) pick(list, entry string) {
	b.t.Helper()
	b.run(chromedp.SendKeys(chromedp.CSS(`select[name=`+list+`]`), entry))
}

// lost begins the recovery of a lost PIN, and names two contacts.
func (b *tab) lost(id, one, other string) {
	b.t.Helper()
	b.begin("inps", "inps-lost-pin", id)
	b.fill(1, "0-contact="+one, "1-contact="+other)
}

// renewed exchanges the halves that came last, which are in old afterwards, after a PIN that was not typed twice alike.
func (b *tab) renewed(chosen string, old map[string]bool) {
	b.t.Helper()
	b.at("/inps/first")
	isNew := func(m mail) string {
		if m.Link != "" || old[code(m)] {
			return ""
		}
		return code(m)
	}
	first, second := came(b.t, b.p, civicpin.SMS, marias, isNew), came(b.t, b.p, civicpin.Email, mailbox, isNew)
	old[first], old[second] = true, true
	b.fill(1, "id="+mariaCF, "half1="+first, "half2="+second, "new="+chosen, "again="+chosen+"X")
	b.says("again.wrong")
	b.fill(1, "half1="+first, "half2="+second, "new="+chosen, "again="+chosen)
	b.at("/inps/mine")
}

// A lost PIN of INPS: two contacts are named, and new halves come by a link or a code; the level is kept. Who has fewer contacts
// is sent to an office. An office revokes: with its code a new request starts at the low level.
func TestChromiumINPSLost(t *testing.T) {
	offices := map[string]string{"it": "sportello", "es": "oficina"}
	walk(t, "it", "es", func(b *tab) {
		old := make(map[string]bool)
		b.open("/inps/request")
		b.fill(1, "id="+mariaCF, "mobile=333 123 4567", "email="+mailbox)
		b.renewed(herPIN, old)
		office := b.beside(chromedp.WithNewBrowserContext())
		office.desk("clerk.4", "inps", mariaCF)
		office.act("attest", "document=CA12345BB", "contacts= ")
		office.says("act.done")

		b.lost(mariaCF, "333 123 4567", "nobody")
		b.says("contact.wrong")
		b.look("/inps/run")
		b.fill(1, "0-contact=333 123 4567", "1-contact=nobody@example.it")
		b.says("tries.left", 4)
		b.fill(1, "0-contact=333 123 4567", "1-contact="+mailbox)
		b.at("/inps/run")
		b.follow("inps", mailbox)
		b.renewed(another, old)
		b.sees("dispositivo")
		b.login(herPIN)
		b.says("tries.left", 4)

		b.lost(mariaCF, mailbox, "+39 333 1234567")
		b.at("/inps/run")
		link := goodLink(b.t, b.p, mailbox)
		b.fill(1, "code=00000000")
		b.says("tries.left", 4)
		b.fill(1, "code="+came(b.t, b.p, civicpin.Email, mailbox, func(m mail) string {
			if m.Link != link {
				return ""
			}
			return code(m)
		}))
		b.renewed("JK5P9SUY", old)
		b.sees("dispositivo")

		require.NoError(b.t, b.p.seedCrowd(b.t.Context())) // each has one contact
		b.lost(string(crowd()[0]), "333 123 4567", mailOf(crowd()[0]))
		b.says("tries.left", 4)
		b.sees(offices[b.lang])

		office.act("revoke", "reason=stolen")
		office.says("state.revoked")
		b.login("JK5P9SUY")
		b.says("login.say") // and not behind the login
		ask := func(code string) {
			b.open("/inps/request")
			b.fill(1, "id="+mariaCF, "mobile=333 123 4567", "email="+mailbox, "office="+code)
			b.says("request.done")
			require.NoError(b.t, b.p.system("inps").out.Flush(b.t.Context()))
		}
		office.act("code")
		printed := came(b.t, b.p, civicpin.HandedOver, "", func(m mail) string {
			_, after, _ := strings.Cut(m.Text, ": ")
			return after
		})
		sent := b.p.inbox.count("inps")
		ask("")
		ask(printed + "X")
		require.Equal(b.t, sent, b.p.inbox.count("inps"), "messages without the office's code")
		ask(printed)
		b.renewed("WX6B3NTE", old)
		b.sees("ordinario")
	})
}
