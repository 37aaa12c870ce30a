package natsstore

import "github.com/nats-io/nats.go/jetstream"

// What the tests of this package look at.
var (
	EncodeKey   = encodeKey
	DecodeKey   = decodeKey
	Filter      = filter
	BucketOf    = bucketOf
	EncodeValue = encodeValue
	DecodeValue = decodeValue
	TimeToLive  = timeToLive
	APIPrefix   = apiPrefix
)

// Confirmation is where confirmations are written.
const Confirmation = confirmation

// Defaults returns the options with the defaults filled in.
func Defaults(o *Options) (Options, error) { return o.withDefaults() }

// Config returns how a bucket is made.
func Config(o Options, i int) jetstream.StreamConfig { return o.config(i) }

// Check looks at how a bucket is set.
func Check(o Options, i int, c jetstream.StreamConfig) error { return o.check(i, c) }
