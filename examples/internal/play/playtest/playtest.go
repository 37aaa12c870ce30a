// Package playtest holds what the tests of the examples have in common.
package playtest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/civicpin/civicpin/examples/internal/play"
)

// Run plays with an input and flags, and returns what was printed.
func Run(t *testing.T, p play.Play, input string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := play.Run(t.Context(), p, args, strings.NewReader(input), &out)
	return out.String(), err
}

// InOrder fails for the first of the lines that does not come after the one before it.
func InOrder(t *testing.T, out string, lines ...string) {
	t.Helper()
	rest := out
	for _, line := range lines {
		_, after, ok := strings.Cut(rest, line)
		if !ok {
			t.Fatalf("%q is missing, or out of its place, in\n%s", line, out)
		}
		rest = after
	}
}
