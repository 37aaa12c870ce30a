package natsstore_test

import (
	"context"
	"log"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/natsstore"
)

func ExampleNew() {
	// Names and passwords in a file of their own; TLS as the servers want it.
	nc, err := nats.Connect("nats://one:4222,nats://two:4222,nats://three:4222", nats.UserCredentials("civicpin.creds"))
	if err != nil {
		log.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	records, err := natsstore.New(ctx, js, nil)
	if err != nil {
		log.Fatal(err)
	}
	keys, err := store.ReadKeyFile("civicpin.keys")
	if err != nil {
		log.Fatal(err)
	}
	vault, err := store.OpenVault(ctx, records, keys, nil)
	if err != nil {
		log.Fatal(err)
	}
	_ = vault // for pin.New, otp.NewCodes, …
}

func ExampleCheckServers() {
	sys, err := nats.Connect("nats://one:4222", nats.UserCredentials("system.creds"))
	if err != nil {
		log.Fatal(err)
	}
	defer sys.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := natsstore.CheckServers(ctx, sys, 3); err != nil {
		log.Fatal(err) // names the server and the setting
	}
}
