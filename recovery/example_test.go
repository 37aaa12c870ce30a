package recovery_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/contact"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/recovery"
	"github.com/civicpin/civicpin/recovery/plan"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// onePerson is a register of one.
type onePerson struct{}

func (onePerson) Check(_ context.Context, subject civicpin.Subject, facts map[string]string) (bool, error) {
	return subject == "1710034065" && facts["birth-day"] == "14" && facts["birth-month"] == "3", nil
}

// exampleKeys returns new keys. A program makes its key file once, and then reads it with store.ReadKeyFile.
func exampleKeys() store.Keys {
	dir, err := os.MkdirTemp("", "civicpin")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	keys, err := store.CreateKeyFile(filepath.Join(dir, "portal.keys"))
	if err != nil {
		log.Panic(err)
	}
	return keys
}

// exampleServices makes the services over memory, with Ana's key and mailbox in them. What is sent arrives in last.
func exampleServices(plans ...plan.Plan) (rec *recovery.Service, pins *pin.Service, out *outbox.Outbox, last *civicpin.Message) {
	ctx := context.Background()
	last = new(civicpin.Message)
	monday := func() time.Time { return time.Date(2026, 3, 2, 10, 0, 0, 0, time.FixedZone("Guayaquil", -5*60*60)) }
	vault, err := store.OpenVault(ctx, store.NewMemory(), exampleKeys(), &store.Options{Now: monday})
	check(err)
	out, err = outbox.New(vault, civicpin.NotifierFunc(func(_ context.Context, m civicpin.Message) (string, error) {
		*last = m
		return "", nil
	}), nil)
	check(err)
	pins, err = pin.New(out, pin.Default())
	check(err)
	contacts, err := contact.New(out, contact.Policy{}, pins)
	check(err)
	rec, err = recovery.New(out, recovery.Config{
		Pins: pins, Contacts: contacts, Plans: plans, Register: onePerson{}, Images: images, Questions: questions,
		Roles: map[string]recovery.Role{"office": {From: 8 * time.Hour, To: 17 * time.Hour, Zone: "America/Guayaquil"}},
	})

	check(err)

	clerk := civicpin.Operator("clerk.7")
	issue, err := pins.Issue(ctx, "1710034065", pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.HandedOver}}, By: clerk,
	})
	check(err)
	slip := pin.Attempt{Subject: "1710034065", Secret: issue.Slip}
	_, err = pins.Exchange(ctx, slip, civicpin.NewSecret("tres gatos en el tejado"))
	check(err)
	check(contacts.Adopt(ctx, "1710034065", []civicpin.Contact{
		{Channel: civicpin.Email, Address: "ana@correo.example"},
	}, clerk, civicpin.Source{}))
	return rec, pins, out, last
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// A forgotten password: facts that slow guessers down, and a link.
func Example() {
	ctx := context.Background()
	source := civicpin.Source{Address: "192.0.2.10"}
	rec, pins, out, last := exampleServices(plan.Plan{
		Name: "password",
		Steps: []plan.Step{
			plan.Captcha{}, // checked by the caller
			plan.Facts{"birth-day", "birth-month"},
			plan.Link{Channel: civicpin.Email, Valid: 30 * time.Minute},
		},
		Limit:   lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked},
		Outcome: plan.ChooseSecret, // and no Keeps: one mailbox leaves the level low, whatever it was
	})

	run, err := rec.Start(ctx, "password", "1710034065", source)
	check(err)
	ticket := run.Ticket // into a cookie
	run, err = rec.Answer(ctx, ticket, recovery.Answers{Captcha: true, Source: source})
	check(err)
	fmt.Println("asked for", run.Next.Facts)
	run, err = rec.Answer(ctx, ticket, recovery.Answers{
		Facts: map[string]string{"birth-day": "14", "birth-month": "3"}, Source: source,
	})
	check(err)
	fmt.Println("a link was sent:", run.Next.Sent.Link)

	check(out.Flush(ctx)) // out.Run does it all the time
	token := last.Link
	info, err := rec.Inspect(ctx, token) // GET: scanners may, nothing happens
	check(err)
	fmt.Println("the link proves that mail to", info.Sent, "was read")
	grant, err := rec.Finish(ctx, token, source) // POST: once
	check(err)
	ok, err := pins.Set(ctx, grant, civicpin.NewSecret("cinco perros bajo la mesa"), civicpin.Source{})
	check(err)
	fmt.Println("logged in at level", ok.Level)
	_, err = rec.Finish(ctx, token, source)
	fmt.Println(errors.Is(err, recovery.ErrGone))
	// Output:
	// asked for [birth-day birth-month]
	// a link was sent: true
	// the link proves that mail to a***@correo.example was read
	// logged in at level low
	// true
}

// At the desk: staff see the person, and the link goes to the person's own mailbox. Staff get no ticket, token or grant.
func ExampleService_Decide() {
	ctx := context.Background()
	rec, _, out, last := exampleServices(plan.Plan{
		Name: "desk",
		Steps: []plan.Step{
			plan.Approval{Role: "office"},
			plan.Link{Channel: civicpin.Email, Valid: 24 * time.Hour},
		},
		Limit: lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked}, Valid: 25 * time.Hour, Outcome: plan.ChooseSecret,
	})
	staff := recovery.Operator{ID: civicpin.Operator("quito.1"), Role: "office"}
	run, err := rec.StartBy(ctx, "desk", "1710034065", staff)
	if no, ok := errors.AsType[*recovery.OperatorError](err); ok {
		switch no.Reason {
		case recovery.Closed, recovery.OverLimit:
			fmt.Println("not before", no.Until)
		case recovery.WrongRole, recovery.SamePerson:
			fmt.Println("not by this operator:", no.Reason)
		}
		return
	}
	check(err)
	_, err = rec.Decide(ctx, run.ID, staff, recovery.Verdict{Approve: true, Reason: "cédula seen"})
	check(err)
	check(out.Flush(ctx))
	fmt.Println(last.Kind, "to", last.To.Address)
	// Output: recovery.link to ana@correo.example
}

// Wrong passwords lock the login. A captcha and a link lift the lock.
func ExampleService_Finish() {
	ctx := context.Background()
	source := civicpin.Source{Address: "192.0.2.10"}
	rec, pins, out, last := exampleServices(plan.Plan{
		Name:    "unlock",
		Steps:   []plan.Step{plan.Captcha{}, plan.Link{Channel: civicpin.Email, Valid: 10 * time.Minute}},
		Limit:   lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked},
		Outcome: plan.Unlocked,
	})
	login := func(password string) error {
		_, err := pins.Verify(ctx, pin.Attempt{Subject: "1710034065", Secret: civicpin.NewSecret(password), Source: source})
		return err
	}
	for range 5 {
		err := login("tres perros en el tejado")
		if errors.Is(err, lockout.ErrLocked) {
			fmt.Println("locked")
		}
	}

	run, err := rec.Start(ctx, "unlock", "1710034065", source)
	check(err)
	_, err = rec.Answer(ctx, run.Ticket, recovery.Answers{Captcha: true, Source: source})
	check(err)
	check(out.Flush(ctx))
	_, err = rec.Finish(ctx, last.Link, source) // no grant: the password stays
	check(err)
	fmt.Println("logs in:", login("tres gatos en el tejado") == nil)
	// Output:
	// locked
	// logs in: true
}
