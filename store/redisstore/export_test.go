package redisstore

import (
	"time"

	"github.com/civicpin/civicpin/store"
)

// Encode and Decode are the stored format; Deadline is when Redis may drop a record.
func Encode(r store.Record) []byte          { return encode(r) }
func Decode(b []byte) (store.Record, error) { return decode(b) }
func Deadline(t time.Time) int64            { return deadline(t) }
