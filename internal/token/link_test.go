package token_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/letter"
	"github.com/civicpin/civicpin/internal/token"
)

// joined stands for a keyed hash: it shows what was hashed.
func joined(purpose string, parts ...string) (h [32]byte) {
	copy(h[:], purpose+":"+strings.Join(parts, ","))
	return h
}

// sum is the hash of a typed code of one record.
func sum(text string) func(*token.Link) []byte {
	return func(l *token.Link) []byte { return l.Sum(joined, "code", text, "ana", "id") }
}

// All that has to be right about a typed code is hashed, in an order that stored records rest on.
func TestSum(t *testing.T) {
	l := token.Link{N: 3, To: letter.Contact{Channel: civicpin.SMS, Address: "+34"}}
	require.Equal(t, "code:ana,id,3,sms,+34,ABC", strings.TrimRight(string(sum("ABC")(&l)), "\x00"))
	names := make([]string, 2, 8)
	names[0], names[1] = "ana", "id"
	require.Equal(t, sum("ABC")(&l), l.Sum(joined, "code", "ABC", names...))
	require.Empty(t, names[:3][2], "the names are the caller's")
}

// A code is of the link whose number, address and text it has, wherever that stands; no code is of none.
func TestTyped(t *testing.T) {
	codes := []string{"AAA", "BBB", ""}
	var links []token.Link
	for i, code := range codes {
		l := token.Link{N: i + 1, To: letter.Contact{Channel: civicpin.SMS, Address: "+34"}}
		l.Tag = sum(code)(&l)
		links = append(links, l)
	}
	links = append(links, token.Link{N: 4}) // a link without a code
	for text, want := range map[string]int{"AAA": 0, "BBB": 1, "CCC": -1, "": -1} {
		require.Equal(t, want, token.Typed(links, text, sum(text)), text)
	}
	require.Equal(t, -1, token.Typed(nil, "AAA", sum("AAA")))
	links[0].N = 9
	require.Equal(t, -1, token.Typed(links, "AAA", sum("AAA")), "of another message")
}

// A token of a kind that is not asked for is as unknown as one that never was.
func TestParseKinds(t *testing.T) {
	all := []token.Kind{token.Ticket, token.Redeem, token.Repudiate, token.Contact, token.Undo}
	for _, kind := range all {
		text := token.New(kind, token.NewID(), 1).Text()
		for _, asked := range all {
			got, err := token.Parse(text, asked)
			if asked == kind {
				require.NoError(t, err)
				require.Equal(t, kind, got.Kind)
				continue
			}
			require.ErrorIs(t, err, token.ErrGone)
			require.Zero(t, got)
		}
		_, err := token.Parse(text, token.Undo, kind)
		require.NoError(t, err)
	}
}
