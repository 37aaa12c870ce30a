// Package pace says how long a message waits: until its next try, while it is claimed, while its owner cannot answer. It has no
// state and makes no call.
package pace

import (
	"math/rand/v2"
	"time"
)

const (
	// Margin is how much longer than Timeout a claim lasts: time for the store calls around the send.
	Margin = time.Minute
	// Store bounds a call of the store that is made for a claimed message, when the dispatcher's context may be done already.
	Store = 5 * time.Second
)

// A Pace is what the waits are made of. The fields are those of outbox.Options, complete and valid.
type Pace struct {
	Timeout, Grace     time.Duration
	MinDelay, MaxDelay time.Duration
	MaxTries           int
}

// Claim returns how long a claimed entry is left to the process that claimed it.
func (p Pace) Claim() time.Duration { return p.Timeout + Margin }

// Listing bounds one listing. A store that shows nothing for as long hangs. A slow one goes on with the next listing.
func (p Pace) Listing() time.Duration { return max(p.Timeout, Store) }

// Delay returns the wait before the next try, after n tries that failed. The jitter keeps messages that failed together,
// because one gateway was down, from coming back together.
func (p Pace) Delay(n int) time.Duration {
	d := p.MaxDelay
	if n = max(n, 1); n <= 62 && p.MinDelay <= p.MaxDelay>>(n-1) {
		d = p.MinDelay << (n - 1)
	}
	return d - d/5 + rand.N(2*d/5+1)
}

// MaxWaits returns how often in a row an owner may fail to answer, until its message becomes a dead letter: at the defaults for
// about 27 hours.
func (p Pace) MaxWaits() int { return 3 * p.MaxTries }

// Farthest returns more than any of these waits. What is due later than that was written by a clock that was ahead, and is
// taken as due.
func (p Pace) Farthest() time.Duration {
	return max(p.Claim(), p.Grace, p.MaxDelay+p.MaxDelay/5) + time.Minute
}
