package recovery_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/otp"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// Strangers with one source address cause no more messages to typed telephones a day than docs/threats.md says, also by asking
// for them again.
func TestResendsCountAsTyped(t *testing.T) {
	p := newPortal(t)
	end, n := p.clock.Now().Add(day), 0
	for p.clock.Now().Before(end) {
		subject := civicpin.Subject(fmt.Sprint("MADE UP ", n))
		if p.asks(t, subject, fmt.Sprintf("+5939%08d", n), 0) {
			n++
			require.NoError(t, p.out.Flush(t.Context()))
			for range 2 {
				if p.pins.Resend(t.Context(), subject, 0, stranger6(0)) == nil {
					require.NoError(t, p.out.Flush(t.Context()))
				}
			}
		}
		p.clock.Add(3 * time.Minute)
	}
	want := costOf(1, defaults(), bySubject()...).MadeUp
	require.LessOrEqual(t, len(p.mail.Messages()), want)
}

// However often strangers lock a PIN, there is room for the notice of a theft.
func TestLocksLeaveRoomForNotices(t *testing.T) {
	p := newPortal(t)
	to := []civicpin.Contact{
		{Channel: civicpin.SMS, Address: anaPhone},
		{Channel: civicpin.Email, Address: "ana@correo.example"},
		{Channel: civicpin.Email, Address: "ana.work@correo.example"},
		{Channel: civicpin.CertifiedEmail, Address: "ana@pec.example"},
		{Channel: civicpin.SMS, Address: "+593991112223"},
		{Channel: civicpin.Email, Address: "ana.old@correo.example"},
	}
	require.NoError(t, p.contacts.Adopt(t.Context(), ana, to, agency.ID, home))
	_, err := p.pins.Issue(t.Context(), ana, pin.IssueOptions{Parts: to[:1], By: agency.ID})
	require.NoError(t, err)
	require.NoError(t, p.out.Flush(t.Context()))
	p.clock.Add(day)
	// A stranger guesses at her PIN and at her codes, once in a while; the portal tells her of each lock, once.
	n, told, last := 0, 0, map[string]time.Time{}
	note := func(gate string, err error) {
		locked := lockOf(err)
		if locked == nil || locked.Until.Equal(last[gate]) {
			return
		}
		last[gate] = locked.Until
		_, err = p.contacts.Notify(t.Context(), ana, "pin.locked", nil)
		if err == nil {
			told++
		} else {
			t.Log(gate, p.clock.Now(), err)
		}
	}
	for h := range 48 * 60 {
		_, err := p.pins.Verify(t.Context(), pin.Attempt{Subject: ana, Secret: civicpin.NewSecret("wrong"), Source: stranger6(h)})
		note("pin", err)
		note("code", p.codes.Verify(t.Context(), ana, otp.Purpose{Act: "login"}, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", civicpin.NewSecret("000000"), stranger6(h)))
		if h%(6*60) == 0 { // and has a PIN sent to each of her addresses for somebody made up
			for _, c := range to {
				_, _ = p.pins.Issue(t.Context(), civicpin.Subject(fmt.Sprint("MADE UP ", n)), pin.IssueOptions{
					Parts: []civicpin.Contact{c}, By: civicpin.Citizen, Source: stranger6(n),
				})
				n++
			}
		}
		if h%15 == 0 {
			require.NoError(t, p.out.Flush(t.Context()))
		}
		p.clock.Add(time.Minute)
	}
	t.Log("locks told: ", told)
	_, err = p.contacts.Notify(t.Context(), ana, "pin.changed", nil)
	require.NoError(t, err)
}

// One customer's /48 of IPv6 is let through no more than five sources are.
func TestOneCustomer(t *testing.T) {
	clock := newClock()
	policy := pin.Default()
	policy.Valid[civicpin.Email] = 7 * day // as INPS
	p := newPortalAt(t, clock.Now, policy)
	p.clock = clock
	accepted := 0
	for net := range 250 { // of 65,536 networks of a /48
		for i := range 20 {
			_, err := p.pins.Issue(t.Context(), civicpin.Subject(fmt.Sprint("MADE UP ", net, ".", i)), pin.IssueOptions{
				Parts:  []civicpin.Contact{{Channel: civicpin.Email, Address: fmt.Sprint("x", net, "@void.example")}},
				By:     civicpin.Citizen,
				Source: civicpin.Source{Address: fmt.Sprintf("2001:db8:1:%x::1", net)},
			})
			if err == nil {
				accepted++
			}
		}
	}
	require.NoError(t, p.out.Flush(t.Context()))
	waits := func() int {
		var b outbox.Backlog
		_, err := p.out.Count(t.Context(), &b, store.Pass{})
		require.NoError(t, err)
		return b.ByClass[outbox.Typed].Held
	}
	t.Log("accepted at once ", accepted, ", sent ", len(p.mail.Messages()), ", wait ", waits())
	for range 7 {
		p.clock.Add(day)
		require.NoError(t, p.out.Flush(t.Context()))
		t.Log("wait ", waits())
	}
	require.Less(t, accepted, 200, "from one customer in a moment")
}
