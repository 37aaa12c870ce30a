package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// invoices is an owner of messages: what the citizen has to pay, in a record of its own.
type invoices struct {
	kind store.Kind[invoice]
}

type invoice struct {
	To   civicpin.Contact
	Text string
	Sent bool
}

func (in invoices) Confirm(ctx context.Context, ref outbox.Ref) (civicpin.Message, error) {
	e, err := in.kind.Get(ctx, store.Key{Subject: ref.Subject, ID: ref.ID})
	if errors.Is(err, store.ErrNotFound) || err == nil && e.Value.Sent {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	if err != nil {
		return civicpin.Message{}, err
	}
	return civicpin.Message{Kind: "invoice", To: e.Value.To, Params: map[string]string{"text": e.Value.Text}}, nil
}

func (in invoices) Settle(ctx context.Context, ref outbox.Ref, what outbox.Outcome) error {
	_, err := in.kind.Update(ctx, store.Key{Subject: ref.Subject, ID: ref.ID}, func(e *store.Entry[invoice]) error {
		if !e.Found() {
			return outbox.ErrWithdrawn
		}
		e.Value.Sent = !what.Failed
		return nil
	})
	return err
}

func Example() {
	ctx := context.Background()
	keys, err := store.ParseKeys(exampleKeys)
	if err != nil {
		log.Fatal(err)
	}
	vault, err := store.OpenVault(ctx, store.NewMemory(), keys, nil) // a real program has a store that lasts
	if err != nil {
		log.Fatal(err)
	}
	gateway := civicpin.NotifierFunc(func(_ context.Context, m civicpin.Message) (string, error) {
		fmt.Printf("to %s: %s\n", m.To.Masked(), m.Params["text"])
		return "receipt-1", nil
	})
	out, err := outbox.New(vault, gateway, nil)
	if err != nil {
		log.Fatal(err)
	}
	kind, err := store.NewKind[invoice](vault, "invoice")
	if err != nil {
		log.Fatal(err)
	}
	owner := invoices{kind}
	if err := out.Register("invoices", owner); err != nil {
		log.Fatal(err)
	}

	// The dispatcher runs beside the program, until it ends.
	running, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { _ = out.Run(running) })

	// To send something: the entry, the record, the commit.
	ref := outbox.Ref{Owner: "invoices", Subject: "RSSMRA80A01H501U", ID: "2030-17"}
	if err := out.Add(ctx, ref); err != nil {
		log.Fatal(err)
	}
	e := store.Entry[invoice]{Key: store.Key{Subject: ref.Subject, ID: ref.ID}}
	e.Value = invoice{To: civicpin.Contact{Channel: civicpin.Email, Address: "maria@example.org"}, Text: "please pay 12 euro"}
	if err := kind.Put(ctx, &e); err != nil {
		log.Fatal(err)
	}
	if err := out.Commit(ctx, ref); err != nil {
		log.Fatal(err)
	}

	// Flush is for cron jobs, and for waiting as here. Beside a Run it sends nothing twice.
	if err := out.Flush(ctx); err != nil {
		log.Fatal(err)
	}
	stop()
	wg.Wait()
	// Output:
	// to m***@example.org: please pay 12 euro
}

// exampleKeys is what a key file holds. Make one with store.CreateKeyFile.
const exampleKeys = `civicpin keys 1
index AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
seal k1 AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE
`

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
	out, err := outbox.New(vault, civicpin.ByChannel{}, nil) // no notifier for any channel
	if err != nil {
		log.Fatal(err)
	}
	kind, err := store.NewKind[invoice](vault, "invoice")
	if err != nil {
		log.Fatal(err)
	}
	if err := out.Register("invoices", invoices{kind}); err != nil {
		log.Fatal(err)
	}
	ref := outbox.Ref{Owner: "invoices", Subject: "RSSMRA80A01H501U", ID: "2030-17"}
	e := store.Entry[invoice]{Key: store.Key{Subject: ref.Subject, ID: ref.ID}}
	e.Value = invoice{To: civicpin.Contact{Channel: civicpin.SMS, Address: "+393331234567"}, Text: "please pay 12 euro"}
	if err := errors.Join(out.Add(ctx, ref), kind.Put(ctx, &e), out.Commit(ctx, ref), out.Flush(ctx)); err != nil {
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
	// 2030-17 1 civicpin: undeliverable civicpin: no notifier for channel sms
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
	out, err := outbox.New(vault, civicpin.ByChannel{}, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, id := range []string{"2030-17", "2030-18", "2030-19"} {
		if err := out.Add(ctx, outbox.Ref{Owner: "invoices", Subject: "RSSMRA80A01H501U", ID: id}); err != nil {
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
	fmt.Println(waiting.Due, waiting.Later, vault.Now().Sub(waiting.Since).Round(time.Minute))
	// Output:
	// 3 0 0s
}
