// Package lockout limits guesses: at PINs, passwords, codes, answers, or anything else that can be compared.
//
// Make a [Gate] from a [Policy] with [New], and do every comparison inside [Gate.Do]:
//
//	gate, err := lockout.New(vault, "login", lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked})
//	err = gate.Do(ctx, lockout.Target{Subject: subject, Source: source}, func(ctx context.Context) (bool, error) {
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
// # Known devices
//
// Strangers can lock anybody out. With Policy.Devices, [Gate.RememberDevice] gives the device of an owner who has just guessed
// right a value, for a cookie as a rule, that opens a lane with counts of its own, beside the open one that everybody else
// shares. It proves nothing but that: a guess is compared as ever. A stolen value gives a lane's few guesses, until that lane
// is locked; then the thief is in the open lane like anybody, and the owner with the next RememberDevice in a new one.
// [Gate.ForgetDevices] ends all of them, after a recovery. The lanes share one ceiling, so that known devices do not add up to
// more guesses either, provided that each RememberDevice follows the right guess that it is for. Limits by source and the
// global one hold for known devices, too.
//
// A device's lane is read where the value is genuine and the subject's only, which its keyed hash tells without the store: a
// value that is made up, or another subject's, is passed over, and takes no store call. If the record of the devices cannot be
// read, the guess is refused with the store's error, and not taken to the open lane.
//
// # Events
//
// lockout.locked and lockout.disabled say that a limit or the ceiling was reached, with the lane as the reason, "device" for
// a known device's, which locks nobody else; lockout.unlocked and lockout.rebound what an operator did, or somebody with proof;
// lockout.slowed that a source or everybody is over a rate; lockout.device_remembered and lockout.devices_forgotten what
// happened to known devices. Ref is a device's id, which opens nothing; its value stands in no event.
//
// # Threat model
//
// Strangers who guess, in parallel, from many addresses, at many subjects, over weeks; processes that die; a store whose
// answers get lost; clocks that jump. Subjects that do not exist are counted and locked like those that do, so a lock tells
// nothing about who is registered, until Policy.Forget drops the strangers' counts. What this package cannot prevent is
// that strangers lock somebody's open lane: let owners have known devices, or a way to unlock. Whoever steals a device's value
// learns that its subject exists, which they knew, and can lock that device's lane.
//
// Clocks of processes that share a store should agree within seconds. One that jumps back makes a lock seem longer by the
// jump, and neither resets nor extends it; one that is ahead sees locks end as much too early, as long as it is ahead. A known
// device is at worst forgotten too early.
//
// # Stored-format compatibility
//
// The kinds "lockout.NAME", "devices.NAME", "quota.source.NAME" and "quota.global.NAME" are this package's.
// Later releases will read what earlier ones wrote.
package lockout
