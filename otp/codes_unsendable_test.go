package otp_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/storetest"
	"github.com/civicpin/civicpin/texts"
)

// wording is a mailbox that refuses what package texts cannot word.
func wording(t *testing.T) *testkit.Mailbox {
	t.Helper()
	w, err := texts.New(texts.Service{Name: "INPS"})
	require.NoError(t, err)
	return &testkit.Mailbox{Refuse: w.Check}
}

// An act that can be worded is sent, and one that cannot is refused before anything is counted or written, alike for everybody.
func TestUnsendableActs(t *testing.T) {
	people := map[string][]civicpin.Contact{
		"stranger":                      nil,
		"citizen":                       {bySMS},
		"citizen with the app":          {bySMS, byApp},
		"citizen with e-mail only":      {{Channel: civicpin.Email, Address: "a@example.org"}},
		"citizen who reads Italian":     {{Channel: civicpin.SMS, Address: mobile, Locale: "it"}},
		"citizen who reads no language": {{Channel: civicpin.SMS, Address: mobile, Locale: "xx"}},
	}
	for act, refused := range map[string]error{
		"":                              nil,
		"pagar 1.250,00 euros":          nil,
		"ver su cita del 12.03.2026":    nil,
		"firmar su declaracio\u0301n":   nil,
		strings.Repeat("o\u0301", 32):   nil,
		strings.Repeat("o", 33):         civicpin.ErrInvalid,
		"firmar en sede.example.es":     texts.ErrContainsLink,
		"inps-rimborsi…it/x":            texts.ErrContainsLink,
		"подать декларацию":             civicpin.ErrInvalid,
		"firmar el registro 10.20.30.4": texts.ErrContainsLink,
	} {
		t.Run(act, func(t *testing.T) {
			said := ""
			for name, to := range people {
				f := storetest.NewFaults(store.NewMemory())
				k := newCodeKitOn(t, f.Store(), otp.SMS(), newClock(), wording(t), &testkit.Recorder{})
				o := otp.RequestOptions{To: to, Source: home, Params: map[string]string{"act": act}}
				var err error
				calls := testkit.Calls(f, func() { _, err = k.Request(t.Context(), ana, filing, o) })
				if refused == nil {
					require.NoError(t, err, name)
					require.NoError(t, k.out.Flush(t.Context()))
					if len(to) > 0 && to[0].Channel == civicpin.SMS {
						require.Equal(t, act, k.mail.Messages()[0].Params["act"], name)
					}
					for dead := range k.out.DeadLetters(t.Context()) {
						t.Errorf("%s: %+v", name, dead)
					}
					continue
				}
				require.ErrorIs(t, err, refused, name)
				require.ErrorIs(t, err, civicpin.ErrInvalid, name)
				var unsendable *outbox.UnsendableError
				require.ErrorAs(t, err, &unsendable, name)
				require.Equal(t, otp.CodeMessage, unsendable.Kind)
				require.Empty(t, calls, name)
				require.Empty(t, k.events.All(), name)
				if said == "" {
					said = err.Error()
				}
				require.Equal(t, said, err.Error(), name)
			}
		})
	}
}

// The refusal of an act uses up none of the messages that may be asked for.
func TestUnsendableActsAreNotCounted(t *testing.T) {
	policy := otp.SMS()
	policy.Sends.Limit = 1
	k := newCodeKitOn(t, store.NewMemory(), policy, newClock(), wording(t), &testkit.Recorder{})
	o := toAna()
	o.Params = map[string]string{"act": "inps.it"}
	for range 5 {
		_, err := k.Request(t.Context(), ana, filing, o)
		require.ErrorIs(t, err, texts.ErrContainsLink)
	}
	o.Params["act"] = "firmar"
	_, err := k.Request(t.Context(), ana, filing, o)
	require.NoError(t, err)
}

// NewCodes refuses a policy that its notifier cannot keep.
func TestNewCodesAsksTheNotifier(t *testing.T) {
	send := civicpin.NotifierFunc(func(context.Context, civicpin.Message) (string, error) { return "", nil })
	refuse := errors.New("no words for this")
	marked := otp.SMS()
	marked.Alphabet, marked.Length = "ABCDEFGHIJKLMNOPQRSTUVWXYZ&", 6
	bySMSOnly := otp.SMS()
	bySMSOnly.Channels = []civicpin.Channel{civicpin.SMS}
	for name, tc := range map[string]struct {
		policy   otp.CodePolicy
		notifier civicpin.Notifier
		refused  civicpin.Channel
	}{
		"no Checker":              {otp.SMS(), send, ""},
		"no notifier":             {otp.SMS(), nil, ""},
		"words for all":           {otp.SMS(), wording(t), ""},
		"words for Cl@ve":         {otp.ClavePIN(), wording(t), ""},
		"a route for all":         {bySMSOnly, civicpin.ByChannel{civicpin.SMS: send}, ""},
		"a channel has no route":  {otp.SMS(), civicpin.ByChannel{civicpin.SMS: send, civicpin.Push: send}, civicpin.Voice},
		"no words":                {otp.SMS(), &testkit.Mailbox{Refuse: func(civicpin.Message) error { return refuse }}, civicpin.Push},
		"one symbol in no text":   {marked, wording(t), civicpin.Push},
		"the symbol is no matter": {marked, send, ""},
	} {
		t.Run(name, func(t *testing.T) {
			vault, err := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), nil)
			require.NoError(t, err)
			out, err := outbox.New(vault, tc.notifier, nil)
			require.NoError(t, err)
			_, err = otp.NewCodes(out, tc.policy)
			if tc.refused == "" {
				require.NoError(t, err)
				return
			}
			var unsendable *outbox.UnsendableError
			require.ErrorAs(t, err, &unsendable)
			require.Equal(t, tc.refused, unsendable.Channel)
			require.ErrorIs(t, err, civicpin.ErrInvalid)
		})
	}
}
