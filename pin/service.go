package pin

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/attempt"
	"github.com/civicpin/civicpin/internal/choice"
	"github.com/civicpin/civicpin/internal/code"
	"github.com/civicpin/civicpin/internal/password"
	"github.com/civicpin/civicpin/internal/quota"
	"github.com/civicpin/civicpin/internal/shown"
	"github.com/civicpin/civicpin/lockout"
	"github.com/civicpin/civicpin/pin/state"
	"github.com/civicpin/civicpin/store"
	"github.com/civicpin/civicpin/store/outbox"
)

// A Service issues and checks the secrets of one [Policy]. Make one with [New]. It is safe for concurrent use, and any
// number of services of one policy name, in any number of processes, over one store work on the same credentials.
type Service struct {
	vault    *store.Vault
	out      *outbox.Outbox
	policy   Policy
	alphabet code.Alphabet
	rules    choice.Rules
	gate     *lockout.Gate
	sends    *outbox.Limit
	resends  *outbox.Limit // see New
	guard    *attempt.Guard
	reuse    *attempt.Guard // see Service.fresher
	forged   *quota.Quota   // see forged
	proved   ProvedContacts // nil if nothing is known of contacts
	hashing  *password.Gate
	decoys   password.Decoys // what a guess at an unknown subject is compared with
	creds    store.Kind[credential]
	decoy    credential  // what is opened where a subject has none
	sealed   store.Decoy // the same, sealed
	receipts store.Kind[receipt]
	contacts atomic.Pointer[contacts]   // see RestOn
	unbinds  atomic.Pointer[[]unbinder] // see UnbindWith
}

// Over reports whether the service works over an outbox: services that rest on each other are over the same one.
func (s *Service) Over(out *outbox.Outbox) bool { return s != nil && s.out == out }

// Policy returns the policy with its defaults filled in.
func (s *Service) Policy() Policy { return s.policy.withDefaults() }

// owner is the name under which the service's messages stand in the outbox.
func (s *Service) owner() string { return "pin." + s.policy.Name }

// ref names a message of a part to the outbox.
func (s *Service) ref(subject civicpin.Subject, issue string, part int, message string, class outbox.Class) outbox.Ref {
	id := issue + "." + strconv.Itoa(part) + "." + message
	return outbox.Ref{Class: class, Owner: s.owner(), Subject: subject, ID: id}
}

// An Attempt is a secret as a visitor typed it, with the Subject that the visitor named, and the Source of the request.
type Attempt struct {
	Subject civicpin.Subject
	// Secret is what was typed. Parts that were typed into fields of their own are simply joined, first part first.
	Secret civicpin.Secret
	Source civicpin.Source
	// Personal is what else is known of the subject and must not be part of a chosen secret: name, birth date as 2006-01-02,
	// customer number. The subject's id and the addresses to which parts were sent are added. Only Exchange and Change look at it,
	// and only after the proof. At most 32 pieces count.
	Personal []string
}

func (a Attempt) key() lockout.Target { return lockout.Target{Subject: a.Subject, Source: a.Source} }

// match is what prove found.
type match struct {
	entry  store.Entry[credential] // that the secret was compared with
	device bool                    // whether the attempt came from a known device
	last   time.Time               // see Verified.LastLoginAt
	again  bool                    // whether the attempt is a choice that was made already
}

// prove checks an attempt: nil means that it shows the subject's current secret, which may have expired. If repeats is not
// nil, it is asked about a wrong secret, and nil may also mean that the attempt is a choice that was made already.
//
// Whatever the subject is, known or not, the work is the same: one read of the credential, one hash, and what repeats does,
// inside the gate.
func (s *Service) prove(ctx context.Context, at attempt.Place, a Attempt,
	repeats repeat,
) (match, error) {
	var p match
	guess := attempt.Guess{Target: a.key()}
	err := at.Do(ctx, &guess, func(ctx context.Context) (attempt.Finding, error) {
		e, err := s.creds.GetOr(ctx, store.Key{Subject: a.Subject}, s.sealed)
		guess.Ref, guess.Level = e.Value.Issue, e.Value.Level
		p = match{entry: e, device: lockout.KnownDevice(ctx)}
		if s.policy.MaxUnused > 0 {
			p.last = e.Value.Used
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return attempt.Finding{}, err
		}
		hash, typed, usable, why := s.comparison(&e, a.Secret.Reveal())
		right, err := attempt.Hash(ctx, s.hashing, s.decoys, hash, typed)
		if err != nil {
			return attempt.Finding{}, err
		}
		if right = right.If(usable); !right.Right() && repeats != nil {
			right = repeats(ctx, &e)
			p.again = right.Right()
		}
		return attempt.Found(right, e.Found(), why), nil
	})
	return p, err
}

// comparison returns what to compare with what, whether a match would count, and what to say for the log if it does not match.
func (s *Service) comparison(e *store.Entry[credential], raw string) (
	hash password.Hash, typed string, usable bool, why attempt.Refusal,
) {
	c := &e.Value
	why = attempt.Wrong
	if !e.Found() {
		c = &s.decoy // parsed and normalised alike, and then good for nothing
		why = attempt.Unknown
	}
	hash = s.decoys[0]
	if c.empty() {
		why = c.refusal()
	} else if parsed, err := password.Parse(c.Hash); err != nil {
		why = attempt.Unreadable
	} else {
		hash, usable = parsed, e.Found()
		if c.Suspended {
			why, usable = attempt.Suspended, false
		}
	}
	// What cannot be a secret is hashed as nothing: the same work is done whatever was typed.
	typed, ok := c.Norm.normalise(raw)
	if !ok {
		typed = ""
	}
	return hash, typed, usable && ok, why
}

// Verify checks a secret. With a nil error the secret is right; look at MustExchange, and at Level before each act that needs a
// level. For what a call costs see docs/costs.md. Errors:
//   - [ErrRefused]: the secret is wrong, or the subject is unknown, revoked, suspended or was never issued a credential.
//   - a [*lockout.LockedError]: the guesses are locked. The visitor may be told: unknown subjects lock alike.
//   - [ErrBusy]: nothing was compared, and no try was spent.
//   - [lockout.ErrTimeout]: the secret is right, and the call took too long. The try stays counted.
//   - an [*ExpiredError]: the secret is right, and expired.
//   - [civicpin.ErrInvalid]: the subject or the source is invalid.
//   - the store's, or the context's, for the log: tell the visitor the same as for ErrRefused, or that the service is down.
func (s *Service) Verify(ctx context.Context, a Attempt) (Verified, error) {
	ctx, at, err := s.guard.Enter(ctx)
	if err != nil {
		return Verified{}, err
	}
	defer at.Leave()
	p, err := s.prove(ctx, at, a, nil)
	if err != nil {
		return Verified{}, err
	}
	c, now := &p.entry.Value, s.vault.Now()
	if since := c.expired(&s.policy, now); since != "" {
		s.record(ctx, a, eventExpired, c, string(since))
		return Verified{}, &ExpiredError{Since: since}
	}
	s.record(ctx, a, eventVerified, c, "")
	if c.State == state.Provisional {
		return Verified{MustExchange: true, ExpiresAt: c.Expires}, nil
	}
	s.touch(ctx, a, p.entry, now)
	if s.policy.MaxUnused > 0 {
		c.Used = now
	}
	return s.verified(a, p, c, now), nil
}

// touch keeps the time of the last use and renews the hash if it is not as the policy wants it. If it cannot be written,
// because the store failed, the next login tries again: the secret was right all the same.
func (s *Service) touch(ctx context.Context, a Attempt, e store.Entry[credential], now time.Time) {
	proven, renewed := e.Value.Hash, ""
	// What was imported is compared as received until now. A secret that was set under another form keeps its form: "ab 1"
	// and "AB1" may have been the same PIN, and would not be the same password.
	norm := e.Value.Norm
	if norm.Version == 0 {
		if _, ok := s.policy.Chosen.normaliser().normalise(a.Secret.Reveal()); ok {
			norm = s.policy.Chosen.normaliser()
		}
	}
	typed, _ := norm.normalise(a.Secret.Reveal())
	if hash, err := password.Parse(proven); err == nil && (!hash.Current(s.policy.hashParams()) || norm != e.Value.Norm) {
		_ = s.hashing.Run(ctx, func() { renewed = password.New(s.policy.hashParams(), typed).Encode() })
	}
	_, _ = s.creds.UpdateFrom(ctx, e, func(e *store.Entry[credential]) error {
		c := &e.Value
		used := s.policy.MaxUnused > 0 && now.Sub(c.Used) >= usedEvery
		if !e.Found() || c.Hash != proven || renewed == "" && !used {
			return store.ErrSkip
		}
		if used {
			c.Used = now
		}
		c.dropAgain(now)
		if renewed != "" {
			c.Hash, c.Norm = renewed, norm
		}
		return nil
	})
}

// record writes an event about an attempt.
func (s *Service) record(ctx context.Context, a Attempt, event civicpin.EventCode, c *credential, reason string) {
	s.vault.Record(ctx, civicpin.Event{
		Code: event, Subject: a.Subject, By: civicpin.Citizen, Source: a.Source, Ref: c.Issue, Level: c.Level, Reason: reason,
	})
}

// Shown returns a value for [civicpin.Source].Shown that says that a request comes from a known device of the subject. The
// value is good for 15 minutes, for all services over the vault: a portal asks for it before it asks for messages through
// package otp, contact or recovery. [Service.Issue] and [Service.Resend] look at Source.Device by themselves.
//
// The value is zero if source.Device is not a known device of the subject; handing a zero value on is right then. Errors:
//   - [civicpin.ErrInvalid]: the subject or the source is invalid.
//   - the store's.
func (s *Service) Shown(ctx context.Context, subject civicpin.Subject, source civicpin.Source) (civicpin.Secret, error) {
	id, err := s.gate.Device(ctx, lockout.Target{Subject: subject, Source: source})
	if err != nil || id == "" {
		return civicpin.Secret{}, err
	}
	return shown.New(s.vault, subject, shown.Value{Kind: shown.Device, ID: id}), nil
}

// asks returns the source of a request with what its device shows, unless the caller has shown something else.
func (s *Service) asks(ctx context.Context, subject civicpin.Subject, source civicpin.Source) (civicpin.Source, error) {
	if !source.Shown.IsZero() {
		return source, nil
	}
	var err error
	source.Shown, err = s.Shown(ctx, subject, source)
	return source, err
}
