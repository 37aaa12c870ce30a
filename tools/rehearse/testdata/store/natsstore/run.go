// Without a server, New says that none answers, in the time that it was given.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/civicpin/civicpin/store/natsstore"
)

func run(ctx context.Context) error {
	nc, err := nats.Connect("nats://127.0.0.1:1", nats.RetryOnFailedConnect(true))
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, err = natsstore.New(ctx, js, nil)
	if !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("without a server, New gives %v", err)
	}
	return nil
}
