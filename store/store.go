// Package store keeps records. [Store] is the contract that an engine has to meet, three methods; [Memory] is one
// implementation; [Vault] wraps any of them and is what the rest of the library takes.
//
// Use [OpenVault] around a store of package store/sqlite, store/sqlstore, store/natsstore or your own, and hand the vault on.
// What may be lost can go to another store, such as store/redisstore: see [NewRouter]. To write a store of your own, read
// [Store] and run package store/storetest against it.
//
// # Keys
//
// [CreateKeyFile] makes the keys of a database, and [ReadKeyFile] reads them. OpenVault refuses keys that are not those of the
// database, with a [*KeysError]. To rotate a sealing key, call [AddKey], [PromoteKey], [Vault.Reseal] and [RemoveKey], and
// restart every process in between: docs/keys.md in the repository has the steps, and says what a lost or leaked file means.
//
// # What a stolen table tells
//
// Every value is sealed by a key that the table does not hold, bound to its storage key and kind: a row cannot be read,
// changed, or moved to another subject or kind. Storage keys hold a keyed hash of the subject, so the table does not list
// who is registered. What it does tell is how many records of each kind there are, how long each is, and when it may be
// dropped. A thief who can also write can put an older row back in its place: no store of this kind can see that, so
// guard the table against writes as you guard the keys.
//
// # Stored-format compatibility
//
// A sealed value starts with its format version, 1. Later releases will open every value that an earlier release sealed
// under a key that is still among the [Keys].
package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

var (
	// ErrNotFound says that a key has no record.
	ErrNotFound = errors.New("store: not found")
	// ErrConflict says that a conditional write was not done, because the record is not at the version that the
	// condition names.
	ErrConflict = errors.New("store: version conflict")
	// ErrInvalidKey says that a key is not one that [CheckKey] accepts.
	ErrInvalidKey = errors.New("store: invalid key")
)

// A Version names one state of a record. Zero means "no record". Versions are compared for equality only.
type Version uint64

// A Record is a Value with the Version that names its state and the time after which the engine may drop it.
type Record struct {
	Value   []byte
	Version Version
	// ExpiresAt is when the record becomes garbage; zero means never. It is for tidying up only: the writer of the value judges by
	// a time inside the value whether it still counts, and allows for clocks that differ.
	ExpiresAt time.Time
}

// A Store keeps records under keys. These are all the rules; package storetest has a test for each.
//
//   - Get returns the last record put, or an error that matches ErrNotFound.
//   - Put with version zero creates, and only creates: it gives ErrConflict where Get finds a record.
//   - What Get does not find, Put can create; an expired record, too, blocks nothing once Get hides it.
//   - Put with a version replaces the record at exactly that version; otherwise, also where there is no record, it
//     gives ErrConflict and changes nothing.
//   - Put returns the new version, which is not zero and was never before a version of that key, not even of a record
//     that was deleted since. Get returns the same version.
//   - Delete removes the record at exactly the given version; otherwise, also where there is no record, it gives
//     ErrConflict and changes nothing.
//   - Of any number of concurrent writes that name one version, also of creates, at most one succeeds.
//   - A write that was acknowledged is seen by every later Get, through whichever connection, and survives the process.
//   - Bytes are copied in and out: neither side sees what the other later writes into its slice. An empty value is kept
//     as an empty value.
//   - ExpiresAt comes back at the same instant or up to a second later, never earlier; zero comes back zero. An engine may
//     drop or hide an expired record at any time, by its own clock, and need not.
//   - Keys are those that CheckKey accepts, and are told apart byte for byte, case included; other keys give
//     ErrInvalidKey.
//   - A method whose context is done returns an error. It, or any other error than those above, from Put and Delete
//     means that the write may or may not have happened, or may happen yet.
//   - All methods are safe for concurrent use.
type Store interface {
	// Get returns the record of a key. Errors match [ErrNotFound], [ErrInvalidKey], or are the engine's.
	Get(ctx context.Context, key string) (Record, error)
	// Put writes a record if the key's is at r.Version, and returns the new version. Errors match [ErrConflict], [ErrInvalidKey],
	// or are the engine's.
	Put(ctx context.Context, key string, r Record) (Version, error)
	// Delete removes the record of a key if it is at v. Errors match [ErrConflict], [ErrInvalidKey], or are the engine's.
	Delete(ctx context.Context, key string, v Version) error
}

// An Item is a record with its Key.
type Item struct {
	Key string
	Record
}

// A Lister is a Store that lists its records. Purging, re-sealing after a key rotation, and an outbox that survives its process
// need one. No call on a visitor's way does.
type Lister interface {
	Store
	// List yields the items whose key begins with prefix and is greater than after, in ascending order of key bytes. Items
	// that were there throughout are yielded exactly once; items that come or go meanwhile may be yielded or not. The
	// loop may call the store's other methods. After an error the sequence ends.
	List(ctx context.Context, prefix, after string) iter.Seq2[Item, error]
}

// A Purger is a Store that removes expired records faster than by a listing. [Vault.Purge] uses it.
type Purger interface {
	Store
	// PurgeExpired removes records whose ExpiresAt is at or before the given time, at most max of them, and returns how many, also
	// with an error. It removes no other record, and none that was written again since PurgeExpired looked at it. An engine that
	// drops expired records by itself may do nothing.
	PurgeExpired(ctx context.Context, before time.Time, max int) (int, error)
}

// maxKey is the greatest length of a key in bytes. It fits the index limits of every engine in common use.
const maxKey = 200

// CheckKey returns nil if key is 1 to 200 ASCII letters, digits and characters of "/-_.", and otherwise an error that
// matches [ErrInvalidKey]. Adapters call it first in each method.
func CheckKey(key string) error {
	if key == "" || len(key) > maxKey {
		return fmt.Errorf("%w: length %d, want 1 to %d", ErrInvalidKey, len(key), maxKey)
	}
	for i := range len(key) {
		c := key[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '/' || c == '-' || c == '_' || c == '.') {
			return fmt.Errorf("%w: byte %d", ErrInvalidKey, i)
		}
	}
	return nil
}
