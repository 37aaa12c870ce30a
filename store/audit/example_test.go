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

// A log is given to the vault of everything else; an auditor verifies it, and keeps its heads.
func ExampleNew() {
	ctx := context.Background()
	db := store.NewMemory()
	sealer, err := store.XChaCha20Poly1305(civicpin.NewSecret(strings.Repeat("s", 32)))
	if err != nil {
		log.Fatal(err)
	}
	keys := store.Keys{
		Index:   civicpin.NewSecret(strings.Repeat("i", 32)),
		Sealing: []store.SealingKey{{ID: "k1", Sealer: sealer}},
	}
	own, err := store.OpenVault(ctx, db, keys, nil)
	if err != nil {
		log.Fatal(err)
	}
	events, err := audit.New(own, audit.Config{
		Failed: func(_ context.Context, e civicpin.Event, err error) { log.Printf("NOT RECORDED: %s: %v", e.Code, err) },
	})
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
