package texts_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/texts"
)

// gsm7 is 3GPP TS 23.038 6.2.1 as the standard prints it, by code, written down apart from the package's own table. Code
// 0x1B is the escape.
var gsm7 = [128]rune{
	'@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å',
	'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', 0x1b, 'Æ', 'æ', 'ß', 'É',
	' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
	'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
	'¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
	'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§',
	'¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
	'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
}

// gsm7Extension is 6.2.1.1: what follows the escape.
var gsm7Extension = map[rune]byte{
	'\f': 0x0a, '^': 0x14, '{': 0x28, '}': 0x29, '\\': 0x2f, '[': 0x3c, '~': 0x3d, ']': 0x3e, '|': 0x40, '€': 0x65,
}

// encode returns the septets of s, as a gateway would make them.
func encode(t testing.TB, s string) []byte {
	t.Helper()
	codes := map[rune]byte{}
	for code, c := range gsm7 {
		if code != 0x1b {
			codes[c] = byte(code)
		}
	}
	require.Len(t, codes, 127)
	var out []byte
	for _, c := range s {
		if code, ok := codes[c]; ok {
			out = append(out, code)
		} else if code, ok := gsm7Extension[c]; ok {
			out = append(out, 0x1b, code)
		} else {
			require.Failf(t, "not in the GSM 7-bit alphabet", "%q in %q", c, s)
		}
	}
	return out
}

// pack puts septets into octets: a text message has 140 of those (3GPP TS 23.040 9.2.3.24).
func pack(septets []byte) []byte {
	var out []byte
	var bits, held uint
	for _, s := range septets {
		bits |= uint(s) << held
		for held += 7; held >= 8; held -= 8 {
			out = append(out, byte(bits))
			bits >>= 8
		}
	}
	if held > 0 {
		out = append(out, byte(bits))
	}
	return out
}

func TestPack(t *testing.T) {
	// The packing of "hello" that every description of the format shows.
	require.Equal(t, []byte{0xe8, 0x32, 0x9b, 0xfd, 0x06}, pack(encode(t, "hello")))
}

func TestGSM(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		ok       bool
	}{
		{"INPS", "INPS", true},
		{"Administración", "Administracion", true},
		{"Previdenza è qui àéìòù", "Previdenza è qui àéìòù", true},
		{"È Á Í Ó Ú ú í", "E A I O U u i", true},
		{"Señor Ñ ü ¿¡", "Señor Ñ ü ¿¡", true},
		{"l’ente – «X»", "l'ente - \"X\"", true},
		{"a{b}€", "a{b}€", true},
		{"Łódź", "Lodź", false},
		{"Пенсия", "Пенсия", false},
		{"e\u0301 o\u0301 n\u0303 C\u0327", "é o ñ Ç", true},
		{"x\u0301", "x\u0301", false},
		{"\x1b", "\x1b", false},
	} {
		got, ok := texts.GSM(tt.in)
		require.Equal(t, tt.ok, ok, tt.in)
		require.Equal(t, tt.want, got, tt.in)
		if ok {
			encode(t, got)
		}
	}
	for code, c := range gsm7 {
		if code != 0x1b {
			got, ok := texts.GSM(string(c))
			require.True(t, ok, "%q", c)
			require.Equal(t, string(c), got)
		}
	}
}

// The texts themselves need no accent left out; only a service's name may.
func TestShortPatternsAreInTheAlphabet(t *testing.T) {
	for _, locale := range locales {
		for _, kind := range kinds {
			for parts := range 3 {
				pattern := texts.ShortPattern(locale, kind, parts)
				require.NotEmpty(t, pattern)
				encode(t, pattern)
			}
		}
		for _, change := range []string{"", "added", "changed", "removed", "primary"} {
			words := texts.Change(locale, change)
			require.NotEmpty(t, words)
			encode(t, words)
		}
	}
}
