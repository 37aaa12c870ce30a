package token_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/token"
)

func TestSample(t *testing.T) {
	until := time.Date(2030, 5, 6, 7, 8, 9, 0, time.UTC)
	require.Equal(t, civicpin.Message{Kind: "test", ExpiresAt: until}, token.Sample("test", 0, false, until))
	m := token.Sample("test", 8, true, until)
	require.Len(t, m.Secret.Reveal(), 8)
	for _, kind := range []token.Kind{token.Ticket, token.Redeem, token.Repudiate, token.Contact, token.Undo} {
		require.Len(t, m.Link.Reveal(), len(token.New(kind, token.NewID(), 1).Text().Reveal()))
	}
}
