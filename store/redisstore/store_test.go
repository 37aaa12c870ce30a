package redisstore_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/internal/servers"
	"github.com/civicpin/civicpin/internal/testkit"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/redisstore"
	"github.com/civicpin/civicpin/store/storetest"
)

// TestConforms runs the contract's suite on one server, with a client for each handle.
func TestConforms(t *testing.T) {
	server := servers.Redis(t)
	storetest.RunDurable(t, func(t *testing.T, _ string) store.Store {
		return open(t, dial(t, server.Addr()), "suite")
	})
}

// TestConformsInCluster runs it on six servers, and looks at where the records are.
func TestConformsInCluster(t *testing.T) {
	nodes := servers.RedisCluster(t)
	client := dialCluster(t, nodes)
	storetest.RunDurable(t, func(t *testing.T, _ string) store.Store {
		return open(t, client, "suite")
	})
	s := open(t, client, "")
	assert.Len(t, s.Settings(), 9, "three of each primary")
	for _, n := range nodes {
		primary, err := n.IsPrimary(t.Context())
		require.NoError(t, err)
		keys, err := dial(t, n.Addr()).DBSize(t.Context()).Result()
		require.NoError(t, err)
		if primary {
			assert.Greater(t, keys, int64(10), "records spread over all primaries")
		}
	}
}

// TestServer has one server for all that needs no other.
func TestServer(t *testing.T) {
	server := servers.Redis(t)
	for name, test := range map[string]func(*testing.T, *servers.RedisServer){
		"expiry":            testExpiry,
		"answer lost":       testAnswerLost,
		"script forgotten":  testScriptForgotten,
		"others' keys":      testOthersKeys,
		"prefixes":          testPrefixes,
		"what New refuses":  testNewRefuses,
		"what it may hold":  testMayHold,
		"purge and listing": testPurge,
	} {
		t.Run(name, func(t *testing.T) { test(t, server) })
	}
}

// testExpiry: Redis drops a record by itself, never early, and one that is renewed without an expiry not at all.
func testExpiry(t *testing.T, server *servers.RedisServer) {
	c := dial(t, server.Addr())
	s := open(t, c, "x")
	for _, e := range []time.Time{
		time.Now().Add(time.Hour),
		time.Now().Add(time.Hour).Truncate(time.Millisecond).Add(1),
		time.Now().Add(time.Hour).Truncate(time.Millisecond).Add(time.Millisecond - 1),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
	} {
		_, err := s.Put(t.Context(), "a/expires", store.Record{ExpiresAt: e})
		require.NoError(t, err)
		r, err := s.Get(t.Context(), "a/expires")
		require.NoError(t, err)
		assert.True(t, r.ExpiresAt.Equal(e), "%v came back as %v", e, r.ExpiresAt)
		ms, err := c.Do(t.Context(), "PEXPIRETIME", "x:a/expires").Int64()
		require.NoError(t, err)
		drop := time.UnixMilli(ms)
		assert.False(t, drop.Before(e), "dropped at %v, before %v", drop, e)
		assert.Less(t, drop.Sub(e), time.Millisecond)
		require.NoError(t, s.Delete(t.Context(), "a/expires", r.Version))
	}

	soon := time.Now().Add(300 * time.Millisecond)
	_, err := s.Put(t.Context(), "a/soon", store.Record{ExpiresAt: soon})
	require.NoError(t, err)
	v, err := s.Put(t.Context(), "a/renewed", store.Record{ExpiresAt: soon})
	require.NoError(t, err)
	_, err = s.Put(t.Context(), "a/renewed", store.Record{Version: v})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		n, err := c.Exists(t.Context(), "x:a/soon").Result()
		return err == nil && n == 0
	}, 5*time.Second, 10*time.Millisecond)
	assert.False(t, time.Now().Before(soon))
	_, err = s.Put(t.Context(), "a/soon", store.Record{})
	require.NoError(t, err, "it blocks no create")
	r, err := s.Get(t.Context(), "a/renewed")
	require.NoError(t, err)
	assert.True(t, r.ExpiresAt.IsZero())

	// What is past, or before Redis counts, is dropped at once; what is beyond all counting, never.
	for _, e := range []time.Time{time.Now().Add(-time.Hour), time.Unix(-1, 0), time.Unix(0, 0)} {
		_, err := s.Put(t.Context(), "a/past", store.Record{ExpiresAt: e})
		require.NoError(t, err)
		_, err = s.Get(t.Context(), "a/past")
		require.ErrorIs(t, err, store.ErrNotFound)
	}
	far := time.Unix(1<<55, 7)
	_, err = s.Put(t.Context(), "a/far", store.Record{ExpiresAt: far})
	require.NoError(t, err)
	r, err = s.Get(t.Context(), "a/far")
	require.NoError(t, err)
	assert.True(t, r.ExpiresAt.Equal(far))
}

// testAnswerLost: a write whose answer is lost is not sent again, or its repetition would be told as a conflict. What became of
// it is seen by the next Get.
func testAnswerLost(t *testing.T, server *servers.RedisServer) {
	p := newProxy(t, server.Addr())
	s := open(t, dial(t, p.addr), "")
	v, err := s.Put(t.Context(), "a/b", store.Record{})
	require.NoError(t, err)
	require.NoError(t, s.Delete(t.Context(), "a/b", v)) // so that the server knows both scripts
	v, err = s.Put(t.Context(), "a/b", store.Record{Value: []byte("1")})
	require.NoError(t, err)
	p.lose("evalsha")
	_, err = s.Put(t.Context(), "a/b", store.Record{Value: []byte("2"), Version: v})
	require.Error(t, err)
	require.NotErrorIs(t, err, store.ErrConflict)
	r, err := s.Get(t.Context(), "a/b")
	require.NoError(t, err)
	assert.Equal(t, "2", string(r.Value), "it was done")
	p.lose("evalsha")
	err = s.Delete(t.Context(), "a/b", r.Version)
	require.Error(t, err)
	require.NotErrorIs(t, err, store.ErrConflict)
	_, err = s.Get(t.Context(), "a/b")
	require.ErrorIs(t, err, store.ErrNotFound)
	assert.EqualValues(t, 2, p.lost.Load())

	// A Get may be repeated, and is.
	p.lose("get")
	_, err = s.Get(t.Context(), "a/b")
	require.ErrorIs(t, err, store.ErrNotFound)
	assert.EqualValues(t, 3, p.lost.Load())
}

// testScriptForgotten: a server that was restarted does not know the scripts any more.
func testScriptForgotten(t *testing.T, server *servers.RedisServer) {
	c := dial(t, server.Addr())
	s := open(t, c, "")
	v, err := s.Put(t.Context(), "a/b", store.Record{})
	require.NoError(t, err)
	require.NoError(t, c.ScriptFlush(t.Context()).Err())
	v, err = s.Put(t.Context(), "a/b", store.Record{Version: v})
	require.NoError(t, err)
	require.NoError(t, c.ScriptFlush(t.Context()).Err())
	require.NoError(t, s.Delete(t.Context(), "a/b", v))
}

// testOthersKeys: what others keep under the prefix is an error, never a record, and stays as it is.
func testOthersKeys(t *testing.T, server *servers.RedisServer) {
	c := dial(t, server.Addr())
	s := open(t, c, "o")
	require.NoError(t, c.Set(t.Context(), "o:a/short", "x", 0).Err())
	require.NoError(t, c.Set(t.Context(), "o:a/long", strings.Repeat("\xff", 40), 0).Err())
	require.NoError(t, c.Set(t.Context(), "o:a/zero", strings.Repeat("\x00", 40), 0).Err())
	require.NoError(t, c.LPush(t.Context(), "o:a/list", "x").Err())
	for _, key := range []string{"a/short", "a/long", "a/zero", "a/list"} {
		_, err := s.Get(t.Context(), key)
		require.Error(t, err, key)
		require.NotErrorIs(t, err, store.ErrNotFound, key)
		_, err = s.Put(t.Context(), key, store.Record{})
		require.Error(t, err, key)
		last := error(nil)
		for _, err := range s.List(t.Context(), key, "") {
			last = err
		}
		require.Error(t, last, key)
	}
	require.NoError(t, c.Set(t.Context(), "o:no key", "x", 0).Err())
	for range s.List(t.Context(), "no", "") {
		require.Fail(t, "a key that never was one")
	}
}

// testPrefixes: stores of different prefixes share nothing.
func testPrefixes(t *testing.T, server *servers.RedisServer) {
	c := dial(t, server.Addr())
	defaulted, err := redisstore.New(t.Context(), c, nil)
	require.NoError(t, err)
	same := open(t, c, "civicpin")
	other := open(t, c, "civicpin-a")
	_, err = defaulted.Put(t.Context(), "a/b", store.Record{})
	require.NoError(t, err)
	_, err = same.Get(t.Context(), "a/b")
	require.NoError(t, err)
	_, err = other.Get(t.Context(), "a/b")
	require.ErrorIs(t, err, store.ErrNotFound)
	for range other.List(t.Context(), "", "") {
		require.Fail(t, "another's record")
	}
}

func testNewRefuses(t *testing.T, server *servers.RedisServer) {
	c := dial(t, server.Addr())
	caching := redis.NewClient(&redis.Options{Addr: server.Addr(), ClientSideCacheConfig: &redis.ClientSideCacheConfig{}, Protocol: 3})
	defer func() { _ = caching.Close() }()
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": server.Addr()}})
	defer func() { _ = ring.Close() }()
	replicas := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{server.Addr()}, ReadOnly: true})
	defer func() { _ = replicas.Close() }()
	random := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{server.Addr()}, RouteRandomly: true})
	defer func() { _ = random.Close() }()
	for name, try := range map[string]struct {
		client redis.UniversalClient
		opts   redisstore.Options
	}{
		"no client":           {nil, redisstore.Options{}},
		"no client of a type": {(*redis.Client)(nil), redisstore.Options{}},
		"no cluster":          {(*redis.ClusterClient)(nil), redisstore.Options{}},
		"a ring":              {ring, redisstore.Options{}},
		"a cache":             {caching, redisstore.Options{}},
		"replicas":            {replicas, redisstore.Options{}},
		"any node":            {random, redisstore.Options{}},
		"one slot":            {c, redisstore.Options{Prefix: "{a}"}},
		"a pattern":           {c, redisstore.Options{Prefix: "a*"}},
		"within another":      {c, redisstore.Options{Prefix: "civicpin:a"}},
		"a long prefix":       {c, redisstore.Options{Prefix: strings.Repeat("a", 65)}},
		"an unknown setting":  {c, redisstore.Options{Accept: []string{"maxmemory"}}},
	} {
		s, err := redisstore.New(t.Context(), try.client, &try.opts)
		assert.Error(t, err, name)
		assert.Nil(t, s, name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := redisstore.New(ctx, c, nil)
	require.ErrorIs(t, err, context.Canceled, "nobody answers")
}

// testMayHold: a vault over Redis alone is refused; behind a router, Redis gets codes and throttles.
func testMayHold(t *testing.T, server *servers.RedisServer) {
	s := open(t, dial(t, server.Addr()), "")
	_, err := store.OpenVault(t.Context(), s, testkit.Keys(), nil)
	require.ErrorIs(t, err, store.ErrForgetful)
	rest := store.Route{Kinds: []string{"*"}, Store: struct{ store.Lister }{store.NewMemory()}}
	_, err = store.NewRouter(rest, store.Route{Kinds: []string{"pin.*"}, Store: s})
	require.ErrorIs(t, err, store.ErrForgetful)
	routed, err := store.NewRouter(rest, store.Route{Kinds: []string{"code.*", "code-pending.*", "quota.*"}, Store: s})
	require.NoError(t, err)
	_, err = store.OpenVault(t.Context(), routed, testkit.Keys(), nil)
	require.NoError(t, err)
	_, err = routed.Put(t.Context(), "code.sms/1", store.Record{})
	require.NoError(t, err)
	_, err = s.Get(t.Context(), "code.sms/1")
	require.NoError(t, err)
}

// testPurge: there is nothing to purge, and a listing is in order, over more than a page.
func testPurge(t *testing.T, server *servers.RedisServer) {
	s := open(t, dial(t, server.Addr()), "")
	var want []string
	for i := range 2500 {
		key := fmt.Sprintf("a/%05d", i)
		want = append(want, key)
		_, err := s.Put(t.Context(), key, store.Record{})
		require.NoError(t, err)
	}
	var got []string
	for item, err := range s.List(t.Context(), "", "") {
		require.NoError(t, err)
		got = append(got, item.Key)
	}
	assert.Equal(t, want, got)
	n, err := s.PurgeExpired(t.Context(), time.Now().Add(time.Hour), 10)
	require.NoError(t, err)
	assert.Zero(t, n)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.PurgeExpired(ctx, time.Now(), 10)
	require.ErrorIs(t, err, context.Canceled)
}
