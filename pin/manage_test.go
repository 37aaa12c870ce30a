package pin_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/state"
)

func TestManage(t *testing.T) {
	k := newKit(t, pin.INPS())
	ctx := t.Context()
	long := strings.Repeat("x", 513)
	for name, err := range map[string]error{
		"no subject":     k.Revoke(ctx, "", "", clerk),
		"nobody acts":    k.Revoke(ctx, maria, "", ""),
		"a long reason":  k.Revoke(ctx, maria, long, clerk),
		"a line break":   k.Suspend(ctx, maria, "a\nb", clerk),
		"no method":      k.Attest(ctx, maria, civicpin.Evidence{By: clerk}),
		"self-attesting": k.Attest(ctx, maria, civicpin.Evidence{Method: civicpin.Video, By: civicpin.Citizen}),
	} {
		require.ErrorIs(t, err, civicpin.ErrInvalid, name)
	}
	require.ErrorIs(t, k.Revoke(ctx, maria, "", clerk), pin.ErrNoCredential)
	require.ErrorIs(t, k.Suspend(ctx, maria, "", clerk), pin.ErrNoCredential)
	require.ErrorIs(t, k.Attest(ctx, maria, civicpin.Evidence{Method: civicpin.Video, By: clerk}), pin.ErrNoCredential)
	require.ErrorIs(t, k.Attest(ctx, maria, civicpin.Evidence{Method: "hearsay", By: clerk}), pin.ErrWeakEvidence)
	require.Empty(t, k.events.All())

	k.exchanged(t)
	require.NoError(t, k.Suspend(ctx, maria, "lost telephone", clerk))
	require.NoError(t, k.Suspend(ctx, maria, "again", clerk), "twice is no error")
	_, right := k.works(t, chosen)
	require.False(t, right)
	st, err := k.Status(ctx, maria)
	require.NoError(t, err)
	require.True(t, st.Suspended)
	require.Equal(t, "lost telephone", st.Reason)
	require.Equal(t, clerk, st.By)
	require.NoError(t, k.Resume(ctx, maria, "found", clerk))
	_, right = k.works(t, chosen)
	require.True(t, right)

	require.NoError(t, k.Revoke(ctx, maria, "", civicpin.Citizen), "the citizen may, too")
	require.NoError(t, k.Revoke(ctx, maria, "", clerk))
	require.ErrorIs(t, k.Suspend(ctx, maria, "", clerk), pin.ErrWrongState)
	require.ErrorIs(t, k.Resume(ctx, maria, "", clerk), pin.ErrWrongState)
	require.ErrorIs(t, k.Attest(ctx, maria, civicpin.Evidence{Method: civicpin.Video, By: clerk}), pin.ErrNoCredential)
	st, err = k.Status(ctx, maria)
	require.NoError(t, err)
	require.Equal(t, state.Revoked, st.State)
	require.Equal(t, civicpin.NoLevel, st.Level)
	require.Empty(t, st.Evidence)
}

func TestAttestNeverLowersAndIsBounded(t *testing.T) {
	k := newKit(t, pin.INPS())
	k.exchanged(t)
	for i := range 40 {
		method := civicpin.LetterCode // gives Low
		if i == 3 {
			method = civicpin.InPerson
		}
		require.NoError(t, k.Attest(t.Context(), maria, civicpin.Evidence{Method: method, By: clerk}))
	}
	st, err := k.Status(t.Context(), maria)
	require.NoError(t, err)
	require.Equal(t, civicpin.Substantial, st.Level)
	require.Len(t, st.Evidence, 16)
	require.Equal(t, k.clock.Now(), st.Evidence[0].At.UTC())
}

func TestImport(t *testing.T) {
	const secret = "Zürich im März 1987!" // not in the alphabet of the INPS PIN: compared as received
	weak, err := bcrypt.GenerateFromPassword([]byte(secret), bcrypt.MinCost+6)
	require.NoError(t, err)
	// The PBKDF2 and scrypt strings were made with Python's hashlib.
	for name, hash := range map[string]string{
		"argon2id":    password.New(password.Params{Memory: 16, Time: 1, Threads: 1}, secret).Encode(),
		"bcrypt":      string(weak),
		"PBKDF2":      "$pbkdf2-sha256$i=1000$c2FsdHNhbHRzYWx0c2FsdA$vgfEdfW1NrWoKqmDjzdSWwSgcnbJGrx0M+C0DgdK6Bo",
		"scrypt":      "$scrypt$ln=10,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$8rqOcQ9a2LecPXACBNM/NKi72vADxA7zN3NHIBJ7YIc",
		"empty":       "",
		"unparseable": "plain",
	} {
		t.Run(name, func(t *testing.T) {
			p := pin.Default()
			k := newKit(t, p)
			ctx := t.Context()
			o := pin.ImportOptions{By: clerk}
			err := k.Import(ctx, maria, civicpin.NewSecret(hash), o)
			if _, parseErr := password.Parse(hash); parseErr != nil {
				require.ErrorIs(t, err, civicpin.ErrInvalid)
				if hash != "" {
					require.NotContains(t, err.Error(), hash)
				}
				_, err = k.Status(ctx, maria)
				require.ErrorIs(t, err, pin.ErrNoCredential)
				return
			}
			require.NoError(t, err)
			require.ErrorIs(t, k.Import(ctx, maria, civicpin.NewSecret(hash), o), pin.ErrWrongState)
			require.Contains(t, k.plain(t), hash[:8])
			_, right := k.works(t, secret+"?")
			require.False(t, right)
			require.Contains(t, k.plain(t), hash[:8], "a wrong guess renews nothing")
			for range 2 {
				ok, err := k.Verify(ctx, try(secret))
				require.NoError(t, err)
				require.Equal(t, civicpin.Low, ok.Level)
			}
			require.NotContains(t, k.plain(t), strings.TrimPrefix(hash, "$argon2id"), "hashed anew at the first login")
			require.Contains(t, k.plain(t), "$argon2id$v=19$m=8,t=1,p=1$")
			_, right = k.works(t, secret)
			require.True(t, right)
		})
	}
	k := newKit(t, pin.Default())
	good := civicpin.NewSecret(string(weak))
	require.ErrorIs(t, k.Import(t.Context(), "", good, pin.ImportOptions{By: clerk}), civicpin.ErrInvalid)
	require.ErrorIs(t, k.Import(t.Context(), maria, good, pin.ImportOptions{}), civicpin.ErrInvalid)
	require.ErrorIs(t, k.Import(t.Context(), maria, good, pin.ImportOptions{By: clerk, Level: civicpin.High}), pin.ErrWeakEvidence)
}

// A secret that the policy's form does not have stays as it was received, with a hash of the policy's costs.
func TestImportOfWhatTheFormDoesNotHave(t *testing.T) {
	k := newKit(t, pin.INPS())
	hash := password.New(password.Params{Memory: 16, Time: 1, Threads: 1}, "pin!pass").Encode()
	require.NoError(t, k.Import(t.Context(), maria, civicpin.NewSecret(hash), pin.ImportOptions{By: clerk}))
	for range 2 {
		_, right := k.works(t, "pin!pass")
		require.True(t, right)
		_, right = k.works(t, "PIN!PASS")
		require.False(t, right)
	}
	require.Contains(t, k.plain(t), "m=8,t=1,p=1")
	require.NoError(t, testkit.Err(k.Change(t.Context(), try("pin!pass"), civicpin.NewSecret(chosen))))
	_, right := k.works(t, strings.ToLower(chosen))
	require.True(t, right)
}

// When the costs in the policy change, the hash is renewed at the next login, and only then.
func TestRehash(t *testing.T) {
	k := newKit(t, pin.Default())
	const secret = "correct horse battery"
	hash := password.New(password.Params{Memory: 16, Time: 1, Threads: 1}, secret).Encode()
	require.NoError(t, k.Import(t.Context(), maria, civicpin.NewSecret(hash), pin.ImportOptions{By: clerk}))
	_, right := k.works(t, secret)
	require.True(t, right)
	after := k.plain(t)
	require.Contains(t, after, "m=8,t=1,p=1")
	_, right = k.works(t, secret)
	require.True(t, right)
	require.Equal(t, after, k.plain(t), "no write when nothing is to be renewed")
}
