// Package redisstore keeps records in Redis or Valkey, single or cluster: throttles and delivered codes, and nothing else.
//
//	cache, err := redisstore.New(ctx, redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379", ContextTimeoutEnabled: true}), nil)
//	records, err := store.NewRouter(
//		store.Route{Kinds: []string{"*"}, Store: postgres},
//		store.Route{Kinds: []string{"code.*", "code-pending.*", "quota.*"}, Store: cache},
//	)
//
// # What it must not hold, and why
//
// Redis answers a write before its replicas have it. When a primary dies, hangs or is cut off, a replica is promoted that may
// lack the last writes, and what the old primary went on to accept is thrown away when it comes back. Neither appendfsync nor
// WAIT changes that: the first is about one machine's disk, the second waits but does not undo. The test
// TestAcknowledgedLoss shows it: writes that were acknowledged are gone after a failover.
//
// For a credential, a lock, a count of guesses, a used token or a message to be sent, that is a hole: the changed PIN is the
// old one again, the lock is lifted, five guesses are new, the token can be used once more, the second half is never sent. So
// the store is a store.Forgetful, store.OpenVault refuses it, and store.NewRouter gives it only what may be lost: a throttle
// that lets a few more requests through, a code that has to be asked for again. A delivered code whose use was lost can be used
// a second time while it is valid; where that matters, as for payments, keep "code.*" elsewhere. The count of wrong codes is
// not among them: it is a record of package lockout.
//
// # How it works
//
// A record is one string: version, expiry, value. Every write is one script that compares the version and sets or deletes the
// key, so that it takes one round trip and nothing comes in between. A version is 63 random bits, so no key ever has one twice.
// Records that expire have Redis's own expiry as well, to the millisecond and never early; it is Redis that removes them, by
// its clock. In a cluster each key has a slot of its own: records spread over all nodes.
//
// A write is sent once. The driver would repeat it when the answer is lost, and the repetition of a deletion would report a
// conflict with its own success. After a failover the first calls may fail; that is for the caller to repeat, as package store
// says.
//
// Listing scans the keys of every primary, and holds all that it has to yield in memory, about 150 bytes for each, since Redis
// knows no order. It is not for large stores, and not for while a cluster moves slots. What is here needs neither purging nor
// much listing.
//
// # Settings
//
// [New] asks every primary for the settings that matter and refuses those that are not safe, unless Options.Accept names them:
// appendonly yes and appendfsync always, or a restart forgets everything or the last second; maxmemory-policy noeviction, or
// an attacker who fills the memory with requests has Redis drop the throttles that hold them back. Where CONFIG is forbidden, as with
// some providers, INFO tells two of the three; what cannot be learned has to be accepted. [Store.Settings] returns what was
// found.
package redisstore
