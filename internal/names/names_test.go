package names_test

import (
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"github.com/civicpin/civicpin/internal/names"
)

func TestValid(t *testing.T) {
	for name, want := range map[string]bool{
		"": false, "a": true, "aZ09-_.": true, "a/b": false, "a b": false, "é": false, "a\x00": false, "a:": false, "[": false, "`": false,
		strings.Repeat("n", 32): true, strings.Repeat("n", 33): false,
	} {
		require.Equal(t, want, names.Valid(name, 32), "%q", name)
	}
}

func TestPrintable(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want bool
	}{
		"empty":                  {"", true},
		"one letter":             {"a", true},
		"words":                  {"Ana María, 12/3 «ñ» €5", true},
		"two blanks within":      {"a  b", true},
		"other scripts":          {"李明 Ελλάδα Київ عربي", true},
		"accent of its own":      {"e\u0301", true},
		"emoji":                  {"🙂", true},
		"replacement character":  {"\ufffd", true},
		"as long as may be":      {strings.Repeat("x", 256), true},
		"a byte longer":          {strings.Repeat("x", 257), false},
		"runes of two bytes":     {strings.Repeat("ñ", 128), true},
		"and one more":           {strings.Repeat("ñ", 129), false},
		"blank":                  {" ", false},
		"blank before":           {" a", false},
		"blank after":            {"a ", false},
		"NUL":                    {"a\x00b", false},
		"line feed":              {"a\nb", false},
		"line feed after":        {"a\n", false},
		"carriage return":        {"a\rb", false},
		"tab":                    {"a\tb", false},
		"escape":                 {"a\x1b[2Jb", false},
		"delete":                 {"a\x7fb", false},
		"next line":              {"a\u0085b", false},
		"C1 control":             {"a\u009bb", false},
		"line separator":         {"a\u2028b", false},
		"paragraph separator":    {"a\u2029b", false},
		"no-break space":         {"a\u00a0b", false},
		"ogham space":            {"a\u1680b", false},
		"em space":               {"a\u2003b", false},
		"narrow no-break space":  {"a\u202fb", false},
		"ideographic space":      {"a\u3000b", false},
		"braille blank":          {"a\u2800b", false},
		"soft hyphen":            {"a\u00adb", false},
		"zero-width space":       {"a\u200bb", false},
		"zero-width joiner":      {"a\u200db", false},
		"word joiner":            {"a\u2060b", false},
		"byte order mark":        {"\ufeffa", false},
		"left-to-right mark":     {"a\u200e", false},
		"Arabic letter mark":     {"a\u061cb", false},
		"override":               {"a\u202eb", false},
		"isolate":                {"a\u2066b", false},
		"Mongolian separator":    {"a\u180eb", false},
		"tag":                    {"a\U000e0041b", false},
		"grapheme joiner":        {"a\u034fb", false},
		"variation selector":     {"a\ufe0fb", false},
		"variation selector 17":  {"a\U000e0100b", false},
		"Hangul filler":          {"a\u3164b", false},
		"half-width filler":      {"a\uffa0b", false},
		"private":                {"a\ue000b", false},
		"private, plane 16":      {"a\U00100000b", false},
		"unassigned":             {"a\u0378b", false},
		"noncharacter":           {"a\uffffb", false},
		"half a rune":            {"a\xc3", false},
		"byte that is none":      {"a\xffb", false},
		"surrogate":              {"a\xed\xa0\x80b", false},
		"overlong":               {"\xc0\xaf", false},
		"beyond the last":        {"\xf4\x90\x80\x80", false},
		"annotation":             {"a\ufff9b", false},
		"music format character": {"a\U0001d173b", false},
	} {
		require.Equal(t, tt.want, names.Printable(tt.text, 256), "%s: %q", name, tt.text)
		if tt.want {
			require.True(t, names.PrintableLines(tt.text, 256), name)
		}
	}
	require.True(t, names.Printable("abc", 3))
	require.False(t, names.Printable("abcd", 3))
	require.False(t, names.Printable("a", 0))
}

// No character of a category that does not show is printable, wherever it stands, and nearly all others are.
func TestPrintableOfEachCategory(t *testing.T) {
	shown, ignored := 0, 0
	for r := range rune(unicode.MaxRune + 1) {
		if !utf8.ValidRune(r) {
			continue
		}
		c := string(r)
		got := names.Printable("a"+c+"b", 8)
		switch {
		case r == ' ':
			require.True(t, got)
		case unicode.In(r, unicode.C, unicode.Z):
			require.False(t, got || names.Printable(c, 8) || names.Printable(c+"a", 8) || names.Printable("a"+c, 8), "%U", r)
		case !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S):
			require.False(t, got, "%U is unassigned", r)
		case got:
			shown++
		default:
			ignored++
		}
	}
	require.Greater(t, shown, 100_000)
	require.Equal(t, 4+16+240+1+1+2+2+1+1, ignored, "selectors, fillers, joiners and the empty symbol")
}

func TestPrintableLines(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "Via Roma 1": true, "Ana\nVia Roma 1\n00100 Roma": true, "Ana\r\nVia Roma 1\r\n": true, "Ana\n\nRoma": true,
		"\n": false, "\r\n": false, "\nAna": false, "Ana\rRoma": false, "Ana\r": false, "Ana \nRoma": false, "Ana\n Roma": false,
		"Ana\n\tRoma": false, "Ana\u2028Roma": false, "Ana\vRoma": false, "Ana\u0085Roma": false, "Ana\nRo\u202ema": false,
		"Ana\n\xff": false, strings.Repeat("a", 33): false, strings.Repeat("a\n", 16): true, strings.Repeat("a\n", 17): false,
	} {
		require.Equal(t, want, names.PrintableLines(text, 32), "%q", text)
	}
}

func TestFold(t *testing.T) {
	for _, same := range [][]string{
		{"quito.1", "Quito.1", "QUITO.1"},
		{"josé", "JOSÉ", "jose\u0301", "JOSE\u0301"},
		{"straße", "STRASSE", "Strasse", "STRAẞE"},
		{"σίσυφος", "ΣΊΣΥΦΟΣ"},
		{"k", "K", "\u212a"},
		{"ế", "e\u0302\u0301", "Ế"},
		{"Ꮎ", "ꮎ"},
	} {
		for _, s := range same {
			require.Equal(t, names.Fold(same[0]), names.Fold(s), "%q", s)
		}
	}
	for _, s := range []string{"quito1", "quito.2", "jose", "quito. 1", "1.quito"} {
		require.NotEqual(t, names.Fold("quito.1"), names.Fold(s))
		require.NotEqual(t, names.Fold("josé"), names.Fold(s))
	}
}

func TestFoldOfEachCharacter(t *testing.T) {
	for r := range unicode.MaxRune {
		if !unicode.IsGraphic(r) {
			continue
		}
		folded := names.Fold(string(r))
		require.Equal(t, folded, names.Fold(folded), "%U", r)
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			require.Equal(t, folded, names.Fold(string(next)), "%U and %U", r, next)
		}
	}
}

func TestComposed(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "ñ": true, "北": true, "n\u0303": false, "\u212b": false, "\u1100\u1161": false, "q\u0323\u0307": true, "q\u0307\u0323": false,
	} {
		require.Equal(t, want, names.Composed(text), "%q", text)
	}
}

func FuzzPrintable(f *testing.F) {
	for _, s := range []string{"Quito.1", " a", "a\u200bb", "\ufeffRSSMRA85T10A562S", "ana\u202e", "a\nb", "\xff", "\u1fb3\u0345", "ǰ̣", "ꮎ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if names.Printable(s, 256) {
			require.True(t, utf8.ValidString(s) && len(s) <= 256 && strings.TrimSpace(s) == s)
			quoted := strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(strconv.Quote(s))
			require.Equal(t, `"`+s+`"`, quoted, "a log that quotes shows it as it is")
			require.True(t, names.PrintableLines(s, 256))
		}
		if !utf8.ValidString(s) {
			return
		}
		folded := names.Fold(s)
		require.Equal(t, folded, names.Fold(folded), "folding twice folds no more")
		require.Equal(t, folded, names.Fold(norm.NFD.String(s)))
		require.True(t, names.Composed(folded))
		if names.Printable(s, 256) {
			require.True(t, names.Printable(folded, 8*256), "%q", folded)
		}
	})
}
