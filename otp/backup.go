package otp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/internal/names"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

const (
	// backupAlphabet is Crockford's base 32: a subject may read O for 0, and I or L for 1.
	backupAlphabet code.Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	// backupLength makes 75 bits. One guess at a stolen record may hit any of its codes, so that up to 5 of those are lost;
	// 70 are above the 64 that NIST SP 800-63B-4 4.2.1.1 asks for.
	backupLength = 15
	backupGroup  = 5

	defaultBackupCount = 10
	maxBackupCount     = 32
)

// A BackupPolicy says how backup codes are made and checked. Only Name is required; the zero value of any other field means its
// default.
type BackupPolicy struct {
	// Name names the codes: services of one name over one vault share them. 1 to 40 ASCII letters, digits and "-_.". Never change
	// it: the name is stored with every record.
	Name string
	// Count is how many codes a set has. Zero means 10; at most 32.
	Count int
	// Lockout limits wrong guesses. The zero Policy means that five lock for a minute, and each further five for twice as long, up
	// to a day; ten each of the ceiling are for callers who have shown a login and a known device (lockout.Policy.Reserve).
	Lockout lockout.Policy
	// Permits is how many hashes run at once; zero means GOMAXPROCS-1, at least 1.
	Permits int
	// Wait is how long a call may wait for a permit, by what hashes took of late. A call that would wait longer gets [ErrBusy] at
	// once, as a *[lockout.BusyError]. Zero means 2 seconds; at most a minute.
	Wait time.Duration
}

// withDefaults returns the policy with its zero fields filled in.
func (c BackupPolicy) withDefaults() BackupPolicy {
	if c.Count == 0 {
		c.Count = defaultBackupCount
	}
	c.Lockout = orFive(c.Lockout)
	return c
}

// BackupCodes makes and checks sets of single-use codes. A subject keeps them on paper for the day on which other means are
// lost: saved recovery codes, look-up secrets (NIST SP 800-63B-4 4.2.1.1, 3.1.2). Make one with [NewBackupCodes]. It is safe
// for concurrent use, and any number of them of one name, in any number of processes, over one store work on the same codes.
type BackupCodes struct {
	vault   *store.Vault
	policy  BackupPolicy
	gate    *lockout.Gate
	guard   *attempt.Guard
	hashing *password.Gate
	sets    store.Kind[backupSet]
	// decoys are a set of each cost that sets may have, the current one first. A guess is hashed once at each cost, for the decoy
	// where the subject has no set of it, so that it costs the same.
	decoys []backupSet

	credentials Credentials // may be nil
}

// backupSet is what is kept of one subject. The codes share one salt, so that a guess is hashed once and compared with all
// of them, whether there are ten, one, or none: a salt for each would make a guess cost ten hashes, and its duration tell
// how many are left. The salt still keeps sets apart.
type backupSet struct {
	Params password.Params `json:"params"`
	Salt   []byte          `json:"salt"`
	// Hashes are argon2id's of the codes that were not used.
	Hashes [][]byte       `json:"hashes,omitempty"`
	Issued time.Time      `json:"issued,omitzero" export:"yes"`
	By     civicpin.Actor `json:"by,omitempty" export:"yes"` // the actor who asked for it
	// Epoch is that of the subject's credential when the set was issued; nil if there was none to ask.
	Epoch *uint64 `json:"epoch,omitempty"`
}

// NewBackupCodes returns a BackupCodes. credentials, of which there is at most one, end sets by acts upon a subject's secret:
// see [Credentials]. Without them no act ends a set but those of this package. Errors match [ErrInvalidPolicy] if the policy
// is invalid; a nil vault is an error, too, and more than one of credentials.
//
// An undo of contacts ends the sets that were issued since only in a process that made this service: make it in each process
// that serves the links of package contact.
func NewBackupCodes(v *store.Vault, c BackupPolicy, credentials ...Credentials) (*BackupCodes, error) {
	return newBackup(v, c, password.Defaults(), credentials...)
}

func newBackup(v *store.Vault, c BackupPolicy, costs []password.Params, credentials ...Credentials) (*BackupCodes, error) {
	on, err := atMostOne(credentials)
	if err != nil {
		return nil, err
	}
	if v == nil {
		return nil, errors.New("otp: NewBackupCodes: no vault")
	}
	c = c.withDefaults()
	if !names.Valid(c.Name, 40) {
		return nil, fmt.Errorf("%w: Name is not 1 to 40 ASCII letters, digits, - _ and period", ErrInvalidPolicy)
	}
	if c.Count < 1 || c.Count > maxBackupCount {
		return nil, fmt.Errorf("%w: Count is not 1 to %d", ErrInvalidPolicy, maxBackupCount)
	}
	b := &BackupCodes{vault: v, policy: c, credentials: on}
	for _, cost := range costs {
		b.decoys = append(b.decoys, freshBackup(cost))
	}
	if err = c.Lockout.ValidateWithoutDevices(); err == nil {
		b.gate, err = lockout.New(v, "backup."+c.Name, c.Lockout)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidPolicy, err)
	}
	if b.hashing, err = password.NewGate(c.Permits, c.Wait, len(costs)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidPolicy, err)
	}
	b.guard = attempt.New(v, b.gate, b.hashing, eventBackupRefused)
	if b.sets, err = store.NewKind[backupSet](v, "backup."+c.Name); err != nil {
		return nil, err
	}
	undoes(on, b.Unbind)
	return b, nil
}

// freshBackup is a set without codes.
func freshBackup(params password.Params) backupSet {
	s := backupSet{Params: params, Salt: make([]byte, 16)}
	_, _ = rand.Read(s.Salt) // never fails
	return s
}

// hash is what the set keeps of a code.
func (s *backupSet) hash(typed string) []byte {
	return argon2.IDKey([]byte(typed), s.Salt, s.Params.Time, s.Params.Memory, s.Params.Threads, 32)
}

// Issue makes a new set of codes, in groups of five for printing, and returns them for this once. The subject's former codes
// end. Show the set only to a subject who has logged in with two factors (NIST SP 800-63B-4 3.1.2.1), on a page that is not
// cached. by is the actor who asks for the set. Issue hashes the codes one after the other. It does not reset the failures that
// are counted against the subject. Errors:
//   - [civicpin.ErrInvalid]: the subject or the actor is invalid.
//   - [ErrBusy]: too much is being hashed. Nothing changed.
//   - the store's: the former codes may have ended. Call it again.
func (b *BackupCodes) Issue(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) ([]civicpin.Secret, error) {
	if err := errors.Join(subject.Validate(), by.Validate()); err != nil {
		return nil, err
	}
	ctx, leave, err := attempt.Enter(ctx, b.hashing)
	if err != nil {
		return nil, err
	}
	defer leave()
	on, err := epochsOf(ctx, b.credentials, subject) // before the set is: an act from here on ends it
	if err != nil {
		return nil, err
	}
	set := freshBackup(b.decoys[0].Params)
	set.Issued, set.By, set.Epoch = b.vault.Now(), by, on.of(waits.Bound)
	var printed []civicpin.Secret
	for range b.policy.Count {
		text := b.draw()
		printed = append(printed, civicpin.NewSecret(code.Group(text, backupGroup)))
		if err := b.hashing.Run(ctx, func() { set.Hashes = append(set.Hashes, set.hash(text)) }); err != nil {
			return nil, err
		}
	}
	_, err = b.sets.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[backupSet]) error {
		e.Value = set
		return nil
	})
	if err != nil {
		return nil, err
	}
	b.vault.Record(ctx, civicpin.Event{Code: eventBackupIssued, Subject: subject, By: by})
	return printed, nil
}

// draw makes a code at random.
func (b *BackupCodes) draw() string { return backupAlphabet.New(backupLength) }

// Left returns how many codes of a subject are unused, zero if there never were any. It is for operators, and for a subject
// after a login, who should get a new set before the last code is used. Errors match [civicpin.ErrInvalid] for an invalid
// subject, or are the store's.
func (b *BackupCodes) Left(ctx context.Context, subject civicpin.Subject) (int, error) {
	if err := subject.Validate(); err != nil {
		return 0, err
	}
	e, err := b.sets.Get(ctx, store.Key{Subject: subject})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return 0, err
	}
	on, err := epochsOf(ctx, b.credentials, subject)
	if err != nil || on.ended(waits.Bound, e.Value.Epoch) {
		return 0, err
	}
	return len(e.Value.Hashes), nil
}

// Unlock ends a lock that wrong guesses set; see [lockout.Gate.Unlock], whose errors it returns.
func (b *BackupCodes) Unlock(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) error {
	return b.gate.Unlock(ctx, lockout.Target{Subject: subject}, by)
}

// Rebind resets the failures that are counted against a subject, and lifts a disablement. Call it when codes were issued after
// the subject's identity was proved again, and at no other time. Errors are those of [Codes.Rebind].
func (b *BackupCodes) Rebind(ctx context.Context, subject civicpin.Subject, proof civicpin.Evidence) error {
	return rebind(ctx, b.vault, b.gate, "backup."+b.policy.Name, subject, proof)
}

// Status returns the state of the guesses at a subject's codes, for operators; see [lockout.Gate.Status], whose errors it
// returns.
func (b *BackupCodes) Status(ctx context.Context, subject civicpin.Subject) (lockout.Status, error) {
	return b.gate.Status(ctx, lockout.Target{Subject: subject})
}
