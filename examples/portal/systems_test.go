package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
)

// An operator checks an identity, unlocks, revokes and issues; without a document there is no level.
func TestDesk(t *testing.T) {
	p := newPortal(t)
	citizen, desk := newBrowser(t, p).withPIN(), newBrowser(t, p)
	desk.open("/desk/inps").at("/desk/inps")
	require.Contains(t, desk.body, "No case is open")
	desk.send("/desk", "operator=nobody", "system=inps", "id="+mariaCF).refused(400, "")
	desk.send("/desk", "operator=clerk.4", "system=inps", "id="+mariaCF).at("/desk/inps")
	require.Contains(t, desk.body, "ordinario")
	require.NotContains(t, desk.body, mailbox, "a clerk sees no address")

	for range 5 {
		newBrowser(t, p).send("/inps/login", "id="+mariaCF, "secret=XXXXXXXX")
	}
	citizen.send("/inps/login", "id="+mariaCF, "secret="+herPIN).refused(429, "locked")
	desk.send("/desk/inps", "act=issue", "document=carta CA12345BB", "email=none").refused(422, "not an e-mail address")
	require.Contains(t, desk.body, `value="carta CA12345BB"`, "typed once")
	desk.send("/desk/inps", "act=unlock").at("/desk/inps")
	citizen.send("/inps/login", "id="+mariaCF, "secret="+herPIN).at("/inps/mine")

	desk.send("/desk/inps", "act=attest", "document=carta d'identità CA12345BB").at("/desk/inps")
	citizen.send("/inps/login", "id="+mariaCF, "secret="+herPIN).at("/inps/mine")
	require.Contains(t, citizen.body, "dispositivo")
	citizen.send("/inps/mine", "act=act").at("/inps/mine")
	require.Contains(t, citizen.body, "claim is filed")

	desk.send("/desk/inps", "act=suspend", "reason=telephone lost").at("/desk/inps")
	citizen.open("/inps/mine").at("/inps/login")
	desk.send("/desk/inps", "act=resume", "document=carta d'identità CA12345BB").at("/desk/inps")
	desk.send("/desk/inps", "act=revoke", "reason=stolen").at("/desk/inps")
	citizen.send("/inps/login", "id="+mariaCF, "secret="+herPIN).refused(403, "not right")
	came(t, p, civicpin.SMS, marias, func(m mail) string { return m.Text })

	_, older := halves(t, p, marias, mailbox)
	desk.send("/desk/inps", "act=issue", "document=carta d'identità CA12345BB", "email="+mailbox).at("/desk/inps")
	slip := came(t, p, civicpin.HandedOver, "", code)
	second := came(t, p, civicpin.Email, mailbox, but(older))
	citizen.send("/inps/first", "id="+mariaCF, "half1="+slip, "half2="+second, "new=HJ4N8RTX", "again=HJ4N8RTX").at("/inps/mine")
	require.Contains(t, citizen.body, "dispositivo")
	desk.open("/events").at("/events")
	require.Contains(t, desk.body, "operator:clerk.4")
	require.Contains(t, desk.body, "The chain is whole")
}

// A citizen is registered by letter, asks for a PIN by push and by text message, and uses each once, for one act.
func TestClave(t *testing.T) {
	p := newPortal(t)
	b := newBrowser(t, p)
	b.send("/clave/letter", "id="+anaNIF).at("/clave/activate")
	letter := came(t, p, civicpin.Letter, "Ana García López\nCalle Mayor 1\n28013 Madrid", code)
	b.send("/clave/activate", "id="+anaNIF, "code="+letter+"X", "mobile=612 345 678").refused(403, "not right")
	b.send("/clave/activate", "id="+anaNIF, "code="+letter, "mobile=612 345 678").at("/clave/app")
	require.Contains(t, b.body, "basic")
	raise := func(certificate string) *browser {
		return b.send("/clave/certificate", "act=raise", "certificate="+certificate)
	}
	raise("old").refused(422, "has expired")
	raise("luis").refused(422, "of another person")
	b.open("/clave/app").at("/clave/app")
	require.Contains(t, b.body, "basic")
	raise("ana").at("/clave/app")
	require.Contains(t, b.body, "advanced")
	raise("ana").at("/clave/app") // the app still has its key

	b.send("/clave/ask", "id="+anaNIF, "card=9-5-2030", "by=push").at("/clave/code")
	wrong := b.body
	require.Contains(t, wrong, "If these data are right")
	b.send("/clave/ask", "id="+anaNIF, "card=9-5-2031", "by=sms", "own=7GAT").at("/clave/code")
	require.Contains(t, b.body, "If these data are right")
	sms := came(t, p, civicpin.SMS, "+34612345678", lastWord)
	b.send("/clave/code", "code="+sms).refused(403, "not right")
	b.send("/clave/code", "code=7gat "+sms).at("/clave/")
	require.Contains(t, b.body, "working life report")
	b.send("/clave/code", "code=7gat "+sms).refused(422, "Ask for a PIN first")

	b.send("/clave/ask", "id="+anaNIF, "card=9-5-2031", "by=push").at("/clave/code")
	b.open("/clave/app").at("/clave/app")
	require.Contains(t, b.body, "your working life report")
}

// A citizen registers with a certificate, at once, and has the advanced level.
func TestCertificate(t *testing.T) {
	p := newPortal(t)
	b := newBrowser(t, p)
	b.open("/clave/certificate").at("/clave/certificate")
	b.send("/clave/certificate", "certificate=old", "mobile=612 345 678").refused(422, "has expired")
	b.send("/clave/certificate", "certificate=of nobody", "mobile=612 345 678").refused(422, "has expired")
	b.send("/clave/certificate", "certificate=luis", "mobile=915 550 123").refused(422, "Enter a mobile number")
	b.send("/clave/certificate", "certificate=luis", "act=raise").at("/clave/app") // not logged in: nothing to raise
	require.Contains(t, b.body, "not activated")
	b.send("/clave/certificate", "certificate=luis", "mobile=612 345 678").at("/clave/activate")
	sms := came(t, p, civicpin.SMS, "+34612345678", code)
	b.send("/clave/activate", "id="+anaNIF, "code="+sms, "mobile=612 345 678").refused(403, "not right")
	b.send("/clave/activate", "id="+luisNIE, "code="+sms, "mobile=612 345 678").at("/clave/app")
	require.Contains(t, b.body, "advanced")
	st, err := p.clave.pins.Status(t.Context(), luisNIE)
	require.NoError(t, err)
	require.Len(t, st.Evidence, 1)
	require.Equal(t, "certificate 5eed of AC DNIE", st.Evidence[0].Document)
}

// A citizen is registered at the desk, exchanges the code for a password, and opens two portals; a forgotten password comes back
// by a link and a code.
func TestTUSS(t *testing.T) {
	p := newPortal(t)
	desk, b := newBrowser(t, p), newBrowser(t, p)
	desk.send("/desk", "operator=clerk.4", "system=tuss", "id="+nuriaNIF).at("/desk/tuss")
	form := []string{"act=register", "document=DNI " + nuriaNIF, "mobile=612 345 678", "email=nuria@example.es"}
	desk.send("/desk/tuss", form...).refused(422, "no registration")
	desk.send("/desk/tuss", append(form, "terms=1")...).at("/desk/tuss")
	slip := came(t, p, civicpin.HandedOver, "", code)
	b.send("/tuss/first", "id="+nuriaNIF, "half1="+slip, "new=tres cerezas en julio", "again=tres cerezas en julio").at("/tuss/mine")
	b.send("/tuss/mine", "act=act").at("/tuss/mine")
	require.Contains(t, b.body, "SEDESS is open")

	b.send("/tuss/start", "plan=tuss-forgotten", "id="+nuriaNIF).at("/tuss/run")
	b.solve("/tuss/run").at("/tuss/run")
	b.send("/tuss/run", "act=answer", "fact.birth-date=23-05-1979").at("/tuss/run")
	b.followed("nuria@example.es").at("/tuss/run")
	time.Sleep(10 * time.Millisecond)
	sms := came(t, p, civicpin.SMS, "+34612345678", code)
	b.send("/tuss/run", "act=answer", "code="+sms).at("/tuss/choose")
	b.send("/tuss/choose", "new=la mesa verde canta", "again=la mesa verde canta").at("/tuss/mine")
}

// Staff have a PIN issued by telephone, half by letter, and an activation code in a video call: neither do they read.
func TestStaffIssue(t *testing.T) {
	p := newPortal(t)
	desk, b := newBrowser(t, p), newBrowser(t, p)
	desk.send("/desk", "operator=video.7", "system=inps", "id="+mariaCF).at("/desk/inps")
	desk.send("/desk/inps", "act=telephone", "mobile=333 123 4567", "street=Maria Rossi, Via Roma 12, 00184 Roma RM").at("/desk/inps")
	sms, letter := came(t, p, civicpin.SMS, marias, code), came(t, p, civicpin.Letter, "Maria Rossi\nVia Roma 12\n00184 Roma RM", code)
	require.NotContains(t, desk.body, sms)
	require.NotContains(t, desk.body, letter)
	b.send("/inps/first", "id="+mariaCF, "half1="+sms, "half2="+letter, "new="+herPIN, "again="+herPIN).at("/inps/mine")
	require.Contains(t, b.body, "ordinario")

	desk.send("/desk", "operator=video.7", "system=clave", "id="+anaNIF).at("/desk/clave")
	desk.send("/desk/clave", "act=call", "document=DNI "+anaNIF, "mobile=612 345 678").at("/desk/clave")
	sms = came(t, p, civicpin.SMS, "+34612345678", code)
	b.send("/clave/activate", "id="+anaNIF, "code="+sms, "mobile=612 345 678").at("/clave/app")
	require.Contains(t, b.body, "advanced")
}
