package texts_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// The golden files are there to be read by people who know the languages: one for each kind and language, with all
// channels.
func TestGolden(t *testing.T) {
	w := writer(t, inps)
	files := 0
	for _, kind := range kinds {
		for _, locale := range locales {
			var b strings.Builder
			for _, to := range contacts {
				text := render(t, w, message(kind, to, locale))
				fmt.Fprintf(&b, "-- %s --\n", to.Channel)
				if text.Subject != "" {
					fmt.Fprintf(&b, "Subject: %s\n\n", text.Subject)
				}
				b.WriteString(strings.TrimSuffix(text.Body.Reveal(), "\n") + "\n")
			}
			name := filepath.Join("testdata", fmt.Sprintf("%s.%s.txt", kind, locale))
			if *update {
				require.NoError(t, os.WriteFile(name, []byte(b.String()), 0o644))
			}
			want, err := os.ReadFile(name)
			require.NoError(t, err)
			require.Equal(t, string(want), b.String(), "%s: read the change, then run go test ./texts -update", name)
			files++
		}
	}
	found, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	require.NoError(t, err)
	require.Len(t, found, files, "a golden file that no test reads")
}
