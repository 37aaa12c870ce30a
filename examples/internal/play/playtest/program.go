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

// Headings are the headings of a story's steps and what stands behind the last one: the lines that every telling has.
func Headings(steps ...string) []string {
	return append(steps, " events were recorded", "are left in ")
}

// A Transcript is what a play prints in two runs on one database.
type Transcript struct {
	Headings []string
	// First and Second are in the first run and in the second, in this order.
	First, Second []string
	// Lines bounds the first run's: nobody reads more.
	Lines int
	// Same begins the row of the citizen in [SameRows]; empty means that the play has no such rows.
	Same string
	// Left looks at what both runs have left.
	Left func(t *testing.T, db Database)
}

// Twice plays a play twice on one database of each store, the second time in English, and looks at what each run prints and
// leaves.
func Twice(t *testing.T, p play.Play, want Transcript) {
	t.Helper()
	OnEveryStore(t, p.Name, func(t *testing.T, db Database) {
		first := want.run(t, p, want.First, db.Flags()...)
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
		want.run(t, p, want.Second, append(db.Flags(), "-lang", "en")...)
		want.Left(t, db)
	})
}

// run plays once, and looks for the lines.
func (want *Transcript) run(t *testing.T, p play.Play, lines []string, flags ...string) string {
	t.Helper()
	out, err := Run(t, p, "", flags...)
	require.NoError(t, err, "after\n%s", out)
	InOrder(t, out, want.Headings...)
	InOrder(t, out, lines...)
	if want.Same != "" {
		SameRows(t, out, want.Same)
	}
	return out
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

// Leave plays interactively on one database, in which each run gets by with what the one before it left. It returns the
// database, and what the runs printed.
func Leave(t *testing.T, p play.Play, runs []Leaving) (db string, all []string) {
	t.Helper()
	db = filepath.Join(t.TempDir(), "pins.db")
	for _, r := range runs {
		out, err := Run(t, p, strings.Repeat("\n", r.Answers), "-i", "-db", db)
		require.NoError(t, err, "after %d answers:\n%s", r.Answers, out)
		InOrder(t, out, r.Reached, "]: \n\nThe input ended here, and so does the story.\n", "are left in "+db)
		all = append(all, out)
	}
	return db, all
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
