package pin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/pin/rule"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

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

// exampleService makes a service over memory whose messages arrive in a map by address.
func exampleService(p pin.Policy) (*pin.Service, *outbox.Outbox, map[string]string) {
	var mu sync.Mutex // channels are served side by side
	arrived := make(map[string]string)
	vault, err := store.OpenVault(context.Background(), store.NewMemory(), exampleKeys(), nil)
	if err != nil {
		log.Fatal(err)
	}
	out, err := outbox.New(vault, civicpin.NotifierFunc(func(_ context.Context, m civicpin.Message) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		arrived[m.To.Address] = m.Secret.Reveal()
		return "", nil
	}), nil)
	if err != nil {
		log.Fatal(err)
	}
	pins, err := pin.New(out, p)
	if err != nil {
		log.Fatal(err)
	}
	return pins, out, arrived
}

// A PIN goes out in two halves, and is exchanged for the citizen's own at its first use.
func Example() {
	ctx := context.Background()
	pins, out, arrived := exampleService(pin.INPS())

	issue, err := pins.Issue(ctx, "RSSMRA85T10A562S", pin.IssueOptions{
		Parts: []civicpin.Contact{
			{Channel: civicpin.SMS, Address: "+393331234567"},
			{Channel: civicpin.Email, Address: "maria.rossi@example.it"},
		},
		By: civicpin.Citizen,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(issue.Parts), "parts,", issue.Parts[0].State)
	_ = out.Flush(ctx) // or go out.Run(ctx), once

	typed := pin.Attempt{
		Subject: "RSSMRA85T10A562S",
		Secret:  civicpin.NewSecret(arrived["+393331234567"] + arrived["maria.rossi@example.it"]),
	}
	ok, err := pins.Verify(ctx, typed)
	fmt.Println(ok.MustExchange, ok.Level, err)
	_, err = pins.Exchange(ctx, typed, civicpin.NewSecret("12345678"))
	fmt.Println(err)
	ok, err = pins.Exchange(ctx, typed, civicpin.NewSecret("qz7w-k4pm")) // and is logged in
	fmt.Println(ok.MustExchange, ok.Level, err)
	ok, err = pins.Verify(ctx, pin.Attempt{Subject: "RSSMRA85T10A562S", Secret: civicpin.NewSecret("QZ7WK4PM")})
	fmt.Println(ok.MustExchange, ok.Level, err)
	// Output:
	// 2 parts, pending
	// true none <nil>
	// pin: secret may not be chosen: sequence
	// false low <nil>
	// false low <nil>
}

// What a login page does with the outcome.
func ExampleService_Verify() {
	ctx := context.Background()
	policy := pin.INPS()
	policy.Lockout.ShowLeft = true // or a page says nothing of the tries that are left
	pins, _, _ := exampleService(policy)
	attempt := pin.Attempt{Subject: "RSSMRA85T10A562S", Secret: civicpin.NewSecret("a guess")}

	for range 6 {
		ok, err := pins.Verify(ctx, attempt)
		locked, isLocked := errors.AsType[*lockout.LockedError](err)
		refused, isRefused := errors.AsType[*lockout.RefusedError](err)
		expired, isExpired := errors.AsType[*pin.ExpiredError](err)
		switch {
		case err == nil && ok.MustExchange:
			fmt.Println("choose your own PIN")
		case err == nil:
			fmt.Println("in, at level", ok.Level)
		case isLocked && locked.Until.IsZero():
			fmt.Println("locked until you recover it")
		case isLocked:
			fmt.Println("locked for", time.Until(locked.Until).Round(time.Second))
		case errors.Is(err, pin.ErrBusy):
			fmt.Println("try again in a moment") // 503; no try was spent
		case isExpired && expired.Since == state.SinceChange:
			fmt.Println("right, and too old: choose another one") // pins.Change
		case isExpired:
			fmt.Println("right, and too old: ask for a new one") // told only to the holder of the secret
		case errors.Is(err, lockout.ErrTimeout):
			fmt.Println("not now, please once more") // right, and it took too long
		case isRefused:
			fmt.Println("wrong,", refused.Left, "tries left")
		default:
			fmt.Println("not now") // for the log: err
		}
	}
	// Nobody of that name was ever issued a PIN. It makes no difference.

	// Output:
	// wrong, 4 tries left
	// wrong, 3 tries left
	// wrong, 2 tries left
	// wrong, 1 tries left
	// locked for 15m0s
	// locked for 15m0s
}

// An activation code that is handed over at a desk is an issue in one part.
func ExampleService_Issue_handedOver() {
	ctx := context.Background()
	pins, _, _ := exampleService(pin.Default())
	clerk := civicpin.Operator("bianchi")

	issue, err := pins.Issue(ctx, "12345678Z", pin.IssueOptions{
		Parts:    []civicpin.Contact{{Channel: civicpin.HandedOver}},
		Level:    civicpin.Substantial,
		Evidence: civicpin.Evidence{Method: civicpin.InPerson, Document: "DNI 12345678Z", By: clerk},
		By:       clerk,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(issue.Slip, len(issue.Slip.Reveal())) // Reveal once, to print it

	_, err = pins.Exchange(ctx, pin.Attempt{Subject: "12345678Z", Secret: issue.Slip}, civicpin.NewSecret("lluvia en la ventana"))
	if err != nil {
		log.Fatal(err)
	}
	ok, err := pins.Verify(ctx, pin.Attempt{Subject: "12345678Z", Secret: civicpin.NewSecret("lluvia en la ventana")})
	fmt.Println(ok.Level, err)
	// Output:
	// [redacted] 12
	// substantial <nil>
}

// A policy is data, and can be kept in a file.
func ExampleParsePolicy() {
	p := pin.Default()
	p.Name, p.MaxUnused = "members", 365*24*time.Hour
	p.Lockout = lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked}
	file, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		log.Fatal(err)
	}
	back, err := pin.ParsePolicy(file)
	fmt.Println(back.Name, back.Lockout.Lock, err)

	back.Chosen.Min = 8
	fmt.Println(back.Validate())
	back.Exceptions = []civicpin.Exception{{Clause: "SP 800-63B-4 3.1.1.2(1)", Reason: "each login takes a code of an app, too"}}
	fmt.Println(back.Validate())
	// Output:
	// members until-unlocked <nil>
	// pin: invalid policy: Chosen.Min is 8, which breaks "SP 800-63B-4 3.1.1.2(1)": set at least 15, or name the clause in Exceptions
	// <nil>
}

// A citizen who ticked "remember this device" gets in while strangers guess at their PIN.
func ExampleService_RememberDevice() {
	ctx := context.Background()
	policy := pin.INPS()
	policy.Lockout.Devices = 3
	pins, out, arrived := exampleService(policy)
	_, err := pins.Issue(ctx, "RSSMRA85T10A562S", pin.IssueOptions{
		Parts: []civicpin.Contact{
			{Channel: civicpin.SMS, Address: "+393331234567"},
			{Channel: civicpin.Email, Address: "maria.rossi@example.it"},
		},
		By: civicpin.Citizen,
	})
	if err != nil {
		log.Fatal(err)
	}
	_ = out.Flush(ctx)
	code := civicpin.NewSecret(arrived["+393331234567"] + arrived["maria.rossi@example.it"])
	login := pin.Attempt{Subject: "RSSMRA85T10A562S", Secret: civicpin.NewSecret("QZ7WK4PM")}
	if _, err := pins.Exchange(ctx, pin.Attempt{Subject: login.Subject, Secret: code}, login.Secret); err != nil {
		log.Fatal(err)
	}

	ok, err := pins.Verify(ctx, login)
	if err != nil {
		log.Fatal(err)
	}
	value, err := pins.RememberDevice(ctx, ok) // for a cookie: HttpOnly, Secure, SameSite
	if err != nil {
		log.Fatal(err)
	}
	for range 5 {
		_, err = pins.Verify(ctx, pin.Attempt{Subject: login.Subject, Secret: civicpin.NewSecret("ZZ9Y8X7W")})
	}
	fmt.Println(errors.As(err, new(*lockout.LockedError)))

	login.Source.Device = value // at each login, what the cookie holds
	ok, err = pins.Verify(ctx, login)
	fmt.Println(ok.Level, err)
	// Output:
	// true
	// low <nil>
}

// A page says in its own words which rule a choice breaks.
func ExampleChoiceError() {
	ctx := context.Background()
	pins, login := exampleCitizen()
	words := map[rule.Rule]string{
		rule.Length:   "8 characters, please",
		rule.Sequence: "not in the order of the alphabet or of a keyboard, please",
		rule.Same:     "another one than now, please",
	}
	for _, typed := range []string{"HJ4N", "ABCDEFGH", login.Secret.Reveal()} {
		_, err := pins.Change(ctx, login, civicpin.NewSecret(typed))
		if broken, ok := errors.AsType[*pin.ChoiceError](err); ok {
			fmt.Println(words[broken.Rule])
		}
	}
	// Output:
	// 8 characters, please
	// not in the order of the alphabet or of a keyboard, please
	// another one than now, please
}

// An old secret is changed by the subject. One that was not used in time is issued anew.
func ExampleExpiredError() {
	for _, err := range []error{
		&pin.ExpiredError{Since: state.SinceIssue}, &pin.ExpiredError{Since: state.SinceChange}, &pin.ExpiredError{Since: state.SinceUse},
	} {
		expired, _ := errors.AsType[*pin.ExpiredError](err)
		switch expired.Since {
		case state.SinceChange:
			fmt.Println("choose another PIN")
		case state.SinceIssue, state.SinceUse:
			fmt.Println("ask for a new PIN")
		}
	}
	// Output:
	// ask for a new PIN
	// choose another PIN
	// ask for a new PIN
}

// A portal's session goes on until an act ends it, here or elsewhere: it keeps the epoch of its login, and each request
// compares.
func ExampleService_Epoch() {
	ctx := context.Background()
	pins, login := exampleCitizen()
	type portalSession struct {
		subject civicpin.Subject
		epoch   pin.Epoch
	}

	ok, err := pins.Verify(ctx, login)                // or Exchange, Change, Set
	session := portalSession{login.Subject, ok.Epoch} // kept as the portal keeps its sessions
	goesOn := func(s portalSession) bool {            // asked at each request
		epoch, err := pins.Epoch(ctx, s.subject)
		return err == nil && epoch == s.epoch
	}
	fmt.Println(err, goesOn(session))

	// Wrong guesses end no session, or any stranger could.
	for range 4 {
		_, _ = pins.Verify(ctx, pin.Attempt{Subject: login.Subject, Secret: civicpin.NewSecret("a guess")})
	}
	fmt.Println(goesOn(session))

	// At another computer the citizen changes the PIN, and is logged in there.
	ok, err = pins.Change(ctx, login, civicpin.NewSecret("HJ4N8RTX"))
	fmt.Println(err, goesOn(session), goesOn(portalSession{login.Subject, ok.Epoch}))
	// Output:
	// <nil> true
	// true
	// <nil> false true
}

// exampleCitizen makes a service, and a citizen with a PIN of their own.
func exampleCitizen() (*pin.Service, pin.Attempt) {
	ctx := context.Background()
	policy := pin.INPS()
	policy.Parts, policy.Length = 1, 16
	pins, _, _ := exampleService(policy)
	login := pin.Attempt{Subject: "RSSMRA85T10A562S", Secret: civicpin.NewSecret("QZ7WK4PM")}
	issue, err := pins.Issue(ctx, login.Subject, pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.HandedOver}}, By: civicpin.Operator("bianchi"),
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = pins.Exchange(ctx, pin.Attempt{Subject: login.Subject, Secret: issue.Slip}, login.Secret)
	if err != nil {
		log.Fatal(err)
	}
	return pins, login
}
