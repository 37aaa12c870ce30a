package main

import (
	"strings"
	"testing"
	"time"

	"github.com/civicpin/civicpin/examples/internal/play"
	"github.com/civicpin/civicpin/examples/internal/play/playtest"
)

var tuesday, begun = time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC), time.Now()

func TestMain(m *testing.M) { playtest.Main(m) }

// onTuesday is the program on a Tuesday morning, so that what is printed does not depend on when the test is run.
func onTuesday() play.Play {
	p := newPlay()
	p.Now = func() time.Time { return tuesday.Add(time.Since(begun)) }
	return p
}

// headings are what every telling has, however it comes out.
var headings = playtest.Headings(
	"\n1. Nuria registers", "\n2. At home", "\n3. Omar registers by letter\n", "\n4. One password, two portals\n",
	"\n5. Nuria changes her password\n", "\n6. A forgotten password", "\n7. Others at the same page\n", "\n8. Nuria changes her e-mail",
	"\n9. Somebody else", "\n10. In person", "\n11. Two activation codes",
)

// TestRun runs the program twice on one database of each store, and looks at what each run prints and leaves.
func TestRun(t *testing.T) {
	t.Parallel()
	playtest.Twice(t, onTuesday(), playtest.Transcript{
		Headings: headings, Lines: 245,
		First: []string{
			"the check character", "a fixed line", "no e-mail address", "Nuria reads (0001-sms-", "Seg. Social: clave", "signs them",
			"(0003-handed-over.txt)", "Su código de activación", "Nobody else keeps the code",

			"Tries left: 4", "15 characters", "has 15 characters", "a piece of your name", "guessed first", "A sequence",
			"confirme este contacto", "good for nothing now", "Tries left: 3",

			"6 days later", "Omar reads (0004-letter-", "28004 Madrid", "He gives an e-mail address, and no telephone",

			"Tu Seguridad Social: Welcome, Nuria Vidal Soler. Your level is advanced", "SEDESS: Welcome, Nuria",
			"Welcome, Omar Haddad. Your level is basic", "SEDESS needs the advanced level, and yours is basic",

			"the password that you have", "The old one", "Tries left: 4", "Welcome, Nuria",

			"3 left, 2 left, 1 left, locked until unlocked", "Tries left: 4", "on its way to n***@example.es",
			"half an hour and a second later", "too old", "on its way", "opens it three times", "presses the button",
			"+34******678", "Nuria reads (", "para recuperar el acceso: ", "Tries left: 4", "that you had before",
			"To nuria@example.es: ", "To +34612345678: ", "Tries left: 4", "leads nowhere", "SEDESS: Welcome, Nuria",

			"At Nuria's number:", "At one that nobody has:", "one contact only", "Tries left: 4", "Come to an office",

			"1 day later", "the contact that you have", "confirme este contacto", "To nuria@example.es: ", "To +34612345678: ",
			"yours is basic", "Tries left: 4", "7 days later", "Your level is advanced",

			"coffee machine", "To +34612345678: ", "https://tuss.example/clave#", "as they were", "password is stopped", "Tries left: 4",

			"20:00", "not in this role", "closed until", "09:00", "In the morning", "recupere su acceso", "Her new telephone: 655",
			"SEDESS: Welcome, Nuria", "Omar comes, too", "signs them", "SEDESS: Welcome, Omar Haddad. Your level is advanced",

			"7 days later", "Right, but too late", "Tries left: 4", "Julia types hers wrong", "locked until unlocked", "an office",
			"comes back with her card", "Tries left: 4", "Welcome, Julia",
		},
		Second: []string{
			"Nuria registered in an earlier run", "Your activation code", "Omar registered in an earlier run",
			"recover your access", "SEDESS: Welcome, Omar Haddad. Your level is advanced", "Welcome, Julia",
		},
		Same: "At Nuria's number",
		Left: checkLeft,
	})
}

// TestWrongAnswers types what people type: nonsense, slips, and at last what is right.
func TestWrongAnswers(t *testing.T) {
	t.Parallel()
	answers := []string{
		"", "X1234567L", strings.Repeat("x", 5000), "\xff\x00", "12345678z",
		"telephone", "+1 23", "+44 7400 123456", "nuria", "Nuria@Example.ES",
		"AAAA BBBB", "1", "2", "3", "4", "", "", // the code by SMS, locked for a quarter of an hour: too late
		"nothing", "", // her activation code
		"short", "Nuria Vidal Soler 2", strings.Repeat("no", 9), "pass\x00word for nobody", "ñandú en bicicleta",
		"", "Otro gato, azul, en Lugo", "omar@", "omar@example.es",
		"ñandú en Bicicleta", "ñandú en bicicleta", "", "", "", // portals
		"tuseguridadsocial", "la casa roja canta", "", // change, and another login
		"yesterday", "23/5/1979", "1/1/1980", "23/5/1979", // forgotten
		"22222222", "", "la casa roja canta", "  ", "siete barcos de papel", "siete barcos de papel",
		"", "x", "nuria@example.es", "nuria@correo.example",
	}
	out := playtest.Typed(t, onTuesday(), answers, 80)
	playtest.InOrder(t, out, headings[0])
	playtest.InOrder(
		t, out,
		"check character", "not the number on her card", "wrong length", "neither a letter",
		"not written like", "no such telephone", "no e-mail address", "Nuria reads", "Tries left: 4", "Tries left: 1", "Try again on",
		"15 minutes later", "Too late", "signs them",
		"Tries left: 4", "Your password, please", "has 15 characters", "a piece of your name", "Too few different", "cannot be typed",
		"The slip is good", "Omar reads", "no e-mail", "Omar opens",
		"Tries left: 4", "Tu Seguridad Social: Welcome, Nuria", "SEDESS: Welcome, Nuria", "yours is basic",
		"guessed first", "The old one", "A forgotten password", "A date is typed", "on its way", "too old", "Tries left: ", "on its way",
		"Tries left: 4", "that you had before", "15 characters", "SEDESS: Welcome, Nuria",
		"no e-mail", "that you have", "yours is basic",
	)
}

// TestInputEnds leaves in the middle of the story again and again. Each next run gets by with what the one before left.
func TestInputEnds(t *testing.T) {
	t.Parallel()
	playtest.Leave(t, onTuesday(), []playtest.Leaving{
		{Answers: 0, Reached: "1. Nuria registers"},
		{Answers: 4, Reached: "Nuria's e-mail"},                 // with a telephone that was not proved
		{Answers: 8, Reached: "2. At home"},                     // with a code that was not exchanged
		{Answers: 22, Reached: "5. Nuria changes her password"}, // with a password
		{Answers: 31, Reached: "Nuria's new password"},          // with a grant that was not used
		{Answers: 44, Reached: "9. Somebody else changes"},      // with a telephone that is not hers, and before she can undo it
	})
}

func TestFlags(t *testing.T) { playtest.Flags(t, onTuesday(), "Tu Seguridad Social", "1. Nuria") }
