// Command quickstart is the example of the README, with what it needs around it: a temporary folder, and a gateway that
// prints what it should send.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/pin"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
	"github.com/civicpin/civicpin/store/sqlite"
)

func main() {
	dir, err := os.MkdirTemp("", "quickstart")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	prepare(dir)
	run(dir)
}

// prepare makes the keys, once. In production they come from a key management service, or are kept apart from the database.
func prepare(dir string) { must(store.CreateKeyFile(filepath.Join(dir, "pins.keys"))) }

func run(dir string) {
	ctx, cancel := context.WithCancel(context.Background())
	received := [2]chan string{make(chan string, 1), make(chan string, 1)}
	gateway := civicpin.NotifierFunc(func(_ context.Context, m civicpin.Message) (string, error) {
		fmt.Printf("to %s: part %d of %d is %s\n", m.To.Address, m.Part, m.Parts, m.Secret.Reveal())
		received[m.Part-1] <- m.Secret.Reveal()
		return "", nil
	})
	mobile := civicpin.Contact{Channel: civicpin.SMS, Address: "+393331234567"}
	mail := civicpin.Contact{Channel: civicpin.Email, Address: "maria.rossi@example.it"}
	const subject = civicpin.Subject("RSSMRA85T10A562S")

	// README begin
	db := must(sqlite.Open(ctx, filepath.Join(dir, "pins.db")))
	vault := must(store.OpenVault(ctx, db, must(store.ReadKeyFile(filepath.Join(dir, "pins.keys"))), nil))
	out := must(outbox.New(vault, gateway, nil)) // gateway: your SMS and e-mail provider, one method
	pins := must(pin.New(out, pin.INPS()))
	go out.Run(ctx) // sends, tries again, goes on after a crash

	must(pins.Issue(ctx, subject, pin.IssueOptions{Parts: []civicpin.Contact{mobile, mail}, By: civicpin.Citizen}))
	typed := civicpin.NewSecret(<-received[0] + <-received[1]) // what the citizen types: both halves
	chosen := civicpin.NewSecret("qz7w-k4pm")                  // and 8 of their own
	must(pins.Exchange(ctx, pin.Attempt{Subject: subject, Secret: typed}, chosen))
	ok := must(pins.Verify(ctx, pin.Attempt{Subject: subject, Secret: chosen}))
	fmt.Println("logged in at level", ok.Level)
	// README end

	cancel()
	check(db.Close())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func must[T any](v T, err error) T {
	check(err)
	return v
}
