package playtest

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/internal/password"
)

// Main is the TestMain of a play's tests: with -short, hashes are cheap.
func Main(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		password.CheapDefault()
	}
	os.Exit(m.Run())
}

// A Transcript is what a play prints in two runs on one database.
type Transcript struct {
	// Headings are in each telling, however it comes out.
	Headings []string
	// First and Second are in the first run and in the second, in this order.
	First, Second []string
	// Lines bounds the first run's: nobody reads more.
	Lines int
}

// Twice plays a play twice on one database, the second time in English, and looks at what each run prints. It returns that.
func Twice(t *testing.T, p play.Play, db Database, want Transcript) (first, second string) {
	t.Helper()
	first, err := Run(t, p, "", db.Flags()...)
	require.NoError(t, err, "after\n%s", first)
	InOrder(t, first, want.Headings...)
	InOrder(t, first, want.First...)
	if strings.Contains(first, "earlier run") {
		t.Error("the first run speaks of an earlier one")
	}
	if n := strings.Count(first, "\n"); n > want.Lines {
		t.Errorf("%d lines: nobody reads that", n)
	}
	log, err := os.ReadFile(db.Files + ".log")
	require.NoError(t, err)
	events := regexp.MustCompile(`\n(\d+) events`).FindStringSubmatch(first)
	if n := bytes.Count(log, []byte("\n")); events == nil || events[1] != strconv.Itoa(n) {
		t.Errorf("%q events, and %d lines in the log", events, n)
	}
	second, err = Run(t, p, "", append(db.Flags(), "-lang", "en")...)
	require.NoError(t, err, "after\n%s", second)
	InOrder(t, second, want.Headings...)
	InOrder(t, second, want.Second...)
	return first, second
}

// Typed plays with these answers and then with some empty ones, which take what is suggested. It returns what was printed.
func Typed(t *testing.T, p play.Play, answers []string, empty int) string {
	t.Helper()
	input := strings.Join(answers, "\n") + strings.Repeat("\n", empty)
	out, err := Run(t, p, input, "-i", "-db", filepath.Join(t.TempDir(), "pins.db"))
	require.NoError(t, err, "after\n%s", out)
	return out
}

// A Leaving is a run that the citizens leave in the middle of the story.
type Leaving struct {
	// Answers is how many answers they give first, all as suggested.
	Answers int
	// Reached is how far the story comes.
	Reached string
}

// Leave plays interactively on one database, in which each run gets by with what the one before it left. It returns what they
// printed.
func Leave(t *testing.T, p play.Play, db string, runs []Leaving) []string {
	t.Helper()
	var all []string
	for _, r := range runs {
		out, err := Run(t, p, strings.Repeat("\n", r.Answers), "-i", "-db", db)
		require.NoError(t, err, "after %d answers:\n%s", r.Answers, out)
		InOrder(t, out, r.Reached, "]: \n\nThe input ended here, and so does the story.\n", "are left in "+db)
		all = append(all, out)
	}
	return all
}

// Flags checks the help, and that wrong flags end the program before the story begins.
func Flags(t *testing.T, p play.Play, about, begins string) {
	t.Helper()
	out, err := Run(t, p, "", "-h")
	if err != nil || strings.Contains(out, begins) {
		t.Errorf("help: %v\n%s", err, out)
	}
	InOrder(t, out, about, "Usage: "+p.Name, "-db file", "-i", "-lang language")
	nowhere := filepath.Join(t.TempDir(), "no", "folder", "pins.db")
	for _, args := range [][]string{{"-x"}, {"again"}, {"-lang", "de"}, {"-db", nowhere}, {"-db"}, {"-i=perhaps"}} {
		out, err := Run(t, p, "", args...)
		if err == nil || !strings.HasPrefix(err.Error(), p.Name+": ") || strings.Contains(out, begins) {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
	}
}

// SameRows fails if an attacker was told different things about a citizen, in the row that begins with whose, and about an
// identifier that nobody has.
func SameRows(t *testing.T, out, whose string) {
	t.Helper()
	rows := regexp.MustCompile(regexp.QuoteMeta(whose) + `: +(.*)\n.*At one that nobody has: +(.*)\n`)
	row := rows.FindStringSubmatch(out)
	if row == nil || row[1] != row[2] || !strings.HasPrefix(row[1], "4 left, 3 left, 2 left, 1 left, locked for 15 minutes") {
		t.Errorf("the attacker sees a difference: %q", row)
	}
}
