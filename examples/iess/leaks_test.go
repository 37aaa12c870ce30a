package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play/playtest"
	"github.com/civicpin/civicpin/examples/internal/post"
)

// checkLeaks looks for every token that was sent, and for what the people typed, in everything beside the database but the
// post, and for the people themselves in the database.
func checkLeaks(t *testing.T, db playtest.Database, people ...*citizen) {
	t.Helper()
	var secrets []string
	for _, m := range posted(t, db.Files+".post") {
		if m.Link() == "" { // nobody can undo an undo
			if !strings.Contains(m.Subject, "contact") {
				t.Errorf("%s has no link", m.File)
			}
			continue
		}
		_, verifier, _ := strings.Cut(m.Link(), ".")
		secrets = append(secrets, verifier)
	}
	if len(secrets) < 10 {
		t.Fatalf("only %d tokens to look for", len(secrets))
	}
	for _, c := range people {
		secrets = append(secrets, c.password)
		for _, a := range c.mind.questions {
			secrets = append(secrets, a)
		}
	}
	for name, content := range db.Kept(t) {
		for _, s := range secrets {
			if s != "" && bytes.Contains(bytes.ToUpper(content), []byte(strings.ToUpper(s))) {
				t.Errorf("%s is in %s", s, name)
			}
		}
		if filepath.Ext(name) == ".log" {
			for _, event := range []string{
				`"recovery.finished"`, `"recovery.repudiated"`, `"recovery.decided"`, `"recovery.enrolled"`, `"pin.recovered"`, string(luciaID),
			} {
				if !bytes.Contains(content, []byte(event)) {
					t.Errorf("no %s: this log is not of this story", event)
				}
			}
			// The addresses in it are in the names of the files that were delivered, which are the receipts.
			for _, piece := range []string{"volcano", "orchid", "Andrade", "nobody.special"} {
				if bytes.Contains(content, []byte(piece)) {
					t.Errorf("%q is in the log", piece)
				}
			}
			continue
		}
		for _, piece := range []string{
			string(luciaID), string(diegoID), "passport-COL", "Andrade", "andrade", "volcano", "birth-day", "example.ec", "correo.example",
			`"subject"`, `"address"`, "card-front",
		} {
			if bytes.Contains(content, []byte(piece)) {
				t.Errorf("%q is in %s", piece, name)
			}
		}
	}
}

// posted reads everything that was delivered.
func posted(t *testing.T, folder string) []post.Mail {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	in, read := post.Inbox(folder), make(map[string]bool)
	var all []post.Mail
	for _, e := range entries {
		address := strings.TrimSuffix(e.Name()[len("0000-email-"):], ".eml")
		if read[address] {
			continue
		}
		read[address] = true
		mails, err := in.All(address)
		if err != nil {
			t.Fatal(err)
		}
		for i := range mails {
			if mails[i].Channel != civicpin.Email {
				t.Errorf("%s is no e-mail", mails[i].File)
			}
		}
		all = append(all, mails...)
	}
	if len(all) != len(entries) {
		t.Errorf("read %d of %d messages", len(all), len(entries))
	}
	return all
}

// link is what a mail program shows as one.
var link = regexp.MustCompile(`https?://\S+`)

// checkPost looks at where the links of all messages lead.
func checkPost(t *testing.T, folder string) {
	t.Helper()
	for _, m := range posted(t, folder) {
		for _, found := range link.FindAllString(m.Text, -1) {
			if found != "https://iess.example/" && found != "https://iess.example/clave#"+m.Link() {
				t.Errorf("%s has %q in it", m.File, found)
			}
		}
	}
}
