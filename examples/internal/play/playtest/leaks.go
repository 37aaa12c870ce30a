package playtest

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/civicpin/civicpin/internal/testkit"
)

// A Story is what the files of a play must hold, and what they must not, beside the post.
type Story struct {
	// Secrets are in no file and in no record, in no form.
	Secrets []string
	// Told are in the log, or it is not the log of this story.
	Told []string
	// Hidden are pieces that are not in the log, and Words are no words of it.
	Hidden, Words []string
	// Personal are pieces that are in no file but the log, and in no record.
	Personal []string
}

// LeaksNothing looks through all that the play has kept but its post.
func (d Database) LeaksNothing(t *testing.T, s Story) {
	t.Helper()
	places := make(map[string]string)
	for name, content := range d.Kept(t) {
		if len(content) > 0 {
			places[name] = string(content)
		}
		log := filepath.Ext(name) == ".log"
		for _, event := range s.Told {
			if log && !bytes.Contains(content, []byte(event)) {
				t.Errorf("no %s: this log is not of this story", event)
			}
		}
		for _, piece := range s.Personal {
			if !log && bytes.Contains(content, []byte(piece)) {
				t.Errorf("%q is in %s", piece, name)
			}
		}
		for _, piece := range s.Hidden {
			if log && bytes.Contains(content, []byte(piece)) {
				t.Errorf("%q is in the log", piece)
			}
		}
		if log && len(s.Words) > 0 {
			testkit.LeaksNothing(t, map[string]string{name: string(content)}, s.Words...)
		}
	}
	testkit.LeaksNothing(t, places, s.Secrets...)
}

// AllSent checks that of each kind of message at least one was sent, given how many of each were.
func AllSent[K comparable](t *testing.T, sent map[K]int, kinds ...K) {
	t.Helper()
	for _, kind := range kinds {
		if sent[kind] == 0 {
			t.Errorf("no message by %v", kind)
		}
	}
}
