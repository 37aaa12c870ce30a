package answer

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/civicpin/civicpin/pin/rule"
)

// An Error says which rule refused an answer. It does not hold the answer, so it may be shown and logged.
type Error struct {
	Rule rule.Rule
}

// Error names the rule.
func (e *Error) Error() string { return "answer: refused: " + string(e.Rule) }

const (
	// minWord is how long a word of a question's name is to be refused: "of" and "a" are in many.
	minWord = 3
	// minPiece is how long a piece of the subject's id is to be refused. A year of birth in an answer may be refused by it;
	// then another answer is asked for, and nothing is lost.
	minPiece = 4
)

// Check says whether an answer, in its normal form, may be chosen for a question of that name by a subject of that id. It keeps
// out what is not an answer (OWASP cheat sheet "Choosing and Using Security Questions": a deny list, and a minimum length that
// allows for "Li"). It cannot tell which real answers are common: the author of the questions can.
func Check(normal, question, subject string) error {
	bare := squash(normal)
	switch {
	case bare == "":
		return &Error{Rule: rule.Characters}
	case letters(normal) < 2 && !word(bare):
		return &Error{Rule: rule.Length}
	case repeated(bare):
		return &Error{Rule: rule.Repeated}
	case strings.Contains(commonAnswers, "\n"+bare+"\n"), sequence(bare):
		return &Error{Rule: rule.Common}
	case ofQuestion(bare, question):
		return &Error{Rule: rule.Question}
	case ofSubject(bare, squash(subject)):
		return &Error{Rule: rule.Personal}
	}
	return nil
}

// Alike reports whether two answers, in their normal forms, are one for an attacker who guesses.
func Alike(a, b string) bool { return squash(a) == squash(b) }

// squash leaves the letters and digits, without case and accents. Only for comparing with what is known; never what is hashed.
func squash(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.In(c, unicode.L, unicode.N, unicode.Mc) {
			return c
		}
		return -1
	}, strings.ToLower(norm.NFKD.String(s)))
}

// letters counts what makes an answer long: in many scripts a vowel is a mark on a letter.
func letters(s string) int {
	n := 0
	for _, c := range s {
		if unicode.In(c, unicode.L, unicode.N, unicode.M) {
			n++
		}
	}
	return n
}

// word reports whether an answer is one character that is a word, as a family name in Chinese or Korean. squash takes
// Korean syllables apart.
func word(bare string) bool {
	for _, c := range bare {
		if !unicode.In(c, unicode.Ideographic, unicode.Hangul) {
			return false
		}
	}
	return true
}

func repeated(bare string) bool {
	first, size := utf8.DecodeRuneInString(bare)
	return len(bare) > size && !word(bare) && strings.Trim(bare, string(first)) == ""
}

// sequence reports whether an answer is three digits or more that count up or down.
func sequence(bare string) bool {
	up, down := len(bare) >= 3, len(bare) >= 3
	for i := range len(bare) {
		if bare[i] < '0' || bare[i] > '9' {
			return false
		}
		if i > 0 {
			step := (int(bare[i]) - int(bare[i-1]) + 10) % 10
			up, down = up && step == 1, down && step == 9
		}
	}
	return up || down
}

func ofQuestion(bare, question string) bool {
	if bare == squash(question) {
		return true
	}
	for _, w := range strings.FieldsFunc(question, func(c rune) bool { return !unicode.In(c, unicode.L, unicode.N, unicode.M) }) {
		if w = squash(w); utf8.RuneCountInString(w) >= minWord && w == bare {
			return true
		}
	}
	return false
}

func ofSubject(bare, subject string) bool {
	return subject != "" && (bare == subject || len(bare) >= minPiece && strings.Contains(subject, bare) ||
		len(subject) >= minPiece && strings.Contains(bare, subject))
}

// commonAnswers is what people put in to be done with it, as squash leaves it, in the languages of the examples.
const commonAnswers = `
abc
abcd
abcde
abcdef
admin
administrator
answer
asd
asdf
asdfgh
asdfghjkl
blank
clave
codigo
contrasena
default
desconocido
dontknow
dontremember
email
false
foobar
guest
idk
idontknow
idontremember
ignoto
indefinido
loremipsum
myanswer
mypassword
na
nada
nadie
name
nessuna
nessuno
niente
ninguna
ninguno
no
noaplica
nobody
nolose
nombre
nome
nomeacuerdo
nonapplicabile
none
nonloso
nonricordo
nonso
norecuerdo
nose
notapplicable
nothing
ns
nsnc
null
ok
pass
passw0rd
password
pin
pregunta
prova
prueba
question
qwe
qwer
qwert
qwerty
qwertyuiop
respuesta
risposta
secret
secreta
secreto
segreta
segreto
si
sinrespuesta
test
testing
true
undefined
unknown
user
username
usuario
utente
vacio
vuoto
xyz
yes
zxcv
zxcvbn
zxcvbnm
`
