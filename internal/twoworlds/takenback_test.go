package twoworlds_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/civicpin/civicpin/internal/testkit"
)

// TestTakenBack takes each mend back, and has the model find the difference that the mend had closed: within 10,000 schedules
// of each setup.
func TestTakenBack(t *testing.T) {
	played := regexp.MustCompile(`\d+ schedules`)
	testkit.TakenBack(t, "^TestTwoWorlds$", "CIVICPIN_TWOWORLDS=10000", func(out string) (string, bool) {
		_, difference, ok := strings.Cut(out, "the worlds differ:\n")
		difference, _, _ = strings.Cut(difference, "\n--- ")
		return fmt.Sprintf("after %v:\n%s", played.FindAllString(out, -1), difference), ok
	})
}
