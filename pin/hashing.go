package pin

import (
	"time"

	"github.com/civicpin/civicpin/internal/password"
)

// Hashing says how chosen and issued secrets are hashed: argon2id. Zero fields mean the defaults.
type Hashing struct {
	// Memory is what one hash fills, in KiB, at most 262,144 (256 MiB). Default 19,456 (OWASP ASVS 5.0 appendix C).
	Memory uint32
	// Time is how many passes over Memory one hash makes, at most 64. Default 2, which needs 19,456 KiB; one pass needs 47,104,
	// three and more 12,288. Memory times Time is at most 1,048,576 KiB.
	Time uint32
	// Threads is how many lanes Memory has, at most 64. Default 1.
	Threads uint8
	// Permits is how many hashes run at once, at most 4,096: each takes Memory. Default GOMAXPROCS-1, at least 1.
	Permits int
	// Wait is how long a call may wait for a permit, by what hashes took of late. A call that would wait longer gets [ErrBusy] at
	// once, as a *[lockout.BusyError]. Default 2 seconds, at most a minute.
	Wait time.Duration
	// Former lists the other costs that stored hashes have, at most two. Empty means none. When you raise the costs, put the
	// old ones here, or the time of a login tells which subjects are registered and have not logged in since. While a cost
	// stands here, every check hashes at it, too. Take it out when the secrets of before are no longer in use.
	Former []Cost
}

// A Cost is what a hash of argon2id costs. Zero fields mean the defaults of [Hashing].
type Cost struct {
	// Memory is in KiB, Time in passes and Threads in lanes, with the bounds of [Hashing]. Default: what Hashing has by
	// default, 19,456 KiB, 2 passes and 1 lane.
	Memory, Time uint32
	Threads      uint8
}

// costs returns the costs of the hashes in use, the current one first.
func (p Policy) costs() []password.Params { return password.InUse(p.hashParams(), p.Hashing.Former) }
