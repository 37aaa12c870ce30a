package pin

import (
	"time"

	"github.com/civicpin/civicpin/internal/password"
)

// Hashing says how chosen and issued secrets are hashed: argon2id. Zero fields mean the defaults.
type Hashing struct {
	Memory  uint32 // KiB; default 19,456 (OWASP ASVS 5.0 appendix C)
	Time    uint32 // passes; default 2
	Threads uint8  // default 1
	Permits int    // hashes at once; default GOMAXPROCS-1, at least 1
	// Wait is how long a call may wait for a permit, by what hashes took of late. A call that would wait longer gets [ErrBusy] at
	// once, as a *[lockout.BusyError]. Default 2 seconds, at most a minute.
	Wait time.Duration
	// Former lists the other costs that stored hashes have, at most two. When you raise the costs, put the old ones here, or
	// the time of a login tells which subjects are registered and have not logged in since. While a cost stands here, every
	// check hashes at it, too. Take it out when the secrets of before are no longer in use.
	Former []Cost
}

// A Cost is what a hash of argon2id costs. Zero fields mean the defaults of [Hashing].
type Cost struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8  // lanes
}

// costs returns the costs of the hashes in use, the current one first.
func (p Policy) costs() []password.Params { return password.InUse(p.hashParams(), p.Hashing.Former) }
