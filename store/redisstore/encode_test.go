package redisstore_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/redisstore"
)

// TestStoredFormat pins what stands in Redis.
func TestStoredFormat(t *testing.T) {
	for text, r := range map[string]store.Record{
		"\x00\x00\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xffvalue": {Version: 0x102, Value: []byte("value")},
		"\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x69\x73\x5f\x80\x00\x00\x00\x07":      {Version: 1<<63 - 1, Value: []byte{}, ExpiresAt: time.Unix(0x69735f80, 7).UTC()},
		"\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\x3b\x9a\xc9\xff\x00":  {Version: 1, Value: []byte{0}, ExpiresAt: time.Unix(-1, 999_999_999).UTC()},
	} {
		assert.Equal(t, text, string(redisstore.Encode(r)))
		got, err := redisstore.Decode([]byte(text))
		require.NoError(t, err)
		assert.Equal(t, r, got)
	}
}

// FuzzDecode: what is refused gives nothing, and what is accepted is what encode makes.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add(redisstore.Encode(store.Record{Version: 1, Value: []byte("x"), ExpiresAt: time.Unix(7, 7)}))
	f.Add(bytes.Repeat([]byte{0xff}, 40))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := redisstore.Decode(bytes.Clone(b))
		if err != nil {
			require.Equal(t, store.Record{}, r)
			return
		}
		// One instant is the zero time, which is stored as never.
		if !r.ExpiresAt.IsZero() || b[16] == 0xff {
			require.Equal(t, b, redisstore.Encode(r))
		}
		if d := redisstore.Deadline(r.ExpiresAt); d != 0 && d < 1<<52 {
			require.False(t, time.UnixMilli(d).Before(r.ExpiresAt))
		}
	})
}
