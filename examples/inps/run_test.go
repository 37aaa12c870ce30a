package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/examples/internal/play/playtest"
)

func TestMain(m *testing.M) { playtest.Main(m) }

// headings are what every telling has, however it comes out.
var headings = playtest.Headings(
	"\n1. Maria registers her contacts\n", "\n2. She asks for a PIN on line: half by ", "\n3. First login", "\n4. Two other ways",
	"\n5. Ordinario", "\n6. A stranger guesses\n", "\n7. Dispositivo", "\n8. Three months", "\n9. A forgotten PIN",
	"\n10. Somebody else reads her e-mail\n", "\n11. Others at the same page", "\n12. A lost telephone",
)

// TestRun runs the program twice on one database of each store, and looks at what each run prints and leaves.
func TestRun(t *testing.T) {
	t.Parallel()
	playtest.Twice(t, newPlay(), playtest.Transcript{
		Headings: headings, Lines: 255,
		First: []string{
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

			"1 day later", "suspends", "Tries left: 4", "resumes", "dispositivo", // by which nothing is forgiven
			"revokes", "il suo PIN è stato revocato", "Tries left: 3",
			"half by SMS, half by PEC cittadino", "Your PIN is ordinario",
		},
		Second: []string{
			"Maria has a PIN from an earlier run", "INPS: your new PIN, part 1 of 2: ",
			"Your claim goes through: unemployment benefit.",
		},
		Same: "At Maria's codice fiscale",
		Left: checkLeft,
	})
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
	out := playtest.Typed(t, newPlay(), answers, 60)
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
		"Tries left: 4", "Your PIN is ordinario", "1 day later",
		"(That is her PIN", "4 left, 3 left", "Too many times", "15 minutes later", "Tries left: ",
		"ordinario",
	)
	playtest.SameRows(t, out, "At Maria's codice fiscale")
}

// TestInputEnds leaves in the middle of the story again and again. Each next run gets by with what the one before left.
func TestInputEnds(t *testing.T) {
	t.Parallel()
	playtest.Leave(t, newPlay(), []playtest.Leaving{
		{Answers: 0, Reached: "1. Maria registers"},
		{Answers: 9, Reached: "3. First login"},                         // with a PIN that was not exchanged
		{Answers: 10, Reached: "3. First login"},                        // on the same day, with as many messages as one may have
		{Answers: 29, Reached: "Maria herself has to wait"},             // with a lock
		{Answers: 24, Reached: "INPS: Welcome. Your PIN is ordinario."}, // over both
	})
}

// TestOtherContacts: who left before the first login and comes back with other contacts has the halves sent to these.
func TestOtherContacts(t *testing.T) {
	t.Parallel()
	db, _ := playtest.Leave(t, newPlay(), []playtest.Leaving{{Answers: 9, Reached: "3. First login"}})
	answers := "\n\n333 765 4321, other@example.org" + strings.Repeat("\n", 9)
	out, err := playtest.Run(t, newPlay(), answers, "-i", "-db", db)
	require.NoError(t, err, "after\n%s", out)
	playtest.InOrder(t, out, "on its way to other contacts", "-sms-+393337654321", "-email-other@example.org", "Before anything else")
}

func TestFlags(t *testing.T) { playtest.Flags(t, newPlay(), "The life of an INPS PIN", "1. Maria") }
