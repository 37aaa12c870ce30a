package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/store"
)

const defaultPrefix = "civicpin"

// Options configure a [Store]; a nil *Options, and the zero value of each field, mean the defaults.
type Options struct {
	// Prefix stands before every key, with a colon between them, so that others may use the same Redis. 1 to 64 ASCII letters,
	// digits and "-_."; default "civicpin".
	Prefix string
	// Accept names the settings whose values are accepted as they are, also where they cannot be learned: "appendonly",
	// "appendfsync", "maxmemory-policy". Another name gives an error.
	Accept []string
}

// A Store is a [store.Store], [store.Lister] and [store.Purger] in Redis, and a [store.Forgetful]. It holds no record in
// memory; any number of them, in any number of processes, may share a Redis. Make one with [New]; the zero Store is not usable.
type Store struct {
	client   redis.UniversalClient
	prefix   string
	settings []Setting
}

var (
	_ store.Lister    = (*Store)(nil)
	_ store.Purger    = (*Store)(nil)
	_ store.Forgetful = (*Store)(nil)
)

// New returns a store over a *redis.Client, also one for sentinels, or a *redis.ClusterClient. The client remains the caller's,
// to be closed after the store; set its ContextTimeoutEnabled, or it goes on for its own timeouts when a context ends.
//
// New gives an error for another sort of client, for one that may read from replicas or from a cache of its own, since it would
// not see what was just written; for options out of range; a *[SettingsError] for settings that are not safe and not accepted;
// and the client's if Redis does not answer.
func New(ctx context.Context, client redis.UniversalClient, opts *Options) (*Store, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Prefix == "" {
		o.Prefix = defaultPrefix
	}
	if !names.Valid(o.Prefix, 64) {
		return nil, errors.New("redisstore: New: Prefix is not 1 to 64 ASCII letters, digits, - _ and period")
	}
	for _, name := range o.Accept {
		if !slices.ContainsFunc(wanted, func(w want) bool { return w.name == name }) {
			return nil, fmt.Errorf("redisstore: New: %q is no setting that is looked at", name)
		}
	}
	switch c := client.(type) {
	case *redis.Client:
		if c == nil {
			return nil, errors.New("redisstore: New: no client")
		}
		if o := c.Options(); o.ClientSideCache != nil || o.ClientSideCacheConfig != nil {
			return nil, errors.New("redisstore: New: the client caches, and so would miss others' writes")
		}
	case *redis.ClusterClient:
		if c == nil {
			return nil, errors.New("redisstore: New: no client")
		}
		if o := c.Options(); o.ReadOnly || o.RouteByLatency || o.RouteRandomly {
			return nil, errors.New("redisstore: New: the client reads from replicas, and so would miss what was just written")
		}
	default:
		return nil, fmt.Errorf("redisstore: New: a client of type %T, want a *redis.Client or a *redis.ClusterClient", client)
	}
	s := &Store{client: client, prefix: o.Prefix + ":"}
	if err := s.learn(ctx); err != nil {
		return nil, fmt.Errorf("redisstore: settings: %w", err)
	}
	if unsafe := s.unsafe(o.Accept); len(unsafe) > 0 {
		return nil, &SettingsError{Unsafe: unsafe}
	}
	return s, nil
}

// Forgets implements [store.Forgetful]: a failover loses writes that were acknowledged, whatever the settings.
func (s *Store) Forgets() bool { return true }

// begin does what every method does first. The driver looks at the context only while it waits.
func begin(ctx context.Context, key string) error {
	if err := store.CheckKey(key); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("redisstore: %w", err)
	}
	return nil
}

// Get implements [store.Store], and returns its errors.
func (s *Store) Get(ctx context.Context, key string) (store.Record, error) {
	if err := begin(ctx, key); err != nil {
		return store.Record{}, err
	}
	b, err := s.client.Get(ctx, s.prefix+key).Bytes()
	if errors.Is(err, redis.Nil) {
		return store.Record{}, store.ErrNotFound
	}
	if err != nil {
		return store.Record{}, wrap("get", err)
	}
	return decode(b)
}

// Put implements [store.Store], and returns its errors.
func (s *Store) Put(ctx context.Context, key string, r store.Record) (store.Version, error) {
	if err := begin(ctx, key); err != nil {
		return 0, err
	}
	old := encodeVersion(r.Version)
	r.Version = newVersion()
	if err := put.run(ctx, s.client, s.prefix+key, old, encode(r), deadline(r.ExpiresAt)); err != nil {
		return 0, wrap("put", err)
	}
	return r.Version, nil
}

// Delete implements [store.Store], and returns its errors.
func (s *Store) Delete(ctx context.Context, key string, v store.Version) error {
	if err := begin(ctx, key); err != nil {
		return err
	}
	if v == 0 {
		return store.ErrConflict // no record has it, and to the script it would mean that there is none
	}
	return wrap("delete", remove.run(ctx, s.client, s.prefix+key, encodeVersion(v)))
}

// PurgeExpired implements [store.Purger]. It does nothing, and the error is nil: Redis removes expired records by itself.
func (s *Store) PurgeExpired(ctx context.Context, _ time.Time, _ int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("redisstore: %w", err)
	}
	return 0, nil
}
