package recovery_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// portal is all services over one vault, with the ready policies and the default limits.
type portal struct {
	pins     *pin.Service
	codes    *otp.Codes
	contacts *contact.Service
	rec      *recovery.Service
	out      *outbox.Outbox
	mail     *testkit.Mailbox
	clock    *testkit.Clock
}

func newPortal(t *testing.T) *portal {
	t.Helper()
	clock := newClock()
	p := newPortalAt(t, clock.Now, pin.Default())
	p.clock = clock
	return p
}

// newPortalAt is newPortal with another policy, by a clock of the test's; nil means the real one, or that of a bubble.
func newPortalAt(t *testing.T, now func() time.Time, policy pin.Policy) *portal {
	t.Helper()
	p := &portal{mail: &testkit.Mailbox{}}
	vault, err := store.OpenVault(t.Context(), store.NewMemory(), testkit.Keys(), &store.Options{Now: now})
	require.NoError(t, err)
	p.out, err = outbox.New(vault, p.mail, nil)
	require.NoError(t, err)
	policy.Hashing = cheap()
	p.pins, err = pin.New(p.out, policy)
	require.NoError(t, err)
	p.codes, err = otp.NewCodes(p.out, otp.SMS())
	require.NoError(t, err)
	p.contacts, err = contact.New(p.out, contact.Policy{Decoys: []civicpin.Contact{
		{Channel: civicpin.SMS, Address: "+593990000000"}, {Channel: civicpin.Email, Address: "x@correo.example"},
	}}, p.pins)
	require.NoError(t, err)
	p.rec, err = recovery.New(p.out, recovery.Config{
		Pins: p.pins, Contacts: p.contacts, Hashing: cheap(), Plans: []plan.Plan{{
			Name: "sms", Steps: []plan.Step{plan.Captcha{}, plan.Code{Channel: civicpin.SMS, Valid: 10 * time.Minute}},
			Limit: threeTries(), Outcome: plan.Unlocked,
		}},
	})
	require.NoError(t, err)
	return p
}

// issue issues a PIN to a telephone at a citizen's request.
func (p *portal) issue(t *testing.T, subject civicpin.Subject, to civicpin.Contact) error {
	t.Helper()
	_, err := p.pins.Issue(t.Context(), subject, pin.IssueOptions{Parts: []civicpin.Contact{to}, By: civicpin.Citizen})
	return err
}

// A limit of one service, used up by another, tells nobody who is registered: each anonymous call gives a citizen, who has a
// telephone that many others have, too, the answer that it gives a stranger.
func TestLimitsOverAllServicesTellNothing(t *testing.T) {
	phone := civicpin.Contact{Channel: civicpin.SMS, Address: anaPhone}
	p := newPortal(t)
	require.NoError(t, p.issue(t, ana, phone))
	require.NoError(t, p.contacts.Adopt(t.Context(), ana, []civicpin.Contact{phone}, agency.ID, home))
	for i := range 60 { // the family's telephone
		require.NoError(t, p.issue(t, civicpin.Subject(fmt.Sprint("FAMILY ", i)), phone))
	}
	answers := func(subject civicpin.Subject, to ...civicpin.Contact) (list []string) {
		note := func(err error) {
			if locked := lockOf(err); locked != nil {
				list = append(list, string(locked.Scope))
			} else {
				list = append(list, fmt.Sprint(err))
			}
		}
		for range 12 {
			note(p.pins.Resend(t.Context(), subject, 0, civicpin.Source{}))
			_, err := p.codes.Request(t.Context(), subject, otp.Purpose{Act: "login"}, otp.RequestOptions{To: to})
			note(err)
			run, err := p.rec.Start(t.Context(), "sms", subject, civicpin.Source{})
			note(err)
			if err == nil {
				_, err = p.rec.Answer(t.Context(), run.Ticket, recovery.Answers{Captcha: true})
				note(err)
			}
			require.NoError(t, p.out.Flush(t.Context()))
		}
		return list
	}
	citizen := answers(ana, phone)
	require.Equal(t, answers(stranger), citizen)
	require.Contains(t, citizen, "sends")
	require.NotContains(t, citizen, "address")
}

// Forty subjects with one telephone get no more than its rates through all services together, and services whose windows
// differ do not cut each other's counts.
func TestOneTelephoneOverAllServices(t *testing.T) {
	phone := civicpin.Contact{Channel: civicpin.SMS, Address: anaPhone}
	p := newPortal(t)
	for i := range 40 {
		subject := civicpin.Subject(fmt.Sprint("FAMILY ", i))
		require.NoError(t, p.issue(t, subject, phone))
		_, err := p.codes.Request(t.Context(), subject, otp.Purpose{Act: "login"}, otp.RequestOptions{To: []civicpin.Contact{phone}})
		require.NoError(t, err)
		require.NoError(t, p.out.Flush(t.Context()))
	}
	require.Len(t, p.mail.To(anaPhone, "pin.part"), 3, "typed by a visitor")
	require.Len(t, p.mail.To(anaPhone, "otp.code"), 40, "proved")
	_, err := p.codes.Request(t.Context(), ana, otp.Purpose{Act: "login"}, otp.RequestOptions{To: []civicpin.Contact{phone}})
	require.NoError(t, err)
	require.NoError(t, p.out.Flush(t.Context()))
	require.Len(t, p.mail.To(anaPhone, "otp.code"), 40, "it waits")
}

// A notice of a change arrives at once, however many messages strangers have had sent to that address.
func TestNoticesArriveThroughAFlood(t *testing.T) {
	phone := civicpin.Contact{Channel: civicpin.SMS, Address: anaPhone}
	p := newPortal(t)
	require.NoError(t, p.contacts.Adopt(t.Context(), ana, []civicpin.Contact{phone}, agency.ID, home))
	for i := range 1000 {
		require.NoError(t, p.issue(t, civicpin.Subject(fmt.Sprint("MADE UP ", i)), phone))
	}
	require.NoError(t, p.out.Flush(t.Context()))
	told, err := p.contacts.Notify(t.Context(), ana, "pin.changed", nil)
	require.NoError(t, err)
	require.Equal(t, 1, told)
	require.NoError(t, p.out.Flush(t.Context()))
	require.Len(t, p.mail.To(anaPhone, "pin.changed"), 1)
}
