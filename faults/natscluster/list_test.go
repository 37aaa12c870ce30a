package natscluster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/faults/internal/kit"
	"github.com/civicpin/civicpin/faults/natscluster"
	"github.com/civicpin/civicpin/store/natsstore"
)

// TestListMany lists, in the full form, a bucket with more keys than the engine names in one answer: by kind, and then by the
// first characters behind the "/". The short form asks the same of fewer keys, which come in one answer.
func TestListMany(t *testing.T) {
	t.Parallel()
	// Not "always": this writes more than any test should wait for.
	c := natscluster.Start(t, 1, natscluster.Options{SyncInterval: "2m"})
	nc := c.Connect(t)
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(1000))
	require.NoError(t, err)
	s, err := natsstore.New(t.Context(), js, &natsstore.Options{Buckets: 1, Replicas: 1})
	require.NoError(t, err)
	var want []string
	for i := range kit.Pick(5_000, 105_000) {
		want = append(want, fmt.Sprintf("pin/%02x%06d", i%256, i))
	}
	for i := range 300 {
		want = append(want, fmt.Sprintf("a.kind/%02x%06d", i%256, i))
	}
	rare := []string{"-", "lone", "pin", "pin/", "pin/0", "pin/00", "pin.x/1", "zz/1", "zz/1/2"}
	want = append(want, rare...)
	// Past the store, which would wait for an answer to each. A stored value is a format byte and an expiry, here never.
	data := []byte{1, 0x80, 0, 0, 0, 0, 0, 0, 0, 'x'}
	for _, key := range want {
		_, err := js.PublishAsync("$KV.civicpin-0."+subject(key), data, jetstream.WithStallWait(time.Minute))
		require.NoError(t, err)
	}
	<-js.PublishAsyncComplete()
	stream, err := js.Stream(t.Context(), "KV_civicpin-0")
	require.NoError(t, err)
	require.Equal(t, uint64(len(want)), stream.CachedInfo().State.Msgs)
	slices.Sort(want)

	got := func(prefix, after string, most int) (keys []string) {
		for again := true; again; {
			again = false
			for item, err := range s.List(t.Context(), prefix, after) {
				if again = errors.Is(err, context.DeadlineExceeded); again {
					t.Log("a busy machine: the list is asked for again after", len(keys))
					break
				}
				require.NoError(t, err)
				require.Equal(t, []byte("x"), item.Value)
				after = item.Key
				if keys = append(keys, item.Key); len(keys) == most {
					return keys
				}
			}
		}
		return keys
	}
	from := func(key string) int { i, _ := slices.BinarySearch(want, key); return i }
	require.Equal(t, want[:600], got("", "", 600), "the small kind and the beginning of the great one")
	i := from("pin/7f")
	require.Equal(t, want[i:i+100], got("", want[i-1], 100))
	require.Equal(t, want[i:i+100], got("pin/", want[i-1], 100))
	require.Equal(t, want[from("pin/fe"):from("pin/ff")], got("pin/fe", "", -1))
	require.Equal(t, want[from("pin/f"):from("pin/f")+200], got("pin/f", "", 200))
	require.Equal(t, want[from("zz"):], got("", "pin/ffz", -1))
	require.Equal(t, []string{"pin", "pin.x/1", "pin/", "pin/0", "pin/00"}, got("pin", "lone", 5))
	require.Equal(t, []string{"zz/1", "zz/1/2"}, got("z", "", -1))
	require.Empty(t, got("q", "", -1))
	require.Empty(t, got("pin/g", "", -1))

	// A record that is written while the listing is under way is not missed for that others are.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for item, err := range s.List(ctx, "pin/0", "") {
		require.NoError(t, err)
		if n++; n <= 50 {
			require.NoError(t, s.Delete(ctx, item.Key, item.Version))
		}
	}
	require.Equal(t, from("pin/1")-from("pin/0"), n)
}

// subject is how a key is stored, for the keys of this test.
func subject(key string) string {
	for i := range len(key) {
		if key[i] != '/' {
			continue
		}
		var s strings.Builder
		s.WriteString(escape(key[:i+1]))
		for j := i + 1; j < len(key) && j < i+3; j++ {
			s.WriteString("." + key[j:j+1])
		}
		if len(key) > i+3 {
			s.WriteString("." + escape(key[i+3:]))
		}
		return s.String()
	}
	return escape(key)
}

func escape(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] == '.' {
			b[i] = '='
		}
	}
	return string(b)
}
