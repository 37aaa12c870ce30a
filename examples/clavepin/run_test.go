package main

import (
	"strings"
	"testing"

	"github.com/civicpin/civicpin/examples/internal/play/playtest"
)

func TestMain(m *testing.M) { playtest.Main(m) }

// headings are what every telling has, however it comes out.
var headings = playtest.Headings(
	"\n1. An operator gets", "\n2. Ana registers", "\n3. Four other ways", "\n4. She asks for a PIN", "\n5. Three characters",
	"\n6. Four of her own", "\n7. A fresh PIN", "\n8. PINs that are refused", "\n9. A new telephone number\n",
)

// TestRun runs the program twice on one database of each store, and looks at what each run prints and leaves.
func TestRun(t *testing.T) {
	t.Parallel()
	playtest.Twice(t, newPlay(), playtest.Transcript{
		Headings: headings, Lines: 180,
		First: []string{
			"Rosa's code: ", "Tries left: 4", "Rosa's code: ", "From now on", "Tries left: 3",

			"the check character", "old\n   Cl@ve: This certificate is not valid today", "nobody that we trust",
			"of somebody else", "Welcome, Ana García López",
			"a fixed line", "Ana's activation code (0001-sms", "Your level is advanced",

			"9 days later", "Luis reads (0002-letter-", "28013 Madrid",
			"Su código de activación", "Vale hasta el", "Your level is basic",
			"Carmen's telephone: +34612345678", "registered for somebody else", "Your level is advanced",
			"(0004-hand", "Your level is advanced", "Elena films", "Your level is basic",

			"The page answers ten times", onItsWay, "9-5-2031", onItsWay,
			"Nothing comes. (After 5 wrong", "15 minutes later", onItsWay,

			"Ana reads (0006-push-app-", "Cl@ve: su clave de un solo uso para ver su vida laboral: ",
			"Done: seeing your working life", "is lost", "She opens the app", "Done: ", "by SMS", "Ana reads (0007-sms-", "Done: ",

			"Four letters and digits", "7GAT\n", "Tries left: 4", "7GAT ", "Done: ",

			"Done: filing your tax return", "Done: changing your account", "Luis types", "yours is basic",

			"Typed once more", "Tries left: 4", "A virus", "Tries left: 3", "Carmen's", "Tries left: 2", "Done: changing your account",
			"10 minutes later", "Right, but too late", "3 days later", "4 left, 3 left, 2 left, 1 left, locked until ", "sees 5 wrong tries", "Done: ",

			"registered for somebody else", "-sms-+34612345678.txt", "we write to +34******322", "-sms-+34655443322.txt", "Done: ",
		},
		Second: []string{
			"Ana registered in an earlier run", "Luis registered in an earlier run", "Your activation code",
			"seeing your working life: ", "yours is basic", "+34******322",
		},
		Left: checkLeft,
	})
}

// TestWrongAnswers types what people type: nonsense, slips, and at last what is right.
func TestWrongAnswers(t *testing.T) {
	t.Parallel()
	answers := []string{
		"no code", "", // the operator
		"", "X1234567L", strings.Repeat("x", 5000), "\xff\x00", "12345678z",
		"mine", "brother's", "hers",
		"telephone", "+1 23", "622 333 444", "+44 7400 123456",
		"WRONG", "", // Ana's activation
		"", "", "nonsense", "", "", "", "", "", "", // Luis, Carmen, who first gives Ana's, Pedro, Elena
		"12345678A", "12345678Z", "soon", "E12345678", "1-1-1800", "1/1/2030", // while the stranger's guesses are locked
		"X1234567L", "9/5/2031", "e-12345678", // Luis may ask, too, and nothing comes to Ana
		"", "9/5/2031",
		"AAA", "", // pushed
		"A1", "", // pulled
		"A", "B", "C", "", // by SMS: used up, and another one
		"ñ123", "gat", "12ab", "", "", // joined
	}
	out := playtest.Typed(t, newPlay(), answers, 60)
	playtest.InOrder(t, out, headings...)
	playtest.InOrder(
		t, out,
		"Tries left: 4", "From now on",
		"check character", "of somebody else in this story", "wrong length", "neither a letter", "Which one?",
		"certificate of somebody else", "Welcome", "not written like", "no such telephone", "comes later in this story",
		"Tries left: 4", "Your level is advanced",
		"Luis's activation code", "Your level is basic", "not written like", "Your level is advanced", "Your level is basic",
		"4. She asks", "check character", "A date is typed", "A date is typed", "A date is typed", onItsWay,
		"Nothing comes. (After 5", "15 minutes later", "A support number", onItsWay, "Nothing comes.\n", onItsWay,
		"5. Three", "Tries left: 4", "Done: ", "is lost", "Tries left: 3", "Done: ", "by SMS", "Tries left: 1",
		"good for nothing now. Ana asks for another", "Ana reads", "Done: ",
		"6. Four of her own", "Four letters", "Four letters", "Tries left: 4", "Done: ",
	)
}

// TestInputEnds leaves in the middle of the story again and again. Each next run gets by with what the one before left.
func TestInputEnds(t *testing.T) {
	t.Parallel()
	db, _ := playtest.Leave(t, newPlay(), []playtest.Leaving{
		{Answers: 0, Reached: "1. An operator"},
		{Answers: 10, Reached: "Ana's activation code"}, // with a telephone, and not activated
		{Answers: 13, Reached: "Luis's telephone"},      // with a letter that was not used
		{Answers: 26, Reached: "5. Three"},              // with a PIN that waits
	})
	if out, err := playtest.Run(t, newPlay(), "", "-db", db); err != nil {
		t.Fatalf("%v, after\n%s", err, out)
	}
}

func TestFlags(t *testing.T) { playtest.Flags(t, newPlay(), "Cl@ve PIN", "1. An operator") }
