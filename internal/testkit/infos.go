package testkit

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/civicpin/civicpin"
)

// Infos compares what a package says of its events with testdata/events.txt: the code, the meaning, and each reason in a line
// of its own. Codes are for ever, and other programs look for the reasons. If the environment has CIVICPIN_WRITE_EVENTS, Infos
// writes the file.
func Infos(t *testing.T, infos []civicpin.EventInfo) {
	t.Helper()
	const path = "testdata/events.txt"
	var b strings.Builder
	for _, i := range infos {
		fmt.Fprintf(&b, "%s: %s\n", i.Code, i.Meaning)
		for _, reason := range i.Reasons {
			fmt.Fprintf(&b, "    %s\n", reason)
		}
	}
	if os.Getenv("CIVICPIN_WRITE_EVENTS") != "" {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || string(want) != b.String() {
		t.Errorf("%s is out of date (%v): the events are\n%s", path, err, b.String())
	}
}
