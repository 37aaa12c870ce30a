package recovery_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery"
)

// Events before a proof are by a visitor, or by the operator who acts: an insider who guesses answers is named.
func TestEventsBeforeAProof(t *testing.T) {
	k := newKit(t)
	k.lock(t)
	k.events.Take()
	_, err := k.Start(t.Context(), "clave", "NOBODY-1", home)
	require.NoError(t, err)
	run, err := k.StartBy(t.Context(), "video", ana, video)
	require.NoError(t, err)
	c, err := k.ShowCase(t.Context(), run.ID, video)
	require.NoError(t, err)
	_, err = k.Decide(t.Context(), run.ID, video, recovery.Verdict{Approve: true, Questions: answered(c.Questions, false)})
	require.ErrorIs(t, err, recovery.ErrRefused)
	_, err = k.Decide(t.Context(), run.ID, video, recovery.Verdict{})
	require.NoError(t, err)
	var got []string
	for _, e := range k.events.Take() {
		got = append(got, string(e.Code)+" by "+string(e.By)+": "+e.Reason)
	}
	require.Equal(t, []string{
		"recovery.started by visitor: ", "recovery.started by operator:video.3: ", "recovery.refused by operator:video.3: wrong",
		"recovery.decided by operator:video.3: turned down", "recovery.cancelled by operator:video.3: turned down",
	}, got)
}

// The event of a factor says whether it refused, or could not look.
func TestFactorReasons(t *testing.T) {
	k := newKit(t)
	run, err := k.Start(t.Context(), "factor", ana, home)
	require.NoError(t, err)
	for why, err := range map[string]error{
		"factor": recovery.ErrRefused, "busy": lockout.ErrInFlight, "not checked": errors.New("database down"),
	} {
		k.app = func(civicpin.Subject, civicpin.Secret) error { return err }
		k.events.Take()
		_, came := k.Answer(t.Context(), run.Ticket, recovery.Answers{Factor: civicpin.NewSecret("1")})
		require.ErrorIs(t, came, err)
		all := k.events.Take()
		require.Len(t, all, 1)
		require.Equal(t, why, all[0].Reason)
	}
}
