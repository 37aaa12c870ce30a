package holders_test

import (
	"strings"
	"testing"

	"github.com/civicpin/civicpin/internal/testkit"
)

// TestTakenBack takes each mend back, and has the model find a way around what is left: within 3,000 schedules of each system.
func TestTakenBack(t *testing.T) {
	testkit.TakenBack(t, "^TestHolders$", "CIVICPIN_HOLDERS=3000", func(out string) (string, bool) {
		_, found, ok := strings.Cut(out, "it must not be: ")
		found, _, _ = strings.Cut(found, "\n=== ")
		return found, ok
	})
}
