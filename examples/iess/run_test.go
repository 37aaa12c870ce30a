package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/civicpin/civicpin/examples/internal/play"
)

// run runs the program as main does, with arguments, and returns what it printed.
func run(t *testing.T, input string, args ...string) (string, error) {
	t.Helper()
	p, err := newPlay()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = play.Run(t.Context(), p, args, strings.NewReader(input), &out)
	return out.String(), err
}

// inOrder fails for the first of the lines that does not come after the one before it.
func inOrder(t *testing.T, out string, lines ...string) {
	t.Helper()
	rest := out
	for _, line := range lines {
		_, after, ok := strings.Cut(rest, line)
		if !ok {
			t.Fatalf("%q is missing, or out of its place, in\n%s", line, out)
		}
		rest = after
	}
}

// headings are what every telling has, however it comes out.
var headings = []string{
	"\n1. Lucía's first key\n", "\n2. Five wrong logins", "\n3. She forgets", "\n4. Three misses", "\n5. Somebody knows",
	"\n6. Her mailbox", "\n7. A video call", "\n8. At the counter", "\n9. The remote desk", "\n10. A cédula that is nobody's",
	" events were recorded", "are left in ",
}

// TestRun runs the program twice on one database, and looks at what each run prints and leaves.
func TestRun(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "pins.db")
	first, err := run(t, "", "-db", db)
	if err != nil {
		t.Fatalf("%v, after\n%s", err, first)
	}
	inOrder(t, first, headings...)
	inOrder(t, first)
	if strings.Contains(first, "earlier run") {
		t.Error("the first run speaks of an earlier one")
	}
	if n := strings.Count(first, "\n"); n > 230 {
		t.Errorf("%d lines: nobody reads that", n)
	}
	log, err := os.ReadFile(db + ".log")
	if err != nil {
		t.Fatal(err)
	}
	events := regexp.MustCompile(`\n(\d+) events`).FindStringSubmatch(first)
	if n := bytes.Count(log, []byte("\n")); events == nil || events[1] != strconv.Itoa(n) {
		t.Errorf("%q events, and %d lines in the log", events, n)
	}

	second, err := run(t, "", "-db", db, "-lang", "en")
	if err != nil {
		t.Fatalf("%v, after\n%s", err, second)
	}
	inOrder(t, second, headings...)
	inOrder(t, second, "Lucía has a key from an earlier run", "IESS: activate your access")
	checkLeaks(t, db, newLucia(), newDiego(), newCamila())
	checkPost(t, db+".post")
}

func TestFlags(t *testing.T) {
	out, err := run(t, "", "-h")
	if err != nil || strings.Contains(out, "1. Lucía") {
		t.Errorf("help: %v\n%s", err, out)
	}
	inOrder(t, out, "Ecuador's IESS", "Usage: iess", "-db file", "-i", "-lang language")
	nowhere := filepath.Join(t.TempDir(), "no", "folder", "pins.db")
	for _, args := range [][]string{{"-x"}, {"again"}, {"-lang", "de"}, {"-db", nowhere}, {"-db"}, {"-i=perhaps"}} {
		out, err := run(t, "", args...)
		if err == nil || !strings.HasPrefix(err.Error(), "iess: ") || strings.Contains(out, "1. Lucía") {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
	}
}
