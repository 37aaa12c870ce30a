package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/servers"
)

// another is the PIN that Maria changes to.
const another = "HJ4N8RTX"

// A citizen's first PIN: two halves, an exchange, a login, a change.
func TestINPS(t *testing.T) {
	p := newPortal(t)
	b := newBrowser(t, p)
	b.open("/").at("/")
	require.Contains(t, b.body, mariaCF)
	b.send("/inps/request", "id=RSSMRA85T50A562X", "mobile=333 123 4567", "email="+mailbox).refused(422, "contains a mistake")
	require.Contains(t, b.body, `value="333 123 4567"`) // what was right need not be typed again
	b.send("/inps/request", "id="+mariaCF, "mobile=06 1234567", "email="+mailbox).refused(422, "mobile number of this country")
	b.withPIN()
	require.Contains(t, b.body, "ordinario")
	b.send("/inps/mine", "act=act").at("/inps/mine")
	require.Contains(t, b.body, "claim waits")
	b.send("/inps/mine", "act=out").at("/inps/")
	b.open("/inps/mine").at("/inps/login")
	b.send("/inps/login", "id="+mariaCF, "secret=XXXXXXXX").refused(403, "Tries left: 4")
	b.send("/inps/login", "id="+mariaCF, "secret=qz7w k4pm").at("/inps/mine")
	b.send("/inps/change", "id="+mariaCF, "secret="+herPIN, "new=12345678", "again=12345678").refused(422, "aria-invalid")
	b.send("/inps/change", "id="+mariaCF, "secret="+herPIN, "new=HJ4N8RTX", "again=HJ4N8RTW").refused(422, "not alike")
	b.send("/inps/change", "id="+mariaCF, "secret="+herPIN, "new="+another, "again="+another).at("/inps/mine")
}

// Who logs in with what was issued need not type the identifier again where it is exchanged.
func TestTypedOnce(t *testing.T) {
	p := newPortal(t)
	b := newBrowser(t, p)
	b.send("/inps/request", "id="+mariaCF, "mobile=333 123 4567", "email="+mailbox).at("/inps/first")
	require.Contains(t, b.body, `value="`+mariaCF+`"`)
	require.NotContains(t, b.open("/inps/first").body, `value="`+mariaCF+`"`, "shown once")
	first, second := halves(t, p, marias, mailbox)
	b.send("/inps/login", "id="+mariaCF, "secret="+first+second).at("/inps/first")
	require.Contains(t, b.body, `value="`+mariaCF+`"`)
}

// A session that was planted before the login is worth nothing after it, and one dies with its secret.
func TestSessions(t *testing.T) {
	p := newPortal(t)
	owner := newBrowser(t, p).withPIN()
	victim := newBrowser(t, p)
	victim.send("/desk", "operator=clerk.4", "system=inps", "id="+mariaCF).at("/desk/inps")
	victim.send("/inps/start", "plan=inps-lost-pin", "id="+mariaCF).at("/inps/run") // has a session now
	planted := victim.cookies()
	victim.send("/inps/login", "id="+mariaCF, "secret="+herPIN).at("/inps/mine")
	victim.open("/inps/run").at("/inps/run") // nothing that was planted with it goes on, either
	require.Contains(t, victim.body, "Nothing is under way")
	victim.open("/desk/inps").at("/desk/inps")
	require.Contains(t, victim.body, "No case is open")
	thief := newBrowser(t, p)
	thief.cookies(planted...)
	thief.open("/inps/mine").at("/inps/login")

	victim.send("/inps/change", "id="+mariaCF, "secret="+herPIN, "new="+another, "again="+another).at("/inps/mine")
	owner.open("/inps/mine").at("/inps/login")
	require.Contains(t, owner.body, "Your session has ended")

	owner.send("/inps/login", "id="+mariaCF, "secret="+another).at("/inps/mine")
	victim.send("/inps/mine", "act=everywhere").at("/inps/")
	require.Contains(t, victim.body, "You have logged out")
	for _, b := range []*browser{owner, victim} { // an act ends at the login, too
		b.send("/inps/mine", "act=act").at("/inps/login")
	}
	owner.send("/inps/login", "id="+mariaCF, "secret="+another).at("/inps/mine") // the secret is what it was
}

// A PIN that is lost comes anew, by a link or a code; a locked one is unlocked by a link; scanners use no link up.
func TestLost(t *testing.T) {
	p := newPortal(t)
	b := newBrowser(t, p).withPIN()
	b.send("/inps/start", "plan=inps-lost-pin", "id="+mariaCF).at("/inps/run")
	b.send("/inps/run", "act=answer", "contact=333 123 4567", "contact=nobody@example.it").refused(403, "not right")
	b.send("/inps/run", "act=answer", "contact=333 123 4567", "contact="+mailbox).at("/inps/run")
	old, older := halves(t, p, marias, mailbox)
	b.followed(mailbox).at("/inps/first")
	first := came(t, p, civicpin.SMS, marias, but(old))
	second := came(t, p, civicpin.Email, mailbox, but(older))
	b.send("/inps/first", "id="+mariaCF, "half1="+first, "half2="+second, "new="+another, "again="+another).at("/inps/mine")
	b.send("/inps/login", "id="+mariaCF, "secret="+herPIN).refused(403, "not right")

	for range 5 {
		newBrowser(t, p).send("/inps/login", "id="+mariaCF, "secret=XXXXXXXX")
	}
	b.send("/inps/login", "id="+mariaCF, "secret="+another).refused(429, "locked")
	require.NotEmpty(t, b.header.Get("Retry-After"))
	b.send("/inps/start", "plan="+unlockINPS, "id="+mariaCF).at("/inps/run")
	b.solve("/inps/run").at("/inps/run")
	b.followed(mailbox).at("/inps/login")
	b.send("/inps/login", "id="+mariaCF, "secret="+another).at("/inps/mine")
	b.open("/inps/link").send("/inps/link", "token="+came(t, p, civicpin.Email, mailbox, linkOf)+"x").refused(410, "")
}

// An address is added and proved; what is posted from another site is refused; a language is kept.
func TestContacts(t *testing.T) {
	p := newPortal(t)
	b := newBrowser(t, p).withPIN()
	b.open("/inps/contacts").at("/inps/contacts")
	b.send("/inps/contacts", "act=add", "email=other@example.it").refused(403, "not right") // a session alone adds none
	b.send("/inps/contacts", "act=remove", "contact=").refused(403, "not right")
	b.send("/inps/contacts", "act=add", "email=not one", "secret="+herPIN).refused(422, "not an e-mail address")
	b.send("/inps/contacts", "act=add", "email=other@example.it", "secret="+herPIN).at("/inps/contacts")
	b.send("/inps/contacts", "act=prove", "code="+came(t, p, civicpin.Email, "other@example.it", code)).at("/inps/contacts")
	require.Contains(t, b.body, "proves nothing until")

	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.base+"/inps/mine?act=out", nil)
	require.NoError(t, err)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	answer, err := b.client.Do(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusForbidden, answer.StatusCode)
	b.open("/inps/mine").at("/inps/mine")

	b.send("/language", "to=es", "back=/inps/mine").at("/inps/mine")
	require.Contains(t, b.body, `<html lang="es">`)
	b.send("/language", "to=it", "back=//evil.example/").at("/")
	require.Contains(t, b.body, `<html lang="it">`)
}

// Every page is there in every language, with each of its words.
func TestLanguages(t *testing.T) {
	p := newPortal(t)
	for _, lang := range languages {
		b := newBrowser(t, p)
		b.lang = lang + "-XX,en;q=0.5"
		for path := range p.pages {
			b.open(path)
			require.Equal(t, http.StatusOK, b.status, path)
			require.Contains(t, b.body, `<html lang="`+lang+`">`, path)
		}
		b.open("/inps/none")
		require.Equal(t, http.StatusNotFound, b.status)
	}
}

// Behind a proxy with a path, and on PostgreSQL, the portal is what it is elsewhere.
func TestBase(t *testing.T) {
	p := newPortal(t, "-base", "BASE/portal")
	b := newBrowser(t, p)
	b.open("/").at("/portal/")
	require.Contains(t, b.body, `href="/portal/inps/"`)
	b.send("/inps/request", "id="+mariaCF, "mobile=333 123 4567", "email="+mailbox).at("/portal/inps/first")
	first, second := halves(t, p, marias, mailbox)
	b.send("/inps/first", "id="+mariaCF, "half1="+first, "half2="+second, "new="+herPIN, "again="+herPIN).at("/portal/inps/mine")
	b.send("/inps/start", "plan="+unlockINPS, "id="+mariaCF).solve("/inps/run").at("/portal/inps/run")
	require.Contains(t, came(t, p, civicpin.Email, mailbox, linkOf), p.base+"/inps/link#")
	b.send("/language", "to=es", "back=/inps/").at("/portal/inps/")
}

func TestPostgreSQL(t *testing.T) { onServer(t, servers.PostgreSQL(t).DSN(), "of PostgreSQL's") }
