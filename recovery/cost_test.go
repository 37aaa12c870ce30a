package recovery_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/store/outbox"
)

const day = 24 * time.Hour

// most is how many events a rate lets in, from a rest, within a time: its limit at once, and its limit in each window.
func most(r civicpin.Rate, within time.Duration) int {
	return r.Limit + int(within/(r.Window/time.Duration(r.Limit)))
}

// cost is what strangers can cost in a day, from the rates of a portal.
type cost struct {
	// MadeUp is how many messages a day go to telephones of one home country that a visitor typed for made-up subjects.
	MadeUp int
	// Owner is how many messages a day go to one telephone whose owner's subject id the strangers know.
	Owner int
}

// costOf computes the cost of strangers with k source addresses. subject lists the rates of class Proved by subject.
func costOf(k int, l outbox.Limits, subject ...civicpin.Rate) cost {
	asked := k * most(l.SourceTyped, day)
	typed := min(most(l.Typed, day), asked)
	proved := 0
	for _, r := range subject {
		proved += most(r, day)
	}
	proved = min(proved, most(l.Proved, day), k*most(l.Source, day))
	return cost{MadeUp: min(asked, most(l.Home, day)), Owner: min(typed+proved, k*most(l.Source, day))}
}

// defaults are the limits of the portal of these tests.
func defaults() outbox.Limits {
	hour := time.Hour
	return outbox.Limits{
		Source: civicpin.Rate{Limit: 60, Window: hour}, SourceTyped: civicpin.Rate{Limit: 20, Window: hour},
		Typed: civicpin.Rate{Limit: 3, Window: day}, Proved: civicpin.Rate{Limit: 40, Window: day},
		Home: civicpin.Rate{Limit: 2000, Window: hour},
	}
}

// bySubject are the rates by subject of pin.Default (parts that are sent again), otp.SMS and recovery.
func bySubject() []civicpin.Rate {
	return []civicpin.Rate{{Limit: 5, Window: day}, otp.SMS().Sends, {Limit: 10, Window: day}}
}

// Strangers who do nothing but ask for messages, for a day in simulated time, cost what costOf computes, and no more.
func TestCosts(t *testing.T) {
	for _, k := range []int{1, 5} {
		t.Run(fmt.Sprint(k), func(t *testing.T) {
			want := costOf(k, defaults(), bySubject()...)

			p := newPortal(t)
			end, n := p.clock.Now().Add(day), 0
			for p.clock.Now().Before(end) {
				for source := range k {
					for p.asks(t, civicpin.Subject(fmt.Sprint("MADE UP ", n)), fmt.Sprintf("+5939%08d", n), source) {
						n++
					}
				}
				require.NoError(t, p.out.Flush(t.Context()))
				p.clock.Add(3 * time.Minute)
			}
			require.InDelta(t, want.MadeUp, len(p.mail.Messages()), float64(k))
			require.LessOrEqual(t, len(p.mail.Messages()), want.MadeUp)

			w := newWorld(t, true)
			w.register(t, &player{subject: ana, phone: civicpin.Contact{Channel: civicpin.SMS, Address: anaPhone}})
			require.NoError(t, w.out.Flush(t.Context()))
			before := len(w.mail.Messages())
			for end = w.clock.Now().Add(day); w.clock.Now().Before(end); w.clock.Add(6 * time.Minute) {
				for source := range k {
					w.pester(t, source)
				}
				require.NoError(t, w.out.Flush(t.Context()))
			}
			got := len(w.mail.Messages()) - before
			require.LessOrEqual(t, got, want.Owner)
			require.GreaterOrEqual(t, got, want.Owner*5/6) // what comes at the very end, or takes the place of another, is missing
		})
	}
}

func stranger6(source int) civicpin.Source {
	return civicpin.Source{Address: fmt.Sprintf("2001:db8:%x::1", source)}
}

// asks asks for a PIN to a telephone, and reports whether the portal says yes.
func (p *portal) asks(t *testing.T, subject civicpin.Subject, phone string, source int) bool {
	_, err := p.pins.Issue(t.Context(), subject, pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.SMS, Address: phone}}, By: civicpin.Citizen, Source: stranger6(source),
	})
	return err == nil
}

// pester asks for all that a stranger can have sent to Ana's telephone, until each is refused.
func (w world) pester(t *testing.T, source int) {
	phone := civicpin.Contact{Channel: civicpin.SMS, Address: anaPhone}
	for w.pins.Resend(t.Context(), ana, 0, stranger6(source)) == nil {
		require.NoError(t, w.out.Flush(t.Context())) // before the next one takes its place
	}
	for {
		_, err := w.codes.Request(t.Context(), ana, otp.Purpose{Act: "login"}, otp.RequestOptions{
			To: []civicpin.Contact{phone}, Source: stranger6(source),
		})
		if err != nil {
			break
		}
		require.NoError(t, w.out.Flush(t.Context())) // before the next one cancels it
	}
	for {
		run, err := w.rec.Start(t.Context(), "sms", ana, stranger6(source))
		if err != nil {
			break
		}
		if _, err = w.rec.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true}); err != nil {
			break
		}
	}
	for range 3 {
		w.asks(t, civicpin.Subject(fmt.Sprint("MADE UP ", w.others.Add(1))), anaPhone, source)
	}
}

// The table in docs/threats.md is what costOf computes.
func TestCostsAsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/threats.md")
	require.NoError(t, err)
	for _, k := range []int{1, 10, 100, 1000} {
		c := costOf(k, defaults(), bySubject()...)
		require.Contains(t, string(page), fmt.Sprintf("| %d | %d | %d |\n", k, c.MadeUp, c.Owner))
	}
}
