package redisstore_test

import (
	"context"
	"log"

	"github.com/redis/go-redis/v9"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/redisstore"
)

// A program keeps its records in a store that loses nothing, here called lasting, and its throttles and delivered codes in
// Redis. The example needs a server, so go test compiles it and does not run it.
func Example() {
	ctx := context.Background()
	var lasting store.Store = store.NewMemory() // in a program SQLite, PostgreSQL or NATS

	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379", ContextTimeoutEnabled: true})
	cache, err := redisstore.New(ctx, client, nil)
	if err != nil {
		log.Fatal(err) // no server, or settings that lose records
	}
	records, err := store.NewRouter(
		store.Route{Kinds: []string{"*"}, Store: lasting},
		store.Route{Kinds: []string{"code.*", "code-pending.*", "quota.*"}, Store: cache},
	)
	if err != nil {
		log.Fatal(err)
	}
	keys, err := store.ReadKeyFile("portal.keys")
	if err != nil {
		log.Fatal(err)
	}
	vault, err := store.OpenVault(ctx, records, keys, nil)
	if err != nil {
		log.Fatal(err)
	}
	_ = vault // for outbox.New
}
