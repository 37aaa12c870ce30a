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
}

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
	case p.Replicas != 1 && p.Replicas != 3 && p.Replicas != 5:
		return Options{}, errors.New("natsstore: New: the number of replicas is not 1, 3 or 5")
	}
	return p, nil
}
