package natsstore

import (
	"errors"
	"strings"

	"github.com/civicpin/civicpin/internal/names"
)

const (
	defaultName     = "civicpin"
	defaultBuckets  = 64
	defaultReplicas = 3
	maxBuckets      = 1024
)

// Options configure a [Store]; a nil *Options, and the zero value of each field, mean the defaults.
type Options struct {
	// Name begins the names of the buckets, which are Name-0, Name-1 and so on: 1 to 32 ASCII letters, digits, "-" and
	// "_". Empty means "civicpin".
	Name string
	// Buckets is over how many buckets the keys are spread: 1 to 1024, zero means 64. Each bucket has a leader of its own,
	// so this is also how far the load spreads over the servers. It is fixed when the buckets are made: with another
	// number, keys would be looked for in the wrong ones, so New refuses it.
	Buckets int
	// Replicas is how many servers keep each bucket: 1, 3 or 5, zero means 3. Existing buckets must have as many or more.
	// With 1, what a server's disk loses is lost, and while it is down its keys cannot be used: that is for development.
	Replicas int
	// Reads is how Get makes sure that what it returns is the last record. The zero value is the safe one.
	Reads Reads
}

// Reads say which server answers a Get. With one replica there is only one server that can, and they are the same.
type Reads int

const (
	// ConfirmedReads let a bucket's servers agree, before Get returns, that what its leader answered was the last record
	// when they did: a Get then costs a small durable write, and reads of one key share it. With these a store meets the
	// contract of [store.Store] whatever happens to the servers.
	ConfirmedReads Reads = iota
	// LeaderReads trust the server that says to be the leader, which costs one round trip and no write. But a server that was frozen,
	// or cut off from the others, goes on saying so: measured here, it answered with records that had been replaced
	// seconds before. A PIN that was just revoked may then be accepted, or one just set be refused. What is decided by a
	// write, the count of guesses and the single use of a code, stays right.
	LeaderReads
)

// withDefaults returns a copy of the options with the defaults filled in, or says which one is out of range.
func (o *Options) withDefaults() (Options, error) {
	var p Options
	if o != nil {
		p = *o
	}
	if p.Name == "" {
		p.Name = defaultName
	}
	if p.Buckets == 0 {
		p.Buckets = defaultBuckets
	}
	if p.Replicas == 0 {
		p.Replicas = defaultReplicas
	}
	switch {
	case !names.Valid(p.Name, 32) || strings.Contains(p.Name, "."):
		return Options{}, errors.New("natsstore: New: the name is not 1 to 32 of ASCII letters, digits, - and _")
	case p.Buckets < 1 || p.Buckets > maxBuckets:
		return Options{}, errors.New("natsstore: New: the number of buckets is not 1 to 1024")
	case p.Reads != ConfirmedReads && p.Reads != LeaderReads:
		return Options{}, errors.New("natsstore: New: no such kind of reads")
	case p.Replicas != 1 && p.Replicas != 3 && p.Replicas != 5:
		return Options{}, errors.New("natsstore: New: the number of replicas is not 1, 3 or 5")
	}
	return p, nil
}
