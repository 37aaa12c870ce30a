package main

import (
	"image"
	"image/jpeg"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	lucias = "lucia.andrade@example.ec"
	first  = "tres volcanes y un colibrí"
)

// A first clave by birthday, link, image and questions; a forgotten one with them; three misses until an agency unlocks.
func TestIESS(t *testing.T) {
	p := newPortal(t)
	b := newBrowser(t, p)
	asked := b.withClave()
	b.send("/iess/start", "plan=iess-clave", "id="+luciaID).at("/iess/run")
	b.solve("/iess/run").at("/iess/run")
	b.answer(asked, "fact.birth-day=14", "fact.birth-month=3", "image=volcano").at("/iess/run")
	b.send("/iess/run", "act=answer", "confirm=1").at("/iess/run")
	b.followed(lucias).at("/iess/choose")
	b.send("/iess/choose", "new=una iguana duerme al sol", "again=una iguana duerme al sol").at("/iess/mine")

	stranger := newBrowser(t, p)
	for range 3 {
		stranger.send("/iess/start", "plan=iess-clave", "id="+luciaID).solve("/iess/run").at("/iess/run")
		stranger.answer([]string{}, "fact.birth-day=1", "fact.birth-month=1", "image=tree")
	}
	stranger.refused(403, "unlocked")
	desk := newBrowser(t, p)
	desk.send("/desk", "operator=video.7", "system=iess", "id="+luciaID).at("/desk/iess")
	desk.send("/desk/iess", "act=agency", "document=cédula "+luciaID).refused(403, "")
	desk.send("/desk", "operator=clerk.4", "system=iess", "id="+luciaID).at("/desk/iess")
	desk.send("/desk/iess", "act=agency", "document=cédula "+luciaID).at("/desk/iess")
	b.send("/iess/login", "id="+luciaID, "secret=una iguana duerme al sol").at("/iess/mine")
}

// withClave has Lucía come to her first clave, and returns what she answers to which question.
func (b *browser) withClave() []string {
	b.t.Helper()
	b.send("/iess/start", "plan=iess-first-key", "id="+luciaID).at("/iess/run")
	b.solve("/iess/run").at("/iess/run")
	b.send("/iess/run", "act=answer", "captcha=1").refused(422, "from 1 to 31") // two tabs, or sent twice
	b.send("/iess/run", "act=answer", "fact.birth-day=15", "fact.birth-month=3").refused(403, "Tries left")
	b.send("/iess/run", "act=answer", "fact.birth-day=x", "fact.birth-month=3").refused(422, "from 1 to 31")
	b.send("/iess/run", "act=answer", "fact.birth-day=14", "fact.birth-month=3").at("/iess/run")
	b.send("/iess/run", "act=answer", "correct="+lucias).at("/iess/run")
	b.followed(lucias).at("/iess/run")
	enrol := []string{"act=answer", "enrol=volcano"}
	asked := []string{"book=Platero", "friend=Paloma", "job=Correos", "journey=Galápagos"}
	for _, one := range asked {
		enrol = append(enrol, "enrol."+one)
	}
	b.send("/iess/run", enrol...).at("/iess/run")
	b.send("/iess/run", "act=answer", "terms=1").at("/iess/choose")
	b.send("/iess/choose", "new=corta", "again=corta").refused(422, "aria-invalid")
	b.send("/iess/choose", "new="+first, "again="+first).at("/iess/mine")
	return asked
}

// upload sends a small picture for each kind of document.
func (b *browser) upload(kinds ...string) *browser {
	b.t.Helper()
	var body strings.Builder
	parts := multipart.NewWriter(&body)
	require.NoError(b.t, parts.WriteField("act", "answer"))
	for i, kind := range kinds {
		file, err := parts.CreateFormFile("document."+kind, kind+".jpg")
		require.NoError(b.t, err)
		require.NoError(b.t, jpeg.Encode(file, image.NewGray(image.Rect(0, 0, 8+i, 8)), nil))
	}
	require.NoError(b.t, parts.Close())
	return b.request(http.MethodPost, "/iess/run", strings.NewReader(body.String()), parts.FormDataContentType())
}

// answer answers the questions that the page asks.
func (b *browser) answer(known []string, more ...string) *browser {
	typed := append([]string{"act=answer"}, more...)
	for id := range strings.SplitSeq("book friend job journey school street teacher toy", " ") {
		if !strings.Contains(b.body, `name="question.`+id+`"`) {
			continue
		}
		answer := "question." + id + "=no idea"
		for _, one := range known {
			if strings.HasPrefix(one, id+"=") {
				answer = "question." + one
			}
		}
		typed = append(typed, answer)
	}
	return b.send("/iess/run", typed...)
}

// A locked clave is unlocked in a video call, within its hours, and by documents that two of the staff look at.
func TestIESSUnlocks(t *testing.T) {
	p := newPortal(t)
	b := newBrowser(t, p)
	asked := b.withClave()
	for range 5 {
		newBrowser(t, p).send("/iess/login", "id="+luciaID, "secret=iess quito 2026")
	}
	b.send("/iess/login", "id="+luciaID, "secret="+first).refused(403, "unlocked")

	desk := newBrowser(t, p)
	desk.send("/desk", "operator=video.7", "system=iess", "id="+luciaID).at("/desk/iess")
	quito, err := time.LoadLocation("America/Guayaquil")
	require.NoError(t, err)
	desk.send("/desk/iess", "act=video")
	if hour := time.Now().In(quito).Hour(); hour < 8 || hour >= 17 {
		desk.refused(403, "")
	} else {
		desk.at("/desk/iess")
		typed := []string{"act=video"}
		for _, one := range asked {
			typed = append(typed, "question."+one)
		}
		desk.send("/desk/iess", typed...).at("/desk/iess")
		b.send("/iess/login", "id="+luciaID, "secret="+first).at("/iess/mine")
	}

	b.send("/iess/start", "plan=iess-unlock-desk", "id="+luciaID).at("/iess/run")
	b.solve("/iess/run").at("/iess/run")
	b.send("/iess/run", "act=answer", "fact.birth-day=14", "fact.birth-month=3").at("/iess/run")
	b.send("/iess/run", "act=answer").refused(422, "missing or too large")
	b.upload("card-front", "card-back", "face").at("/iess/run")
	id := regexp.MustCompile(`case (\w+)\.`).FindStringSubmatch(b.body)
	require.Len(t, id, 2)
	for i, operator := range []string{"desk.11", "desk.11", "desk.14"} {
		desk.send("/desk", "operator="+operator, "system=iess", "id="+luciaID).at("/desk/iess")
		require.Contains(t, desk.open("/desk").body, id[1], "in the queue")
		desk.send("/desk/iess", "act=case", "case="+id[1]).at("/desk/iess")
		require.Equal(t, http.StatusOK, desk.open("/desk/iess/document?kind=face").status)
		require.Equal(t, "image/jpeg", desk.header.Get("Content-Type"))
		desk.send("/desk/iess", "act=approve", "reason=cédula and face compared")
		if i == 1 {
			desk.refused(403, "") // not the same person twice
			continue
		}
		desk.at("/desk/iess")
	}
	b.send("/iess/login", "id="+luciaID, "secret="+first).at("/iess/mine")
	require.NotContains(t, desk.open("/desk").body, id[1])
	require.Equal(t, http.StatusNotFound, newBrowser(t, p).open("/desk/iess/document?kind=face").status)
}
