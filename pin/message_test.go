package pin_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/texts"
)

// The ready texts must know what this package sends.
func TestMessagesHaveTexts(t *testing.T) {
	words, err := texts.New(texts.Service{Name: "INPS"})
	require.NoError(t, err)
	k := newKit(t, pin.INPS())
	k.issued(t)
	for _, m := range k.mail.Messages() {
		for _, locale := range []string{"", "it", "es-EC", "en"} {
			m.To.Locale = locale
			_, err := words.Render(m)
			require.NoError(t, err)
		}
	}
}
