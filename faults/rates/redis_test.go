package rates_test

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"
)

// rawRedis uses the plain command that comes nearest. Redis has none that compares versions, so its swap just writes; and what
// is refused is the creation of what is there. It lists by looking at every key, as the store does.
func rawRedis(t *testing.T, c *redis.Client) byHand {
	t.Helper()
	name := func(key string) string { return "raw:" + key }
	create := func(ctx context.Context, key string) (int64, error) {
		err := c.SetArgs(ctx, name(key), value, redis.SetArgs{Mode: "NX"}).Err()
		if err == redis.Nil {
			err = errOther
		}
		return 1, err
	}
	return byHand{
		get:    func(ctx context.Context, key string) error { return c.Get(ctx, name(key)).Err() },
		create: create,
		swap: func(ctx context.Context, key string, version int64) (int64, error) {
			return version + 1, c.Set(ctx, name(key), value, 0).Err()
		},
		refuse: func(ctx context.Context, key string) error {
			_, err := create(ctx, key)
			return err
		},
		remove: func(ctx context.Context, key string, _ int64) error { return c.Del(ctx, name(key)).Err() },
	}
}
