package recovery_test

import (
	"encoding/base64"
	"fmt"
	"math"
	"math/rand/v2"
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

// welch returns Welch's t of two samples, of which the slowest twentieth is left out: what other programs do in between.
func welch(a, b []float64) (t, meanA, meanB float64) {
	moments := func(x []float64) (mean, variance, n float64) {
		slices.Sort(x)
		x = x[:len(x)-len(x)/20]
		for _, v := range x {
			mean += v
		}
		n = float64(len(x))
		mean /= n
		for _, v := range x {
			variance += (v - mean) * (v - mean)
		}
		return mean, variance / (n - 1), n
	}
	ma, va, na := moments(a)
	mb, vb, nb := moments(b)
	return (ma - mb) / math.Sqrt(va/na+vb/nb), ma, mb
}

// crowd makes n citizens with a key, contacts and answers, and the numbers of n strangers.
func crowd(t *testing.T, k *kit, n int) (known, unknown []civicpin.Subject) {
	t.Helper()
	contacts := func(i int) []civicpin.Contact {
		return []civicpin.Contact{
			{Channel: civicpin.Email, Address: fmt.Sprintf("ana.%04d@correo.example", i)},
			{Channel: civicpin.SMS, Address: fmt.Sprintf("+59399%07d", i)},
		}
	}
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
		require.NoError(t, k.pins.Exchange(t.Context(), pin.Attempt{Subject: subject, Secret: issued}, civicpin.NewSecret(anaSecret)))
		require.NoError(t, k.EnrolAnswers(t.Context(), subject, anaImage, secrets(anaAnswers), home))
		require.NoError(t, k.contacts.Adopt(t.Context(), subject, c, agency.ID, civicpin.Source{}))
	}
	// By the time that somebody has forgotten their key, the messages that they were sent are long forgotten, too.
	k.clock.Add(30 * 24 * time.Hour)
	_, err := k.vault.Purge(t.Context(), store.Pass{})
	require.NoError(t, err)
	return known, unknown
}

// TestTiming finds no difference in time between subjects who are known and who are not, for each call that an anonymous visitor
// can make, by Welch's t over interleaved samples. A difference of the work, such as a hash left out, gives a t in the hundreds. The
// bound of 4.5 is that of such tests of cryptography (Goodwill et al., 2011); three goes are allowed, since the machine may do
// something else during one of them, and a real difference would show in each.
func TestTiming(t *testing.T) {
	if raced {
		t.Skip("how long instrumented code takes tells nothing; .ci/run runs this without the race detector, too")
	}
	const n = 300
	captcha := recovery.Answers{Captcha: true}
	calls := []struct {
		name   string
		before func(k *kit, s civicpin.Subject) (recovery.Run, error)
		do     func(k *kit, s civicpin.Subject, run recovery.Run) error
	}{
		{
			"begin", nil,
			func(k *kit, s civicpin.Subject, _ recovery.Run) error {
				_, err := k.Start(t.Context(), "clave", s, civicpin.Source{})
				return err
			},
		},
		{
			"have a link sent",
			func(k *kit, s civicpin.Subject) (recovery.Run, error) {
				return k.Start(t.Context(), "unlock", s, civicpin.Source{})
			},
			func(k *kit, _ civicpin.Subject, run recovery.Run) error {
				_, err := k.Answer(t.Context(), run.Ticket, captcha)
				return err
			},
		},
		{
			"guess",
			func(k *kit, s civicpin.Subject) (recovery.Run, error) {
				run, err := k.Start(t.Context(), "clave", s, civicpin.Source{})
				if err != nil {
					return run, err
				}
				shown, err := k.Answer(t.Context(), run.Ticket, captcha)
				shown.Ticket = run.Ticket
				return shown, err
			},
			func(k *kit, _ civicpin.Subject, run recovery.Run) error {
				_, err := k.Answer(t.Context(), run.Ticket, recovery.Answers{
					Facts: map[string]string{"birth-day": "9", "birth-month": "9"}, Image: run.Next.Images[0],
					Questions: answered(run.Next.Questions, false),
				})
				return err
			},
		},
		{
			"name contacts",
			func(k *kit, s civicpin.Subject) (recovery.Run, error) {
				return k.Start(t.Context(), "parts", s, civicpin.Source{})
			},
			func(k *kit, _ civicpin.Subject, run recovery.Run) error {
				_, err := k.Answer(t.Context(), run.Ticket, recovery.Answers{Contacts: []civicpin.Contact{
					{Channel: civicpin.SMS, Address: "+593999999999"}, {Channel: civicpin.Email, Address: "otra@correo.example"},
				}})
				return err
			},
		},
		{
			"show",
			func(k *kit, s civicpin.Subject) (recovery.Run, error) {
				return k.Start(t.Context(), "clave", s, civicpin.Source{})
			},
			func(k *kit, _ civicpin.Subject, run recovery.Run) error {
				_, err := k.Show(t.Context(), run.Ticket)
				return err
			},
		},
		{
			"have it sent again",
			func(k *kit, s civicpin.Subject) (recovery.Run, error) {
				run, err := k.Start(t.Context(), "unlock", s, civicpin.Source{})
				if err != nil {
					return run, err
				}
				_, err = k.Answer(t.Context(), run.Ticket, captcha)
				return run, err
			},
			func(k *kit, _ civicpin.Subject, run recovery.Run) error {
				_, err := k.Send(t.Context(), run.Ticket, civicpin.Source{})
				return err
			},
		},
		{
			"type a code",
			func(k *kit, s civicpin.Subject) (recovery.Run, error) {
				run, err := k.Start(t.Context(), "texted", s, civicpin.Source{})
				if err != nil {
					return run, err
				}
				_, err = k.Answer(t.Context(), run.Ticket, captcha)
				return run, err
			},
			func(k *kit, _ civicpin.Subject, run recovery.Run) error {
				_, err := k.Answer(t.Context(), run.Ticket, recovery.Answers{Code: civicpin.NewSecret("ACDEFGHJ")})
				return err
			},
		},
		{
			"forge a link",
			func(k *kit, s civicpin.Subject) (recovery.Run, error) {
				run, err := k.Start(t.Context(), "unlock", s, civicpin.Source{})
				if err != nil {
					return run, err
				}
				_, err = k.Answer(t.Context(), run.Ticket, captcha)
				return run, err
			},
			func(k *kit, _ civicpin.Subject, run recovery.Run) error {
				_, err := k.Finish(t.Context(), forged("l", run), civicpin.Source{})
				return err
			},
		},
		{
			"set under a forged grant", nil,
			func(k *kit, s civicpin.Subject, _ recovery.Run) error {
				g, err := pin.ParseGrant(civicpin.NewSecret(
					"g1." + base64.RawURLEncoding.EncodeToString([]byte(s)) + "." + strings.Repeat("A", 43)))
				require.NoError(t, err)
				return k.pins.Set(t.Context(), g, civicpin.NewSecret(newSecret))
			},
		},
		{
			"cancel",
			func(k *kit, s civicpin.Subject) (recovery.Run, error) {
				return k.Start(t.Context(), "clave", s, civicpin.Source{})
			},
			func(k *kit, _ civicpin.Subject, run recovery.Run) error { return k.Cancel(t.Context(), run.Ticket) },
		},
		{
			"log in", nil,
			func(k *kit, s civicpin.Subject, _ recovery.Run) error {
				_, err := k.pins.Verify(t.Context(), pin.Attempt{Subject: s, Secret: civicpin.NewSecret("not it at all")})
				return err
			},
		},
	}
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			var ts []float64
			for range 3 {
				k := newKitOn(t, store.NewMemory(), newClock(), &testkit.Mailbox{}, &testkit.Recorder{})
				k.unlimited(t)
				known, unknown := crowd(t, k, n)
				var samples [2][]float64
				runs := make(map[civicpin.Subject]recovery.Run)
				for i := range n {
					for _, s := range []civicpin.Subject{known[i], unknown[i]} {
						if c.before != nil {
							run, err := c.before(k, s)
							require.NoError(t, err)
							runs[s] = run
						}
					}
				}
				for i := range n {
					first := rand.IntN(2)
					for j := range 2 {
						class := (first + j) % 2
						s := [][]civicpin.Subject{known, unknown}[class][i]
						began := time.Now()
						_ = c.do(k, s, runs[s])
						samples[class] = append(samples[class], float64(time.Since(began)))
					}
				}
				v, ma, mb := welch(samples[0], samples[1])
				t.Logf("known %.1f us, unknown %.1f us", ma/1e3, mb/1e3)
				ts = append(ts, v)
				if math.Abs(v) < 4.5 {
					break
				}
			}
			t.Logf("t = %.2f", ts)
			require.Less(t, math.Abs(ts[len(ts)-1]), 4.5, "known and unknown subjects take different times")
		})
	}
}

// unlimited makes the service anew with limits that a crowd does not reach.
func (k *kit) unlimited(t *testing.T) {
	t.Helper()
	many := lockout.Rate{Limit: 1_000_000, Window: time.Hour}
	k.config.Sends = lockout.SendLimits{Subject: many, Address: many, Prefix: many, Source: many}
	rec, err := recovery.New(k.vault, k.out, k.config)
	require.NoError(t, err)
	k.Service = rec
}
