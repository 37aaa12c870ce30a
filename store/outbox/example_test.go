package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

func ExampleOutbox_DeadLetters() {
	ctx := context.Background()
	keys, err := store.ParseKeys(exampleKeys)
	if err != nil {
		log.Fatal(err)
	}
	vault, err := store.OpenVault(ctx, store.NewMemory(), keys, nil)
	if err != nil {
		log.Fatal(err)
	}
	gateway := civicpin.NotifierFunc(func(context.Context, civicpin.Message) (string, error) {
		return "", fmt.Errorf("%w: no such number", civicpin.ErrUndeliverable)
	})
	out, err := outbox.New(vault, gateway, nil)
	if err != nil {
		log.Fatal(err)
	}
	owner, err := newInvoices(vault, out) // of ExampleOwner
	if err != nil {
		log.Fatal(err)
	}
	bill := invoice{To: civicpin.Contact{Channel: civicpin.SMS, Address: "+393331234567"}, Text: "please pay 12 euro"}
	if err := owner.Send(ctx, "RSSMRA80A01H501U", "2030-17", bill); err != nil {
		log.Fatal(err)
	}
	if err := out.Flush(ctx); err != nil {
		log.Fatal(err)
	}

	for letter, err := range out.DeadLetters(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(letter.Ref.ID, letter.Tries, letter.Reason)
		// Once the cause is gone:
		if err := out.Retry(ctx, letter.Ref); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// 2030-17 1 civicpin: undeliverable: no such number
}

// A gauge of what waits: how much of it is due, and for how long.
func ExampleOutbox_Count() {
	ctx := context.Background()
	keys, err := store.ParseKeys(exampleKeys)
	if err != nil {
		log.Fatal(err)
	}
	vault, err := store.OpenVault(ctx, store.NewMemory(), keys, nil)
	if err != nil {
		log.Fatal(err)
	}
	gateway := civicpin.NotifierFunc(func(context.Context, civicpin.Message) (string, error) { return "receipt-1", nil })
	out, err := outbox.New(vault, gateway, nil)
	if err != nil {
		log.Fatal(err)
	}
	owner, err := newInvoices(vault, out) // of ExampleOwner
	if err != nil {
		log.Fatal(err)
	}
	bill := invoice{To: civicpin.Contact{Channel: civicpin.Email, Address: "maria@example.org"}, Text: "please pay 12 euro"}
	for _, id := range []string{"2030-17", "2030-18", "2030-19"} {
		if err := owner.Send(ctx, "RSSMRA80A01H501U", id, bill); err != nil {
			log.Fatal(err)
		}
	}

	var waiting outbox.Backlog
	pass := store.Pass{Max: 1000} // so many at a time
	for {
		at, err := out.Count(ctx, &waiting, pass)
		if err != nil && !errors.Is(err, store.ErrUnreadable) {
			log.Fatal(err) // and later on from at.Last, with the same Backlog
		}
		if at.End {
			break
		}
		pass.After = at.Last
	}
	fmt.Println(waiting.Due, waiting.Later, vault.Now().Sub(waiting.OldestAt).Round(time.Minute))
	// Output:
	// 3 0 0s
}
