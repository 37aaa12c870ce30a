package main

import (
	"os"
	"regexp"
	"slices"
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
		secrets = append(secrets, m.Link())
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
	db.LeaksNothing(t, playtest.Story{
		Secrets: slices.DeleteFunc(secrets, func(s string) bool { return s == "" }),
		Told: []string{
			`"recovery.finished"`, `"recovery.repudiated"`, `"recovery.decided"`, `"recovery.enrolled"`, `"pin.recovered"`, string(luciaID),
		},
		// The addresses in the log are in the names of the files that were delivered, which are the receipts.
		Hidden: []string{"volcano", "orchid", "Andrade", "nobody.special"},
		Personal: []string{
			string(luciaID), string(diegoID), "passport-COL", "Andrade", "andrade", "volcano", "birth-day", "example.ec", "correo.example",
			`"subject"`, `"address"`, "card-front",
		},
	})
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

// checkLeft looks at all that a run leaves.
func checkLeft(t *testing.T, db playtest.Database) {
	t.Helper()
	checkLeaks(t, db, newLucia(), newDiego(), newCamila())
	checkPost(t, db.Files+".post")
}
