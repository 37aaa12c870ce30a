package recovery_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/recovery"
)

// One landing page takes all links, and tells by LinkInfo.What which call takes the token.
func TestPurposes(t *testing.T) {
	k := newRunKit(t)
	link := k.linked(t)
	_, err := k.contacts.Add(t.Context(), rosa, civicpin.Contact{Channel: civicpin.Email, Address: thiefMail}, civicpin.Citizen, runHome)
	require.NoError(t, err)
	pec := civicpin.Contact{Channel: civicpin.CertifiedEmail, Address: "rosa@pec.example"}
	require.NoError(t, k.contacts.Adopt(t.Context(), rosa, []civicpin.Contact{pec}, runClerk, runHome))
	k.flush(t)
	for what, tc := range map[recovery.Purpose]struct {
		text string // that pages of callers may rest on
		tok  civicpin.Secret
	}{
		recovery.ToRecover:   {"recover", link},
		recovery.ToRepudiate: {"repudiate", k.post.Last(rosaMail, "recovery.waiting").Link},
		recovery.ToProve:     {"contact", k.post.Last(thiefMail, "contact.prove").Link},
		recovery.ToUndo:      {"undo", k.post.Last(rosaMail, changedKind).Link},
	} {
		require.Equal(t, tc.text, string(what))
		look, err := k.Inspect(t.Context(), tc.tok)
		require.NoError(t, err, what)
		require.Equal(t, what, look.Purpose)
		require.Equal(t, what == recovery.ToRecover, look.Last)
		require.Equal(t, what == recovery.ToRecover || what == recovery.ToRepudiate, look.Plan != "")
		require.True(t, look.ExpiresAt.After(k.clock.Now()))
	}
}
