package recovery_test

import (
	"encoding/base64"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store"
)

const (
	// bound is the |t| from which a go finds a difference: that of such tests of cryptography (Goodwill et al., 2011), which
	// equal times exceed in 7 of a million goes. The verdict is the median of three goes, of which two would have to err
	// alike: once in 10^10 calls, were the samples independent.
	bound = 4.5
	// subjects times passes is how many pairs of calls a go compares.
	subjects, passes = 32, 40
)

// yuen returns Yuen's t of paired differences, and their mean without the quarter at each end: what other programs do in
// between falls on the ends.
func yuen(d []float64) (t, mean float64) {
	slices.Sort(d)
	n, g := len(d), len(d)/4
	for i := range d { // winsorised: for the variance, the ends count as the last values kept
		d[i] = min(max(d[i], d[g]), d[n-1-g])
	}
	centre, variance := 0.0, 0.0
	for i, v := range d {
		centre += v / float64(n)
		if i >= g && i < n-g {
			mean += v / float64(n-2*g)
		}
	}
	for _, v := range d {
		variance += (v - centre) * (v - centre) / float64(n-1)
	}
	h := float64(n - 2*g)
	return mean / math.Sqrt(variance*float64(n-1)/(h*(h-1))), mean
}

// crowd makes n citizens with a key, contacts and answers, and the numbers of n strangers.
func crowd(t *testing.T, k *kit, n int, contacts func(i int) []civicpin.Contact) (known, unknown []civicpin.Subject) {
	t.Helper()
	for i := range n {
		subject := civicpin.Subject(fmt.Sprintf("17%08d", i))
		_, err := k.pins.Issue(t.Context(), subject, pin.IssueOptions{
			Parts: contacts(i), Level: civicpin.Substantial, By: agency.ID,
			Evidence: civicpin.Evidence{Method: civicpin.InPerson, By: agency.ID},
		})
		require.NoError(t, err)
		known = append(known, subject)
		unknown = append(unknown, civicpin.Subject(fmt.Sprintf("09%08d", i)))
	}
	require.NoError(t, k.out.Flush(t.Context()))
	halves := make(map[string]string)
	for _, m := range k.mail.Messages() {
		halves[m.To.Address] = m.Secret.Reveal()
	}
	for i, subject := range known {
		c := contacts(i)
		issued := civicpin.NewSecret(halves[c[0].Address] + halves[c[1].Address])
		require.NoError(t, testkit.Err(k.pins.Exchange(t.Context(), pin.Attempt{Subject: subject, Secret: issued}, civicpin.NewSecret(anaSecret))))
		require.NoError(t, k.EnrolAnswers(t.Context(), subject, anaImage, secrets(anaAnswers), home))
		require.NoError(t, k.contacts.Adopt(t.Context(), subject, c, agency.ID, civicpin.Source{}))
	}
	// By the time that somebody has forgotten their key, the messages that they were sent are long forgotten, too.
	k.clock.Add(30 * 24 * time.Hour)
	_, err := k.vault.Purge(t.Context(), store.Pass{})
	require.NoError(t, err)
	return known, unknown
}

// contactsOf returns the contacts of the i-th of a crowd, as long as a decoy's: the fill of a run makes up for the bytes of
// another length, but not for all that it costs to decode them.
func contactsOf(i int) []civicpin.Contact {
	return []civicpin.Contact{
		{Channel: civicpin.Email, Address: fmt.Sprintf("ana.%05d@correo.example", i)},
		{Channel: civicpin.SMS, Address: fmt.Sprintf("+59399%07d", i)},
	}
}

// An anonymousCall is a call that an anonymous visitor can make, with what they do before.
type anonymousCall struct {
	name   string
	before func(k *kit, s civicpin.Subject) (recovery.Run, error)
	do     func(k *kit, s civicpin.Subject, run recovery.Run) error
}

func anonymousCalls(t *testing.T) []anonymousCall {
	nowhere := civicpin.Source{}
	begun := func(plan string) func(*kit, civicpin.Subject) (recovery.Run, error) {
		return func(k *kit, s civicpin.Subject) (recovery.Run, error) { return k.Start(t.Context(), plan, s, nowhere) }
	}
	answer := func(k *kit, run recovery.Run, a recovery.Answers) error {
		return testkit.Err(k.Answer(t.Context(), run.Ticket, a))
	}
	captcha := func(k *kit, _ civicpin.Subject, run recovery.Run) error {
		return answer(k, run, recovery.Answers{Captcha: true})
	}
	// solved is a run whose captcha was solved, with what is asked then.
	solved := func(plan string) func(*kit, civicpin.Subject) (recovery.Run, error) {
		return func(k *kit, s civicpin.Subject) (recovery.Run, error) {
			run, err := k.Start(t.Context(), plan, s, nowhere)
			if err != nil {
				return run, err
			}
			shown, err := k.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
			shown.Ticket, shown.ID = run.Ticket, run.ID
			return shown, err
		}
	}
	others := []civicpin.Contact{
		{Channel: civicpin.SMS, Address: "+593999999999"}, {Channel: civicpin.Email, Address: "otra@correo.example"},
	}
	return []anonymousCall{
		{"begin", nil, func(k *kit, s civicpin.Subject, _ recovery.Run) error {
			return testkit.Err(k.Start(t.Context(), "clave", s, nowhere))
		}},
		{"have a link sent", begun("unlock"), captcha},
		{"have a code sent", begun("texted"), captcha},
		{"guess", solved("clave"), func(k *kit, _ civicpin.Subject, run recovery.Run) error {
			return answer(k, run, recovery.Answers{
				Facts: map[string]string{"birth-day": "9", "birth-month": "9"}, Image: run.Next.Images[0],
				Questions: answered(run.Next.Questions, false),
			})
		}},
		{"name contacts", begun("parts"), func(k *kit, _ civicpin.Subject, run recovery.Run) error {
			return answer(k, run, recovery.Answers{Contacts: others})
		}},
		{"show", begun("clave"), func(k *kit, _ civicpin.Subject, run recovery.Run) error {
			return testkit.Err(k.Show(t.Context(), run.Ticket))
		}},
		{"have it sent again", solved("unlock"), func(k *kit, _ civicpin.Subject, run recovery.Run) error {
			return testkit.Err(k.Send(t.Context(), run.Ticket, nowhere))
		}},
		{"type a code", solved("texted"), func(k *kit, _ civicpin.Subject, run recovery.Run) error {
			return answer(k, run, recovery.Answers{Code: civicpin.NewSecret("ACDEFGHJ")})
		}},
		{"forge a link", solved("unlock"), func(k *kit, _ civicpin.Subject, run recovery.Run) error {
			return testkit.Err(k.Finish(t.Context(), forged("l", run), nowhere))
		}},
		{"set under a forged grant", nil, func(k *kit, s civicpin.Subject, _ recovery.Run) error {
			g, err := pin.ParseGrant(civicpin.NewSecret(
				"g1." + base64.RawURLEncoding.EncodeToString([]byte(s)) + "." + strings.Repeat("A", 43)))
			require.NoError(t, err)
			return k.set(t.Context(), g, newSecret)
		}},
		{"cancel", begun("clave"), func(k *kit, _ civicpin.Subject, run recovery.Run) error {
			return k.Cancel(t.Context(), run.Ticket)
		}},
		{"log in", nil, func(k *kit, s civicpin.Subject, _ recovery.Run) error {
			return testkit.Err(k.pins.Verify(t.Context(), pin.Attempt{Subject: s, Secret: civicpin.NewSecret("not it at all")}))
		}},
	}
}

// TestTiming finds no difference in time between subjects who are known and who are not, for each call that an anonymous
// visitor can make. Calls are timed in pairs, one of each sort in random order, on records that the call just before has
// read.
func TestTiming(t *testing.T) {
	switch {
	case os.Getenv("CIVICPIN_TIMING") != "1":
		t.Skip("it takes a minute: set CIVICPIN_TIMING=1, as .ci/run does")
	case raced:
		t.Skip("how long instrumented code takes tells nothing; .ci/run runs this without the race detector, too")
	}
	for _, c := range anonymousCalls(t) {
		t.Run(c.name, func(t *testing.T) {
			var ts []float64
			within := 0
			for len(ts) < 3 && within < 2 && len(ts)-within < 2 { // two that agree are the median of three
				k := newBareKit(t)
				k.unlimited(t)
				known, unknown := crowd(t, k, subjects, contactsOf)
				// took returns how long the call takes.
				took := func(s civicpin.Subject) float64 {
					var run recovery.Run
					if c.before == nil {
						_ = c.do(k, s, run)
					} else {
						var err error
						run, err = c.before(k, s)
						require.NoError(t, err)
					}
					began := time.Now()
					_ = c.do(k, s, run)
					return float64(time.Since(began))
				}
				var d []float64
				for range passes {
					for _, i := range rand.Perm(subjects) {
						if rand.IntN(2) == 0 {
							x := took(known[i])
							d = append(d, x-took(unknown[i]))
						} else {
							x := took(unknown[i])
							d = append(d, took(known[i])-x)
						}
					}
				}
				v, mean := yuen(d)
				t.Logf("known subjects take %+.0f ns, t = %.2f", mean, v)
				ts = append(ts, v)
				if math.Abs(v) < bound {
					within++
				}
			}
			require.GreaterOrEqual(t, within, 2, "known and unknown subjects take different times")
		})
	}
}

// unlimited makes the service anew with limits that a crowd does not reach.
func (k *kit) unlimited(t *testing.T) {
	t.Helper()
	for i := range k.config.Plans {
		k.config.Plans[i].Limit.Limit = lockout.MaxCeiling
	}
	k.config.Sends = testkit.Wide
	rec, err := recovery.New(k.out, k.config)
	require.NoError(t, err)
	k.Service = rec
}
