package token

import (
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/code"
)

// Sample returns a message like those that will be sent, for asking whether they would be: of a kind, good until a time, with a
// typed code of so many characters if that is not zero, and with a link if it is to have one. What it carries opens nothing.
func Sample(kind civicpin.MessageKind, length int, link bool, until time.Time) civicpin.Message {
	m := civicpin.Message{Kind: kind, ExpiresAt: until}
	if length > 0 {
		m.Secret = civicpin.NewSecret(code.Unambiguous.Samples(length)[0])
	}
	if link {
		m.Link = New(Redeem, NewID(), 1).Text() // tokens of all kinds are of one length
	}
	return m
}
