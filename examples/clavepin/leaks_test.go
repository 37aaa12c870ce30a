package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/play/playtest"
	"github.com/civicpin/civicpin/examples/internal/post"
)

// checkLeaks looks for every code that was sent, and for the further secrets, in everything beside the database but the
// post, and for the people themselves in the database.
func checkLeaks(t *testing.T, db playtest.Database, secrets ...string) {
	t.Helper()
	var short []string
	for _, m := range posted(t, db.Files+".post") {
		code := strings.ReplaceAll(m.Code(), " ", "")
		switch {
		case len(code) == 3:
			short = append(short, code)
		case len(code) == 16:
			secrets = append(secrets, code, m.Code())
		default:
			t.Errorf("%s has the code %q", m.File, m.Code())
		}
	}
	if len(short) < 10 || len(secrets) < 10 {
		t.Fatalf("only %d codes and %d other secrets to look for", len(short), len(secrets))
	}
	db.LeaksNothing(t, playtest.Story{
		Secrets: secrets,
		Told:    []string{`"pin.exchanged"`, `"otp.code_verified"`, `"otp.code_pulled"`, `"otp.activated"`, "12345678Z"},
		Words:   short, // three letters stand somewhere in any sealed record; in the log they would stand alone
		Personal: []string{
			"12345678", "X1234567", "Garc", "612345678", "Calle Mayor", "working-life", "ES91", "2031-05", `"code"`, `"phone"`, `"seed"`,
		},
	})
}

// posted reads everything that was delivered.
func posted(t *testing.T, folder string) []post.Mail {
	t.Helper()
	var all []post.Mail
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		channel, _, _ := strings.Cut(d.Name()[len("0000-"):], "-")
		if channel == "handed" {
			channel = string(civicpin.HandedOver)
		}
		all = append(all, post.Mail{File: d.Name(), Channel: civicpin.Channel(channel), Text: strings.TrimSpace(string(content))})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// link is what a telephone shows as one: a scheme, a host, two words joined by a full stop.
var link = regexp.MustCompile(`(?i)https?:|www\.|://|[a-z]\.[a-z]`)

// checkPost looks for links in all messages, and at how each channel is used.
func checkPost(t *testing.T, folder string) {
	t.Helper()
	kinds := make(map[civicpin.Channel]int)
	for _, m := range posted(t, folder) {
		kinds[m.Channel]++
		if found := link.FindString(m.Text); found != "" {
			t.Errorf("%s has %q in it", m.File, found)
		}
		if m.Channel == civicpin.SMS && (len([]rune(m.Text)) > 160 || !strings.HasPrefix(m.Text, "Cl@ve: ")) {
			t.Errorf("%s is no text message: %q", m.File, m.Text)
		}
	}
	playtest.AllSent(t, kinds, civicpin.SMS, civicpin.Push, civicpin.Letter, civicpin.HandedOver)
}

// checkLeft looks at all that a run leaves.
func checkLeft(t *testing.T, db playtest.Database) {
	t.Helper()
	checkLeaks(t, db)
	checkPost(t, db.Files+".post")
}
