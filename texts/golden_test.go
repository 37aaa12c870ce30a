package texts_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// The golden files are there to be read by people who know the languages: one for each kind and language, with all
// channels, and then what a message says that carries less.
func TestGolden(t *testing.T) {
	w := writer(t, inps)
	files := 0
	for _, kind := range kinds {
		for _, locale := range locales {
			var b strings.Builder
			show := func(heading string, m civicpin.Message) {
				text := render(t, w, m)
				fmt.Fprintf(&b, "-- %s --\n", heading)
				if text.Subject != "" {
					fmt.Fprintf(&b, "Subject: %s\n\n", text.Subject)
				}
				b.WriteString(strings.TrimSuffix(text.Body.Reveal(), "\n") + "\n")
			}
			for _, to := range contacts {
				show(string(to.Channel), message(kind, to, locale))
			}
			switch {
			case kind == pin.PartMessage:
				for _, to := range contacts {
					m := message(kind, to, locale)
					m.Part, m.Parts = 1, 1
					show(string(to.Channel)+", in one part", m)
				}
			case slices.Contains(steps, kind):
				m := message(kind, contacts[3], locale)
				m.Secret = civicpin.Secret{}
				show("email, only a link", m)
				m = message(kind, contacts[3], locale)
				m.Link = civicpin.Secret{}
				show("email, only a code", m)
			case slices.Contains(notices, kind):
				m := message(kind, contacts[3], locale)
				m.Link = civicpin.Secret{}
				show("email, no link", m)
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
