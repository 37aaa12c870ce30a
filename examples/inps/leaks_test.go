package main

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/civicpin/civicpin/examples/internal/play/playtest"
	"github.com/civicpin/civicpin/examples/internal/post"
)

// addresses are those to which something goes in the story as it is told without -i.
var addresses = []string{
	"+393331234567", "maria.rossi@example.it", "maria.rossi@cec.example",
	"+393477654321", "Luigi Bianchi\nVia Roma 12\n00184 Roma RM", "anna.verdi@example.it", "",
}

// ownPINs are those that are chosen in it.
var ownPINs = []string{"QZ7WK4PM", "HJ4N8RTX", "MN6B3VCX", "TW9F2HGA", "DX7K5RWB", "VF2N6JQE", "B7XK29VM", "W4HD83RT"}

// checkLeaks looks for every code that was sent and every PIN that was chosen, in everything beside the database but the
// post, and for the people themselves in the database.
func checkLeaks(t *testing.T, db playtest.Database) {
	t.Helper()
	secrets, links := make(map[string]bool), 0
	for _, p := range ownPINs {
		secrets[p] = true
	}
	for _, a := range addresses {
		mails, err := post.Inbox(db.Files + ".post").All(a)
		if err != nil {
			t.Fatal(err)
		}
		if len(mails) == 0 {
			t.Errorf("nothing came to %q", a)
		}
		for _, m := range mails {
			if code := plain(m.Code()); code != "" {
				secrets[code] = true
			}
			if token := m.Link(); token != "" {
				secrets[token] = true
				links++
			}
		}
	}
	if len(secrets) < len(ownPINs)+20 || links < 8 {
		t.Fatalf("only %d secrets to look for, %d of them in links", len(secrets), links)
	}
	db.LeaksNothing(t, playtest.Story{
		Secrets: slices.Collect(maps.Keys(secrets)),
		Told: []string{
			`"pin.exchanged"`, `"pin.recovered"`, `"recovery.finished"`, `"recovery.repudiated"`, "RSSMRA85T50A562W",
		},
		Personal: []string{"RSSMRA", "maria.rossi", "3331234567", "Via Roma", "BENEFIT", "benefit", "STOLEN", "stolen", "CA12345BB"},
	})
}

// page is the one link that an e-mail may have, alone on its line.
var page = regexp.MustCompile(`\nhttps://inps\.example/pin#[A-Za-z0-9._~-]{60,100}\n`)

// link is what a telephone shows as one: a scheme, a host, two words joined by a full stop.
var link = regexp.MustCompile(`(?i)https?:|www\.|://|[a-z]\.[a-z]`)

// checkPost reads every e-mail as a mail program would, and looks for links everywhere.
func checkPost(t *testing.T, folder string) {
	t.Helper()
	kinds := make(map[string]int)
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := d.Name()[len("0000-"):]
		kind, _, _ := strings.Cut(name, "-")
		kinds[kind]++
		body := string(content)
		if filepath.Ext(path) == ".eml" {
			body = checkEmail(t, d.Name(), content)
			linked := page.ReplaceAllString(body, "\n")
			if linked != body {
				kinds["link"]++
			}
			// Once more, where it says with what the page's address begins.
			body = strings.ReplaceAll(linked, "https://inps.example/", "")
		}
		if found := link.FindString(body); found != "" {
			t.Errorf("%s has %q in it", d.Name(), found)
		}
		if kind == "sms" && (len([]rune(body)) > 160 || !strings.HasPrefix(body, "INPS: ")) {
			t.Errorf("%s is no text message: %q", d.Name(), body)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	playtest.AllSent(t, kinds, "sms", "email", "citizen", "letter", "handed", "link")
}

func checkEmail(t *testing.T, name string, content []byte) (body string) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return ""
	}
	from, err := m.Header.AddressList("From")
	if err != nil || len(from) != 1 || from[0].Address != "pin@inps.example" {
		t.Errorf("%s is from %v, %v", name, from, err)
	}
	to, err := m.Header.AddressList("To")
	if err != nil || len(to) != 1 || !strings.Contains(name, to[0].Address) {
		t.Errorf("%s is to %v, %v", name, to, err)
	}
	if _, err := m.Header.Date(); err != nil || m.Header.Get("Message-ID") == "" || m.Header.Get("Subject") == "" {
		t.Errorf("%s has no date, id or subject: %v", name, err)
	}
	b, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil || len(b) == 0 {
		t.Errorf("%s is empty: %v", name, err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

// checkLeft looks at all that a run leaves.
func checkLeft(t *testing.T, db playtest.Database) {
	t.Helper()
	checkLeaks(t, db)
	checkPost(t, db.Files+".post")
}
