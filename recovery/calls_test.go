package recovery_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
)

// TestStoreCalls pins what the documentation of Start, Show, Answer, Send and Finish says.
func TestStoreCalls(t *testing.T) {
	nowhere := civicpin.Source{}
	for name, subject := range map[string]civicpin.Subject{"known": ana, "unknown": stranger} {
		t.Run(name, func(t *testing.T) {
			k, f := countedKit(t, false)
			for range 2 { // the first time and later
				f.Reset()
				begun, err := k.Start(t.Context(), "clave", subject, nowhere)
				require.NoError(t, err)
				require.Equal(t, 6, f.Calls(), "start")
				f.Reset()
				_, err = k.Start(t.Context(), "clave", subject, home)
				require.NoError(t, err)
				require.Equal(t, 8, f.Calls(), "start, with a source")

				f.Reset()
				run, err := k.Answer(t.Context(), begun.Ticket, recovery.Answers{Captcha: true})
				require.NoError(t, err)
				require.Equal(t, 2, f.Calls(), "a captcha")
				f.Reset()
				_, err = k.Show(t.Context(), begun.Ticket)
				require.NoError(t, err)
				require.Equal(t, 1, f.Calls(), "show")

				a := k.known(run, false)
				a.Image, a.Source = run.Next.Images[0], nowhere
				f.Reset()
				_, err = k.Answer(t.Context(), begun.Ticket, a)
				require.ErrorIs(t, err, recovery.ErrRefused)
				require.Equal(t, 5, f.Calls(), "wrong answers")
			}
			for address, calls := range map[string]int{nowhere.Address: 7, home.Address: 9} {
				source := civicpin.Source{Address: address}
				again := k.asked(t, "unlock", subject)
				f.Reset()
				_, err := k.Send(t.Context(), again.Ticket, source)
				require.NoError(t, err)
				require.Equal(t, calls, f.Calls(), "send")
			}

			c := k.config
			c.Plans = []plan.Plan{{
				Name: "bare", Steps: []plan.Step{plan.Link{Channel: civicpin.Email, Valid: time.Hour}}, Limit: threeTries(),
				Outcome: plan.Unlocked,
			}}
			bare, err := recovery.New(k.out, c)
			require.NoError(t, err)
			f.Reset()
			_, err = bare.Start(t.Context(), "bare", subject, nowhere)
			require.NoError(t, err)
			require.Equal(t, 6+7-1, f.Calls(), "start and send")

			run := k.asked(t, "clave", subject)
			a := k.known(run, false)
			a.Image, a.Source = run.Next.Images[0], nowhere
			for k.answers(t, run, a) != "locked" {
				require.Less(t, f.Calls(), 2000)
			}
			f.Reset()
			require.Equal(t, "locked", k.answers(t, run, a))
			require.Equal(t, 2, f.Calls(), "locked")
		})
	}
	for told, contacts := range map[int][]civicpin.Contact{
		3: anaContacts(),
		2: {{Channel: civicpin.Email, Address: anaMail}, {Channel: civicpin.SMS, Address: anaPhone}},
	} {
		k, f := countedKitWith(t, false, contacts)
		for range 2 {
			run := k.asked(t, "clave", ana)
			a := k.known(run, true)
			a.Source = nowhere
			f.Reset()
			_, err := k.Answer(t.Context(), run.Ticket, a)
			require.NoError(t, err)
			require.Equal(t, 6, f.Calls(), "right answers")

			link := k.atItsEnd(t, "unlock", "recovery.unlock")
			f.Reset()
			_, err = k.Inspect(t.Context(), link)
			require.NoError(t, err)
			require.Equal(t, 2, f.Calls(), "look")
			f.Reset()
			_, err = k.Finish(t.Context(), link, nowhere)
			require.NoError(t, err)
			require.Equal(t, 6+2*told, f.Calls(), "finish an unlock")

			ticket := k.atItsEnd(t, "two", "recovery.link")
			f.Reset()
			_, err = k.Finish(t.Context(), ticket, nowhere)
			require.NoError(t, err)
			require.Equal(t, 5+2*told, f.Calls(), "finish with a grant")
		}
	}
}

// answers answers, and says what came of it.
func (k *kit) answers(t *testing.T, run recovery.Run, a recovery.Answers) string {
	t.Helper()
	_, err := k.Answer(t.Context(), run.Ticket, a)
	require.Error(t, err)
	if errors.As(err, new(*lockout.LockedError)) {
		return "locked"
	}
	require.ErrorIs(t, err, recovery.ErrRefused)
	return "refused"
}
