// Package lockout limits guesses: at PINs, passwords, codes, answers, or anything else that can be compared.
//
// Make a [Gate] from a name and a [Policy] with [New], and do every comparison inside [Gate.Do]:
//
//	gate, err := lockout.New(vault, "login", lockout.Policy{Limit: 5, Lock: lockout.UntilUnlocked})
//	err = gate.Do(ctx, lockout.Target{Subject: subject, Source: source}, func(ctx context.Context) (bool, error) {
//		return compare(), nil
//	})
//
// Do returns nil for a right guess. A wrong one gives a [RefusedError], or a [LockedError] if it was the last one allowed.
// Where nothing was compared, Do returns a LockedError or [ErrBusy].
//
// # How it counts
//
// A guess is reserved in the store before it is compared, and a right one is given back after: take, verify, settle. With a
// limit of L, any number of concurrent guesses over any number of processes lead to at most L comparisons. Guesses in flight
// use up the limit but do not lock: one more returns [ErrInFlight], which matches ErrBusy. A reservation whose process dies
// becomes a failure.
//
// Failures are counted twice. One count sets soft locks, which end by time or by an unlock, and starts again after each. No
// right guess resets it: strangers see it, and would learn that the owner logged in. Each day without a failure takes one back.
// The other count is reset only by a right guess and is never forgotten. At the ceiling (NIST SP 800-63B-4 3.2.2) either count
// disables the credential. So locks, unlocks and reissued codes do not add up to more guesses.
//
// # Known devices
//
// Strangers can lock the subject out. With Policy.Devices, [Gate.RememberDevice] gives the device of an owner who has just
// guessed right a value for a cookie. The value opens a lane with counts of its own, beside the open lane that all other
// callers share. It proves nothing else: a guess is compared as ever. A thief of the value has the few guesses of that lane,
// and then the open lane like any stranger. [Gate.ForgetDevices] ends all lanes of devices, after a recovery.
//
// All lanes share one ceiling, so known devices do not add up to more guesses either, if each RememberDevice follows the right
// guess that it is for. A value that is forged, or another subject's, is ignored without a store call. If the devices cannot be
// read, the guess is refused with the store's error.
//
// # Reserves
//
// A gate behind a login, of codes or answers, has no devices of its own. With Policy.Reserve, a caller who has shown a login or
// a known device ([civicpin.Source].Shown) has a lane that strangers cannot lock, one for each of the two. It works as a known
// device's: it shares the ceiling, a forged or stale value opens nothing and costs no store call, and while it is locked, its
// guesses go to the open lane. A right guess there gives it back.
//
// # Spraying
//
// An attacker who tries one likely secret on many subjects makes one failure at each. Policy.Source counts the different
// subjects that fail from one source address, and Policy.Global the failures of all subjects together. They hold for the open
// lane: the lanes of known devices and of Reserve pass. A guess over a limit returns a [LockedError], which matches
// [ErrChallenge] if the visitor may go on behind a challenge, such as a captcha: call again with [civicpin.Source].Challenged.
// Four times the limits of a source hold then, and Global lets all in. [Policy.WithRates] has limits for a portal;
// docs/sizing.md says how to size them for a school, an office, or a carrier's gateway.
//
// # Events
//
// [Events] lists what is recorded: locks, what ends them, rates that are exceeded, and known devices. Single guesses are not
// recorded here: the caller records them, and knows what they meant.
//
// # Threat model
//
// Strangers guess in parallel, from many addresses, at many subjects, over weeks; processes die; a store's answers get lost;
// clocks jump. Unknown subjects are counted and locked like known ones, and their counts are forgotten alike, so a lock does
// not tell who is registered. This package cannot keep strangers from locking an open lane: give
// owners known devices, reserves, or a way to unlock. A thief of a device's value learns that its subject exists.
//
// Clocks of processes that share a store should agree within seconds. A clock that is ahead sees locks end early while it is
// ahead. A lock or delay that it wrote, and that is further ahead than the policy allows, is cut to what the policy allows.
//
// # Stored-format compatibility
//
// The kinds "lockout.NAME", "devices.NAME", "quota.sources.NAME" and "quota.global.NAME" are this package's. Later releases
// will read what earlier ones wrote.
package lockout
