package testkit

import (
	"errors"
	"strings"
	"testing"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store/storetest"
)

// Unprintable returns texts that no call takes, by what is wrong with them.
func Unprintable() map[string]string {
	return map[string]string{
		"override": "a\u202eb", "line separator": "a\u2028b", "zero-width space": "a\u200bb", "byte order mark": "\ufeffab",
		"control": "a\ab", "line feed": "a\nb", "broken UTF-8": "a\xffb", "blank before": " ab", "blank after": "ab ",
		"no-break space": "a\u00a0b", "private": "a\ue000b",
	}
}

// Refuses checks that calls take a printable text, and refuse each unprintable one with civicpin.ErrInvalid and without a write
// to the store. Each call makes one field of its argument of the text. Whether a printable text leads to something is for the
// call: other errors pass.
func Refuses(t *testing.T, faults *storetest.Faults, calls map[string]func(text string) error) {
	t.Helper()
	for call, do := range calls {
		if err := do("ab"); errors.Is(err, civicpin.ErrInvalid) {
			t.Errorf("%s refuses a printable text: %v", call, err)
		}
		for name, text := range Unprintable() {
			var err error
			for _, made := range Calls(faults, func() { err = do(text) }) {
				if !strings.HasPrefix(made, storetest.Get) {
					t.Errorf("%s with a text with %s: %s", call, name, made)
				}
			}
			if !errors.Is(err, civicpin.ErrInvalid) {
				t.Errorf("%s takes a text with %s: %v", call, name, err)
			}
		}
	}
}

// Replacing returns a function that replaces the first occurrence of a piece of text, and ends the test if there is none.
func Replacing(t testing.TB, text string) func(piece, by string) string {
	return func(piece, by string) string {
		t.Helper()
		if !strings.Contains(text, piece) {
			t.Fatalf("no %q in %s", piece, text)
		}
		return strings.Replace(text, piece, by, 1)
	}
}
