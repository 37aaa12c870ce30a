package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/civicpin/civicpin/examples/internal/play/playtest"
	"github.com/civicpin/civicpin/examples/internal/post"
)

// addresses are those to which something goes in the story as it is told without -i.
var addresses = []string{
	"+34612345678", "nuria@example.es", "nuria.vidal@correo.example", "+34699887766", "+34655443322",
	"Omar Haddad\nCalle del Pez 4, 2º B\n28004 Madrid", "omar@example.es", "omar@correo.example", "+34633221100", "",
}

// checkLeaks looks for every code and every link's token that was sent and every password that was chosen, in everything
// beside the database but the post, and for the people themselves in the database.
func checkLeaks(t *testing.T, db playtest.Database) {
	t.Helper()
	secrets := []string{nuriasFirst, nuriasSecond, nuriasThird, nuriasFourth, omarsFirst, omarsSecond, juliasFirst, spare}
	own, links := len(secrets), 0
	for _, m := range posted(t, db.Files+".post") {
		if code := m.Code(); code != "" {
			secrets = append(secrets, code)
		}
		if token := m.Link(); token != "" {
			secrets = append(secrets, token)
			links++
		}
	}
	if len(secrets)-own < 10+links || links < 8 {
		t.Fatalf("only %d secrets to look for, and %d links", len(secrets), links)
	}
	db.LeaksNothing(t, playtest.Story{
		Secrets: secrets,
		Told: []string{
			`"pin.exchanged"`, `"pin.recovered"`, `"recovery.finished"`, `"recovery.refused"`, `"recovery.decided"`,
			`"contact.changed"`, "12345678Z",
		},
		Personal: []string{
			"12345678", "Y1234567", "Nuria", "nuria@", "612345678", "Calle del Pez", "1979-05", terms, `"terms"`, `"contacts"`,
		},
	})
}

// posted reads everything that was delivered.
func posted(t *testing.T, folder string) []post.Mail {
	t.Helper()
	var all []post.Mail
	for _, a := range addresses {
		mails, err := post.Inbox(folder).All(a)
		if err != nil {
			t.Fatal(err)
		}
		if len(mails) == 0 {
			t.Errorf("nothing came to %q", a)
		}
		all = append(all, mails...)
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != len(all) {
		t.Errorf("%d messages, and %d of people in this story; %v", len(files), len(all), err)
	}
	return all
}

// page is the one link that an e-mail may have, alone on its line; link is what a telephone shows as one: a scheme, a host, two
// words joined by a full stop.
var (
	page = regexp.MustCompile(`\nhttps://tuss\.example/clave#[A-Za-z0-9._~-]{60,100}\n`)
	link = regexp.MustCompile(`(?i)https?:|www\.|://|[a-z]\.[a-z]`)
)

// checkPost looks for links where there should be none, and at how each channel is used.
func checkPost(t *testing.T, folder string) {
	t.Helper()
	kinds := make(map[string]int)
	for _, m := range posted(t, folder) {
		kinds[string(m.Channel)]++
		text := m.Text
		if m.Subject != "" { // an e-mail
			text = page.ReplaceAllString(text, "\n")
			if text != m.Text {
				kinds["link"]++
			}
			text = strings.ReplaceAll(text, "https://tuss.example/", "") // with which the page's address begins
		}
		if found := link.FindString(text); found != "" {
			t.Errorf("%s has %q in it", m.File, found)
		}
		if m.Channel == "sms" && (len([]rune(text)) > 160 || !strings.HasPrefix(text, "Seg. Social: ")) {
			t.Errorf("%s is no text message: %q", m.File, text)
		}
	}
	playtest.AllSent(t, kinds, "sms", "email", "letter", "handed-over", "link")
}

// checkLeft looks at all that a run leaves.
func checkLeft(t *testing.T, db playtest.Database) {
	t.Helper()
	checkLeaks(t, db)
	checkPost(t, db.Files+".post")
}
