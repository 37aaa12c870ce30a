package main

import "testing"

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
