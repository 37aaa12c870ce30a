package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/guard"
)

var (
	// ErrUnreadable says that a record exists but does not open: it was changed or moved, is sealed under a key that the vault
	// does not have, or was written by a newer release. It is never taken for "not found".
	ErrUnreadable = errors.New("store: unreadable record")
	// ErrUnknownKey is an ErrUnreadable of a record that names a sealing key which the vault does not have. An attacker who can
	// write to the store can write any name: with all keys at hand, the record was changed.
	ErrUnknownKey = fmt.Errorf("%w: sealed under an unknown key", ErrUnreadable)
	// ErrNoListing says that the store under the vault is not a [Lister].
	ErrNoListing = errors.New("store: this store cannot list")
	// ErrContended says that a record changed under every try of an update. Nothing was written.
	ErrContended = errors.New("store: too much contention")
	// ErrOldKey says that the sealing key in front is not known to be the newest one of the database. See [Vault.Reseal].
	ErrOldKey = errors.New("store: the sealing key in front is not known to be the newest")
)

const (
	formatVersion = 1
	// maxValue bounds a sealed value, so that no record can grow without end and every engine takes it.
	maxValue = 256 << 10
	// defaultGrace is how much later than its own expiry a record may be dropped by the engine.
	defaultGrace = time.Hour
)

// Options configure a [Vault]; a nil *Options, and the zero value of each field, mean the defaults.
type Options struct {
	// Now is the clock of everything that uses the vault; nil means time.Now.
	Now func() time.Time
	// Recorder is told every event of everything that uses the vault; nil means that no recorder is. A call of the vault's users
	// waits for it until its own deadline, at most 15 seconds, and holds nothing meanwhile that others wait for. A Recorder that
	// panics loses the event; the next one follows an event store.unrecorded.
	Recorder civicpin.Recorder
	// Grace is how long an expired record is kept before the store may drop it, so that clocks may differ by as much; zero means
	// one hour. A negative one is an error.
	Grace time.Duration
	// Adopt has OpenVault create the canary in a store that has none, though the store holds records or cannot list. Set it
	// once, for a database that was filled before there were canaries, or copied without. Of a store that can list, the first
	// hundred records must open under the keys, or the error is a [*KeysError]. Where there is a canary, Adopt changes nothing;
	// over a store that cannot list it may stay set. Of two sealing keys that are adopted, nothing tells which is newer: a key
	// that is added later retires both, see [Vault.Reseal].
	Adopt bool
}

// A Vault wraps a [Store]: it seals values, hides subjects, and carries the clock and the recorder, so that all that
// shares a vault agrees on both. The packages of this library reach the vault's records through [Kind]. Its methods are
// safe for concurrent use. Make one with [OpenVault].
type Vault struct {
	store   Store
	index   civicpin.Secret
	current SealingKey
	sealing []SealingKey
	members []Store // the stores that keep the records, each with a canary
	openers map[string]Sealer
	opts    Options
	events  *guard.Recorder
	types   *sync.Map // of the values of each kind that NewKind made: string to reflect.Type
}

// OpenVault returns a vault around s, if the keys fit what s holds. It looks at the canary, a record under a fixed key that
// only these keys make, and creates it in a store that lists as empty: the first process that does so decides on the keys. If
// s is a router, each store behind it has a canary of its own. If the key in front is new, it is entered in the canary before
// anything is sealed under it. It costs a Get of each store, and a List and a Put of one that has no canary. Errors:
//   - [*KeysError]: the keys are not those of the database; the error says which of them. Nothing was written. A key that was
//     retired is missing where a backup was restored. In a [Forgetful] store behind a router, OpenVault mends the canary
//     instead, if a store that is not Forgetful tells that the key was retired, and no record is sealed under the key.
//   - [ErrOldKey]: the key in front was retired by [Vault.Reseal]. The keys are in an old order.
//   - [ErrNoCanary]: there is no canary, and s holds records or cannot list; see [Options.Adopt].
//   - [ErrForgetful]: s may lose writes. Put it behind [NewRouter], whose [Route] says which kinds may be lost.
//   - [ErrUnreadable]: the keys fit, and the canary was changed.
//   - any other error: s is nil, the keys are incomplete or an id occurs twice, an option is out of range, or a call failed.
func OpenVault(ctx context.Context, s Store, keys Keys, opts *Options) (*Vault, error) {
	v, err := newVault(s, keys, opts)
	if err != nil {
		return nil, err
	}
	v.members = members(s)
	// All of them first: keys that do not fit one of the stores leave no trace in another.
	all, err := v.proposals(ctx)
	if err != nil {
		return nil, err
	}
	if err := v.settle(ctx, all); err != nil {
		return nil, err
	}
	return v, nil
}

// newVault checks what OpenVault was given.
func newVault(s Store, keys Keys, opts *Options) (*Vault, error) {
	if s == nil {
		return nil, errors.New("store: OpenVault: no store")
	}
	if forgets(s) {
		return nil, fmt.Errorf("store: OpenVault: %w: use NewRouter, and name in Route.MayLose what may be lost", ErrForgetful)
	}
	if err := keys.validate(); err != nil {
		return nil, err
	}
	v := &Vault{
		store: s, index: keys.Index, current: keys.Sealing[0], sealing: slices.Clone(keys.Sealing),
		openers: make(map[string]Sealer), types: new(sync.Map),
	}
	for _, k := range keys.Sealing {
		v.openers[k.ID] = k.Sealer
	}
	if opts != nil {
		v.opts = *opts
	}
	if v.opts.Grace < 0 {
		return nil, errors.New("store: OpenVault: negative grace")
	}
	if v.opts.Grace == 0 {
		v.opts.Grace = defaultGrace
	}
	if v.opts.Now == nil {
		v.opts.Now = time.Now
	}
	if v.opts.Recorder != nil {
		v.events = guard.NewRecorder(v.opts.Recorder)
	}
	return v, nil
}

// Now returns the time by the vault's clock.
func (v *Vault) Now() time.Time { return v.opts.Now() }

// CanList reports whether the store under the vault is a [Lister].
func (v *Vault) CanList() bool {
	_, ok := v.store.(Lister)
	return ok
}

func (v *Vault) list(ctx context.Context, prefix string) iter.Seq2[Item, error] {
	l, ok := v.store.(Lister)
	if !ok {
		return func(yield func(Item, error) bool) { yield(Item{}, ErrNoListing) }
	}
	return l.List(ctx, prefix, "")
}

// kindOf returns the kind that a storage key begins with.
func kindOf(storageKey string) string {
	kind, _, _ := strings.Cut(storageKey, "/")
	return kind
}

// storageKey hides the subject and id behind a keyed hash. 160 bits keep collisions out of reach of any number of records.
func (v *Vault) storageKey(kind string, k Key) string {
	return kind + "/" + hex.EncodeToString(v.mac(kind, string(k.Subject), k.ID)[:20])
}

// Hash returns a keyed hash of the parts under the vault's index key, for values that must be stable and unguessable without
// being stored. The purpose keeps uses apart. The hash reveals no storage key.
func (v *Vault) Hash(purpose string, parts ...string) [32]byte {
	// No kind is named so: what is hashed here is never what is hashed for a storage key.
	return [32]byte(v.mac(append([]string{"\x00hash", purpose}, parts...)...))
}

// mac hashes the parts under the index key, each preceded by its length, so that no two different lists are hashed alike.
func (v *Vault) mac(parts ...string) []byte {
	mac := hmac.New(sha256.New, []byte(v.index.Reveal()))
	for _, part := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		mac.Write(n[:])
		mac.Write([]byte(part))
	}
	return mac.Sum(nil)
}

// seal returns version, key id length, key id, and the sealed plaintext. The associated data binds all of that, the
// storage key and the kind.
func (v *Vault) seal(ctx context.Context, kind, key string, plain []byte) ([]byte, error) {
	head := append([]byte{formatVersion, byte(len(v.current.ID))}, v.current.ID...)
	sealed, err := v.current.Sealer.Seal(ctx, plain, associated(head, kind, key))
	if err != nil {
		return nil, fmt.Errorf("store: seal: %w", err)
	}
	if len(head)+len(sealed) > maxValue {
		return nil, fmt.Errorf("store: a sealed value of %d bytes is over the limit of %d", len(head)+len(sealed), maxValue)
	}
	return append(head, sealed...), nil
}

// open undoes seal. All that is wrong with the bytes matches ErrUnreadable; a sealer that cannot work does not. Beside an error
// the key id is returned, too, as far as the bytes name one.
func (v *Vault) open(ctx context.Context, kind, key string, value []byte) (plain []byte, keyID string, err error) {
	if keyID = sealedUnder(value); keyID == "" {
		return nil, "", fmt.Errorf("%w: unknown format", ErrUnreadable)
	}
	n := 2 + len(keyID)
	sealer, ok := v.openers[keyID]
	if !ok {
		return nil, keyID, fmt.Errorf("%w", ErrUnknownKey)
	}
	plain, err = sealer.Open(ctx, value[n:], associated(value[:n], kind, key))
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // whatever the sealer made of it
	}
	if err != nil {
		return nil, keyID, fmt.Errorf("store: open: %w", err)
	}
	return plain, keyID, nil
}

// sealedUnder returns the id of the key that a sealed value names, or "" if the bytes are no such value.
func sealedUnder(value []byte) string {
	if len(value) < 2 || value[0] != formatVersion || len(value) < 2+int(value[1]) {
		return ""
	}
	return string(value[2 : 2+int(value[1])])
}

func associated(head []byte, kind, key string) []byte {
	a := append([]byte("civicpin\x00"), head...)
	return append(append(append(a, kind...), 0), key...)
}
