package main

import (
	"cmp"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	chrome "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
)

// hour sets the clock of the portal ahead to the next time at which it is so late in Quito.
func (p *portal) hour(t *testing.T, hour int) {
	t.Helper()
	quito, err := time.LoadLocation("America/Guayaquil")
	require.NoError(t, err)
	now := p.now().In(quito)
	at := time.Date(now.Year(), now.Month(), now.Day(), hour, 0, 0, 0, quito)
	if at.Before(now) {
		at = at.AddDate(0, 0, 1)
	}
	p.ahead.Add(int64(at.Sub(now)))
}

// locked has strangers lock Lucía's clave, of which she reads when she logs in.
func (b *tab) locked() {
	b.t.Helper()
	for range 5 {
		newBrowser(b.t, b.p).send("/iess/login", "id="+luciaID, "secret=iess quito 2026")
	}
	b.clave()
	require.NotEqual(b.t, "/iess/mine", b.path())
	b.look("/iess/login")
}

// clave logs in with Lucía's clave.
func (b *tab) clave() {
	b.t.Helper()
	b.open("/iess/login")
	b.fill(1, "id="+luciaID, "secret="+first)
}

// refused requires the page to say no.
func (b *tab) refused() {
	b.t.Helper()
	b.run(chromedp.WaitVisible(chromedp.CSS(`main .alert`)))
}

// pictures are files of a card and a face, by kind; large is one of more than a megabyte, and text is none of a picture.
func pictures(t *testing.T) (files map[string]string) {
	t.Helper()
	files = make(map[string]string)
	for i, kind := range []string{"card-front", "card-back", "face"} {
		var content strings.Builder
		require.NoError(t, jpeg.Encode(&content, image.NewGray(image.Rect(0, 0, 8+i, 8)), nil))
		files[kind] = keep(t, kind+".jpg", content.String())
	}
	files["pdf"] = keep(t, "card.pdf", "%PDF-1.7\n%%EOF\n")
	files["large"] = keep(t, "large.jpg", strings.Repeat("\xff\xd8\xff", 1<<19))
	files["text"] = keep(t, "text.jpg", "not a picture")
	return files
}

func keep(t *testing.T, name, content string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	return name
}

// upload uploads three files.
func (b *tab) upload(front, back, face string) {
	b.t.Helper()
	for kind, file := range map[string]string{"card-front": front, "card-back": back, "face": face} {
		b.run(chromedp.SetUploadFiles(chromedp.CSS(`input[name="document.`+kind+`"]`), []string{file}))
	}
	b.press(`main form:nth-of-type(1) p:last-of-type > button`)
}

// A clave that strangers have locked is unlocked by a link, by answers in a video call within its hours, at an agency, and by
// documents that two of the desk have looked at.
func TestChromiumUnlocks(t *testing.T) {
	walk(t, "es", "it", func(b *tab) {
		files := pictures(b.t)
		b.p.hour(b.t, 18)
		known := b.firstClave()
		staff := b.beside(chromedp.WithNewBrowserContext())

		b.locked()
		b.begin("iess", "iess-unlock-link", luciaID)
		b.human("iess")
		b.follow("iess", lucias)
		b.says("run.unlocked")
		b.clave()
		b.at("/iess/mine")

		b.locked()
		staff.desk("video.7", "iess", luciaID)
		staff.says("yes") // locked
		staff.act("agency", "document=cédula")
		staff.refused()
		staff.act("video")
		staff.refused()
		b.p.hour(b.t, 10)
		staff.act("video")
		staff.says("act.done")
		staff.heard(map[string]string{})
		staff.refused()
		staff.look("/desk/iess")
		staff.heard(known)
		staff.says("act.done")
		b.clave()
		b.at("/iess/mine")

		b.locked()
		staff.desk("clerk.4", "iess", luciaID)
		staff.act("agency", "document=cédula "+luciaID)
		staff.says("act.done")
		b.clave()
		b.at("/iess/mine")

		b.locked()
		b.documents(files)
		staff.decide(b.p.queue.cases[0].id, files)
		b.clave()
		b.at("/iess/mine")
	})
}

// An operator raises the level on a document, without which an act is refused; removes a lock, suspends, resumes, and issues: half
// on a slip, or half by letter.
func TestChromiumDesk(t *testing.T) {
	walk(t, "it", "en", func(b *tab) {
		newBrowser(b.t, b.p).withPIN()
		staff := b.beside(chromedp.WithNewBrowserContext())
		staff.open("/desk")
		staff.fill(1, "id="+mariaCF+"X")
		staff.says("id.wrong")
		staff.look("/desk")
		staff.desk("clerk.4", "inps", mariaCF)
		act := func(says string) {
			b.t.Helper()
			b.login(herPIN)
			b.at("/inps/mine")
			b.act("act")
			b.says(says)
		}
		act("inps.act.low")
		staff.act("attest", "document= ")
		staff.refused()
		staff.look("/desk/inps")
		staff.act("attest", "document=CA12345BB")
		staff.says("inps.level.substantial")
		act("inps.act.done")

		for range 5 {
			newBrowser(b.t, b.p).send("/inps/login", "id="+mariaCF, "secret=XXXXXXXX")
		}
		b.login(herPIN)
		b.says("login.say")
		staff.act("unlock")
		staff.says("act.done")
		act("inps.act.done")
		staff.act("suspend", "reason=telephone lost")
		staff.says("state.suspended")
		b.open("/inps/mine")
		b.at("/inps/login")
		b.says("session.ended")
		staff.act("resume", "document=CA12345BB")
		act("inps.act.done")

		_, old := halves(b.t, b.p, marias, mailbox)
		staff.act("revoke", "reason=stolen")
		staff.act("issue", "document=CA12345BB", "email="+mailbox)
		staff.says("act.done")
		b.issued(came(b.t, b.p, civicpin.HandedOver, "", code), came(b.t, b.p, civicpin.Email, mailbox, but(old)), another)
		b.sees("dispositivo")
		staff.act("revoke", "reason=stolen again")
		staff.act("telephone", "mobile=06 1234567", "street=Maria Rossi, Via Roma 12, 00184 Roma RM")
		staff.says("mobile.wrong")
		staff.look("/desk/inps")
		staff.act("telephone", "mobile=366 765 4321", "street=Maria Rossi, Via Roma 12, 00184 Roma RM")
		staff.says("act.done")
		letter := came(b.t, b.p, civicpin.Letter, "Maria Rossi\nVia Roma 12\n00184 Roma RM", code)
		b.issued(came(b.t, b.p, civicpin.SMS, "+393667654321", code), letter, "JK5P9SUY")
		b.sees("ordinario")
	})
}

// issued exchanges what staff had issued.
func (b *tab) issued(first, second, chosen string) {
	b.t.Helper()
	b.open("/inps/first")
	b.fill(1, "id="+mariaCF, "half1="+first, "half2="+second, "new="+chosen, "again="+chosen)
	b.at("/inps/mine")
}

// heard types the answers that the operator hears.
func (b *tab) heard(known map[string]string) {
	b.t.Helper()
	ids := get(b, chromedp.Evaluate[[]string](`[...document.querySelectorAll('[name^="question."]')].map(e => e.name.slice(9))`))
	require.Len(b.t, ids, 4)
	var typed []string
	for _, id := range ids {
		typed = append(typed, "question."+id+"="+cmp.Or(known[id], "no idea"))
	}
	b.act("video", typed...)
}

// documents comes to the step of the documents, and sends some that will not do, and some that will.
func (b *tab) documents(files map[string]string) {
	b.t.Helper()
	b.begin("iess", "iess-unlock-desk", luciaID)
	b.human("iess")
	b.fill(1, "fact.birth-day=14", "fact.birth-month=3")
	b.at("/iess/run")
	b.upload(files["large"], files["card-back"], files["face"])
	b.says("document.wrong")
	b.look("/iess/run")
	b.upload(files["text"], files["card-back"], files["face"])
	b.refused()
	b.upload(files["card-front"], files["pdf"], files["face"])
	b.at("/iess/run")
	require.NotEmpty(b.t, b.p.queue.cases)
	b.says("run.approval", b.p.queue.cases[0].id)
}

// decide has the desk open a case of the queue, look at its documents, and approve it: one operator, the same again, another.
func (b *tab) decide(id string, files map[string]string) {
	b.t.Helper()
	for i, operator := range []string{"desk.11", "desk.11", "desk.14"} {
		b.open("/desk")
		b.sees(id)
		b.desk(operator, "iess", luciaID)
		b.act("case", "case="+id+"x")
		b.refused()
		b.act("case", "case="+id)
		b.at("/desk/iess")
		for kind, file := range map[string]string{"card-front": files["card-front"], "card-back": files["pdf"], "face": files["face"]} {
			b.downloads(kind, file)
		}
		b.act("approve", "reason=face compared")
		if i == 1 { // one is not two
			b.refused()
			b.sees(b.word("case.approved") + "\noperator:desk.11")
			b.look("/desk/iess")
			continue
		}
		b.says("act.done")
	}
	b.open("/desk")
	require.NotContains(b.t, b.main(), id)
	b.open("/events")
	b.sees("recovery.decided approved: face compared\t" + luciaID + "\toperator:desk.14")
}

// downloads has the operator look at a document of the case: it comes as a file, which is the one that was sent.
func (b *tab) downloads(kind, sent string) {
	b.t.Helper()
	folder, want := b.t.TempDir(), read(b.t, sent)
	call(b, chrome.SetDownloadBehavior, chrome.SetDownloadBehaviorParams{
		Behavior: chrome.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder,
		BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID,
	})
	b.run(chromedp.Click(chromedp.CSS(`.links a[href$="?kind=` + kind + `"]`)))
	until(b.t, kind, func() bool {
		files, err := os.ReadDir(folder)
		require.NoError(b.t, err)
		return len(files) == 1 && read(b.t, filepath.Join(folder, files[0].Name())) == want
	})
}

// read returns what is in a file, which may not be there yet.
func read(t *testing.T, name string) string {
	t.Helper()
	content, _ := os.ReadFile(name)
	return string(content)
}

func (b *tab) path() string {
	b.t.Helper()
	return get(b, chromedp.Evaluate[string](`location.pathname`))
}
