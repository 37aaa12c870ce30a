package strangers

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// docs is the folder of pages, from any folder that is two below the root.
const docs = "../../docs/"

// Attacks are those that the tables have.
func Attacks() []Attack { return []Attack{{10, 1}, {100, 10}, {1000, 100}} }

// most is for how many minutes an owner who has shown something may be kept out.
const most = 1

// Table plays the attacks on each door. It fails if an owner who has shown something is kept out for more than a minute. It
// compares what the attacks cost with the table of a name in docs/threats.md, between its markers. With
// CIVICPIN_WRITE_COSTS in the environment the table is written instead.
func Table(t *testing.T, name string, doors ...func() (*Scene, Door)) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "| door | captchas | addresses | %s | %s | %s |\n", Nothing, Device, Login)
	fmt.Fprintln(&b, strings.Repeat("| --- ", 6)+"|")
	for _, open := range doors {
		_, d := open()
		for _, a := range Attacks() {
			worst := Siege(t, open, a)
			fmt.Fprintf(&b, "| %s | %d | %d |", d.Name, a.Captchas, a.Sources)
			for _, means := range []Means{Nothing, Device, Login} {
				cell := "-"
				if d.Owner[means] != nil {
					cell = fmt.Sprint(worst[means])
				}
				if means != Nothing && worst[means] > most {
					t.Errorf("%s: %+v keep an owner with %s out for %d minutes", d.Name, a, means, worst[means])
				}
				fmt.Fprintf(&b, " %s |", cell)
			}
			b.WriteByte('\n')
		}
	}
	Compare(t, "threats.md", "minutes: "+name, b.String())
}

// Compare compares a table with the one of a name on a page of docs/, between its markers. With CIVICPIN_WRITE_COSTS in the
// environment the table is written instead.
func Compare(t *testing.T, page, name, table string) {
	t.Helper()
	page = docs + page
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+name+" -->\n", "<!-- end -->\n"
	before, rest, ok := strings.Cut(string(text), begin)
	old, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no markers for %s", page, name)
	}
	if slices.Equal(strings.Fields(old), strings.Fields(table)) {
		return
	}
	if os.Getenv("CIVICPIN_WRITE_COSTS") == "" {
		t.Fatalf("%s says\n%s\nand the table of %s is\n%s", page, old, name, table)
	}
	if err := os.WriteFile(page, []byte(before+begin+table+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
