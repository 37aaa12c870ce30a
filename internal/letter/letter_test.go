package letter_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/letter"
)

var (
	now  = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	rosa = civicpin.Contact{Channel: civicpin.Email, Address: "rosa@example.ec", Locale: "es-EC"}
)

// A stored contact loses nothing, nor does an address that waits for its proof.
func TestContactIsStored(t *testing.T) {
	require.Equal(t, rosa, letter.Stored(rosa).Contact())
	for _, stored := range []any{letter.Stored(rosa), letter.Given(rosa)} {
		text, err := json.Marshal(stored)
		require.NoError(t, err)
		require.JSONEq(t, `{"channel":"email","address":"rosa@example.ec","locale":"es-EC"}`, string(text))
	}
}

// A message went to an address if channel and address are the same byte for byte, in whatever language.
func TestUnprovedIs(t *testing.T) {
	given := letter.Given(rosa)
	for _, tc := range []struct {
		name  string
		given *letter.Unproved
		to    letter.Contact
		want  bool
	}{
		{"the same", &given, letter.Stored(rosa), true},
		{"in another language", &given, letter.Contact{Channel: rosa.Channel, Address: rosa.Address}, true},
		{"another channel", &given, letter.Contact{Channel: civicpin.CertifiedEmail, Address: rosa.Address}, false},
		{"another address", &given, letter.Contact{Channel: rosa.Channel, Address: "rosa@example.org"}, false},
		{"another case", &given, letter.Contact{Channel: rosa.Channel, Address: "Rosa@example.ec"}, false},
		{"none", nil, letter.Contact{}, false},
	} {
		require.Equal(t, tc.want, tc.given.Is(tc.to), tc.name)
	}
}

// What waits or has failed is to be sent until it ends. Erased, it carries nothing, and what waited is sent no more.
func TestMail(t *testing.T) {
	for _, tc := range []struct {
		state  string
		open   bool
		erased string
	}{
		{letter.Pending, true, letter.None},
		{letter.Failed, true, letter.Failed},
		{letter.Sent, false, letter.Sent},
		{letter.None, false, letter.None},
	} {
		t.Run(tc.state, func(t *testing.T) {
			m := letter.Mail{
				Name: "n.1", Kind: "contact.prove", To: letter.Stored(rosa), Link: 1, Token: "token", Code: "code",
				Expires: now, State: tc.state,
			}
			require.Equal(t, tc.open, m.Open(now.Add(-1)))
			require.False(t, m.Open(now), "it ends exactly then")
			sent := m.Message()
			require.Equal(t, "code token", sent.Secret.Reveal()+" "+sent.Link.Reveal())
			sent.Secret, sent.Link = civicpin.Secret{}, civicpin.Secret{}
			require.Equal(t, civicpin.Message{Kind: "contact.prove", To: rosa, ExpiresAt: now}, sent)
			m.Erase()
			require.Equal(t, tc.erased, m.State)
			require.Empty(t, m.Token+m.Code)
			require.True(t, m.Message().Secret.IsZero() && m.Message().Link.IsZero())
		})
	}
	require.Equal(t, now, (&letter.Mail{Expires: now}).Ends(), "as in records of before there was another time")
	require.Equal(t, now, (&letter.Mail{Expires: now.Add(1), Until: now}).Ends())
	require.False(t, (&letter.Mail{Link: 1}).Notice())
	require.True(t, (&letter.Mail{}).Notice())
}
