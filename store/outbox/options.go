package outbox

import (
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/pace"
)

// storeTimeout bounds what is done with the store after a claim, when the dispatcher's context may be done already.
const storeTimeout = pace.Store

// Options configure an [Outbox]; a nil *Options, and the zero value of each field, mean the defaults. Negative values, and
// those out of the ranges given, make New fail. Processes that share a store should have the same Options.
type Options struct {
	// Timeout bounds one call of the notifier; 30 seconds by default, at most 10 minutes. It also bounds one question to an
	// owner, and one listing of what waits, but not to less than 5 seconds.
	Timeout time.Duration
	// Grace is how long an entry is kept that its owner's record does not confirm, counted from when a dispatcher first
	// found that; 2 minutes by default. A message whose process died within Announce, after the record, is sent after as long.
	Grace time.Duration
	// MinDelay is the wait before the second try, which doubles before each further one; 10 seconds by default.
	MinDelay time.Duration
	// MaxDelay is the longest wait between two tries; 1 hour by default. Each wait is varied by a fifth up or down.
	MaxDelay time.Duration
	// MaxTries is how often a message is tried before it becomes a dead letter; 12 by default, at most 1000.
	MaxTries int
	// Poll is how long a Run rests after it looked at all entries, before it looks again for those of other processes; 5
	// seconds by default. It rests for less if one of them will be due, and for 5 seconds at most if the store failed.
	Poll time.Duration
	// Workers is how many messages of one channel a Run sends at once; 4 by default, at most 1024.
	Workers int
	// Limits say how many messages are let through.
	Limits Limits
	// KeepDead is how long a dead letter is kept; 30 days by default.
	KeepDead time.Duration
}

// withDefaults returns a copy that is complete, or an error that matches civicpin.ErrInvalid.
func (opts *Options) withDefaults() (Options, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	for _, d := range []struct {
		name     string
		value    *time.Duration
		standard time.Duration
		most     time.Duration
	}{
		{"Timeout", &o.Timeout, 30 * time.Second, 10 * time.Minute},
		{"Grace", &o.Grace, 2 * time.Minute, 24 * time.Hour},
		{"MinDelay", &o.MinDelay, 10 * time.Second, 24 * time.Hour},
		{"MaxDelay", &o.MaxDelay, max(time.Hour, o.MinDelay), 7 * 24 * time.Hour},
		{"Poll", &o.Poll, 5 * time.Second, time.Hour},
		{"KeepDead", &o.KeepDead, 30 * 24 * time.Hour, 10 * 366 * 24 * time.Hour},
	} {
		if *d.value == 0 {
			*d.value = d.standard
		}
		if *d.value < time.Millisecond || *d.value > d.most {
			return Options{}, fmt.Errorf("outbox: %w: %s is not between 1ms and %v", civicpin.ErrInvalid, d.name, d.most)
		}
	}
	for _, n := range []struct {
		name           string
		value          *int
		standard, most int
	}{
		{"MaxTries", &o.MaxTries, 12, 1000},
		{"Workers", &o.Workers, 4, 1024},
	} {
		if *n.value == 0 {
			*n.value = n.standard
		}
		if *n.value < 1 || *n.value > n.most {
			return Options{}, fmt.Errorf("outbox: %w: %s is not between 1 and %d", civicpin.ErrInvalid, n.name, n.most)
		}
	}
	var err error
	if o.Limits, err = o.Limits.withDefaults(); err != nil {
		return Options{}, err
	}
	if o.MaxDelay < o.MinDelay {
		return Options{}, fmt.Errorf("outbox: %w: MaxDelay is less than MinDelay", civicpin.ErrInvalid)
	}
	return o, nil
}

// pace returns the waits of complete options.
func (o *Options) pace() pace.Pace {
	return pace.Pace{Timeout: o.Timeout, Grace: o.Grace, MinDelay: o.MinDelay, MaxDelay: o.MaxDelay, MaxTries: o.MaxTries}
}
