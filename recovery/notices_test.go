package recovery_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/recovery"
)

// A notice that a run waits is sent as long as its link can end the run, which is longer than the wait, and tells when the wait
// ends: a gateway that was down for the whole of it must not cost the contacts their right.
func TestNoticesLastAsLongAsTheirRight(t *testing.T) {
	for name, tc := range map[string]struct {
		after time.Duration // is it sent
		sent  bool
	}{
		"at once":                      {0, true},
		"when the wait ends":           {runDay, true},
		"shortly before the run ends":  {runDay + time.Hour - time.Second, true},
		"after the end of that run":    {runDay + time.Hour, false},
		"long after the end of it all": {30 * runDay, false},
	} {
		t.Run(name, func(t *testing.T) {
			k := newRunKit(t)
			begun := k.clock.Now()
			run, err := k.Start(t.Context(), "mailbox-lost", rosa, runHome)
			require.NoError(t, err)
			k.flush(t)
			code := k.post.Last(rosaPhone, "recovery.code").Secret
			_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Code: code})
			require.NoError(t, err)
			_, err = k.Answer(t.Context(), run.Ticket, recovery.Answers{Correct: byNewMail})
			require.NoError(t, err)
			k.clock.Add(tc.after)
			k.flush(t)
			for _, address := range []string{rosaMail, rosaPhone} {
				got := k.post.To(address, "recovery.waiting")
				if !tc.sent {
					require.Empty(t, got)
					continue
				}
				require.Len(t, got, 1)
				require.Equal(t, map[string]string{"until": begun.Add(runDay).Format(time.RFC3339)}, got[0].Params)
				require.Equal(t, begun.Add(runDay+time.Hour), got[0].ExpiresAt, "as its link")
				look, err := k.Inspect(t.Context(), got[0].Link)
				require.NoError(t, err)
				require.Equal(t, got[0].ExpiresAt, look.ExpiresAt)
			}
			if tc.sent {
				require.NoError(t, k.Repudiate(t.Context(), k.post.Last(rosaMail, "recovery.waiting").Link, civicpin.Source{}))
			}
		})
	}
}
