// Package password hashes secrets for storage and checks guesses against stored hashes: argon2id for all that is made here,
// and the strings of other systems (argon2i, bcrypt, PBKDF2, scrypt) so that their users need no new secret.
//
// A stored string decides how much memory and time a check takes, so a writer to the store could stop the program with one:
// [Parse] refuses what is not in the one canonical spelling or asks for more than a fixed amount of work, before any work is
// done. A [Gate] bounds how many hashes run at once. Secrets of 112 bits and more do not need this package.
package password

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
)

// What a hash of each kind may ask for, whoever wrote it. Each cap on work is one to two and a half seconds of one core of a
// small server, several times what any guidance asks for: enough for every import, and an annoyance rather than an outage
// if an attacker managed to plant such a string.
const (
	// MaxMemory is the most memory of one argon2 or scrypt hash in KiB: 256 MiB, what libsodium's "moderate" level takes
	// and 13 times the default. Times the gate's permits, it bounds what hostile strings can allocate.
	MaxMemory = 256 << 10
	// MaxTime is the most passes of argon2. What they cost is bounded by maxArgon2Work; this bounds the rest.
	MaxTime = 64
	// MaxThreads is the most lanes of argon2. Some libraries write the number of cores of the machine here.
	MaxThreads = 64

	maxArgon2Work = 1 << 20   // KiB times passes: 1 GiB. RFC 9106's second recommendation takes 192 MiB
	maxBcryptCost = 14        // 0.9 seconds; each step doubles
	maxPBKDF2Work = 3_000_000 // iterations times blocks of output; guidance is 600,000 (SHA-256), and Django writes 1,200,000
	maxScryptWork = 512 << 10 // KiB times parallelism: four times the N=2^17, r=8, p=1 of guidance
	maxScryptLN   = 20        // 1 GiB with r=8: over the caps on memory, which decide; this keeps the arithmetic small
	maxScryptR    = 32
	maxScryptP    = 64

	maxInUse = 3 // costs that every check works off
)

// Params are the costs of argon2id.
type Params struct {
	Memory  uint32 // KiB
	Time    uint32 // passes over the memory
	Threads uint8  // lanes, each of which may take a core
}

// Default returns what new hashes are made with: 19 MiB, two passes, one lane (OWASP ASVS 5.0 appendix C). One lane keeps a
// hash on one core, so that a [Gate] can keep another free.
func Default() Params {
	if cheapDefault.Load() {
		return Params{Memory: 8, Time: 1, Threads: 1}
	}
	return Params{Memory: 19456, Time: 2, Threads: 1}
}

// Defaults returns the costs of hashes that no policy sets: that of new ones, [Default], and those of former releases. When
// Default is raised, its old value comes here: each check hashes at all of them, or its time would tell which sets are old.
func Defaults() []Params { return []Params{Default()} }

// Or returns the parameters with those of d where they are zero.
func (p Params) Or(d Params) Params {
	return Params{Memory: cmp.Or(p.Memory, d.Memory), Time: cmp.Or(p.Time, d.Time), Threads: cmp.Or(p.Threads, d.Threads)}
}

var (
	// ErrTooWeak says that parameters cost less than OWASP ASVS 5.0 appendix C allows.
	ErrTooWeak = errors.New("password: parameters are too weak")
	// ErrTooCostly says that parameters, or those in a stored hash, cost more than this package is willing to do.
	ErrTooCostly = errors.New("password: hash costs more than the cap")
	// ErrMalformed says that a stored hash is not of a known form in its canonical spelling.
	ErrMalformed = errors.New("password: malformed hash")
)

// Validate returns nil if the parameters are as strong as one of the approved rows (one pass over 46 MiB, two over 19 MiB,
// three or more over 12 MiB) and within the caps of [Parse]; otherwise an error that matches [ErrTooWeak] or [ErrTooCostly].
// The zero Params are too weak.
func (p Params) Validate() error {
	if p.Time < 1 || p.Threads < 1 {
		return fmt.Errorf("%w: no passes or no lanes", ErrTooWeak)
	}
	if err := p.possible(); err != nil {
		return err
	}
	if cheap.Load() {
		return nil
	}
	floor := uint32(12 << 10)
	switch p.Time {
	case 1:
		floor = 46 << 10
	case 2:
		floor = 19 << 10
	}
	if p.Memory < floor {
		return fmt.Errorf("%w: %d passes need at least %d KiB", ErrTooWeak, p.Time, floor)
	}
	return nil
}

// InUse returns the current cost and the former ones, with those of [Default] where they are zero.
func InUse[C ~struct {
	Memory, Time uint32
	Threads      uint8
}](current Params, former []C) []Params {
	all := []Params{current.Or(Default())}
	for _, c := range former {
		all = append(all, Params(c).Or(Default()))
	}
	return all
}

// ValidateInUse returns nil if the costs in use, the current one first, are different, at most three, and each valid: see
// [Params.Validate].
func ValidateInUse(costs ...Params) error {
	if len(costs) > maxInUse {
		return fmt.Errorf("%w: more than two former costs", ErrTooCostly)
	}
	for i, p := range costs {
		if err := p.Validate(); err != nil {
			return err
		}
		if slices.Contains(costs[:i], p) {
			return fmt.Errorf("%w: a former cost is listed twice, or is the current one", ErrTooCostly)
		}
	}
	return nil
}

// possible says whether argon2 is defined for the parameters and they are within the caps.
func (p Params) possible() error {
	switch {
	case p.Time < 1 || p.Threads < 1: // x/crypto's argon2 panics on these
		return malformed("no passes or no lanes")
	case p.Memory < 8*uint32(p.Threads): // RFC 9106 3.1
		return malformed("less than 8 KiB of memory for each lane")
	case p.Memory > MaxMemory:
		return tooCostly("memory")
	case p.Time > MaxTime:
		return tooCostly("passes")
	case p.Threads > MaxThreads:
		return tooCostly("lanes")
	case uint64(p.Memory)*uint64(p.Time) > maxArgon2Work:
		return tooCostly("memory times passes")
	}
	return nil
}

// The reasons are fixed texts: a stored hash is never quoted.
func malformed(reason string) error { return fmt.Errorf("%w: %s", ErrMalformed, reason) }
func tooCostly(reason string) error { return fmt.Errorf("%w: %s", ErrTooCostly, reason) }

// cheap is what Cheap sets, cheapDefault what CheapDefault sets.
var cheap, cheapDefault atomic.Bool

// Cheap lets parameters validate in this process that are far too weak for any secret. It is for the tests of this module that
// make thousands of hashes through packages that check what they are given; being internal, nobody else can call it.
func Cheap() { cheap.Store(true) }

// CheapDefault does what [Cheap] does, and makes [Default] return such parameters in this process. It is for short tests of
// programs that hash as the library does by default.
func CheapDefault() {
	Cheap()
	cheapDefault.Store(true)
}
