package otp

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/oath"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

// keyring is what is kept of one subject: one sealed record.
type keyring struct {
	Active  *boundKey `json:"active,omitempty" export:"yes"`
	Pending *boundKey `json:"pending,omitempty" export:"yes"`
}

// boundKey is a key with how far it was used.
type boundKey struct {
	ID        string    `json:"id" export:"yes"` // in events
	Seed      []byte    `json:"seed"`
	Algorithm Algorithm `json:"algorithm" export:"yes"`
	Digits    int       `json:"digits" export:"yes"`
	Period    int64     `json:"period,omitempty" export:"yes"` // seconds; zero for HOTP
	// Next is the first step or counter whose code may still be used. It only grows: that is what makes a code good for once,
	// and no older one good after it.
	Next  uint64         `json:"next"`
	Drift int64          `json:"drift,omitempty"`    // steps by which the last code was ahead of the server's clock
	Bound time.Time      `json:"bound" export:"yes"` // since when it is active; of a pending key, when it was made
	Used  time.Time      `json:"used,omitzero" export:"yes"`
	Until time.Time      `json:"until,omitzero" export:"yes"` // when a pending key lapses
	By    civicpin.Actor `json:"by" export:"yes"`             // the actor who had it bound
	// Method, Document and Proved say how and when identity was proved, if the key came by Rebind.
	Method   civicpin.Method `json:"method,omitempty" export:"yes"`
	Document string          `json:"document,omitempty" export:"yes"`
	Proved   time.Time       `json:"proved,omitzero" export:"yes"`
	// AsPending and AsBound are the epochs of the subject's credential when the key was made, for what ends a pending key and an
	// active one; nil if there was none to ask.
	AsPending *uint64 `json:"as_pending,omitempty"`
	AsBound   *uint64 `json:"as_bound,omitempty"`
}

// oath returns the key ready for use.
func (b *boundKey) oath() oath.Key { return oath.NewKey(b.Algorithm.hash(), b.Seed, b.Digits) }

// sound reports whether the key can be computed with. What this release stored can; what a later one did, perhaps not.
func (b *boundKey) sound(c *commonPolicy) bool {
	return b == nil || b.Algorithm.hash() != 0 && b.Digits >= oath.MinDigits && b.Digits <= oath.MaxDigits &&
		b.Period >= 0 && (b.Period == 0) == (c.period == 0)
}

// sweep drops keys that acts upon the credential have ended, and a pending one that has lapsed.
func (r *keyring) sweep(on epochs, now time.Time) {
	if p := r.Pending; p != nil && (!now.Before(p.Until) || on.ended(waits.Enrolled, p.AsPending)) {
		r.Pending = nil
	}
	if r.Active != nil && on.ended(waits.Bound, r.Active.AsBound) {
		r.Active = nil
	}
}

// empty reports whether there is no key.
func (r *keyring) empty() bool { return r.Active == nil && r.Pending == nil }

// keepGone is how long the record of a removed key is kept. It is written, not deleted, because a write whose answer was
// lost can be recognised later and a deletion cannot.
const keepGone = time.Hour

// expires is when the record may go.
func (r *keyring) expires(now time.Time) time.Time {
	switch {
	case r.Active != nil:
		return time.Time{}
	case r.Pending != nil:
		return r.Pending.Until
	}
	return now.Add(keepGone)
}

// keys is what HOTP and TOTP have in common. Its exported methods are theirs.
type keys struct {
	vault  *store.Vault
	policy commonPolicy
	gate   *lockout.Gate
	guard  *attempt.Guard
	rings  store.Kind[keyring]
	decoy  boundKey // what is computed with where there is no key, so that it costs the same

	credentials Credentials // may be nil

	// compare says how a code that was typed and a key go together at a time. It does the same work whatever it finds.
	compare func(ctx context.Context, b *boundKey, guess typedCode, now time.Time) found
}

// keyPolicy is a HOTPPolicy or TOTPPolicy.
type keyPolicy interface {
	Validate() error
	common() commonPolicy
}

// newKeys returns the keys of a policy that has its defaults.
func newKeys(v *store.Vault, p keyPolicy, compare func(context.Context, *boundKey, typedCode, time.Time) found,
	credentials []Credentials,
) (*keys, error) {
	on, err := atMostOne(credentials)
	if err != nil {
		return nil, err
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if v == nil {
		return nil, fmt.Errorf("otp: New: no vault")
	}
	c := p.common()
	k := &keys{vault: v, policy: c, compare: compare, credentials: on}
	if k.gate, err = lockout.New(v, c.service(), c.lockout); err != nil {
		return nil, err
	}
	k.guard = attempt.New(v, k.gate, nil, eventRefused)
	if k.rings, err = store.NewKind[keyring](v, c.service()); err != nil {
		return nil, err
	}
	k.rings = k.rings.Corrected(correctRing(c))
	k.decoy = *k.fresh("", epochs{}, v.Now())
	undoes(on, k.Unbind)
	return k, nil
}

// fresh makes a key at random. It has no use for the counter, and so begins at zero.
func (k *keys) fresh(by civicpin.Actor, on epochs, now time.Time) *boundKey {
	return &boundKey{
		ID: rand.Text(), Seed: oath.NewSeed(k.policy.algorithm.hash()), Algorithm: k.policy.algorithm, Digits: k.policy.digits,
		Period: int64(k.policy.period / time.Second), Bound: now, Until: now.Add(k.policy.pending), By: by,
		AsPending: on.of(waits.Enrolled), AsBound: on.of(waits.Bound),
	}
}

// key is what an app is shown of a key that was just made. Its counter is zero.
func (k *keys) key(b *boundKey, subject civicpin.Subject) Key {
	return Key{
		Issuer: k.policy.issuer, Account: string(subject), Seed: civicpin.NewSecret(string(b.Seed)), Algorithm: b.Algorithm,
		Digits: b.Digits, Period: time.Duration(b.Period) * time.Second,
	}
}

// Enrol makes a key at random, for the subject's app to scan. The key is pending: the first right code within PendingFor
// activates it. Until then an active key stays good; an older pending key ends.
//
// Call it only for a subject who has just proved who they are, with the current key if there is one: the holder of the new key
// can type the code that activates it. Failures stay counted; after a disablement call Rebind instead. Errors match
// [civicpin.ErrInvalid] for an invalid subject, or are the store's: enrol again then.
func (k *keys) Enrol(ctx context.Context, subject civicpin.Subject) (Key, error) {
	return k.enrol(ctx, subject, civicpin.Citizen, "", func(r *keyring, b *boundKey) { r.Pending = b })
}

// Rebind is Enrol for a subject whose identity was proved again, after the loss of a token or a disablement. It ends every
// other key at once, resets the failures and lifts a disablement (NIST SP 800-63B-4 3.2.2, 4.1). The proof is kept with the
// key: see [KeyStatus]. Errors match
// [civicpin.ErrInvalid] for an invalid subject or proof, or are the store's: the old keys may have ended, so call it again.
func (k *keys) Rebind(ctx context.Context, subject civicpin.Subject, proof civicpin.Evidence) (Key, error) {
	if err := proof.Validate(); err != nil {
		return Key{}, err
	}
	// The old keys go before the failures do, or an attacker who guessed at them could go on.
	key, err := k.enrol(ctx, subject, proof.By, string(proof.Method), func(r *keyring, b *boundKey) {
		b.Method, b.Document, b.Proved = proof.Method, proof.Document, proof.At
		if b.Proved.IsZero() {
			b.Proved = b.Bound
		}
		*r = keyring{Pending: b}
	})
	if err != nil {
		return Key{}, err
	}
	return key, k.rebindGate(ctx, subject, proof.By, &key)
}

// rebindGate forgets the failures. If it cannot, the key is not handed out.
func (k *keys) rebindGate(ctx context.Context, subject civicpin.Subject, by civicpin.Actor, key *Key) error {
	err := k.gate.Rebind(ctx, lockout.Target{Subject: subject}, by)
	if err != nil {
		*key = Key{}
	}
	return err
}

func (k *keys) enrol(ctx context.Context, subject civicpin.Subject, by civicpin.Actor, reason string,
	set func(*keyring, *boundKey),
) (Key, error) {
	if err := subject.Validate(); err != nil {
		return Key{}, err
	}
	on, err := epochsOf(ctx, k.credentials, subject) // before the key is: an act from here on ends it
	if err != nil {
		return Key{}, err
	}
	now := k.vault.Now()
	b := k.fresh(by, on, now)
	_, err = k.rings.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[keyring]) error {
		set(&e.Value, b)
		e.ExpiresAt = e.Value.expires(now)
		return nil
	})
	if err != nil {
		return Key{}, err
	}
	k.record(ctx, civicpin.Event{Code: eventEnrolled, Subject: subject, By: by, Reason: reason}, b.ID)
	return k.key(b, subject), nil
}

// Verify checks a code and consumes it: neither this code nor an older one is accepted again. Blanks and hyphens do not matter.
// The first right code of a pending key activates that key, and ends the key that was active before. For what a call costs see
// docs/costs.md. Errors:
//   - [ErrRefused]: the code is wrong or was used, or the subject is unknown or has no key.
//   - a *[lockout.LockedError]: the guesses are locked. The visitor may be told: unknown subjects lock alike.
//   - [ErrBusy]: nothing was compared, and no try was spent.
//   - [lockout.ErrTimeout]: the code is right, and the call took too long. The code is used, and the try stays counted.
//   - [civicpin.ErrInvalid]: the subject or the source is invalid.
//   - the store's, or the context's, for the log: the code may have been consumed, so ask for the next one.
func (k *keys) Verify(ctx context.Context, subject civicpin.Subject, typed civicpin.Secret, source civicpin.Source) error {
	guess := readCode(typed)
	return k.prove(ctx, subject, source, eventVerified, func(ctx context.Context, b *boundKey, now time.Time) found {
		return k.compare(ctx, b, guess, now)
	})
}

// Unlock ends a lock that wrong codes set; see [lockout.Gate.Unlock], whose errors it returns.
func (k *keys) Unlock(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) error {
	return k.gate.Unlock(ctx, lockout.Target{Subject: subject}, by)
}

// record writes an event about a key.
func (k *keys) record(ctx context.Context, e civicpin.Event, id string) {
	e.Ref = k.ref(id)
	k.vault.Record(ctx, e)
}
