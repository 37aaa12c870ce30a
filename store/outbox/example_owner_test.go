package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// invoices is an owner of messages: what the citizen has to pay, in a record of its own.
type invoices struct {
	out  *outbox.Outbox
	kind store.Kind[invoice]
}

type invoice struct {
	To   civicpin.Contact
	Text string
	Sent bool
}

// newInvoices registers the owner. A program does that when it starts, before Run.
func newInvoices(vault *store.Vault, out *outbox.Outbox) (*invoices, error) {
	kind, err := store.NewKind[invoice](vault, "invoice")
	if err != nil {
		return nil, err
	}
	in := &invoices{out: out, kind: kind}
	return in, out.Register("invoices", in)
}

// Send queues an invoice. First it asks whether the notifier would refuse the message. Then it has the record written between
// the entry and the commit.
func (in *invoices) Send(ctx context.Context, subject civicpin.Subject, id string, v invoice) error {
	if err := in.out.Check(v.message(), v.To.Channel); err != nil {
		return err
	}
	ref := outbox.Ref{Owner: "invoices", Subject: subject, ID: id, Class: outbox.Shown}
	r := outbox.Request{Subject: subject, Refs: []outbox.Ref{ref}} // without a Limit: no visitor asked for it
	return in.out.Announce(ctx, r, func(ctx context.Context) error {
		return in.kind.Put(ctx, &store.Entry[invoice]{Key: store.Key{Subject: subject, ID: id}, Value: v})
	})
}

func (v invoice) message() civicpin.Message {
	return civicpin.Message{Kind: "invoice", To: v.To, Params: map[string]string{"text": v.Text}}
}

// Confirm answers from the record as it is now.
func (in *invoices) Confirm(ctx context.Context, ref outbox.Ref) (civicpin.Message, error) {
	e, err := in.kind.Get(ctx, store.Key{Subject: ref.Subject, ID: ref.ID})
	if errors.Is(err, store.ErrNotFound) || err == nil && e.Value.Sent {
		return civicpin.Message{}, outbox.ErrWithdrawn
	}
	if err != nil {
		return civicpin.Message{}, err
	}
	return e.Value.message(), nil
}

// Settle writes the outcome down.
func (in *invoices) Settle(ctx context.Context, ref outbox.Ref, what outbox.Outcome) error {
	_, err := in.kind.Update(ctx, store.Key{Subject: ref.Subject, ID: ref.ID}, func(e *store.Entry[invoice]) error {
		if !e.Found() {
			return outbox.ErrWithdrawn
		}
		e.Value.Sent = !what.Failed
		return nil
	})
	return err
}

// An owner of one's own: invoices, which are sent by the same outbox as PINs.
func ExampleOwner() {
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
	owner, err := newInvoices(vault, out)
	if err != nil {
		log.Fatal(err)
	}

	// The dispatcher runs beside the program, until it ends.
	running, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { _ = out.Run(running) })

	maria := civicpin.Contact{Channel: civicpin.Email, Address: "maria@example.org"}
	if err := owner.Send(ctx, "RSSMRA80A01H501U", "2030-17", invoice{To: maria, Text: "please pay 12 euro"}); err != nil {
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
