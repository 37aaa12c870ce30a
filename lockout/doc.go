// Package lockout limits guesses: at PINs, passwords, codes, answers, or anything else that can be compared.
//
// Make a [Gate] from a [Policy] with [New], and do every comparison inside [Gate.Do]:
//
//	gate, err := lockout.New(vault, lockout.Policy{Name: "login", Limit: 5, Lock: lockout.UntilUnlocked})
//	err = gate.Do(ctx, lockout.Key{Subject: subject, Source: source}, func(ctx context.Context) (bool, error) {
//		return compare(), nil
//	})
//
// Do returns nil for a right guess, a [RefusedError] for a wrong one, and a [LockedError] or [ErrBusy] where nothing was
// compared.
//
// # How it counts
//
// A guess is reserved in the store before it is compared, and a right one is given back after: take, verify, settle. With a
// limit of L, any number of concurrent guesses over any number of processes bring at most L comparisons. Guesses in flight
// use up the limit but do not lock: a further one is told [ErrBusy]. A reservation whose process dies becomes a failure.
//
// Failures in a row are counted twice. One count brings soft locks, which end by time or by an unlock; it starts again after
// each. The other is reset by nothing but a right guess, and at the ceiling disables the credential (NIST SP 800-63B-4
// 3.2.2). So locks, unlocks and codes issued anew do not add up to more guesses.
//
// # Threat model
//
// Strangers who guess, in parallel, from many addresses, at many subjects, over weeks; processes that die; a store whose
// answers get lost; clocks that jump. Subjects that do not exist are counted and locked like those that do, so a lock tells
// nothing about who is registered, until Policy.Forget drops the strangers' counts. What this package cannot prevent is
// that strangers lock somebody's open lane: give the owner another [Key].Lane, or a way to unlock.
//
// Clocks of processes that share a store should agree within seconds. One that jumps back makes a lock seem longer by the
// jump, and neither resets nor extends it; one that is ahead sees locks end as much too early, as long as it is ahead.
//
// # Stored-format compatibility
//
// The kinds "lockout.NAME", "quota.source.NAME", "quota.global.NAME" and "quota.NAME" are this package's. Later releases will
// read what earlier ones wrote.
package lockout
