package main

import (
	"strings"
	"testing"

	"github.com/civicpin/civicpin/examples/internal/play/playtest"
)

func TestMain(m *testing.M) { playtest.Main(m) }

// headings are what every telling has, however it comes out.
var headings = playtest.Headings(
	"\n1. Lucía's first key\n", "\n2. Five wrong logins", "\n3. Her own telephone", "\n4. She forgets", "\n5. Three misses",
	"\n6. Somebody knows", "\n7. Her mailbox", "\n8. A video call", "\n9. At the counter", "\n10. The remote desk",
	"\n11. A cédula that is nobody's",
)

// TestRun runs the program twice on one database of each store, and looks at what each run prints and leaves.
func TestRun(t *testing.T) {
	t.Parallel()
	playtest.Twice(t, newPlay(), playtest.Transcript{
		Headings: headings, Lines: 260,
		First: []string{
			"the check character", "Tries left: 2", "no e-mail address",
			"Lucía reads (0001-email-lucia.andrade@example.ec.eml)", "https://iess.example/clave#", "gave this answer to another",
			"I accept the terms of 2026-01: yes",
			"15 to 64", "a piece of your name", "Once more: tres volcanes y un colibrí\n", "Level of assurance: low",

			"4 left, 3 left, 2 left, 1 left, locked. As somebody who does not exist: the same", "Your key is locked",
			"We have written to l***@example.ec", "desbloquee su acceso", "is unlocked", "Welcome, Lucía",

			"remember her telephone", "2 left, 1 left, locked.", "library", "Your key is locked", "On her telephone", "Welcome, Lucía",

			"Tries left: 2", "goes to l***@example.ec", "recupere su acceso", "181 seconds later", "too late", "not a robot",
			"It is still good", "a password that you have", "Welcome, Lucía",

			"2 left, 1 left, locked", "Come to an agency", "Your role does not", "the clerk can", "She leaves the page", "Welcome, Lucía",

			"another address: nobody.special@example.com", "If nobody objects", "recuperación de su acceso", "We have stopped it",
			"73 hours later", "leads nowhere", "Welcome, Lucía", "orchid",

			"Image (one of 9): orchid", "another address: lucia@correo.example", "On line this goes on from",
			"another address: lucia@correo.example", "73 hours later", "lucia@correo.example.eml): IESS: recupere",
			"Her former employer reads", "su acceso se ha recuperado", "We have stopped it", "Tries left: 4", "agency", "a slip",
			"confirme este contacto", "Welcome, Lucía",

			", 19:00", "The office is closed. It opens on", "at 08:00", ", 08:00", "Lucía: I do not know", "Tries left: 2", "Lucía: Paloma",
			"is unlocked", "Welcome, Lucía",

			"no cédula: wrong length", "a slip", "assurance: substantial", "1 left, locked", "unlocks the key", "Welcome, Camila",

			"Diego", "1 left, locked", "card-front: scan.pdf", "1 MB", "3 documents", "Somebody else of your desk", "A colleague",
			"Welcome, Diego",

			"We have written to ", "Nothing was sent",
		},
		Second: []string{
			"Lucía has a key from an earlier run", "another address: lucia.andrade@example.ec", "IESS: recover your access",
		},
		Left: checkLeft,
	})
}

// TestWrongAnswers types what people type: nonsense, slips, and at last what is right.
func TestWrongAnswers(t *testing.T) {
	t.Parallel()
	answers := []string{
		"", "1714307103", strings.Repeat("x", 5000), "\xff\x00", "1710034065",
		"no", "x",
		"14 de marzo", "31/2", "3/14", "14/3", // a slip of Lucía's, and then right
		"yes", "yes?", "LUCIA@EXAMPLE.EC",
		"VOLCANO", "llama",
		"Paloma", "paloma!", "Escuela", "Trompo", // too much alike
		"P", "Galápagos", "Escuela", "Trompo", // one letter
		"Paloma", "Galápagos", "Escuela", "Trompo",
		"no", "yes",
		"corta", "corta", "una frase de Lucía", "otra frase de Lucía", "dos ríos y un puente", "dos ríos y un puente",
		"",                                             // login
		"dos ríos y un puente", "dos ríos y una torre", // the stranger's guesses
		"", "", "wrong", "", // locked out, unlocked, and in at the second try
	}
	out := playtest.Typed(t, newPlay(), answers, 1)
	playtest.InOrder(
		t, out,
		"the check character", "somebody else. Lucía's is", "wrong length", "neither a letter", "Tick the box",
		"Day and month in numbers", "Day and month in numbers", "Day and month in numbers", "Another address, please", "no e-mail address",
		"lucia@example.ec.eml", "Choose an image", "One of these, please", "gave this answer to another", "A word or two",
		"Without them there is no key",
		"15 to 64", "not alike", "Welcome, Lucía",
		"2. Five wrong", "the stranger would be in", "locked. As somebody who does not exist",
		"is unlocked", "Tries left: 4", "Welcome, Lucía", "3. Her own telephone", "The input ended here",
	)
}

// TestInputEnds leaves in the middle of the story again and again. Each next run gets by with what the one before left.
func TestInputEnds(t *testing.T) {
	t.Parallel()
	_, outs := playtest.Leave(t, newPlay(), []playtest.Leaving{
		{Answers: 0, Reached: "1. Lucía's first key"},
		{Answers: 18, Reached: "I accept the terms"},           // a link was used, and nothing chosen
		{Answers: 29, Reached: "At a computer of the library"}, // locked
		{Answers: 80, Reached: "Her former employer reads"},    // suspended
		{Answers: 37, Reached: "3. Her own telephone is known"},
	})
	for _, out := range outs {
		if strings.Contains(out, "takes her address") {
			t.Errorf("the story is further than it should be:\n%s", out)
		}
	}
}

func TestFlags(t *testing.T) { playtest.Flags(t, newPlay(), "Ecuador's IESS", "1. Lucía") }
