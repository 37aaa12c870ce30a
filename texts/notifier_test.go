package texts_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/texts"
)

func TestNotifier(t *testing.T) {
	busy := errors.New("try later")
	var gotID string
	var gotTo civicpin.Contact
	var got texts.Text
	calls := 0
	n := writer(t, inps).Notifier(func(_ context.Context, id string, to civicpin.Contact, text texts.Text) (string, error) {
		gotID, gotTo, got = id, to, text
		if calls++; calls > 1 {
			return "", busy
		}
		return "r-1", nil
	})

	m := message(pin.PartMessage, contacts[0], "it")
	receipt, err := n.Notify(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, "r-1", receipt)
	require.Equal(t, m.ID, gotID)
	require.Equal(t, m.To, gotTo)
	require.Contains(t, got.Body.Reveal(), "K7PX 2MQA")

	_, err = n.Notify(t.Context(), m)
	require.ErrorIs(t, err, busy)
	require.NotErrorIs(t, err, civicpin.ErrUndeliverable, "the sender's error stays passing")

	m.Kind = "pin.unheard"
	_, err = n.Notify(t.Context(), m)
	require.ErrorIs(t, err, civicpin.ErrUndeliverable)
	_, ok := errors.AsType[*texts.UnknownKindError](err)
	require.True(t, ok)
	require.Equal(t, 2, calls, "what cannot be worded is not sent")
}

// What Check lets pass is sent, and what it refuses is not: it says of a sample, without an address, what Notify says of the
// message.
func TestCheckSaysWhatNotifySays(t *testing.T) {
	w := writer(t, inps)
	n := w.Notifier(func(context.Context, string, civicpin.Contact, texts.Text) (string, error) { return "", nil })
	checker, ok := n.(civicpin.Checker)
	require.True(t, ok)
	long := strings.Repeat("W", 25)
	for name, change := range map[string]func(m *civicpin.Message){
		"nothing":      func(*civicpin.Message) {},
		"unknown kind": func(m *civicpin.Message) { m.Kind = "pin.unheard" },
		"no secret":    func(m *civicpin.Message) { m.Secret = civicpin.Secret{} },
		"no link":      func(m *civicpin.Message) { m.Link = civicpin.Secret{} },
		"neither":      func(m *civicpin.Message) { m.Secret, m.Link = civicpin.Secret{}, civicpin.Secret{} },
		"long secret":  func(m *civicpin.Message) { m.Secret = civicpin.NewSecret(long) },
		"long act":     func(m *civicpin.Message) { m.Params = map[string]string{"act": strings.Repeat("a", 33)} },
		"linked act":   func(m *civicpin.Message) { m.Params = map[string]string{"act": "inps-rimborsi…it/x"} },
		"an amount":    func(m *civicpin.Message) { m.Params = map[string]string{"act": "pagar 1.250,00 euros"} },
		"a bad time":   func(m *civicpin.Message) { m.Params = map[string]string{"until": "soon"} },
		"no channel":   func(m *civicpin.Message) { m.To.Channel = "" },
		"bad address":  func(m *civicpin.Message) { m.To.Address = "\x00" },
	} {
		t.Run(name, func(t *testing.T) {
			refused := 0
			each(t, func(t *testing.T, m civicpin.Message) {
				change(&m)
				_, notified := n.Notify(t.Context(), m)
				sample := m
				if name != "bad address" {
					sample.To.Address = ""
				}
				for _, err := range []error{checker.Check(m), checker.Check(sample), w.Check(sample)} {
					if notified == nil {
						require.NoError(t, err)
						continue
					}
					refused++
					require.ErrorIs(t, err, civicpin.ErrUndeliverable)
					require.Equal(t, notified.Error(), err.Error())
					require.NotContains(t, err.Error(), long)
				}
			})
			require.Equal(t, name == "nothing" || name == "an amount" || name == "no link", refused == 0)
		})
	}
}

// longZone is a place with long names of its zones, in which the clocks go back by an hour at a time: an English text still
// fits there, and a Spanish one does not.
func longZone(t *testing.T, at time.Time) *time.Location {
	t.Helper()
	names := "OUR-SUMMERS\x00OUR-WINTERS\x00"
	var b bytes.Buffer // RFC 8536 3: version 1, one transition from the first type to the second
	b.WriteString("TZif" + strings.Repeat("\x00", 16))
	for _, v := range []any{
		[]uint32{0, 0, 0, 1, 2, uint32(len(names))},
		uint32(at.Unix()), uint8(1),
		int32(7200), uint8(1), uint8(0), int32(3600), uint8(0), uint8(12),
	} {
		require.NoError(t, binary.Write(&b, binary.BigEndian, v))
	}
	b.WriteString(names)
	l, err := time.LoadLocationFromTZData("Somewhere", b.Bytes())
	require.NoError(t, err)
	return l
}

// A sample without a locale asks for every language, one with a locale for the language of its texts.
func TestCheckAsksForEveryLanguage(t *testing.T) {
	m := message(contact.ProofMessage, civicpin.Contact{Channel: civicpin.SMS}, "")
	m.Link, m.Secret = civicpin.Secret{}, civicpin.NewSecret(strings.Repeat("W", 24))
	m.ExpiresAt = time.Date(2026, time.September, 30, 20, 0, 0, 0, time.UTC)
	w := writer(t, texts.Service{Name: "€€€€€€€€€€", Location: longZone(t, m.ExpiresAt)})
	for locale, refused := range map[string]bool{"": true, "es": true, "es-EC": true, "en": false, "fr": false} {
		m.To.Locale = locale
		if err := w.Check(m); refused {
			require.ErrorIs(t, err, civicpin.ErrUndeliverable, locale)
			require.ErrorContains(t, err, "does not fit", locale)
		} else {
			require.NoError(t, err, locale)
		}
	}
}
