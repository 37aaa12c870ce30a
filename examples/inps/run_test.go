package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/civicpin/civicpin/examples/internal/play/playtest"
	"github.com/civicpin/civicpin/internal/password"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		password.CheapDefault()
	}
	os.Exit(m.Run())
}

// run runs the program as main does, with arguments, and returns what it printed.
func run(t *testing.T, input string, args ...string) (string, error) {
	t.Helper()
	p, err := newPlay()
	if err != nil {
		t.Fatal(err)
	}
	return playtest.Run(t, p, input, args...)
}

// headings are what every telling has, however it comes out.
var headings = []string{
	"\n1. Maria registers her contacts\n", "\n2. She asks for a PIN on line: half by ", "\n3. First login", "\n4. Two other ways",
	"\n5. Ordinario", "\n6. A stranger guesses\n", "\n7. Dispositivo", "\n8. Three months", "\n9. A forgotten PIN",
	"\n10. Somebody else reads her e-mail\n", "\n11. Others at the same page", "\n12. A lost telephone",
	" events were recorded", "are left in ",
}

// TestRun runs the program twice on one database of each store, and looks at what each run prints and leaves.
func TestRun(t *testing.T) {
	t.Parallel()
	playtest.OnEveryStore(t, "inps", checkRuns)
}

func checkRuns(t *testing.T, db playtest.Database) {
	t.Helper()
	first, err := run(t, "", db.Flags()...)
	if err != nil {
		t.Fatal(err)
	}
	playtest.InOrder(t, first, headings...)
	playtest.InOrder(
		t, first,
		"no codice fiscale: the check character", "no such telephone number", "Two contacts are needed", "are one address",
		"Thank you, RSSMRA85T50A562W.", "two parts to one channel or address",

		"Maria reads (0001-sms-+393331234567.txt)", "INPS: il suo nuovo PIN, parte 1 di 2: ",
		"half 1 by SMS accepted, half 2 by e-mail pending", "1 minute later", "parte 2 di 2", "gets the same: ",
		"half 1 by SMS delivered, half 2 by e-mail failed", "sent once more",

		"A sequence is guessed first", "a piece of your name, codice fiscale", "A date is guessed first",
		"good for nothing now", "Tries left: 4", // before it, a half of the PIN that was sent: now and then it breaks another rule
		"She confirms her PEC cittadino",

		"18 days later", "The letter comes (", "Luigi Bianchi", "00184 Roma RM", "È valido fino al", "Luigi's new PIN",
		"on the slip", "Welcome, Anna. Your PIN is dispositivo",

		"Maria's PIN: qz7w k4pm", "Your PIN is ordinario", "We hold your claim",

		"4 left, 3 left, 2 left, 1 left, locked for 15 minutes", "Too many times", "15 minutes later", "ordinario",
		"The operator sees 5 wrong tries", "ordinario",

		"evidence by this method needs an operator", "Your PIN is dispositivo", "Your claim goes through: unemployment benefit.",

		"90 days later", "three months old", "the PIN that you have", "180 days later", "not used for six months", "dispositivo",

		"We do not know two such contacts", "Two contacts are needed", "on their way", "https://inps.example/pin#", "una volta sola",
		"one second later", "too old", "on their way", "finds a page with a button", "by SMS: ", "by e-mail: ",
		"Tries left: 4", "dispositivo",

		"1 day later", "on their way", "by SMS: ", "by e-mail: ", "-citizen-certified-email-", "accesso è stato recuperato",
		"https://inps.example/pin#", "Nobody gets in now", "Tries left: 4", "on the slip", "dispositivo",

		"At Anna's", "At Maria's", "At one that nobody has", "We do not know two such contacts",

		"suspends", "Tries left: 4", "resumes", "dispositivo", "revokes", "il suo PIN è stato revocato", "Tries left: 4",
		"half by SMS, half by PEC cittadino", "Your PIN is ordinario",
	)
	if strings.Contains(first, "earlier run") {
		t.Error("the first run speaks of an earlier one")
	}
	if n := strings.Count(first, "\n"); n > 255 {
		t.Errorf("%d lines: nobody reads that", n)
	}
	log, err := os.ReadFile(db.Files + ".log")
	if err != nil {
		t.Fatal(err)
	}
	events := regexp.MustCompile(`\n(\d+) events`).FindStringSubmatch(first)
	if n := bytes.Count(log, []byte("\n")); events == nil || events[1] != strconv.Itoa(n) {
		t.Errorf("%q events, and %d lines in the log", events, n)
	}

	second, err := run(t, "", append(db.Flags(), "-lang", "en")...)
	if err != nil {
		t.Fatal(err)
	}
	playtest.InOrder(t, second, headings...)
	playtest.InOrder(t, second, "Maria has a PIN from an earlier run", "INPS: your new PIN, part 1 of 2: ",
		"Your claim goes through: unemployment benefit.")
	sameRows(t, first)
	sameRows(t, second)
	checkLeaks(t, db)
	checkPost(t, db.Files+".post")
}

// sameRows fails if the stranger was told different things about Maria and about nobody.
func sameRows(t *testing.T, out string) {
	t.Helper()
	row := regexp.MustCompile(`At Maria's codice fiscale: (.*)\n.*At one that nobody has: +(.*)\n`).FindStringSubmatch(out)
	if row == nil || row[1] != row[2] || !strings.HasPrefix(row[1], "4 left, 3 left, 2 left, 1 left, locked for 15 minutes") {
		t.Errorf("the stranger sees a difference: %q", row)
	}
}

// TestWrongAnswers types what people type: nonsense, slips, and at last what is right.
func TestWrongAnswers(t *testing.T) {
	t.Parallel()
	answers := []string{
		"", "RSSMRA85T5OA562W", "ſſſſſſ85T50A562W", "BNCLGU58H22F205C", strings.Repeat("x", 5000), "\xff\x00", "RSSMRA85T50A562W",

		",,,", "telephone", "333 123 4567, 347 765 4321", "pec maria rossi", "maria@@example.it, 333 123 4567", "+1 23",
		"maría@example.it, 333 123 4567", "pec x@pec.example, 0039 333-123.4567, m@example.org",

		"nothing", "at all", "", "", // the halves
		"1234567", "qz7w/k4pm", "ABABABAB", "PASSWORD", "maria7kq", "Kx3m 9dwt",
		"wrong", "", "AAAAAAAA", "", "", "", // Luigi, Anna
		"kx3m9dwu", "kx3m9dwt", // Maria
		"KX3M-9DWT", "mistake 1", // the stranger, who at first guesses right
		"", "still locked?",
	}
	out, err := run(t, strings.Join(answers, "\n")+strings.Repeat("\n", 60), "-i", "-db", filepath.Join(t.TempDir(), "pins.db"))
	if err != nil {
		t.Fatalf("%v, after\n%s", err, out)
	}
	playtest.InOrder(t, out, headings...)
	playtest.InOrder(
		t, out,
		"the check character", "not where they should be", "neither a letter", "somebody else in this story", "wrong length",
		"neither a letter",
		"Two contacts are needed", "neither a telephone number nor", "One contact of each kind", "behind its kind",
		"neither a telephone number nor", "no such telephone number", "neither a telephone number nor",
		"PEC x***@pec.example, SMS +39*******567, e-mail m***@example.org", "half by PEC, half by SMS",
		"Tries left: 4", "Right. Before anything else", "no more and no fewer", "from A to Z and digits only", "Too few different",
		"guessed first", "a piece of your name", "good for nothing now",
		"Tries left: 4", "Luigi's new PIN [b7xk 29vm]", "Too few different", "Welcome, Anna",
		"Tries left: 3", "Your PIN is ordinario", "(That is her PIN", "4 left, 3 left", "Too many times", "15 minutes later", "Tries left: ",
		"ordinario",
	)
	sameRows(t, out)
}

// TestInputEnds leaves in the middle of the story again and again. Each next run gets by with what the one before left.
func TestInputEnds(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "pins.db")
	for _, c := range []struct {
		answers int
		reached string
	}{
		{0, "1. Maria registers"},
		{9, "3. First login"},                         // with a PIN that was not exchanged
		{10, "3. First login"},                        // on the same day, with as many messages as one may have
		{29, "Maria herself has to wait"},             // with a lock
		{24, "INPS: Welcome. Your PIN is ordinario."}, // over both
	} {
		out, err := run(t, strings.Repeat("\n", c.answers), "-i", "-db", db)
		if err != nil {
			t.Fatalf("after %d answers: %v\n%s", c.answers, err, out)
		}
		playtest.InOrder(t, out, c.reached, "]: \n\nThe input ended here, and so does the story.\n", "are left in "+db)
	}
}

func TestFlags(t *testing.T) {
	out, err := run(t, "", "-h")
	if err != nil || strings.Contains(out, "1. Maria") {
		t.Errorf("help: %v\n%s", err, out)
	}
	playtest.InOrder(t, out, "The life of an INPS PIN", "Usage: inps", "-db file", "-i", "-lang language")
	nowhere := filepath.Join(t.TempDir(), "no", "folder", "pins.db")
	for _, args := range [][]string{{"-x"}, {"again"}, {"-lang", "de"}, {"-db", nowhere}, {"-db"}, {"-i=perhaps"}} {
		if out, err := run(t, "", args...); err == nil || !strings.HasPrefix(err.Error(), "inps: ") || strings.Contains(out, "1. Maria") {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
	}
}
