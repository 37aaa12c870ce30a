package token_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/token"
)

// text returns a new token of a record of its own.
func text(kind byte, n int) string {
	return token.New(token.Kind(kind), token.NewID(), n).Text().Reveal()
}

// reparse reads a token and writes it again.
func reparse(text string) (string, bool) {
	t, err := token.Parse(civicpin.NewSecret(text))
	if err != nil {
		return "", false
	}
	return t.Text().Reveal(), true
}

// fits reports whether a token fits the hash that a record keeps of another.
func fits(text, of string) bool {
	a, err1 := token.Parse(civicpin.NewSecret(text))
	b, err2 := token.Parse(civicpin.NewSecret(of))
	return err1 == nil && err2 == nil && a.Fits(b.Hash())
}

func TestTokens(t *testing.T) {
	seen := make(map[string]bool)
	for _, kind := range []byte("tldcu") {
		for _, n := range []int{0, 1, 7, 255} {
			text := text(kind, n)
			require.False(t, seen[text])
			seen[text] = true
			require.Regexp(t, `^[a-z][A-Z2-7]{26}[A-Za-z0-9_-]{2}\.[A-Za-z0-9_-]{43}$`, text, "it can stand in a fragment as it is")
			back, ok := reparse(text)
			require.True(t, ok)
			require.Equal(t, text, back)
			require.True(t, fits(text, text))
		}
	}
}

// A token of one kind, number, record or verifier fits no other's hash.
func TestTokensAreBound(t *testing.T) {
	text := text('l', 3)
	for name, other := range map[string]string{
		"kind":     "d" + text[1:],
		"number":   text[:27] + "BA" + text[29:],
		"record":   "l" + strings.Repeat("A", 26) + text[27:],
		"verifier": text[:len(text)-4] + "AAAA",
	} {
		require.NotEqual(t, text, other, name)
		require.False(t, fits(other, text), name)
	}
}

// The number of a token has one byte; the links of a record are the newest three.
func TestPush(t *testing.T) {
	require.Equal(t, 1, token.New(token.Redeem, token.NewID(), 257).N)
	var links []token.Link
	for n := range 5 {
		links = token.Push(links, token.Link{N: n})
	}
	require.Len(t, links, token.MaxLinks)
	require.Equal(t, 2, links[0].N)
	require.True(t, token.Outstanding(links, 4))
	require.False(t, token.Outstanding(links, 1))
}

func FuzzParseToken(f *testing.F) {
	for _, kind := range []byte("tldcux") {
		f.Add(text(kind, 1))
	}
	f.Add("")
	f.Add(".")
	f.Add(strings.Repeat("l", 80))
	f.Fuzz(func(t *testing.T, text string) {
		back, ok := reparse(text)
		if !ok {
			require.Empty(t, back)
			return
		}
		require.Equal(t, text, back, "each token has one form")
		require.NotContains(t, civicpin.NewSecret(text).String(), text)
	})
}
