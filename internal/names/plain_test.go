package names_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/names"
)

func TestPlain(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "Ana María, 12/3": true, "李明": true, "a\u00a0b": true, "\ufffd": true,
		"a\x00": false, "a\nb": false, "\t": false, "a\x7f": false, "a\u0085b": false, "\u009f": false,
		"\xff": false, "a\xc3": false, "\xed\xa0\x80": false, "\xc0\xaf": false,
	} {
		require.Equal(t, want, names.Plain(text), "%q", text)
	}
}
