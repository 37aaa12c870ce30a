package audit_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/audit"
)

// exampleKeys returns keys as store.ReadKeyFile does.
func exampleKeys() store.Keys {
	sealer, err := store.XChaCha20Poly1305(civicpin.NewSecret(strings.Repeat("s", 32)))
	if err != nil {
		log.Fatal(err)
	}
	return store.Keys{
		Index:   civicpin.NewSecret(strings.Repeat("i", 32)),
		Sealing: []store.SealingKey{{ID: "k1", Sealer: sealer}},
	}
}

// sound is told of events that may not be in the log.
func sound(_ context.Context, e civicpin.Event, err error) {
	log.Printf("NOT RECORDED: %s: %v", e.Code, err)
}

// A log is given to the vault of everything else; an auditor verifies it, and keeps its heads.
func ExampleNew() {
	ctx := context.Background()
	db, keys := store.NewMemory(), exampleKeys()
	own, err := store.OpenVault(ctx, db, keys, nil)
	if err != nil {
		log.Fatal(err)
	}
	events, err := audit.New(own, audit.Config{Failed: sound})
	if err != nil {
		log.Fatal(err)
	}
	vault, err := store.OpenVault(ctx, db, keys, &store.Options{Recorder: events})
	if err != nil {
		log.Fatal(err)
	}

	vault.Record(ctx, civicpin.Event{Code: "pin.verified", Subject: "rossi"}) // as package pin does
	report, err := events.Verify(ctx, audit.Check{})
	fmt.Println(report.Events, report.Faults, err)
	vault.Record(ctx, civicpin.Event{Code: "pin.refused", Subject: "rossi"})
	report, err = events.Verify(ctx, audit.Check{Since: report.Heads})
	fmt.Println(report.Events, report.Faults, err)
	// Output:
	// 1 [] <nil>
	// 2 [] <nil>
}

// An auditor reads what happened to one subject, the newest events first, in pages.
func ExampleLog_Read() {
	ctx := context.Background()
	vault, err := store.OpenVault(ctx, store.NewMemory(), exampleKeys(), nil)
	if err != nil {
		log.Fatal(err)
	}
	events, err := audit.New(vault, audit.Config{Failed: sound})
	if err != nil {
		log.Fatal(err)
	}
	for _, code := range []civicpin.EventCode{"pin.issued", "pin.exchanged", "pin.verified"} {
		events.Record(ctx, civicpin.Event{Code: code, Subject: "rossi"})
		events.Record(ctx, civicpin.Event{Code: code, Subject: "bianchi"})
	}

	for q := (audit.Query{Subject: "rossi", Events: 2}); ; {
		page, err := events.Read(ctx, q)
		if err != nil {
			log.Fatal(err)
		}
		for _, e := range page.Events {
			fmt.Println(e.Code)
		}
		fmt.Println(page.Faults)
		if page.Next == nil {
			break
		}
		q.From = page.Next
	}
	// Output:
	// pin.verified
	// pin.exchanged
	// []
	// pin.issued
	// []
}

// Heads go to another system. There is nothing of the log left in the store, and a verification tells.
func ExampleConfig_keep() {
	ctx := context.Background()
	var elsewhere []audit.Head // a database of another owner
	keep := func(_ context.Context, h audit.Head) error {
		elsewhere = append(elsewhere, h)
		return nil
	}
	db := store.NewMemory()
	vault, err := store.OpenVault(ctx, db, exampleKeys(), nil)
	if err != nil {
		log.Fatal(err)
	}
	events, err := audit.New(vault, audit.Config{Failed: sound, Chains: 1, Keep: keep})
	if err != nil {
		log.Fatal(err)
	}
	events.Record(ctx, civicpin.Event{Code: "pin.verified", Subject: "rossi"})

	for item := range db.List(ctx, "audit", "") {
		_ = db.Delete(ctx, item.Key, item.Version)
	}
	report, err := events.Verify(ctx, audit.Check{})
	fmt.Println(report.Faults, err)
	report, err = events.Verify(ctx, audit.Check{Since: elsewhere})
	fmt.Println(report.Faults, err)
	// Output:
	// [] <nil>
	// [chain 0, entry 0: truncated] <nil>
}
