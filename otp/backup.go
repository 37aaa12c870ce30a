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
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/store"
)

const (
	// backupAlphabet is Crockford's base 32: who reads O for 0, or I or L for 1, is understood.
	backupAlphabet code.Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	// backupLength makes 75 bits. One guess at a stolen record may hit any of its codes, so that up to 5 of those are lost;
	// 70 are above the 64 that NIST SP 800-63B-4 4.2.1.1 asks for.
	backupLength = 15
	backupGroup  = 5

	defaultBackupCount = 10
	maxBackupCount     = 32
)

// BackupPolicy says how backup codes are made and checked. The zero value of each field but Name means its default.
type BackupPolicy struct {
	// Name names the codes: services of one name over one vault share them. 1 to 40 ASCII letters, digits and "-_.".
	// Required; never change it.
	Name string
	// Count is how many codes a set has; default 10, at most 32.
	Count int
	// Lockout says how many wrong guesses are borne. Default: five lock for a minute, and each further five for twice as long,
	// up to a day.
	Lockout lockout.Policy
	// Permits is how many hashes run at once; default GOMAXPROCS-1, at least 1. Queue is how many calls may wait for a
	// permit before the next gets ErrBusy; default 16.
	Permits, Queue int
}

// withDefaults returns the config with its zero fields filled in.
func (c BackupPolicy) withDefaults() BackupPolicy {
	if c.Count == 0 {
		c.Count = defaultBackupCount
	}
	if c.Lockout == (lockout.Policy{}) {
		c.Lockout = lockout.Policy{Limit: 5, Lock: lockout.Timed, For: time.Minute, Max: 24 * time.Hour}
	}
	return c
}

// Backup makes and checks sets of single-use codes that citizens keep on paper for the day on which their other means are
// lost: saved recovery codes, look-up secrets (NIST SP 800-63B-4 4.2.1.1, 3.1.2). Make one with [NewBackupCodes]. It is safe
// for concurrent use, and any number of them of one name, in any number of processes, over one store work on the same codes.
type BackupCodes struct {
	vault   *store.Vault
	config  BackupPolicy
	params  password.Params
	gate    *lockout.Gate
	guard   *attempt.Guard
	hashing *password.Gate
	sets    store.Kind[backupSet]
	decoy   backupSet // what a guess at nobody is hashed for, so that it costs the same
}

// backupSet is what is kept of one subject. The codes share one salt, so that a guess is hashed once and compared with all
// of them, whether there are ten, one, or none: a salt for each would make a guess cost ten hashes, and its duration tell
// how many are left. The salt still keeps sets apart.
type backupSet struct {
	Params password.Params `json:"params"`
	Salt   []byte          `json:"salt"`
	// Hashes are argon2id's of the codes that were not used.
	Hashes [][]byte  `json:"hashes,omitempty"`
	Issued time.Time `json:"issued,omitzero" export:"yes"`
}

// NewBackupCodes returns a Backup. Errors match [ErrInvalidPolicy] if the config is not valid.
func NewBackupCodes(v *store.Vault, c BackupPolicy) (*BackupCodes, error) {
	return newBackup(v, c, password.Default())
}

func newBackup(v *store.Vault, c BackupPolicy, params password.Params) (*BackupCodes, error) {
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
	b := &BackupCodes{vault: v, config: c, params: params, decoy: freshBackup(params)}
	var err error
	if b.gate, err = lockout.New(v, "backup."+c.Name, c.Lockout); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidPolicy, err)
	}
	if b.hashing, err = password.NewGate(c.Permits, c.Queue); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidPolicy, err)
	}
	b.guard = attempt.New(v, b.gate, b.hashing, eventBackupRefused)
	b.sets, err = store.NewKind[backupSet](v, "backup."+c.Name)
	return b, err
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

// Issue makes a new set of codes, in groups of five for printing, and returns them for this once; the subject's former ones
// are good no more. Show them to nobody but a citizen who has logged in with two factors (NIST SP 800-63B-4 3.1.2.1), over a
// page that is not cached. by is who asks for them. It hashes each code, one after the other; the failures counted against
// the subject stay.
//
// Errors: [civicpin.ErrInvalid]; [ErrBusy]; the store's: the former codes may then be good or not, and issuing again is safe.
func (b *BackupCodes) Issue(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) ([]civicpin.Secret, error) {
	if err := errors.Join(subject.Validate(), by.Validate()); err != nil {
		return nil, err
	}
	leave, err := attempt.Enter(ctx, b.hashing)
	if err != nil {
		return nil, err
	}
	defer leave()
	set := freshBackup(b.params)
	set.Issued = b.vault.Now()
	var printed []civicpin.Secret
	for range b.config.Count {
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

// Left returns how many codes of a subject were not used; zero also if there never were any. It is for the citizen after
// logging in, who should have new ones issued before the last is gone, and for operators. Errors: [civicpin.ErrInvalid];
// the store's.
func (b *BackupCodes) Left(ctx context.Context, subject civicpin.Subject) (int, error) {
	if err := subject.Validate(); err != nil {
		return 0, err
	}
	e, err := b.sets.Get(ctx, store.Key{Subject: subject})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return 0, err
	}
	return len(e.Value.Hashes), nil
}

// Revoke ends all codes of a subject; one who has none is no error. Errors: [civicpin.ErrInvalid]; the store's.
func (b *BackupCodes) Revoke(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) error {
	if err := errors.Join(subject.Validate(), by.Validate()); err != nil {
		return err
	}
	done := false
	_, err := b.sets.Update(ctx, store.Key{Subject: subject}, func(e *store.Entry[backupSet]) error {
		done = len(e.Value.Hashes) > 0
		if !done {
			return store.ErrSkip
		}
		e.Value.Hashes = nil
		return nil
	})
	if err == nil && done {
		b.vault.Record(ctx, civicpin.Event{Code: eventBackupRevoked, Subject: subject, By: by})
	}
	return err
}

// Unlock ends a lock that wrong guesses brought about; see [lockout.Gate.Unlock] for what it does and returns.
func (b *BackupCodes) Unlock(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) error {
	return b.gate.Unlock(ctx, lockout.Target{Subject: subject}, by)
}

// Rebind forgets the failures counted against a subject and lifts a disablement. It is for the moment in which codes were
// issued after the citizen's identity was proved again, and for no other; see [lockout.Gate.Rebind].
func (b *BackupCodes) Rebind(ctx context.Context, subject civicpin.Subject, by civicpin.Actor) error {
	return b.gate.Rebind(ctx, lockout.Target{Subject: subject}, by)
}

// Status returns the state of the guesses at a subject's codes, for operators; see [lockout.Gate.Status].
func (b *BackupCodes) Status(ctx context.Context, subject civicpin.Subject) (lockout.Status, error) {
	return b.gate.Status(ctx, lockout.Target{Subject: subject})
}
