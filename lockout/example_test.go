package lockout_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// exampleVault returns a vault in memory. A program takes a store that lasts, and keys from [store.ReadKeyFile].
func exampleVault() *store.Vault {
	sealer, err := store.XChaCha20Poly1305(civicpin.NewSecret(strings.Repeat("s", 32)))
	if err != nil {
		log.Fatal(err)
	}
	vault, err := store.OpenVault(context.Background(), store.NewMemory(), store.Keys{
		Index:   civicpin.NewSecret(strings.Repeat("i", 32)),
		Sealing: []store.SealingKey{{ID: "k1", Sealer: sealer}},
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
	return vault
}

func ExampleGate_Do() {
	ctx := context.Background()
	gate, err := lockout.New(exampleVault(), "login", lockout.Policy{Limit: 3, Lock: lockout.UntilUnlocked, ShowLeft: true})
	if err != nil {
		log.Fatal(err)
	}
	registered := map[civicpin.Subject]string{"RSSMRA85T10A562S": "2741"}

	login := func(subject civicpin.Subject, pin string) {
		key := lockout.Target{Subject: subject, Source: civicpin.Source{Address: "192.0.2.1"}}
		err := gate.Do(ctx, key, func(context.Context) (bool, error) {
			want, ok := registered[subject]
			if !ok {
				return false, lockout.ErrNoSubject // after the same work as for one that is there
			}
			return pin == want, nil // in earnest: a slow hash, compared in constant time
		})
		var refused *lockout.RefusedError
		var locked *lockout.LockedError
		switch {
		case err == nil:
			fmt.Println("welcome")
		case errors.As(err, &refused):
			fmt.Println("wrong; tries left:", refused.Left)
		case errors.As(err, &locked):
			fmt.Println("locked; please call us")
		case errors.Is(err, lockout.ErrBusy):
			fmt.Println("one moment, please")
		default:
			fmt.Println("something is broken; it goes to the log, and nobody gets in")
		}
	}
	login("RSSMRA85T10A562S", "2714")
	login("RSSMRA85T10A562S", "2741")
	for range 4 {
		login("VRDLGI60A01H501X", "0000") // nobody of that name, and nothing tells so
	}
	// Output:
	// wrong; tries left: 2
	// welcome
	// wrong; tries left: 2
	// wrong; tries left: 1
	// locked; please call us
	// locked; please call us
}

func ExampleGate_Unlock() {
	ctx := context.Background()
	gate, err := lockout.New(exampleVault(), "login", lockout.Policy{Limit: 2, Lock: lockout.UntilUnlocked, Ceiling: 50})
	if err != nil {
		log.Fatal(err)
	}
	key := lockout.Target{Subject: "RSSMRA85T10A562S"}
	for range 2 {
		_ = gate.Do(ctx, key, func(context.Context) (bool, error) { return false, nil })
	}
	status, err := gate.Status(ctx, key)
	fmt.Println(status.Locked, err)

	// Somebody at the help desk has asked the citizen some questions.
	if err := gate.Unlock(ctx, key, civicpin.Operator("mrossi")); err != nil {
		log.Fatal(err)
	}
	status, err = gate.Status(ctx, key)
	fmt.Println("failures in a row:", status.Failures, "left:", status.Left, "error:", err)
	// Output:
	// lockout: locked until it is unlocked; waiting does not end it <nil>
	// failures in a row: 2 left: 2 error: <nil>
}

func ExamplePolicy() {
	// Five tries, then a quarter of an hour, half an hour, … up to a day; from the third failure in a row on, also some
	// seconds between tries; and at fifty in a row the credential has to be issued anew.
	policy := lockout.Policy{
		Limit: 5, Lock: lockout.Timed, For: 15 * time.Minute, Max: 24 * time.Hour,
		DelayAfter: 3, Delay: 5 * time.Second, DelayMax: time.Minute,
		Ceiling: 50,
	}.WithRates()
	fmt.Println(policy.Validate())

	policy.Ceiling = 500
	fmt.Println(policy.Validate())
	// Output:
	// <nil>
	// lockout: invalid policy: Ceiling is not 1 to 100
}

// A known device has a lane of its own, so that strangers who lock the open one do not lock the owner out.
func ExampleGate_RememberDevice() {
	ctx := context.Background()
	gate, err := lockout.New(exampleVault(), "login", lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked, Devices: 3})
	if err != nil {
		log.Fatal(err)
	}
	key := lockout.Target{Subject: "RSSMRA85T10A562S"}
	guess := func(key lockout.Target, right bool) error {
		return gate.Do(ctx, key, func(context.Context) (bool, error) { return right, nil })
	}
	if err := guess(key, true); err != nil {
		log.Fatal(err)
	}
	value, err := gate.RememberDevice(ctx, key) // after a right guess; the value goes into a cookie
	if err != nil {
		log.Fatal(err)
	}
	for range 5 {
		err = guess(key, false)
	}
	fmt.Println("strangers:", err)

	key.Source.Device = value // as it comes back from the cookie
	fmt.Println("the owner:", guess(key, true))
	// Output:
	// strangers: lockout: locked until it is unlocked; waiting does not end it
	// the owner: <nil>
}

// One of all the calls that a lock refuses has New: it sends the subject's notice.
func ExampleLockedError() {
	ctx := context.Background()
	gate, err := lockout.New(exampleVault(), "login", lockout.Policy{Limit: 2, Lock: lockout.Timed, For: 15 * time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	wrong := func(context.Context) (bool, error) { return false, nil }
	for range 4 {
		err := gate.Do(ctx, lockout.Target{Subject: "RSSMRA85T10A562S"}, wrong)
		locked, isLocked := errors.AsType[*lockout.LockedError](err)
		switch {
		case isLocked && locked.New:
			fmt.Println("locked; a notice goes out after the answer")
		case isLocked:
			fmt.Println("locked")
		default:
			fmt.Println("wrong")
		}
	}
	// Output:
	// wrong
	// locked; a notice goes out after the answer
	// locked
	// locked
}
