package recovery_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/recovery"
)

func TestTokens(t *testing.T) {
	seen := make(map[string]bool)
	for _, kind := range []byte("tldcu") {
		for _, n := range []int{0, 1, 7, 255} {
			text := recovery.NewToken(kind, n)
			require.False(t, seen[text])
			seen[text] = true
			require.Regexp(t, `^[a-z][A-Z2-7]{26}[A-Za-z0-9_-]{2}\.[A-Za-z0-9_-]{43}$`, text, "it can stand in a fragment as it is")
			back, ok := recovery.Reparse(text)
			require.True(t, ok)
			require.Equal(t, text, back)
			require.True(t, recovery.Fits(text, text))
		}
	}
}

// A token of one kind, number, record or verifier fits no other's hash.
func TestTokensAreBound(t *testing.T) {
	text := recovery.NewToken('l', 3)
	for name, other := range map[string]string{
		"kind":     "d" + text[1:],
		"number":   text[:27] + "BA" + text[29:],
		"record":   "l" + strings.Repeat("A", 26) + text[27:],
		"verifier": text[:len(text)-4] + "AAAA",
	} {
		require.NotEqual(t, text, other, name)
		require.False(t, recovery.Fits(other, text), name)
	}
}

func FuzzParseToken(f *testing.F) {
	for _, kind := range []byte("tldcux") {
		f.Add(recovery.NewToken(kind, 1))
	}
	f.Add("")
	f.Add(".")
	f.Add(strings.Repeat("l", 80))
	f.Fuzz(func(t *testing.T, text string) {
		back, ok := recovery.Reparse(text)
		if !ok {
			require.Empty(t, back)
			return
		}
		require.Equal(t, text, back, "each token has one form")
		require.NotContains(t, civicpin.NewSecret(text).String(), text)
	})
}
