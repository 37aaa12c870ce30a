// Without a server, the store is refused with the client's error.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/civicpin/civicpin/store/redisstore"
)

func run(ctx context.Context) error {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", ContextTimeoutEnabled: true})
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err := redisstore.New(ctx, client, nil)
	if refused, ok := errors.AsType[*net.OpError](err); !ok || refused.Op != "dial" {
		return fmt.Errorf("without a server, New gives %v", err)
	}
	return nil
}
