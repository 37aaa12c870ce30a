package natsstore_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store/natsstore"
)

func TestDefaults(t *testing.T) {
	want := natsstore.Options{Name: "civicpin", Buckets: 64, Replicas: 3, Reads: natsstore.ConfirmedReads}
	for _, o := range []*natsstore.Options{nil, {}} {
		got, err := natsstore.Defaults(o)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// A client that is still waiting for its first connection knows no limits of the server, and none may be blamed.
func TestNewWithoutServer(t *testing.T) {
	nc, err := nats.Connect("nats://127.0.0.1:1", nats.RetryOnFailedConnect(true))
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = natsstore.New(ctx, js, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestOptionsOutOfRange(t *testing.T) {
	for _, o := range []natsstore.Options{
		{Name: "a.b"},
		{Name: "a b"},
		{Name: "a/b"},
		{Name: ">"},
		{Name: "*"},
		{Name: "é"},
		{Name: strings.Repeat("n", 33)},
		{Buckets: -1},
		{Buckets: 1025},
		{Replicas: -1},
		{Replicas: 2},
		{Replicas: 4},
		{Replicas: 6},
		{Reads: 2},
		{Reads: -1},
	} {
		_, err := natsstore.Defaults(&o)
		assert.Error(t, err, "%+v", o)
		_, err = natsstore.New(t.Context(), nil, &o)
		assert.Error(t, err, "%+v", o)
	}
	_, err := natsstore.New(t.Context(), nil, nil)
	assert.Error(t, err, "no JetStream")
}

// unsafe has, for each setting that is refused, how to break it.
var unsafe = map[string]func(*jetstream.StreamConfig){
	"civicpin_buckets":        func(c *jetstream.StreamConfig) { c.Metadata = nil },
	"subjects":                func(c *jetstream.StreamConfig) { c.Subjects = append(c.Subjects, "more") },
	"subject_transform":       func(c *jetstream.StreamConfig) { c.SubjectTransform = &jetstream.SubjectTransformConfig{} },
	"mirror":                  func(c *jetstream.StreamConfig) { c.Mirror = &jetstream.StreamSource{} },
	"sources":                 func(c *jetstream.StreamConfig) { c.Sources = []*jetstream.StreamSource{{}} },
	"allow_direct":            func(c *jetstream.StreamConfig) { c.AllowDirect = true },
	"mirror_direct":           func(c *jetstream.StreamConfig) { c.MirrorDirect = true },
	"num_replicas":            func(c *jetstream.StreamConfig) { c.Replicas = 2 },
	"storage":                 func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage },
	"no_ack":                  func(c *jetstream.StreamConfig) { c.NoAck = true },
	"persist_mode":            func(c *jetstream.StreamConfig) { c.PersistMode = jetstream.AsyncPersistMode },
	"retention":               func(c *jetstream.StreamConfig) { c.Retention = jetstream.InterestPolicy },
	"max_age":                 func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
	"discard":                 func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld },
	"max_msgs_per_subject":    func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 2 },
	"discard_new_per_subject": func(c *jetstream.StreamConfig) { c.DiscardNewPerSubject = true },
	"allow_msg_ttl":           func(c *jetstream.StreamConfig) { c.AllowMsgTTL = false },
	"max_msg_size":            func(c *jetstream.StreamConfig) { c.MaxMsgSize = 100 << 10 },
	"duplicate_window":        func(c *jetstream.StreamConfig) { c.Duplicates = time.Second },
	"sealed":                  func(c *jetstream.StreamConfig) { c.Sealed = true },
	"allow_msg_counter":       func(c *jetstream.StreamConfig) { c.AllowMsgCounter = true },
}

// TestUnsafeSettings breaks each setting on its own; the error names it.
func TestUnsafeSettings(t *testing.T) {
	o, err := natsstore.Defaults(nil)
	require.NoError(t, err)
	require.NoError(t, natsstore.Check(o, 7, natsstore.Config(o, 7)))
	for setting, spoil := range unsafe {
		c := natsstore.Config(o, 7)
		spoil(&c)
		err := natsstore.Check(o, 7, c)
		got, ok := errors.AsType[*natsstore.SettingError](err)
		require.True(t, ok, "%s: %v", setting, err)
		assert.Equal(t, setting, got.Setting)
		assert.Equal(t, "civicpin-7", got.Bucket)
		for _, part := range []string{"civicpin-7", setting, got.Value, got.Want} {
			assert.Contains(t, err.Error(), part)
		}
	}
	one := o
	one.Replicas = 1
	require.NoError(t, natsstore.Check(one, 7, natsstore.Config(one, 7)))
	require.Error(t, natsstore.Check(one, 7, natsstore.Config(o, 7)), "three copies, and reads that one server answers")
	require.Error(t, natsstore.Check(o, 7, natsstore.Config(one, 7)))
	require.Error(t, natsstore.Check(o, 7, natsstore.Config(o, 8)), "another bucket's")
}

// TestEverySettingIsJudged: a setting that a later release of the engine adds is looked at by somebody.
func TestEverySettingIsJudged(t *testing.T) {
	harmless := []string{
		"name", "description", "max_consumers", "consumer_limits", "placement", "compression", "first_seq",
		"max_msgs", "max_bytes", // with discard=new they refuse writes, and drop nothing
		"deny_delete", "deny_purge", "allow_rollup_hdrs", // what other programs may do
		"republish",                                            // sealed values
		"subject_delete_marker_ttl",                            // a mark like one's own
		"allow_atomic", "allow_batched", "allow_msg_schedules", // other ways to publish
		"template_owner", // of releases long gone
		"metadata",       // see civicpin_buckets
	}
	for field := range reflect.TypeFor[jetstream.StreamConfig]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		_, judged := unsafe[name]
		assert.NotEqual(t, judged, slices.Contains(harmless, name), "%s is neither refused nor known to be harmless, or both", name)
	}
}

func TestAPIPrefix(t *testing.T) {
	for want, o := range map[string]jetstream.JetStreamOptions{
		"$JS.API.":     {},
		"$JS.hub.API.": {Domain: "hub"},
		"acme.js.":     {APIPrefix: "acme.js"},
		"other.js.":    {APIPrefix: "other.js."},
	} {
		assert.Equal(t, want, natsstore.APIPrefix(o))
	}
}
