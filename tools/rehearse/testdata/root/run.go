// A PIN is sent in two halves, exchanged for a chosen one, and verified, in memory.
package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

func run(ctx context.Context) error {
	keys, err := store.CreateKeyFile("keys")
	if err != nil {
		return err
	}
	vault, err := store.OpenVault(ctx, store.NewMemory(), keys, nil)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	received := make(map[string]string)
	out, err := outbox.New(vault, civicpin.NotifierFunc(func(_ context.Context, m civicpin.Message) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		received[m.To.Address] = m.Secret.Reveal()
		return "", nil
	}), nil)
	if err != nil {
		return err
	}
	pins, err := pin.New(out, pin.INPS())
	if err != nil {
		return err
	}
	const subject, phone, mail = "RSSMRA85T10A562S", "+393331234567", "maria.rossi@example.it"
	_, err = pins.Issue(ctx, subject, pin.IssueOptions{
		Parts: []civicpin.Contact{{Channel: civicpin.SMS, Address: phone}, {Channel: civicpin.Email, Address: mail}},
		By:    civicpin.Citizen,
	})
	if err != nil {
		return err
	}
	if err := out.Flush(ctx); err != nil {
		return err
	}
	typed := civicpin.NewSecret(received[phone] + received[mail])
	chosen := civicpin.NewSecret("qz7w-k4pm")
	if _, err := pins.Exchange(ctx, pin.Attempt{Subject: subject, Secret: typed}, chosen); err != nil {
		return err
	}
	ok, err := pins.Verify(ctx, pin.Attempt{Subject: subject, Secret: chosen})
	if err != nil {
		return err
	}
	if ok.Level != civicpin.Low {
		return fmt.Errorf("level is %v", ok.Level)
	}
	_, err = pins.Verify(ctx, pin.Attempt{Subject: subject, Secret: typed})
	if _, refused := errors.AsType[*lockout.RefusedError](err); !refused {
		return fmt.Errorf("a spent PIN gives %v", err)
	}
	return nil
}
