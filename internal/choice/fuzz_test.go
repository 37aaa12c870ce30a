package choice_test

import (
	"testing"
	"unicode/utf8"

	"github.com/civicpin/civicpin/internal/choice"
	"github.com/civicpin/civicpin/pin/rule"
)

// Normalising is idempotent, bounded, and gives what the form has.
func FuzzNormalise(f *testing.F) {
	for _, seed := range []string{
		"837517", "k7px-2mqa", "cafe\u0301", "\u1112\u1161\u11ab", "\u212b", "a\u3000b", "\ufdfa", "\u0344\u0345", "\xff", "\u200d", "ſ", "ı", "",
	} {
		for form := range byte(5) {
			f.Add(form, seed)
		}
	}
	f.Fuzz(func(t *testing.T, form byte, typed string) {
		rules := choice.Rules{Form: choice.Form(form), Min: 4, Max: 128}
		got, err := rules.Normalise(typed)
		if err != nil {
			if got != "" {
				t.Fatal("something came with the error")
			}
			ruleOf(t, err)
			return
		}
		if n := utf8.RuneCountInString(got); n < 1 || n > choice.Longest {
			t.Fatalf("%d characters", n)
		}
		if again, err := rules.Normalise(got); err != nil || again != got {
			t.Fatalf("%q became %q (%v)", got, again, err)
		}
		if rules.Form == choice.Password {
			return
		}
		for _, c := range got {
			if !(c >= '0' && c <= '9' || rules.Form == choice.Alphanumeric && c >= 'A' && c <= 'Z') {
				t.Fatalf("%q is not of the form", got)
			}
		}
	})
}

// Checking gives the same answer twice; what it accepts is in normal form and within the length, and what it refuses for
// personal data it accepts without any, or refuses for no later rule.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"837517", "123456", "K7PX2MQA", "tavolo blu", "14031985", "mario1985", "\ufdfa\ufdfa\ufdfa\ufdfa", "１２３４５６"} {
		for form := range byte(5) {
			f.Add(form, seed, "Mario Rossi", "1985-03-14")
		}
	}
	f.Add(byte(3), "\u0300\u0301\u0302\u0303", "\xff@", "@")
	f.Fuzz(func(t *testing.T, form byte, secret, one, two string) {
		rules := choice.Rules{Form: choice.Form(form), Min: 4, Max: 64}
		personal := []string{one, two, one + two}
		err := rules.Check(secret, personal)
		if rules.Validate() != nil {
			if err == nil {
				t.Fatal("a policy that cannot be used accepted something")
			}
			return
		}
		broken := ruleOf(t, err)
		if again := ruleOf(t, rules.Check(secret, personal)); again != broken {
			t.Fatalf("%q, then %q", broken, again)
		}
		switch alone := ruleOf(t, rules.Check(secret, nil)); {
		case broken == rule.Personal && alone != "", broken != rule.Personal && alone != broken:
			t.Fatalf("%q with personal data, %q without", broken, alone)
		}
		if err != nil {
			return
		}
		if normal, err := rules.Normalise(secret); err != nil || normal != secret {
			t.Fatalf("accepted %q, which normalises to %q (%v)", secret, normal, err)
		}
		if n := utf8.RuneCountInString(secret); n < rules.Min || n > rules.Max {
			t.Fatalf("accepted %d characters", n)
		}
	})
}
