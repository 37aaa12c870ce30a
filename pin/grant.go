package pin

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/proof"
	"github.com/civicpin/civicpin/internal/waits"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
)

// ErrNoGrant says that a grant is not good: it is unknown or too old, was used or replaced, or another act upon the credential
// ended it.
var ErrNoGrant = errors.New("pin: no such grant")

// A Grant is the permission to set a subject's secret once, without the current one. Only a completed plan of package
// recovery gives one. It is kept in the credential's own record, so that using it is one conditional write, and ends with
// the next grant, issue, exchange, change, suspension or revocation. The zero Grant permits nothing.
//
// It prints as "[redacted]".
type Grant struct {
	subject civicpin.Subject
	secret  civicpin.Secret // 256 random bits
}

// grantSecret is the length of a grant's secret in bytes: 256 bits, so that guesses need not be counted (OWASP ASVS
// 11.5.1 asks for 128).
const grantSecret = 32

// maxGrantText bounds the text of a grant, in bytes: the longest subject takes 342.
const maxGrantText = 400

// Subject returns whose secret the grant sets.
func (g Grant) Subject() civicpin.Subject { return g.subject }

// IsZero reports whether the grant is the zero Grant.
func (g Grant) IsZero() bool { return g.secret.IsZero() }

// String returns "[redacted]".
func (g Grant) String() string { return g.secret.String() }

// GoString returns "[redacted]".
func (g Grant) GoString() string { return g.secret.String() }

// MarshalText returns "[redacted]" and a nil error; see [Grant.Text].
func (g Grant) MarshalText() ([]byte, error) { return g.secret.MarshalText() }

// Text returns the grant as text, for the page on which the subject chooses: in a cookie or a hidden field, never in an
// address. Its holder can use the grant.
func (g Grant) Text() civicpin.Secret {
	if g.IsZero() {
		return civicpin.Secret{}
	}
	b64 := base64.RawURLEncoding
	return civicpin.NewSecret("g1." + b64.EncodeToString([]byte(g.subject)) + "." + b64.EncodeToString([]byte(g.secret.Reveal())))
}

// ParseGrant reads what [Grant.Text] wrote. Errors match [ErrNoGrant] for any other text. Whether the grant is good shows only
// when it is used.
func ParseGrant(text civicpin.Secret) (Grant, error) {
	raw := text.Reveal()
	// The length first, before a long text costs anything. The decoder passes over line ends; a text has one form only.
	if len(raw) > maxGrantText || strings.ContainsAny(raw, "\r\n") {
		return Grant{}, ErrNoGrant
	}
	b64 := base64.RawURLEncoding.Strict()
	fields := strings.Split(raw, ".")
	if len(fields) != 3 || fields[0] != "g1" {
		return Grant{}, ErrNoGrant
	}
	subject, err1 := b64.DecodeString(fields[1])
	secret, err2 := b64.DecodeString(fields[2])
	if err1 != nil || err2 != nil || len(secret) != grantSecret || civicpin.Subject(subject).Validate() != nil {
		return Grant{}, ErrNoGrant
	}
	return Grant{subject: civicpin.Subject(subject), secret: civicpin.NewSecret(string(secret))}, nil
}

// hash is what the credential keeps of the grant.
func (g Grant) hash() []byte {
	h := sha256.Sum256([]byte(g.secret.Reveal()))
	return h[:]
}

// grant is what a credential's record says of the grant that may set it.
type grant struct {
	Hash    []byte    `json:"hash"`
	Run     string    `json:"run"` // of the recovery, for the log
	Expires time.Time `json:"expires"`
	// For is how long the grant was good when it was written.
	For time.Duration `json:"for"`
	// Parts are where the parts of a new secret go; empty if the citizen chooses one.
	Parts []part `json:"parts,omitempty"`
	// Kept is what is left of the credential's level once the secret is the citizen's own.
	Kept civicpin.Level `json:"kept"`
	// Book is the epoch of the contacts on which it rests: see [Service.RestOn]. It is nil if it rests on none.
	Book *uint64 `json:"book,omitempty"`
}

// opens reports whether the grant is this credential's, for parts or for a secret of the citizen's choice.
func (c *credential) opens(ctx context.Context, g Grant, parts bool, now time.Time) bool {
	return c.Grant != nil && attempt.Bytes(ctx, c.Grant.Hash, g.hash()).Right() && now.Before(c.Grant.Expires) &&
		len(c.Grant.Parts) > 0 == parts && !c.Suspended
}

// A Mark is what a credential looked like when a recovery started. Every act after which other hands may hold the secret, or
// that gives a grant, changes it: docs/waits.md. So the first of several recoveries that gives a grant ends all others.
type Mark struct {
	// Epoch counts the acts that end a recovery, Proved those that end one in which a contact was proved, and Approved those
	// that end one that operators approved; 0 if there is no record. They are not the [Epoch] of sessions. Denial counts what
	// operators did after which a former recovery is repudiated no more.
	Epoch, Proved, Approved, Denial uint64
	// Held says that there is a credential that can be recovered: not revoked and not suspended. Free says that there is none, so
	// that a plan can create one: never issued, revoked, or created by a plan and not used.
	Held, Free bool
	// Revoked says that the free credential belonged to a subject before: a secret was issued or chosen, and then revoked.
	Revoked bool
	// Level is the credential's.
	Level civicpin.Level
}

// Mark returns what a recovery has to know of a subject's credential when it starts. It is for package recovery, and does the
// same work for every subject. Errors are the store's.
func (s *Service) Mark(ctx context.Context, subject civicpin.Subject) (Mark, error) {
	if err := subject.Validate(); err != nil {
		return Mark{}, err
	}
	e, err := s.creds.GetOr(ctx, store.Key{Subject: subject}, s.sealed)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Mark{}, err
	}
	c := &e.Value
	acts := c.Acts
	if !e.Found() {
		acts = s.decoy.Acts // the same work
	}
	now := acts.Stamp()
	m := Mark{
		Epoch: now.Epoch(waits.Run), Proved: now.Epoch(waits.Proved), Approved: now.Epoch(waits.Approved),
		Denial: now.Epoch(waits.Denial),
		Held:   c.recoverable(), Level: c.Level, Free: c.beginnable(), Revoked: c.State == state.Revoked && c.owned(),
	}
	if !e.Found() {
		m = Mark{Free: true}
	}
	return m, nil
}

// Complete ends a recovery, if the credential has not changed since the recovery started. It writes a grant into the
// credential's record; where the plan ends in an unlock, it does what [Service.Unlock] does, and the grant is zero. Only
// package recovery can make a proof. Of any number of recoveries of one subject that complete at once, one does. Errors:
//   - [ErrChanged]: the credential changed since.
//   - [ErrWrongState]: the credential is in a state that allows no recovery.
//   - [ErrWrongParts], [civicpin.ErrInvalid]: the proof does not fit the policy.
//   - [ErrNoGrant]: the proof is empty, or not one of package recovery.
//   - a *[lockout.LockedError]: the plan ends in an unlock, and the credential is disabled, which takes a new secret.
//   - the store's: a grant may be stored that no caller has, or the lock may still stand. Recover again.
func (s *Service) Complete(ctx context.Context, p proof.Completed) (Grant, error) {
	if !p.Sealed() {
		return Grant{}, fmt.Errorf("%w: not a proof of package recovery", ErrNoGrant)
	}
	if err := p.Subject.Validate(); err != nil {
		return Grant{}, err
	}
	if p.Run == "" || p.Valid <= 0 && !p.Unlock {
		return Grant{}, fmt.Errorf("%w: an empty proof", ErrNoGrant)
	}
	if p.Unlock {
		return Grant{}, s.reopen(ctx, p)
	}
	return s.grant(ctx, p)
}

// grant writes a grant into the credential's record.
func (s *Service) grant(ctx context.Context, p proof.Completed) (Grant, error) {
	if len(p.Parts) > 0 {
		check := IssueOptions{Parts: p.Parts, By: civicpin.Citizen}
		if err := s.checkIssue(p.Subject, &check); err != nil {
			return Grant{}, err
		}
	}
	secret := make([]byte, grantSecret)
	_, _ = rand.Read(secret) // never fails
	g := Grant{subject: p.Subject, secret: civicpin.NewSecret(string(secret))}
	slot := grant{Hash: g.hash(), Run: p.Run, For: p.Valid, Expires: s.vault.Now().Add(p.Valid), Book: p.Book}
	for _, to := range p.Parts {
		slot.Parts = append(slot.Parts, part{Channel: to.Channel, Address: to.Address, Locale: to.Locale})
	}
	e, err := s.creds.Update(ctx, store.Key{Subject: p.Subject}, func(e *store.Entry[credential]) error {
		c := &e.Value
		switch {
		case c.ended(p):
			return ErrChanged
		case p.Creates && e.Found() && !c.beginnable(), !p.Creates && (!e.Found() || !c.recoverable()):
			return c.wrongState()
		}
		if !e.Found() {
			c.State = state.Vacant
		}
		c.Acts = c.Acts.Did(waits.Recovery, s.vault.Now())
		c.withdraw(s.vault.Now())
		slot.Kept = max(p.Kept.Of(c.Level, c.Graded), civicpin.Low)
		c.Grant = &slot
		e.ExpiresAt = c.keep()
		return nil
	})
	if err != nil {
		return Grant{}, err
	}
	s.vault.Record(ctx, civicpin.Event{
		Code: eventGranted, Subject: p.Subject, By: civicpin.Citizen, Source: p.Source, Ref: e.Value.Issue, Level: e.Value.Level,
		Reason: p.Plan + " " + p.Run,
	})
	return g, nil
}

// ended reports whether an act upon the credential ended a recovery since it began.
func (c *credential) ended(p proof.Completed) bool {
	return c.Acts.Stamp().Epoch(cmp.Or(p.Thing, waits.Run)) != p.Epoch
}

// reopen ends the lock. Nothing tells whether there was one. Other recoveries and a grant stay.
func (s *Service) reopen(ctx context.Context, p proof.Completed) error {
	_, err := s.creds.Update(ctx, store.Key{Subject: p.Subject}, func(e *store.Entry[credential]) error {
		switch {
		case e.Value.ended(p):
			return ErrChanged
		case !e.Found() || !e.Value.recoverable():
			return e.Value.wrongState()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.gate.Unlock(ctx, lockout.Target{Subject: p.Subject}, civicpin.Citizen)
}
