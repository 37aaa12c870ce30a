package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/examples/internal/post"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
)

// recoverable sets a stage on which Maria has a PIN, and contacts that INPS knows.
func recoverable(t *testing.T) *stage {
	t.Helper()
	s := newStage(t)
	s.Act(t, s.register)
	s.Act(t, s.request)
	s.Act(t, s.exchange)
	if err := s.Clock.Skip(8 * day); err != nil { // one of them cools down, and there are so many messages a day
		t.Fatal(err)
	}
	return s
}

// TestRecoverByCode: the code of the same message does what the link does, and the two die together.
func TestRecoverByCode(t *testing.T) {
	t.Parallel()
	s := recoverable(t)
	ctx := t.Context()
	ticket, err := s.nameContacts(ctx, s.maria, []string{typedContacts(s.maria.contacts[:2])})
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Inbox.Last(s.mailbox().Address)
	if err != nil {
		t.Fatal(err)
	}
	link := civicpin.NewSecret(m.Link())
	if _, err := s.rec.Finish(ctx, ticket, s.maria.source); !errors.Is(err, recovery.ErrWrongStep) {
		t.Errorf("finished without a proof: %v", err)
	}
	code := recovery.Answers{Code: civicpin.NewSecret(strings.ToLower(m.Code())), Source: s.maria.source}
	run, err := s.rec.Answer(ctx, ticket, code)
	if err != nil || !run.Done {
		t.Fatalf("%+v, %v", run, err)
	}
	for _, used := range []func() error{
		func() error { _, err := s.rec.Answer(ctx, ticket, code); return err },
		func() error { _, err := s.rec.Inspect(ctx, link); return err },
		func() error { _, err := s.rec.Finish(ctx, link, s.maria.source); return err },
	} {
		if err := used(); !errors.Is(err, recovery.ErrGone) && !errors.Is(err, recovery.ErrWrongStep) {
			t.Errorf("after the code: %v", err)
		}
	}
	grant, err := s.rec.Finish(ctx, ticket, s.maria.source)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.pins.Set(ctx, grant, civicpin.NewSecret("MN6B3VCX"), civicpin.Source{}); !errors.Is(err, pin.ErrNoGrant) {
		t.Errorf("a grant for halves set a PIN: %v", err)
	}
	halves, err := s.reissue(ctx, s.maria, grant)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.pins.Reissue(ctx, grant, s.maria.source); !errors.Is(err, pin.ErrNoGrant) {
		t.Errorf("a grant was used twice: %v", err)
	}
	if ok, err := s.verify(t, halves[0]+halves[1]); err != nil || !ok.MustExchange {
		t.Errorf("%+v, %v", ok, err)
	}
	want(t, s.status(t, s.maria.subject()), "provisional", civicpin.Low, "")
}

// TestContactsThatRecover names every two kinds of contact. The link goes to the mailbox that the plan prefers, and the halves
// to the two that were named, in the plan's order.
func TestContactsThatRecover(t *testing.T) {
	t.Parallel()
	s := recoverable(t)
	ctx := t.Context()
	kinds, err := readContacts("333 123 4567, maria.rossi@example.it, pec maria@pec.example, pec cittadino maria.rossi@cec.example", "it")
	if err != nil {
		t.Fatal(err)
	}
	// Maria has three of them; the fourth a clerk has seen.
	if err := s.contacts.Adopt(ctx, s.maria.subject(), kinds[2:3], clerk, civicpin.Source{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Deliver(ctx); err != nil { // the others are told
		t.Fatal(err)
	}
	order := lostPIN.Steps[0].(plan.Contacts).Of
	for i, first := range kinds {
		for _, second := range kinds[:i] {
			s.maria.contacts = []civicpin.Contact{first, second}
			if err := s.Clock.Skip(day); err != nil {
				t.Fatal(err)
			}
			if _, err := s.nameContacts(ctx, s.maria, []string{typedContacts(s.maria.contacts)}); err != nil {
				t.Fatalf("%s and %s: %v", first.Channel, second.Channel, err)
			}
			m, err := s.Inbox.Last(s.mailbox().Address)
			if err != nil || m.Link() == "" || m.Code() == "" || m.Channel != s.mailbox().Channel {
				t.Fatalf("%s and %s: %+v, %v", first.Channel, second.Channel, m, err)
			}
			grant, err := s.rec.Finish(ctx, civicpin.NewSecret(m.Link()), s.maria.source)
			if err != nil {
				t.Fatalf("%s and %s: %v", first.Channel, second.Channel, err)
			}
			is, err := s.pins.Reissue(ctx, grant, s.maria.source)
			if err != nil || len(is.Parts) != 2 {
				t.Fatalf("%s and %s: %+v, %v", first.Channel, second.Channel, is, err)
			}
			if err := s.Deliver(ctx); err != nil {
				t.Fatal(err)
			}
			to := []civicpin.Contact{is.Parts[0].Contact, is.Parts[1].Contact}
			inOrder := slices.Index(order, to[0].Channel) < slices.Index(order, to[1].Channel)
			if !inOrder || !slices.Contains(to, first) || !slices.Contains(to, second) {
				t.Errorf("%s and %s: halves by %v", first.Channel, second.Channel, to)
			}
			var typed strings.Builder
			for _, c := range to {
				half, err := s.half(c.Address)
				if err != nil {
					t.Fatal(err)
				}
				typed.WriteString(half)
			}
			if ok, err := s.verify(t, typed.String()); err != nil || !ok.MustExchange {
				t.Errorf("%s and %s: %+v, %v", first.Channel, second.Channel, ok, err)
			}
		}
	}
}

// TestOneContact: one contact is no answer, whether or not it is right, and costs no try. Neither is one twice.
func TestOneContact(t *testing.T) {
	t.Parallel()
	s := recoverable(t)
	ctx := t.Context()
	for _, subject := range []civicpin.Subject{s.maria.subject(), nobody()} {
		ticket, err := s.begin(ctx, subject, s.maria.source)
		if err != nil {
			t.Fatal(err)
		}
		mine := s.maria.contacts
		for range lostPIN.Limit.Limit {
			if err := s.name(ctx, ticket, mine[:1], s.maria.source); !errors.Is(err, recovery.ErrWrongStep) {
				t.Errorf("%s: one contact: %v", subject, err)
			}
			twice := []civicpin.Contact{mine[1], mine[1]}
			if err := s.name(ctx, ticket, twice, s.maria.source); !errors.Is(err, civicpin.ErrInvalid) {
				t.Errorf("%s: one contact twice: %v", subject, err)
			}
		}
		err = s.name(ctx, ticket, mine[:2], s.maria.source)
		if subject == s.maria.subject() && err != nil || subject != s.maria.subject() && !errors.Is(err, recovery.ErrRefused) {
			t.Errorf("%s: two contacts: %v", subject, err)
		}
	}
}

// TestOldTicket: an attacker who began a recovery in Maria's name, and had her press the button, has nothing of it.
func TestOldTicket(t *testing.T) {
	t.Parallel()
	s := recoverable(t)
	ctx := t.Context()
	thief := s.maria
	thief.source = strangersSource
	ticket, err := s.nameContacts(ctx, thief, []string{typedContacts(s.maria.contacts[:2])})
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Inbox.Last(s.mailbox().Address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.rec.Finish(ctx, civicpin.NewSecret(m.Link()), s.maria.source); err != nil {
		t.Fatal(err)
	}
	if _, err := s.rec.Finish(ctx, ticket, thief.source); !errors.Is(err, recovery.ErrGone) {
		t.Errorf("the ticket of who began: %v", err)
	}
}

// TestMailbox: of any two contacts one is a mailbox.
func TestMailbox(t *testing.T) {
	mail := func(channel civicpin.Channel, address string) civicpin.Contact {
		return civicpin.Contact{Channel: channel, Address: address}
	}
	sms, email := mail(civicpin.SMS, "+393331234567"), mail(civicpin.Email, "m@example.it")
	pec, citizens := mail(civicpin.CertifiedEmail, "m@pec.example"), mail(post.CitizenCertifiedEmail, "m@cec.example")
	for _, c := range []struct{ first, second, want civicpin.Contact }{
		{sms, email, email},
		{email, sms, email},
		{pec, sms, pec},
		{citizens, pec, pec},
		{citizens, email, email},
		{sms, citizens, citizens},
	} {
		var s tale
		s.maria.contacts = []civicpin.Contact{c.first, c.second, mail(civicpin.Email, "third@example.it")}
		if got := s.mailbox(); got != c.want {
			t.Errorf("%s and %s: %s", c.first.Channel, c.second.Channel, got.Channel)
		}
	}
}
