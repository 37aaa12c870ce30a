package choice_test

import (
	"strings"
	"testing"

	"github.com/civicpin/civicpin/internal/choice"
)

func BenchmarkCheck(b *testing.B) {
	// The dearest input: the longest secret there may be, and the most data, of which each piece is like it in so many
	// places that none can be passed over, and in none so much that it ends the search.
	long := choice.Rules{Form: choice.Password, Min: 15, Max: 128}
	var secret, piece strings.Builder
	for i := range 32 {
		secret.WriteString("738" + string(rune('a'+(i*5+i/12)%12)))
		piece.WriteString("738" + string(rune('m'+i*7%13)))
	}
	hostile := make([]string, 100)
	for i := range hostile {
		hostile[i] = piece.String()
	}
	if err := long.Check(secret.String(), hostile); err != nil {
		b.Fatal(err) // it would measure less than the whole
	}
	for _, bb := range []struct {
		name     string
		rules    choice.Rules
		secret   string
		personal []string
	}{
		{"6 digits", pin6, "837517", mario},
		{"8 letters and digits", inps, "K7PX2MQA", mario},
		{"passphrase", phrase, "correct horse battery staple", mario},
		{"not ASCII", phrase, "Zwölf Boxkämpfer über den Deich", mario},
		{"hostile", long, secret.String(), hostile},
		{"overlong", long, strings.Repeat("x", 1<<20), hostile},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				_ = bb.rules.Check(bb.secret, bb.personal)
			}
		})
	}
}

func BenchmarkNormalise(b *testing.B) {
	for b.Loop() {
		_, _ = inps.Normalise("k7px-2mqa")
	}
}
